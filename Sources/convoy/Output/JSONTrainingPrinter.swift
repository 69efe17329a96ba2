internal import Foundation
internal import Training

/// Says what happens in a training as JSON, one object on each line of standard output.
///
/// Every object has `event`: `started`, `step` (at most one a second), `epoch`, `checkpoint`, `warning`, `stopped`, `finished`.
final class JSONTrainingPrinter: TrainerObserver {
  private var lastStep = -Double.infinity

  func receive(_ event: TrainerEvent) {
    switch event {
    case .started(let summary):
      write(
        "started",
        [
          "name": summary.name, "run": summary.runID, "resumed_from": summary.resumedFrom,
          "step": summary.progress.step, "epoch": summary.progress.epoch, "epochs": summary.epochs,
          "training_samples": summary.trainingSamples, "validation_samples": summary.validationSamples,
          "test_samples": summary.testSamples,
          "batch": summary.batch, "shard": summary.shard, "workers": summary.workers,
          "parameters": summary.parameterCount,
        ])
    case .step(let report):
      guard TerminalOutput.seconds - lastStep >= 1 else { return }
      lastStep = TerminalOutput.seconds
      var values: [String: Any?] = [
        "step": report.step, "epoch": report.epoch, "position": report.position, "samples": report.samples,
        "learning_rate": report.learningRate,
      ]
      for figure in report.epochSoFar.figures { values[figure.name] = figure.value }
      write("step", values)
    case .epochEnded(let metrics, let isBest):
      var values: [String: Any?] = ["best": isBest]
      for (column, cell) in zip(metrics.columns, metrics.row) {
        values[column] =
          column == "digest" ? cell : Int(cell).map { $0 as Any } ?? Double(cell).map { $0 as Any }
      }
      write("epoch", values)
    case .checkpointWritten(let step, let path): write("checkpoint", ["step": step, "path": path])
    case .warning(let text): write("warning", ["text": text])
    case .stopped(let signal, let step):
      write("stopped", ["signal": StopSignals.name(of: signal), "step": step])
    case .evaluating, .finished: break
    }
  }

  func write(_ event: String, _ values: [String: Any?]) {
    var object: [String: Any] = ["event": event]
    for (key, value) in values {
      // JSON has no word for what is not finite.
      if let number = value as? Double, !number.isFinite {
        object[key] = NSNull()
      } else {
        object[key] = value ?? NSNull()
      }
    }
    guard
      let data = try? JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    else { return }
    TerminalOutput.write(String(decoding: data, as: UTF8.self) + "\n", to: 1)
  }
}
