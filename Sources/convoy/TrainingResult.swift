internal import Reporting
internal import Training

/// What a training came to, for the end of its output.
struct TrainingResult {
  let directory: String
  let progress: TrainingProgress
  let isComplete: Bool
  let hasReachedStepLimit: Bool
  /// Whether the run was complete before, so that this process trained nothing.
  let wasComplete: Bool

  func text(_ terminal: Terminal) -> String {
    guard isComplete else {
      let reason = hasReachedStepLimit ? "as asked: stopped" : "stopped"
      return "\(reason) after step \(progress.step); the same command goes on from there (\(directory))\n"
    }
    let word = progress.stoppedEarly ? "stopped early, after" : "complete after"
    let end = wasComplete ? "already \(word)" : word
    var text = "\n\(end) \(progress.epoch) epochs, \(NumberText.duration(progress.seconds)) of training\n\n"
    if let table = epochTable() {
      text += table.text(width: terminal.columns, unicode: terminal.hasUnicode) + "\n"
    }
    return text + """
      run directory  \(directory)
      report         \(directory)/report.html
      next           convoy inspect \(directory)
                     convoy evaluate \(directory) --data FILE.h5
                     convoy predict \(directory) IMAGE.png

      """
  }

  /// The last and the best epoch, side by side.
  private func epochTable() -> Table? {
    guard let epochs = RunTable.epochs(ofRun: directory), let last = epochs.rows.indices.last else {
      return nil
    }
    let numbers = epochs.numbers("epoch").map { $0.map { Int($0) } }
    let best = progress.best.flatMap { best in numbers.firstIndex(of: best.epoch) }
    var table = Table([
      Table.Column(""), Table.Column("epoch", .trailing), Table.Column("train loss", .trailing),
      Table.Column("accuracy", .trailing), Table.Column("test loss", .trailing),
      Table.Column("accuracy", .trailing), Table.Column("images/s", .trailing),
    ])
    for (name, row) in [("last", last), ("best", best ?? last)] {
      func figure(_ column: String) -> String {
        epochs.numbers(column)[row].map { NumberText.fixed($0, 4) } ?? "–"
      }
      table.add([
        name, numbers[row].map(String.init) ?? "–", figure("train_loss"), figure("train_accuracy"),
        figure("test_loss"), figure("test_accuracy"),
        epochs.numbers("samples_per_second")[row].map { NumberText.grouped(Int($0)) } ?? "–",
      ])
    }
    return table
  }
}
