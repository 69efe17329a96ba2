internal import Foundation
internal import Paths

/// Records a run that failed before its first step, so that lists show it with the reason.
public enum FailedStart {
  /// Writes the configuration and a state into the run's directory, where it has none yet.
  ///
  /// What was there stays: a run that has trained keeps its own state, and one that another process holds is not touched.
  public static func record(_ request: RunRequest, _ error: any Error) {
    let directory = request.directory
    guard FileStatus.exists("\(directory)/checkpoints"),
      !FileStatus.exists("\(directory)/\(RunState.fileName)"), !RunDirectory.isHeld(directory),
      RunDirectory.mayHoldRun(directory)
    else { return }
    let configuration = request.configuration
    let state = RunState(
      phase: error is StoppedEarly ? .stopped : .failed, name: configuration.name, runID: "", step: 0,
      epoch: 0,
      epochs: configuration.training.epochs, monitor: configuration.training.monitor.name, seconds: 0,
      message: "\(error)", updated: Date().formatted(.iso8601))
    // Nobody is helped by a second error about the first.
    if !FileStatus.exists("\(directory)/config.yaml") {
      try? AtomicFile.write(request.resolvedConfiguration, as: "config.yaml", in: directory)
    }
    try? state.write(to: directory)
  }
}
