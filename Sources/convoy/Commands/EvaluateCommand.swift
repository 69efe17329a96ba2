public import ArgumentParser
internal import Compute
public import Datasets
internal import Foundation
internal import Parallel
internal import Reporting
public import Training

extension TestTimeFlips: ExpressibleByArgument {}
extension AnswerPlace: ExpressibleByArgument {}

/// Measures a trained network on a dataset.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract:
      "Evaluate a checkpoint on a dataset: loss and metrics, and figures for each class, label or output.",
    discussion: """
      CHECKPOINT is a checkpoint file or a run directory, whose best checkpoint is taken. Results/NAME/last and Results/NAME/best \
      stand for the last and the best run of a name, RUN/last for a run's newest checkpoint.

      The output depends on the loss that the network was trained with: the classes and their confusion matrix, the labels with \
      precision and recall, or the numbers with their errors; for moves of Go, how well they are predicted as games go on. Started by \
      srun or mpirun, the ranks share the samples (`convoy mpi --help`).

        convoy evaluate Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5
        convoy evaluate Results/go-small/RUN --data Results/data/go.h5 --flips eight
        convoy evaluate Results/angles/RUN --data angles.h5 --images valid/images --targets valid/targets
      """)

  @Argument(help: "A checkpoint or a run directory.", completion: .file())
  var checkpoint: String

  @Option(help: ArgumentHelp("The dataset file.", valueName: "file.h5"))
  var data: String

  @OptionGroup var names: SampleNames

  @Option(
    help:
      "Average the outputs over mirrored views as well: horizontal, vertical or both, or eight for all turns and reflections of a board."
  )
  var flips = TestTimeFlips.none

  @OptionGroup var answer: FlippedAnswerOption

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let ranks = try RankProcess.join()
    let (path, checkpoint) = try CheckpointStore.choose(checkpoint) { TerminalOutput.warn("\($0)") }
    let dataset = try names.open(data, for: checkpoint)
    try checkpoint.warnOfPixels(dataset)
    let store = try SampleStore(dataset, memoryLimitByteCount: 1 << 30, threads: workers.count)
    let predictor = try checkpoint.predictor(
      path, samples: dataset.count, workers: workers.count, ranks: ranks)
    try answer.check(flips, predictor)
    let progress = TerminalOutput.progressLine()
    let evaluation = try predictor.evaluate(store, stop: stop, flips: flips, answer: answer.place) { sums in
      progress.update(
        ProgressReading(
          title: "evaluate", done: sums.samples, total: dataset.count, loss: sums.meanLoss,
          figure: ProgressReading.Figure(mainOf: sums)),
        now: TerminalOutput.seconds)
    }
    progress.finish()
    guard let evaluation else { throw SilentEnd(.stopped) }
    let outputs = classNames(checkpoint, dataset, count: predictor.outputCount)
    let report = EvaluationReport(
      path, evaluation, outputs: outputs, classes: checkpoint.identity.classNames, dataset)
    print(json ? try report.json() : report.text(TerminalOutput.standardOutput))
  }
}

/// The effect of mirrored views on answers.
struct FlippedAnswerOption: ParsableArguments {
  @Option(
    name: .customLong("answer"),
    help: ArgumentHelp(
      "With --flips: board mirrors outputs that lie on the image back, none leaves them. Required for numbers, and for as many "
        + "outputs as the image has points.", valueName: "board|none"))
  var place: AnswerPlace?

  /// Checks that the samples can be mirrored, and that the effect on answers is known.
  ///
  /// - Throws: ``CommandError`` where they cannot, or the option is missing.
  func check(_ flips: TestTimeFlips, _ predictor: Predictor) throws {
    guard flips != .none else {
      if place != nil { throw CommandError.usage("--answer needs --flips") }
      return
    }
    if let problem = predictor.problem(of: flips, answer: place) {
      throw CommandError.usage("--flips \(flips.rawValue): \(problem)")
    }
  }
}

/// The number of cores to use.
struct WorkersOption: ParsableArguments {
  @Option(
    .workers, name: .customLong("workers"),
    help: ArgumentHelp(
      "Number of cores to use; it changes the speed, never the results. All by default.", valueName: "n"))
  var given: Int?

  var count: Int { given ?? RankProcess.usualWorkers }
}
