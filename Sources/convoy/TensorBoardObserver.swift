internal import Foundation
internal import Networks
internal import Reporting
internal import Training

/// Writes a training's figures for TensorBoard into its run directory.
///
/// It writes figures of minibatches about a hundred times in an epoch, and figures of epochs at their ends. If the event file
/// cannot be written, it gives a warning and does not stop the training. The settings of the run come before the figures, and
/// histograms of the parameters come from checkpoints where they are asked for.
final class TensorBoardObserver: TrainerObserver {
  private let directory: String
  private let settings: [EventLog.HyperParameter]
  private let hasHistograms: Bool
  private let next: any TrainerObserver
  private var log: EventLog?
  /// The run that the events are about; nil before the training begins, and after the file could not be written.
  private var summary: RunSummary?
  private var interval = 1

  init(
    directory: String, settings: [EventLog.HyperParameter], hasHistograms: Bool, next: any TrainerObserver
  ) {
    self.directory = directory
    self.settings = settings
    self.hasHistograms = hasHistograms
    self.next = next
  }

  func receive(_ event: TrainerEvent) {
    attempt {
      switch event {
      case .started(let summary):
        interval = max(1, summary.stepsPerEpoch / 100)
        self.summary = summary
      case .step(let report) where report.step % interval == 0 && report.minibatch.samples > 0:
        try open()?.append(
          scalars("batch", report.minibatch) + [EventLog.Scalar("learning_rate", report.learningRate)],
          step: report.step, time: Date().timeIntervalSince1970)
      case .epochEnded(let metrics, _):
        try open()?.append(scalars(metrics), step: metrics.step, time: Date().timeIntervalSince1970)
        try log?.flush()
      case .checkpointWritten(let step, let path) where hasHistograms:
        try addHistograms(of: try CheckpointFile.read(path).values, step: step)
      case .stopped, .finished: try log?.flush()
      case .step, .evaluating, .checkpointWritten, .note, .warning: break
      }
    }
    next.receive(event)
  }

  /// The file, which is made when there is something to write, so that starting a finished run again makes none.
  private func open() throws -> EventLog? {
    if log == nil, let summary {
      log = try EventLog(
        directory: directory, host: ProcessInfo.processInfo.hostName,
        goingOnAfter: summary.resumedFrom == nil ? nil : summary.progress.step,
        keeping: { summary.progress.covers(step: $0, epoch: $1) }, time: Date().timeIntervalSince1970)
      if summary.resumedFrom == nil { try log?.append(settings, time: Date().timeIntervalSince1970) }
    }
    return log
  }

  private func addHistograms(of values: CanonicalParameters, step: Int) throws {
    for parameter in values.layout.parameters {
      guard let histogram = Histogram(values.values(of: parameter)) else { continue }
      try open()?.append(
        histogram, tag: "parameters/\(parameter.path)", step: step, time: Date().timeIntervalSince1970)
    }
  }

  /// Adds pictures of the mistakes that the run's best checkpoint makes on its test data.
  func add(_ mistakes: [RunReport.Mistake], step: Int) {
    attempt {
      for (index, mistake) in mistakes.enumerated() {
        let number = index < 9 ? "0\(index + 1)" : "\(index + 1)"
        try open()?.append(
          mistake.image, tag: "mistakes/\(number) \(mistake.label) taken for \(mistake.predicted)",
          step: step,
          time: Date().timeIntervalSince1970)
      }
      try log?.flush()
    }
  }

  private func scalars(_ metrics: EpochMetrics) -> [EventLog.Scalar] {
    let rate = metrics.samplesPerSecond.map { [EventLog.Scalar("images_per_second", $0)] } ?? []
    return [EventLog.Scalar(EventLog.epochTag, Double(metrics.epoch))] + scalars("train", metrics.train)
      + rate + (metrics.validation.map { scalars("validation", $0) } ?? [])
      + (metrics.test.map { scalars("test", $0) } ?? [])
  }

  private func scalars(_ group: String, _ sums: FigureSums) -> [EventLog.Scalar] {
    sums.figures.map { EventLog.Scalar("\(group)/\($0.name)", $0.value) }
  }

  private func attempt(_ work: () throws -> Void) {
    do { try work() } catch {
      (log, summary) = (nil, nil)
      next.receive(
        .warning(
          "TensorBoard's event file cannot be written, but training goes on: \(SystemReason.text(error))"))
    }
  }
}
