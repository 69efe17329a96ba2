internal import Reporting
internal import Tensors
internal import Training

/// The result of a training, for the end of its output.
struct TrainingResult {
  let directory: String
  let data: DataConfiguration
  /// The options that opening the data takes.
  let dataOptions: [String]
  let progress: TrainingProgress
  let monitor: MonitoredFigure
  let isComplete: Bool
  let hasReachedStepLimit: Bool
  /// Whether the run was already complete, so that this process trained nothing.
  let wasComplete: Bool

  /// The monitored figure of the best epoch.
  var best: Double? { progress.best.map { monitor.turned($0.score) } }

  func text(_ terminal: Terminal) -> String {
    guard isComplete else {
      let reason = hasReachedStepLimit ? "stopped as asked" : "stopped"
      return "\(reason) after step \(progress.step); the same command resumes there (\(directory))\n"
    }
    let word = progress.stoppedEarly ? "stopped early, after" : "complete after"
    let epochs = counted(progress.epoch, "epoch")
    let end = wasComplete ? "already \(word)" : word
    var text = "\n\(end) \(epochs), \(NumberText.duration(progress.seconds)) of training\n\n"
    if let table = epochTable() {
      // A narrow terminal would break rows in the middle of numbers.
      let fitting = table.width > terminal.columns ? table.turned : table
      text += fitting.text(width: terminal.tableWidth, unicode: terminal.hasUnicode) + "\n"
    }
    let next = NextCommands(directory: directory, data: data, dataOptions: dataOptions).lines
    return text + """
      run directory  \(directory)
      report         \(directory)/report.html
      next           \(next.joined(separator: "\n               "))

      """
  }

  /// The last and the best epoch, side by side.
  private func epochTable() -> Table? {
    guard let epochs = RunTable.epochs(ofRun: directory), let last = epochs.rows.indices.last else {
      return nil
    }
    let numbers = epochs.numbers("epoch").map { $0.flatMap { Int(exactly: $0) } }
    let best = progress.best.flatMap { best in numbers.firstIndex(of: best.epoch) }
    // Every figure of the last part, and two of each other: more would be too wide.
    let names = epochs.figureNames
    let parts = ["train", "validation", "test"].filter { part in
      part == "train" || epochs.numbers("\(part)_loss").contains { $0 != nil }
    }
    let shown = parts.map { part in (part, part == parts.last ? names : Array(names.prefix(2))) }
    var columns = [Table.Column(""), Table.Column("epoch", .trailing)]
    for (part, names) in shown {
      for (index, name) in names.enumerated() {
        let word = Self.short(name)
        columns.append(Table.Column(index == 0 ? "\(part) \(word)" : word, .trailing))
      }
    }
    var table = Table(columns + [Table.Column("images/s", .trailing)])
    for (name, row) in [("last", last), ("best", best ?? last)] {
      func figure(_ column: String) -> String {
        epochs.numbers(column)[row].map { NumberText.short($0) } ?? "–"
      }
      var cells = [name, numbers[row].map(String.init) ?? "–"]
      for (part, names) in shown { cells += names.map { figure("\(part)_\($0)") } }
      cells.append(epochs.numbers("samples_per_second")[row].map { NumberText.grouped($0) } ?? "–")
      table.add(cells)
    }
    return table
  }

  /// A metric's name as the heading of a narrow column.
  private static func short(_ name: String) -> String {
    switch name {
    case "mean_absolute_error": "MAE"
    case "mean_squared_error": "MSE"
    case "root_mean_squared_error": "RMSE"
    case "r2": "R²"
    default: name.replacing("_", with: " ")
    }
  }
}
