internal import Tensors

/// Writes what happens into the run's `log.txt` and passes it on.
struct LoggingObserver: TrainerObserver {
  let directory: RunDirectory
  let next: any TrainerObserver

  func receive(_ event: TrainerEvent) {
    if let line = line(for: event) { directory.log(line) }
    next.receive(event)
  }

  private func line(for event: TrainerEvent) -> String? {
    switch event {
    case .started(let summary):
      let from =
        summary.resumedFrom.map { "resumed from \($0) at step \(summary.progress.step)" } ?? "started"
      return
        "\(from): run \(summary.runID), \(summary.crew)\(summary.placement), "
        + "batch \(summary.batch), shard \(summary.shard)"
    case .epochEnded(let metrics, let isBest):
      let figures = zip(metrics.columns, metrics.row).map { "\($0)=\($1)" }.joined(separator: " ")
      return figures + (isBest ? " (best)" : "")
    case .checkpointWritten(let step, let path): return "checkpoint of step \(step): \(path)"
    case .note(let text): return text
    case .warning(let text): return "warning: \(text)"
    case .stopped(let signal, let step):
      return "stopped by \(StopSignals.name(of: signal)) after step \(step); a checkpoint is written"
    case .finished(let progress): return "finished after \(counted(progress.step, "step"))"
    case .step, .evaluating: return nil
    }
  }
}
