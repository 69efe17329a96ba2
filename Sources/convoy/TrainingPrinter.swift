internal import Foundation
internal import Reporting
internal import Training

/// Shows a training as it goes: a progress line on a terminal, plain lines elsewhere.
final class TrainingPrinter: TrainerObserver {
  private let isQuiet: Bool

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func receive(_ event: TrainerEvent) {
    switch event {
    case .started(let summary):
      say(describe(summary))
    case .epochEnded(let metrics, let isBest):
      say(describe(metrics, isBest: isBest))
    case .warning(let text):
      FileHandle.standardError.write(Data("warning: \(text)\n".utf8))
    case .stopped(let signal, let step):
      say("\(StopSignals.name(of: signal)): checkpoint written after step \(step)")
    case .step, .evaluating, .checkpointWritten, .finished: break
    }
  }

  func finish() {}

  private func say(_ line: String) {
    if !isQuiet { print(line) }
  }

  private func describe(_ summary: RunSummary) -> String {
    let start = summary.resumedFrom == nil ? "training" : "going on with"
    return
      "\(start) \(summary.name): \(summary.parameterCount) parameters, \(summary.trainingSamples) samples, "
      + "batch \(summary.batch) in shards of \(summary.shard), \(summary.workers) worker(s)"
  }

  private func describe(_ metrics: EpochMetrics, isBest: Bool) -> String {
    var parts = [
      "epoch \(metrics.epoch)", String(format: "loss %.4f", metrics.train.meanLoss),
      String(format: "accuracy %.4f", metrics.train.accuracy),
    ]
    if let test = metrics.test {
      parts.append(String(format: "test loss %.4f", test.meanLoss))
      parts.append(String(format: "test accuracy %.4f", test.accuracy) + (isBest ? "*" : ""))
    }
    parts.append(String(format: "%.0f images/s", metrics.samplesPerSecond))
    return parts.joined(separator: "  ")
  }
}
