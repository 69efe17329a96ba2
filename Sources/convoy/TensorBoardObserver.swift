internal import Foundation
internal import Reporting
internal import Training

/// Writes a training's figures for TensorBoard into its run directory.
///
/// Figures of minibatches a hundred times an epoch, of epochs at their ends. An event file that cannot be written ends with a
/// warning and does not stop the training.
final class TensorBoardObserver: TrainerObserver {
  private let directory: String
  private let next: any TrainerObserver
  private var log: EventLog?
  private var interval = 1

  init(directory: String, next: any TrainerObserver) {
    self.directory = directory
    self.next = next
  }

  func receive(_ event: TrainerEvent) {
    attempt {
      switch event {
      case .started(let summary):
        interval = max(1, summary.stepsPerEpoch / 100)
        log = try EventLog(
          directory: directory, host: ProcessInfo.processInfo.hostName,
          goingOnAfter: summary.resumedFrom == nil ? nil : summary.progress.step,
          keeping: { summary.progress.covers(step: $0, epoch: $1) }, time: Date().timeIntervalSince1970)
      case .step(let report) where report.step % interval == 0 && report.minibatch.samples > 0:
        try log?.append(
          scalars("batch", report.minibatch) + [EventLog.Scalar("learning_rate", report.learningRate)],
          step: report.step, time: Date().timeIntervalSince1970)
      case .epochEnded(let metrics, _):
        try log?.append(scalars(metrics), step: metrics.step, time: Date().timeIntervalSince1970)
        try log?.flush()
      case .stopped, .finished: try log?.flush()
      default: break
      }
    }
    next.receive(event)
  }

  private func scalars(_ metrics: EpochMetrics) -> [EventLog.Scalar] {
    let rate = metrics.samplesPerSecond.map { [EventLog.Scalar("images_per_second", $0)] } ?? []
    return [EventLog.Scalar(EventLog.epochTag, Double(metrics.epoch))] + scalars("train", metrics.train)
      + rate + (metrics.validation.map { scalars("validation", $0) } ?? [])
      + (metrics.test.map { scalars("test", $0) } ?? [])
  }

  private func scalars(_ group: String, _ sums: MetricSums) -> [EventLog.Scalar] {
    sums.figures.map { EventLog.Scalar("\(group)/\($0.name)", $0.value) }
  }

  private func attempt(_ work: () throws -> Void) {
    do { try work() } catch {
      log = nil
      next.receive(
        .warning("TensorBoard's event file cannot be written, training goes on: \(SystemReason.text(error))"))
    }
  }
}
