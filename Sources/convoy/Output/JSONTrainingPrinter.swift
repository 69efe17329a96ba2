internal import Networks
internal import Training

/// Reports the events of a training as JSON, one object on each line of standard output.
///
/// Every object has `event`: `started`, `step` (at most one a second), `epoch`, `checkpoint`, `note`, `warning`, `stopped`, `finished`.
final class JSONTrainingPrinter: TrainerObserver {
  private var lastStep = -Double.infinity

  func receive(_ event: TrainerEvent) {
    switch event {
    case .started(let summary): write(StartedEvent(summary))
    case .step(let report):
      guard TerminalOutput.seconds - lastStep >= 1 else { return }
      lastStep = TerminalOutput.seconds
      write(StepEvent(report))
    case .epochEnded(let metrics, let isBest): write(EpochEvent(metrics, isBest: isBest))
    case .checkpointWritten(let step, let path): write(CheckpointEvent(step: step, path: path))
    case .note(let text): write(NoteEvent(text: text))
    case .warning(let text): write(WarningEvent(text: text))
    case .stopped(let signal, let step):
      write(StoppedEvent(signal: StopSignals.name(of: signal), step: step))
    case .evaluating, .finished: break
    }
  }

  func write(_ event: some Encodable) {
    guard let line = try? ResultJSON.line(event) else { return }
    TerminalOutput.write(line + "\n", to: 1)
  }
}

private struct StartedEvent: Encodable {
  let event = "started"
  let name: String
  let run: String
  /// The checkpoint from which training goes on; `null` for a new training.
  @NullIfMissing var resumedFrom: String?
  let step: Int
  let epoch: Int
  let epochs: Int
  let trainingSamples: Int
  let validationSamples: Int
  let testSamples: Int
  let batch: Int
  let shard: Int
  let workers: Int
  let ranks: Int
  let parameters: Int

  init(_ summary: RunSummary) {
    (name, run, resumedFrom) = (summary.name, summary.runID, summary.resumedFrom)
    (step, epoch, epochs) = (summary.progress.step, summary.progress.epoch, summary.epochs)
    trainingSamples = summary.trainingSamples
    validationSamples = summary.validationSamples
    testSamples = summary.testSamples
    (batch, shard, workers) = (summary.batch, summary.shard, summary.workers)
    ranks = summary.nodes.count
    parameters = summary.parameterCount
  }
}

/// A step of the training, with the epoch's figures so far, each under its name.
private struct StepEvent: Encodable {
  let report: StepReport

  init(_ report: StepReport) { self.report = report }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NamedKey.self)
    try container.encode("step", forKey: "event")
    try container.encode(report.step, forKey: "step")
    try container.encode(report.epoch, forKey: "epoch")
    try container.encode(report.position, forKey: "position")
    try container.encode(report.samples, forKey: "samples")
    try container.encode(report.learningRate, forKey: "learningRate")
    for figure in report.epochSoFar.figures {
      try container.encode(figure.value, forKey: NamedKey(figure.name))
    }
  }
}

/// A row of `metrics.csv` under the names of its columns, without empty cells.
private struct EpochEvent: Encodable {
  let metrics: EpochMetrics
  let isBest: Bool

  init(_ metrics: EpochMetrics, isBest: Bool) { (self.metrics, self.isBest) = (metrics, isBest) }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NamedKey.self)
    try container.encode("epoch", forKey: "event")
    try container.encode(isBest, forKey: "best")
    for (column, cell) in zip(metrics.columns, metrics.row) {
      // Sixteen digits of a digest may look like a number.
      let value = column == "digest" ? .string(cell) : Self.number(cell)
      try container.encodeIfPresent(value, forKey: NamedKey(column))
    }
  }

  private static func number(_ cell: String) -> JSONValue? {
    Int(cell).map(JSONValue.integer) ?? Double(cell).map(JSONValue.number)
  }
}

private struct CheckpointEvent: Encodable {
  let event = "checkpoint"
  let step: Int
  let path: String
}

private struct NoteEvent: Encodable {
  let event = "note"
  let text: String
}

private struct WarningEvent: Encodable {
  let event = "warning"
  let text: String
}

private struct StoppedEvent: Encodable {
  let event = "stopped"
  let signal: String
  let step: Int
}

/// The result of a training.
struct FinishedEvent: Encodable {
  let event = "finished"
  let complete: Bool
  let step: Int
  let epoch: Int
  @NullIfMissing var bestEpoch: Int?
  /// The monitored figure of the best epoch.
  @NullIfMissing var best: Double?
  let seconds: Double
  let directory: String
  /// Whether the network learned a few samples by heart; left out for other trainings.
  let hasLearned: Bool?

  init(_ result: TrainingResult, hasLearned: Bool?) {
    let progress = result.progress
    complete = result.isComplete
    (step, epoch, seconds) = (progress.step, progress.epoch, progress.seconds)
    (bestEpoch, best) = (progress.best?.epoch, result.best)
    (directory, self.hasLearned) = (result.directory, hasLearned)
  }
}
