internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Interchange
internal import Parallel
internal import Training

/// Trains a network, or goes on with a training that was interrupted.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network from a config; the same command goes on after an interruption.",
    discussion: """
      The run directory is Results/NAME/RUN, where NAME comes from the config and RUN from its contents: the same config goes \
      on where it stopped, one with more epochs goes on for longer, and one that is changed otherwise starts a run \
      of its own. A finished run is reported, not trained again.

      Stopping with Ctrl-C, SIGTERM, SIGUSR1 or SIGHUP writes a checkpoint and exits with 75; a second Ctrl-C ends at \
      once and leaves the checkpoint before. In whichever way it ends, the same command goes on, and the last checkpoint \
      is the same to the bit as that of a run that nobody interrupted, on any number of workers.

        convoy train Configs/fashion-mnist.yaml
        convoy train Configs/fashion-mnist.yaml --set seed=1 --set training.epochs=3
        convoy train Configs/fashion-mnist.yaml --run-dir /scratch/run7 --workers 16

      With --overfit-batches 1 a network shall learn one minibatch by heart, without augmentation: one that cannot has a mistake in it, in \
      its labels or in the learning rate.
      """)

  @OptionGroup var config: ConfigurationArguments

  @Option(
    .workers,
    help: ArgumentHelp("How many cores to use; changes speed and no bit. All by default.", valueName: "n"))
  var workers: Int?

  @Option(help: ArgumentHelp("Where the run is kept.", valueName: "dir"))
  var runDir: String?

  @Option(help: ArgumentHelp("auto, never, or a checkpoint to go on from.", valueName: "auto|never|file"))
  var resume = "auto"

  @Flag(help: "Go on although the config or the data changed in a way that changes what is trained.")
  var allowChanges = false

  @Flag(help: "Compare every byte of the data with that of the run's beginning, instead of a sample of them.")
  var verifyData = false

  @Option(
    1...1 << 40,
    help: ArgumentHelp("Stop after so many steps, with a checkpoint: a smoke run.", valueName: "n"))
  var steps: Int?

  @Option(
    1...1 << 20,
    help: ArgumentHelp(
      "Train on the first so many minibatches alone, and say whether the network can learn them.",
      valueName: "n"))
  var overfitBatches: Int?

  @Flag(name: .shortAndLong, help: "No progress, only the result.")
  var quiet = false

  @Flag(help: "Print events as JSON, one object a line.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let overfit = overfitBatches.map { ["training.overfit_batches=\($0)"] } ?? []
    let loaded = try ConfigurationFile.load(
      path: config.config, overrides: config.settings + overfit.map { Override($0) })
    for setting in config.settings where setting.source == .environment {
      TerminalOutput.warn("\(Override.variable) puts \(setting.text) over the file")
    }
    if loaded.hasSweep {
      TerminalOutput.warn("the section 'sweep' is not used here; `convoy sweep` trains its members")
    }
    let cores = Cores.available()
    let request = RunRequest(
      configuration: loaded.run, resolvedConfiguration: loaded.resolvedYAML,
      directory: runDir ?? RunNames.directory(of: loaded), workers: workers ?? cores.count,
      model: KerasModelWriter(), coresDescription: cores.description, resume: choice,
      allowChanges: allowChanges,
      verifiesData: verifyData, stepLimit: steps,
      compareConfiguration: { try TrainCommand.changes(from: $0, to: loaded) })
    if json {
      let printer = JSONTrainingPrinter()
      let (run, isComplete) = try train(request, stop, printer)
      if isComplete || run.hasReachedStepLimit {
        let verdict = isComplete ? OverfitVerdict(run.directory.path, loaded.run) : nil
        printer.write(
          FinishedEvent(
            run.progress, isComplete: isComplete, directory: run.directory.path,
            hasLearned: verdict?.hasLearned))
      }
      return try end(run, isComplete)
    }
    let printer = TrainingPrinter(isQuiet: quiet)
    let (run, isComplete) = try train(request, stop, printer)
    printer.finish()
    let result = TrainingResult(
      directory: run.directory.path, data: loaded.run.data, progress: run.progress, isComplete: isComplete,
      hasReachedStepLimit: run.hasReachedStepLimit,
      wasComplete: isComplete && run.summary.progress.step == run.progress.step)
    if isComplete, !result.wasComplete { writeReport(of: run, stop) }
    print(result.text(TerminalOutput.standardOutput), terminator: "")
    if isComplete, let verdict = OverfitVerdict(run.directory.path, loaded.run) { print(verdict.text) }
    try end(run, isComplete)
  }

  private func train(
    _ request: RunRequest, _ stop: StopRequest, _ printer: any TrainerObserver
  ) throws -> (Run, Bool) {
    let run = try Run(
      request, stop: stop, observer: TensorBoardObserver(directory: request.directory, next: printer))
    return (run, try run.train())
  }

  /// Writes `report.html` beside the rest; a training is none the worse for a report that fails.
  private func writeReport(of run: Run, _ stop: StopRequest) {
    do {
      let builder = try RunReportBuilder(
        directory: run.directory.path, workers: workers ?? Cores.available().count)
      _ = try builder.write(to: nil, stop: stop)
    } catch {
      TerminalOutput.warn("no report was written: \(error)")
    }
  }

  private func end(_ run: Run, _ isComplete: Bool) throws {
    if !isComplete, !run.hasReachedStepLimit { throw SilentEnd(.stopped) }
  }

  private var choice: ResumeChoice {
    switch resume {
    case "auto": .auto
    case "never": .never
    default: .path(resume)
    }
  }

  /// What differs between the config a checkpoint was made with and this one.
  static func changes(from stored: String, to loaded: LoadedConfiguration) throws -> [ConfigurationChange] {
    let before = try ConfigurationFile.load(text: stored, path: "the checkpoint's config")
    return before.differences(to: loaded).map {
      ConfigurationChange(
        key: $0.path, before: $0.before ?? "not there", after: $0.after ?? "not there",
        keepsMeaning: $0.keepsMeaning)
    }
  }
}
