internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Parallel
internal import Training

/// Trains a network, or resumes a training that was interrupted.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network from a config; the same command resumes it after an interruption.",
    discussion: """
      The run directory is Results/NAME/RUN, where NAME comes from the config and RUN from its contents. The same config resumes \
      where it stopped, and one with more epochs trains for longer. A config with other changes, or with fewer epochs than the \
      run has done, starts a run of its own. A finished run is reported and not trained again.

      Ctrl-C, Ctrl-\\, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGALRM and SIGPWR stop the training: it writes a checkpoint and \
      exits with 75. A second Ctrl-C ends it at once and leaves the previous checkpoint. However it ends, the same command resumes \
      it, and the last checkpoint is the same to the bit as that of an uninterrupted run, on any number of workers.

        convoy train Configs/fashion-mnist.yaml
        convoy train Configs/fashion-mnist.yaml --set seed=1 --set training.epochs=3
        convoy train Configs/fashion-mnist.yaml --run-dir /scratch/run7 --workers 16
        srun convoy train Configs/fashion-mnist.yaml

      Started by srun or mpirun, one process on each node trains its part of every minibatch (`convoy mpi --help`), with the same \
      result.

      With --overfit-batches 1 the network trains on one minibatch, without augmentation, until it knows it by heart. A network that \
      cannot has a mistake in it, in its labels or in the learning rate, and the command exits with 1. Test samples are not used.
      """)

  @OptionGroup var config: ConfigurationArguments

  @Option(
    .workers,
    help: ArgumentHelp(
      "Number of cores to use; it changes the speed, never the results. All by default.", valueName: "n"))
  var workers: Int?

  @Option(help: ArgumentHelp("The run directory, instead of Results/NAME/RUN.", valueName: "dir"))
  var runDir: String?

  @Option(
    help: ArgumentHelp("Where to resume from: auto, never, or a checkpoint.", valueName: "auto|never|file"))
  var resume = "auto"

  @Flag(help: "Go on even if the config or the data changed in a way that changes what is trained.")
  var allowChanges = false

  @Flag(
    help: """
      Compare every byte of the data with the data at the run's beginning, whatever its size. Data of up to 256 MiB is always \
      compared in full, larger data by a sample of it. This needs a run that began with the flag, if its data is larger.
      """)
  var verifyData = false

  @Option(
    1...1 << 40,
    help: ArgumentHelp("Stop after this many steps, with a checkpoint, for a smoke run.", valueName: "n"))
  var steps: Int?

  @Option(
    1...1 << 20,
    help: ArgumentHelp(
      "Train only on the first n minibatches, and report whether the network can learn them.",
      valueName: "n"))
  var overfitBatches: Int?

  @Flag(help: "Give TensorBoard a histogram of each parameter with every checkpoint.")
  var histograms = false

  @Flag(help: "Give TensorBoard pictures of the most confident mistakes when the run is complete.")
  var mistakes = false

  @Flag(name: .shortAndLong, help: "Print no progress, only the result.")
  var quiet = false

  @Flag(help: "Print events as JSON, one object on each line.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    RankProcess.listen()
    let overfit = overfitBatches.map { ["training.overfit_batches=\($0)"] } ?? []
    let loaded = try ConfigurationFile.load(
      path: config.config, overrides: config.settings + overfit.map { Override($0) })
    config.warnOfEnvironment()
    if loaded.hasSweep {
      TerminalOutput.warn("the section 'sweep' is ignored here; `convoy sweep` trains its members")
    }
    let ranks = try RankProcess.join(limit: loaded.run.ranks.timeout).measuredForTraining()
    var driver = RunDriver(
      loaded: loaded,
      directory: runDir.map { RunPath.resolve($0, takesFolders: false) } ?? RunNames.directory(of: loaded),
      workers: workers ?? RankProcess.usualWorkers, resume: choice, allowsChanges: allowChanges,
      verifiesData: verifyData, stepLimit: steps, dataOptions: config.plugIns.words,
      showsHistograms: histograms, showsMistakes: mistakes)
    driver.ranks = ranks
    let (result, hasLearned) =
      try isFollower(ranks)
      ? follow(driver, stop) : json ? printEvents(driver, stop) : printText(driver, stop)
    if !result.isComplete, !result.hasReachedStepLimit { throw SilentEnd(.stopped) }
    if hasLearned == false { throw SilentEnd(.no) }
  }

  private func isFollower(_ ranks: Ranks) -> Bool { !ranks.communicator.isFirst }

  /// Trains without a word: the first rank speaks for all.
  private func follow(
    _ driver: RunDriver, _ stop: StopRequest
  ) throws -> (result: TrainingResult, hasLearned: Bool?) {
    (try driver.run(stop: stop, printer: TrainingPrinter(isQuiet: true)), nil)
  }

  /// - Returns: the result of the training, and whether the network learned a few samples, where that was the question.
  private func printText(
    _ driver: RunDriver, _ stop: StopRequest
  ) throws -> (result: TrainingResult, hasLearned: Bool?) {
    let printer = TrainingPrinter(isQuiet: quiet)
    let result = try printer.follow { try driver.run(stop: stop, printer: $0) }
    print(result.text(TerminalOutput.standardOutput), terminator: "")
    let verdict = verdict(result, driver)
    if let verdict { print(verdict.text) }
    return (result, verdict?.hasLearned)
  }

  private func printEvents(
    _ driver: RunDriver, _ stop: StopRequest
  ) throws -> (result: TrainingResult, hasLearned: Bool?) {
    let printer = JSONTrainingPrinter()
    let result = try driver.run(stop: stop, printer: printer)
    let hasLearned = verdict(result, driver)?.hasLearned
    if result.isComplete || result.hasReachedStepLimit {
      printer.write(FinishedEvent(result, hasLearned: hasLearned))
    }
    return (result, hasLearned)
  }

  private func verdict(_ result: TrainingResult, _ driver: RunDriver) -> OverfitVerdict? {
    result.isComplete ? OverfitVerdict(driver.directory, driver.loaded.run) : nil
  }

  private var choice: ResumeChoice {
    switch resume {
    case "auto": .auto
    case "never": .never
    default: .path(resume)
    }
  }
}
