internal import Digests
internal import Experiments
internal import Foundation
internal import Reporting
internal import Training

/// What the members of a sweep have come to, as far as their run directories say.
struct SweepResults {
  /// How far one member is.
  struct Standing {
    let member: Sweep.Member
    let directory: String
    /// Nil where nothing was trained yet.
    let progress: TrainingProgress?
    /// Of the newest checkpoint's contents, the same for every machine and interruption.
    let digest: String
    /// Epochs with their test figures, or the training's where there is no test data.
    let epochs: RunTable?

    var isComplete: Bool {
      guard let progress else { return false }
      return progress.stoppedEarly || progress.epoch >= member.configuration.run.training.epochs
    }
  }

  enum Order {
    case members
    /// The best monitored figure first; without one, and of equal ones, in the order of members.
    case best
  }

  let sweep: Sweep
  /// Where table and charts go.
  let folder: String

  init(_ sweep: Sweep) {
    self.sweep = sweep
    let meaning = sweep.members.flatMap(\.configuration.meaning).joined(separator: "\n")
    folder = "Results/\(sweep.base.run.name)/sweep-\(RunNames.digest(meaning).prefix(8))"
  }

  func isComplete(_ member: Sweep.Member) -> Bool { standing(of: member).isComplete }

  private func standing(of member: Sweep.Member) -> Standing {
    let directory = RunNames.directory(of: member.configuration)
    let store = CheckpointStore(folder: "\(directory)/checkpoints")
    let newest =
      FileManager.default.fileExists(atPath: store.folder) ? try? store.newest() : nil
    let header = newest.flatMap { try? CheckpointFile.header(of: $0.path) }
    return Standing(
      member: member, directory: directory, progress: newest?.checkpoint.progress,
      digest: header.map { String($0.contentDigest.hexadecimal.prefix(16)) } ?? "",
      epochs: RunTable.epochs(ofRun: directory))
  }

  private func standings(_ order: Order) -> [Standing] {
    let all = sweep.members.map(standing)
    guard order == .best else { return all }
    return all.enumerated().sorted { left, right in
      let (a, b) = (left.element.progress?.best?.score, right.element.progress?.best?.score)
      if let a, let b, a != b { return a > b }
      if (a == nil) != (b == nil) { return a != nil }
      return left.offset < right.offset
    }.map(\.element)
  }

  // MARK: - The table

  private var monitor: String { sweep.base.run.training.monitor.name }

  /// The monitored figure of a best epoch.
  private func figure(_ best: BestEpoch) -> Double {
    sweep.base.run.training.monitor.turned(best.score)
  }

  private var columns: [String] {
    ["member"] + sweep.keys + ["best \(monitor)", "best epoch", "epochs", "digest", "run"]
  }

  private func cells(_ standing: Standing) -> [String] {
    let best = standing.progress?.best
    let wanted = standing.member.configuration.run.training.epochs
    var done = "\(standing.progress?.epoch ?? 0) of \(wanted)"
    if standing.progress?.stoppedEarly == true { done += ", stopped early" }
    var cells = ["\(standing.member.index)"]
    cells += standing.member.values.map { $0 ?? "" }
    cells.append(best.map { NumberText.short(figure($0)) } ?? "")
    cells.append(best.map { "\($0.epoch)" } ?? "")
    return cells + [done, standing.digest, standing.directory]
  }

  func table(order: Order) -> Table {
    // A key's last word is enough in a terminal, as long as it is no other key's, too.
    let words = sweep.keys.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    let short = Set(words).count == words.count ? words : sweep.keys
    let titles = ["member"] + short + ["best \(monitor)", "epoch", "done", "run"]
    var table = Table(
      titles.enumerated().map { index, title in
        Table.Column(title, index == titles.count - 1 ? .leading : .trailing)
      })
    let digestColumn = columns.count - 2
    for standing in standings(order) {
      var row = cells(standing).enumerated().filter { $0.offset != digestColumn }.map(\.element)
      row[row.count - 1] = URL(fileURLWithPath: standing.directory).lastPathComponent
      table.add(row)
    }
    return table
  }

  private func csv() -> String {
    func quoted(_ cell: String) -> String {
      guard cell.contains(where: { ",\"\n".contains($0) }) else { return cell }
      return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
    return ([columns] + standings(.best).map(cells)).map { row in
      row.map(quoted).joined(separator: ",") + "\n"
    }.joined()
  }

  // MARK: - Writing

  /// Writes `sweep.csv` and the charts.
  ///
  /// - Returns: the table for the terminal, and where the files are.
  func write() throws -> String {
    try OutputFile.makeFolder(folder)
    var lines = [table(order: .best).text(width: TerminalOutput.standardOutput.columns)]
    try OutputFile.write(csv(), to: "\(folder)/sweep.csv")
    lines.append("table   \(folder)/sweep.csv")
    do {
      for (name, chart) in charts() where !chart.isEmpty {
        try OutputFile.write(Data(try Gnuplot.png(chart)), to: "\(folder)/\(name)")
        lines.append("chart   \(folder)/\(name)")
      }
    } catch let failure as Gnuplot.Failure {
      lines.append("no charts: \(failure)")
    }
    return lines.joined(separator: "\n")
  }

  // MARK: - Charts

  /// How many of the best members' curves are drawn.
  private static let curveLimit = 6

  private func charts() -> [(name: String, chart: Chart)] {
    let ordered = standings(.best)
    var charts = [("curves.png", curves(Array(ordered.prefix(Self.curveLimit))))]
    for (position, key) in sweep.keys.enumerated() {
      guard let chart = scatter(ordered, key: key, position: position) else { continue }
      charts.append(("best-by-\(key.split(separator: ".").last ?? "key").png", chart))
    }
    return charts
  }

  private func curves(_ best: [Standing]) -> Chart {
    let series = best.compactMap { standing -> Chart.Series? in
      guard let epochs = standing.epochs else { return nil }
      let values = epochs.compared(monitor)
      let name = standing.member.values.compactMap(\.self).joined(separator: ", ")
      return Chart.Series(name, values: values)
    }
    return Chart("The best members", x: "epoch", y: monitor, series)
  }

  /// The best figure over a key's values, where these are numbers.
  private func scatter(_ standings: [Standing], key: String, position: Int) -> Chart? {
    let points = standings.compactMap { standing -> Chart.Point? in
      guard let text = standing.member.values[position], let x = Double(text),
        let best = standing.progress?.best
      else { return nil }
      return Chart.Point(x, figure(best))
    }
    guard Set(points.map(\.x)).count > 1 else { return nil }
    var chart = Chart(
      "Best \(monitor)", x: key, y: "best \(monitor)", [Chart.Series("members", points, style: .points)])
    if let low = points.map(\.x).min(), let high = points.map(\.x).max() {
      chart.isLogarithmicX = low > 0 && high / low > 20
    }
    return chart
  }
}
