internal import Experiments
internal import Foundation
internal import Interchange
internal import Parallel
internal import Reporting
internal import Training

/// Carries a run out, from its configuration to its report.
///
/// `train`, the members of sweeps and the tasks of job arrays all use it.
struct RunDriver {
  let loaded: LoadedConfiguration
  /// The run directory.
  let directory: String
  let workers: Int
  var resume = ResumeChoice.auto
  /// Whether to go on although the training has changed.
  var allowsChanges = false
  /// Whether to compare all bytes of the data with those at the run's beginning.
  var verifiesData = false
  /// The largest number of steps to train in this process; nil for no limit.
  var stepLimit: Int?
  /// The options that opening the data takes, for the commands that the result proposes.
  var dataOptions: [String] = []
  /// Whether TensorBoard gets histograms of the parameters with each checkpoint.
  var showsHistograms = false
  /// Whether TensorBoard gets pictures of mistakes at the end.
  var showsMistakes = false

  /// The ranks that train together; only the first one writes and speaks.
  var ranks = Ranks()

  /// Trains to the end, or until asked to stop, and writes the report of a run that is complete.
  ///
  /// A report that fails only gives a warning.
  /// - Parameters:
  ///   - stop: is polled between shards.
  ///   - printer: is told what happens.
  /// - Throws: ``TrainingError``, or an error of the data, network or plans.
  func run(stop: StopRequest, printer: any TrainerObserver) throws -> TrainingResult {
    warnOfRefusedThreads(printer)
    var request = RunRequest(
      configuration: loaded.run, resolvedConfiguration: loaded.resolvedYAML, directory: directory,
      workers: workers, model: KerasModelWriter(), coresDescription: Cores.available().description,
      resume: resume,
      allowChanges: allowsChanges, verifiesData: verifiesData, stepLimit: stepLimit,
      compareConfiguration: { [loaded] in try Self.changes(from: $0, to: loaded) })
    request.ranks = ranks
    guard ranks.communicator.isFirst else { return try follow(request, stop) }
    let events = TensorBoardObserver(
      directory: directory, settings: loaded.settings.map { EventLog.HyperParameter($0.key, $0.value) },
      hasHistograms: showsHistograms, next: printer)
    let run: Run
    do {
      run = try Run(request, stop: stop, observer: events)
    } catch {
      FailedStart.record(request, error)
      throw error
    }
    let result = result(of: run, isComplete: try run.train())
    let isComplete = result.isComplete
    // A run that was stopped while its report was written gets the report the next time.
    if isComplete, !result.wasComplete || !RunReportBuilder.hasReport(directory) {
      // The samples that the training holds are still in memory.
      let memory = max(0, loaded.run.data.memoryLimitBytes - run.pixelByteCount)
      let report = writeReport(memory, stop, printer)
      if showsMistakes, let report { events.add(report.mistakes, step: run.progress.step) }
    }
    return result
  }

  /// Trains as a rank that leaves all files and words to the first.
  private func follow(_ request: RunRequest, _ stop: StopRequest) throws -> TrainingResult {
    let run = try Run(request, stop: stop, observer: SilentObserver())
    return result(of: run, isComplete: try run.train())
  }

  private struct SilentObserver: TrainerObserver {
    func receive(_ event: TrainerEvent) {}
  }

  private func result(of run: Run, isComplete: Bool) -> TrainingResult {
    TrainingResult(
      directory: directory, data: loaded.run.data, dataOptions: dataOptions, progress: run.progress,
      monitor: loaded.run.training.monitor, isComplete: isComplete,
      hasReachedStepLimit: run.hasReachedStepLimit,
      wasComplete: isComplete && run.summary.progress.step == run.progress.step)
  }

  private func warnOfRefusedThreads(_ printer: any TrainerObserver) {
    let able = WorkerThreads.prepare(workers: workers)
    guard able < workers else { return }
    printer.receive(
      .warning(
        "the system gives threads for only \(able) of \(workers) workers (ulimit -u, or a control group's pids.max); training takes "
          + "longer and gives the same result"))
  }

  /// - Parameter memory: bytes for the test samples.
  /// - Returns: the report; nil where none was written.
  private func writeReport(_ memory: Int, _ stop: StopRequest, _ printer: any TrainerObserver) -> RunReport? {
    do {
      // An older report is of an earlier epoch.
      let written = try RunReportBuilder(directory: directory, workers: workers, memoryLimit: memory)
        .write(to: nil, replacesFuller: true, stop: stop)
      for warning in written.warnings { printer.receive(.warning(warning)) }
      return written.report
    } catch {
      printer.receive(.warning("no report was written: \(error)"))
      return nil
    }
  }

  /// The differences between the config that a checkpoint was made with and this one.
  private static func changes(
    from stored: String, to loaded: LoadedConfiguration
  ) throws -> [ConfigurationChange] {
    let before = try ConfigurationFile.load(text: stored, path: "the checkpoint's config")
    return before.differences(to: loaded).map {
      ConfigurationChange(
        key: $0.path, before: $0.before ?? "not there", after: $0.after ?? "not there",
        keepsMeaning: $0.keepsMeaning)
    }
  }
}
