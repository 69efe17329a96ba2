internal import Foundation
internal import Networks
internal import Paths

/// How a run stands, as `state.json` in its directory says.
///
/// Written whole and atomically at the start, after every epoch and at the end. A process that is killed cannot write that it was:
/// what says `running` without a holder of the directory's lock was interrupted.
public struct RunState: Codable, Hashable, Sendable {
  /// How a run stands, in one word.
  public enum Phase: String, Codable, Hashable, Sendable {
    /// A process trains.
    case running
    /// The training came to its end.
    case finished
    /// Stopped by a signal or by `--steps`, with a checkpoint to go on from.
    case stopped
    /// Ended by an error.
    case failed
    /// Killed, or its machine went down; never in the file.
    case interrupted
  }

  /// How the run stands, in one word.
  public var phase: Phase
  /// The name of the run.
  public var name: String
  /// The identifier that the run keeps over all restarts.
  public var runID: String
  /// Steps done.
  public var step: Int
  /// Epochs done, of `epochs`.
  public var epoch: Int
  /// Epochs that the configuration asks for.
  public var epochs: Int
  /// The figure by which epochs are compared: `accuracy`, `loss` or another metric.
  public var monitor: String
  /// The best epoch so far, from 1.
  public var bestEpoch: Int?
  /// The monitored figure of the best epoch.
  public var best: Double?
  /// Test accuracy of the last epoch; nil without test data.
  public var testAccuracy: Double?
  /// Wall-clock seconds of training, interruptions left out.
  public var seconds: Double
  /// The error, or why it stopped.
  public var message: String?
  /// When this was written, ISO 8601.
  public var updated: String

  /// Whether the training ended before its last epoch because the monitored figure no longer improved.
  public var hasStoppedEarly: Bool { phase == .finished && epoch < epochs }

  /// The name of the file in the run's directory.
  public static let fileName = "state.json"

  /// The state of the run in a directory, nil where there is none or it cannot be read.
  ///
  /// - Returns: `interrupted` where the file says `running` and no process holds the directory.
  public static func read(directory: String) -> RunState? {
    let decoder = JSONDecoder()
    // A figure that is not finite is written as a text.
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let bytes = try? WholeFile.read("\(directory)/\(fileName)", limit: 1 << 20),
      var state = try? decoder.decode(RunState.self, from: Data(bytes))
    else { return nil }
    if state.phase == .running, !RunDirectory.isHeld(directory) { state.phase = .interrupted }
    return state
  }

  func write(to directory: String) throws(TrainingError) {
    guard let text = try? JSONWriter(isPretty: true, nonFinite: .text).text(self) else { return }
    try AtomicFile.write(text + "\n", as: Self.fileName, in: directory)
  }
}

/// Keeps `state.json` up to date.
///
/// A state that cannot be written does not stop a training; the checkpoints decide what goes on.
final class RunStateRecorder: TrainerObserver {
  private let directory: RunDirectory
  private let monitor: MonitoredFigure
  private let next: any TrainerObserver
  private var state: RunState?

  init(directory: RunDirectory, monitor: MonitoredFigure, next: any TrainerObserver) {
    self.directory = directory
    self.monitor = monitor
    self.next = next
  }

  func receive(_ event: TrainerEvent) {
    switch event {
    case .started(let summary):
      state = RunState(
        phase: .running, name: summary.name, runID: summary.runID, step: 0, epoch: 0, epochs: summary.epochs,
        monitor: monitor.name, seconds: 0, updated: "")
      // What an earlier process knew and the checkpoint does not hold; where samples are held out it is of the last epoch alone.
      let goesOn = summary.progress.epoch < summary.epochs && !summary.progress.stoppedEarly
      if summary.validationSamples == 0 || !goesOn {
        state?.testAccuracy = RunState.read(directory: directory.path)?.testAccuracy
      }
      take(summary.progress)
      write()
    case .epochEnded(let metrics, let isBest):
      state?.step = metrics.step
      state?.epoch = metrics.epoch
      state?.seconds = metrics.seconds
      state?.testAccuracy = metrics.test?.accuracy
      if isBest {
        let sums = metrics.compared
        state?.bestEpoch = metrics.epoch
        state?.best = monitor.value(of: sums)
      }
      write()
    case .stopped(let signal, let step):
      state?.step = step
      end(.stopped, "stopped by \(StopSignals.name(of: signal))")
    case .finished(let progress):
      take(progress)
      end(.finished, progress.stoppedEarly ? "stopped early: the monitored figure no longer improved" : nil)
    case .step, .evaluating, .checkpointWritten, .note, .warning: break
    }
    next.receive(event)
  }

  /// Notes how the run ended without an event.
  func end(_ phase: RunState.Phase, _ message: String?, progress: TrainingProgress? = nil) {
    if let progress { take(progress) }
    state?.phase = phase
    state?.message = message
    write()
  }

  private func take(_ progress: TrainingProgress) {
    state?.step = progress.step
    state?.epoch = progress.epoch
    state?.seconds = progress.seconds
    if let best = progress.best {
      state?.bestEpoch = best.epoch
      state?.best = monitor.turned(best.score)
    }
  }

  private func write() {
    state?.updated = Date().formatted(.iso8601)
    do { try state?.write(to: directory.path) } catch {
      directory.log("warning: \(RunState.fileName) could not be written: \(error)")
    }
  }
}
