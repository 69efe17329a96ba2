public import ArgumentParser
internal import Datasets
internal import Foundation
internal import Parallel
internal import Reporting
public import Training

extension TestTimeFlips: ExpressibleByArgument {}

/// Says how good a trained network is on a dataset.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Loss, accuracy, per-class figures and confusion matrix of a checkpoint on a dataset.",
    discussion: """
      CHECKPOINT is a checkpoint file or a run directory, of which the best checkpoint is taken.

        convoy evaluate Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5
      """)

  @Argument(help: "A checkpoint or a run directory.", completion: .file())
  var checkpoint: String

  @Option(help: ArgumentHelp("The dataset file.", valueName: "file.h5"))
  var data: String

  @Option(help: ArgumentHelp("Images in the file.", valueName: "name"))
  var images = "test/images"

  @Option(help: ArgumentHelp("Labels in the file.", valueName: "name"))
  var labels = "test/labels"

  @Option(help: "Average the outputs over mirrored views, too: horizontal, vertical or both.")
  var flips = TestTimeFlips.none

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let (path, checkpoint) = try CheckpointStore.choose(checkpoint) { TerminalOutput.warn("\($0)") }
    let dataset = try ImageDataset(path: data, images: images, labels: labels)
    let store = try SampleStore(dataset, memoryLimitByteCount: 1 << 30, threads: workers.count)
    let predictor = try Predictor(
      checkpoint.network, values: checkpoint.values, sampleCount: dataset.count, workers: workers.count)
    let progress = TerminalOutput.progressLine()
    let evaluation = try predictor.evaluate(store, stop: stop, flips: flips) { sums in
      progress.update(
        ProgressReading(
          title: "evaluate", done: sums.samples, total: dataset.count, loss: sums.meanLoss,
          accuracy: sums.accuracy),
        now: TerminalOutput.seconds)
    }
    progress.finish()
    guard let evaluation else { throw ExitCode(75) }
    let names = classNames(checkpoint, dataset, count: predictor.classes)
    let matrix = ConfusionMatrix(
      classNames: names, labels: dataset.labels, predictions: evaluation.predictions)
    print(json ? try report(path, evaluation, matrix) : text(path, evaluation, matrix))
  }

  private func text(_ path: String, _ evaluation: Evaluation, _ matrix: ConfusionMatrix) -> String {
    let terminal = TerminalOutput.standardOutput
    return """
      \(path)
      \(NumberText.grouped(evaluation.sums.samples)) samples of \(images) in \(data)
      loss \(NumberText.fixed(evaluation.sums.meanLoss, 4))  accuracy \(NumberText.fixed(evaluation.sums.accuracy, 4))

      \(matrix.classTable().text(width: terminal.columns, unicode: terminal.hasUnicode))
      \(matrix.text(width: terminal.columns))
      """
  }

  private func report(_ path: String, _ evaluation: Evaluation, _ matrix: ConfusionMatrix) throws -> String {
    let classes = matrix.classNames.indices.map { index -> [String: Any] in
      let figures = matrix.figures(ofClass: index)
      return [
        "class": matrix.classNames[index], "samples": figures.count,
        "precision": figures.precision ?? NSNull(), "recall": figures.recall ?? NSNull(),
        "f1": figures.f1 ?? NSNull(),
      ]
    }
    return try JSONText.make([
      "checkpoint": path, "samples": evaluation.sums.samples, "loss": evaluation.sums.meanLoss,
      "accuracy": evaluation.sums.accuracy, "classes": classes, "confusion": matrix.counts,
    ])
  }
}

/// The names of a network's classes: the checkpoint's, else the dataset's, else numbers.
func classNames(_ checkpoint: Checkpoint, _ dataset: ImageDataset?, count: Int) -> [String] {
  for names in [checkpoint.identity.classNames, dataset?.classNames ?? []] where names.count == count {
    return names
  }
  return (0..<count).map { "\($0)" }
}

/// How many cores to use.
struct WorkersOption: ParsableArguments {
  @Option(
    name: .customLong("workers"),
    help: ArgumentHelp("How many cores to use; changes speed and no bit. All by default.", valueName: "n"))
  var given: Int?

  func validate() throws {
    if let given, given < 1 { throw ValidationError("--workers takes 1 or more, not \(given)") }
  }

  var count: Int { given ?? Cores.available().count }
}

/// JSON for machines.
enum JSONText {
  static func make(_ object: Any) throws -> String {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }
}
