internal import Foundation
internal import Reporting
internal import Tensors
internal import Training

extension ProgressReading.Figure {
  /// The first metric beside the loss; nil where there is none.
  init?(mainOf sums: FigureSums) {
    guard let figure = sums.figures.dropFirst().first else { return nil }
    self.init(figure.name, figure.value)
  }
}

/// Shows a training while it goes on: a progress line on a terminal, plain lines elsewhere.
final class TrainingPrinter: TrainerObserver {
  private let isQuiet: Bool
  private let progress: ProgressLine
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var summary: RunSummary?
  /// The number of samples since this process began to train.
  private var samples = 0

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    start = clock.now
    let environment = ProcessInfo.processInfo.environment
    progress = ProgressLine(
      Terminal(descriptor: 1, environment: environment),
      measure: { Terminal(descriptor: 1, environment: environment) },
      write: { TerminalOutput.write($0, to: 1) })
  }

  func receive(_ event: TrainerEvent) {
    switch event {
    case .started(let summary):
      self.summary = summary
      say(describe(summary))
    case .step(let report):
      samples += report.minibatch.samples
      if !isQuiet { progress.update(reading(report), now: seconds) }
    case .evaluating(let done, let total):
      if !isQuiet {
        progress.update(ProgressReading(title: "evaluating", done: done, total: total), now: seconds)
      }
    case .epochEnded(let metrics, let isBest):
      say(describe(metrics, isBest: isBest), orShorter: describe(metrics, isBest: isBest, isBrief: true))
    case .note(let text): say(text)
    case .warning(let text):
      progress.finish()
      TerminalOutput.warn(text)
    case .stopped(let signal, let step):
      say("\(StopSignals.name(of: signal)): checkpoint written after step \(step)")
    case .finished: progress.finish()
    case .checkpointWritten: break
    }
  }

  /// Passes the printer to `body`, and removes the progress line however `body` ends.
  func follow<Result>(_ body: (TrainingPrinter) throws -> Result) rethrows -> Result {
    defer { progress.finish() }
    return try body(self)
  }

  private var seconds: Double {
    let elapsed = start.duration(to: clock.now).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }

  private func say(_ line: String, orShorter shorter: String? = nil) {
    if !isQuiet { progress.line(line, orShorter: shorter) }
  }

  private func reading(_ report: StepReport) -> ProgressReading {
    let rate = Double(samples) / max(seconds, 1e-9)
    let epochs = summary?.epochs ?? report.epoch
    let left = (epochs - report.epoch) * report.samples + report.samples - report.position
    return ProgressReading(
      title: "epoch \(report.epoch)/\(epochs)", done: report.position, total: report.samples,
      loss: report.epochSoFar.meanLoss, figure: ProgressReading.Figure(mainOf: report.epochSoFar),
      imagesPerSecond: rate,
      secondsLeft: Double(left) / max(rate, 1e-9))
  }

  private func describe(_ summary: RunSummary) -> String {
    let verb = summary.resumedFrom == nil ? "training" : "resuming"
    return
      "\(verb) \(summary.name): \(counted(summary.parameterCount, "parameter", as: NumberText.grouped(summary.parameterCount))), "
      + counted(summary.trainingSamples, "sample", as: NumberText.grouped(summary.trainingSamples))
      + (summary.validationSamples > 0
        ? " (epochs compared by \(NumberText.grouped(summary.validationSamples)) others)" : "")
      + ", batch \(summary.batch) in shards of "
      + "\(summary.shard), \(summary.crew)\(summary.placement)"
      + (summary.isIntra && summary.workers > 1 ? " on each" : "")
  }

  /// - Parameter isBrief: whether to leave out the speed and the losses of evaluations, to fit into 80 columns.
  private func describe(_ metrics: EpochMetrics, isBest: Bool, isBrief: Bool = false) -> String {
    var parts = ["epoch \(metrics.epoch)/\(summary?.epochs ?? metrics.epoch)"]
    // Loss and the first metric are enough here; the tables have the others.
    parts += metrics.train.figures.prefix(2).map { "\($0.name) \(NumberText.short($0.value))" }
    for (word, sums) in [("validation", metrics.validation), ("test", metrics.test)] {
      guard let sums else { continue }
      let figures = sums.figures.prefix(2)
      parts += (isBrief ? figures.suffix(1) : figures).map {
        "\(word) \($0.name) \(NumberText.short($0.value))"
      }
      // The star belongs to the figure by which epochs are compared.
      if word == "validation" || metrics.validation == nil { parts[parts.count - 1] += isBest ? " *" : "  " }
    }
    if !isBrief, let rate = metrics.samplesPerSecond {
      parts.append("\(NumberText.grouped(Int(rate))) images/s")
    }
    return parts.joined(separator: "  ")
  }
}
