internal import Digests
internal import Experiments
internal import Foundation
internal import Paths
internal import Reporting
internal import Training

/// What the members of a sweep have come to, as far as their run directories say.
struct SweepResults {
  /// How far one member is.
  struct Standing {
    let member: Sweep.Member
    let directory: String
    /// Whether there is a run directory.
    let hasBegun: Bool
    /// Nil where the run does not say.
    let state: RunState?
    /// Epochs with their test figures, or the training's where there is no test data.
    let epochs: RunTable?

    init(_ member: Sweep.Member, directory: String) {
      self.member = member
      self.directory = directory
      hasBegun = FileStatus.exists(directory)
      state = RunState.read(directory: directory)
      epochs = RunTable.epochs(ofRun: directory)
    }

    var wanted: Int { member.configuration.run.training.epochs }

    var isComplete: Bool {
      guard let state, state.phase == .finished else { return false }
      return state.hasStoppedEarly || state.epoch >= wanted
    }

    /// Of parameters, optimizer state and statistics after the last epoch, the same for every machine and interruption.
    var digest: String { epochs?.cells("digest")?.last ?? "" }

    /// Epochs done, and what the run directory should hold but does not.
    var done: String {
      guard hasBegun else { return "0 of \(wanted)" }
      guard let state else { return "unknown: no \(RunState.fileName)" }
      let isTableMissing = epochs == nil && state.epoch > 0
      return "\(state.epoch) of \(wanted)" + (state.hasStoppedEarly ? ", stopped early" : "")
        + (isTableMissing ? ", no metrics.csv" : "")
    }

    /// The monitored figure of the best epoch.
    var best: Double? { state?.best }

    /// The same as something of which more is better; nil without one, or where it is no number.
    var score: Double? {
      best.map(member.configuration.run.training.monitor.turned).flatMap { $0.isNaN ? nil : $0 }
    }
  }

  enum Order {
    case members
    /// The best monitored figure first; without one, and of equal ones, in the order of members.
    case best
  }

  let sweep: Sweep
  /// Where each member's run is kept.
  let directories: [String]
  /// Where table and charts go.
  let folder: String

  init(_ sweep: Sweep) {
    self.sweep = sweep
    directories = RunNames.directories(of: sweep)
    // What a run's name does not say tells sweeps apart where it is all that they vary.
    let meaning = zip(sweep.members, RunNames.sharingNames(in: sweep)).flatMap { member, isShared in
      member.configuration.meaning + (isShared ? member.assignments : [])
    }.joined(separator: "\n")
    folder = "Results/\(sweep.base.run.name)/sweep-\(RunNames.digest(meaning).prefix(8))"
  }

  /// Whether nothing is left to do for a member: it is trained to its end and has its report.
  func isDone(_ member: Sweep.Member) -> Bool {
    let known = standing(member)
    return known.isComplete && RunReportBuilder.hasReport(known.directory)
  }

  private func standing(_ member: Sweep.Member) -> Standing {
    Standing(member, directory: directories[member.index])
  }

  private func standings(_ order: Order) -> [Standing] {
    let all = sweep.members.map(standing)
    guard order == .best else { return all }
    return all.enumerated().sorted { left, right in
      let (a, b) = (left.element.score, right.element.score)
      if let a, let b, a != b { return a > b }
      if (a == nil) != (b == nil) { return a != nil }
      return left.offset < right.offset
    }.map(\.element)
  }

  // MARK: - The table

  private var monitor: String { sweep.base.run.training.monitor.name }

  private var columns: [String] {
    ["member"] + sweep.keys + ["best \(monitor)", "best epoch", "epochs", "digest", "run"]
  }

  private func cells(_ standing: Standing) -> [String] {
    ["\(standing.member.index)"] + standing.member.values.map { $0 ?? "" } + [
      standing.best.map { NumberText.short($0) } ?? "", standing.state?.bestEpoch.map { "\($0)" } ?? "",
      standing.done, standing.digest, standing.directory,
    ]
  }

  /// The keys' last words, as long as none is another key's, too.
  private var shortKeys: [String] {
    let words = sweep.keys.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    return Set(words).count == words.count ? words : sweep.keys
  }

  /// The table for the terminal.
  func text(order: Order) -> String {
    let terminal = TerminalOutput.standardOutput
    // In a file or a pipe lines may be as long as they are.
    return table(order: order).text(
      width: terminal.isInteractive ? terminal.columns : nil, unicode: terminal.hasUnicode)
  }

  private func table(order: Order) -> Table {
    let titles = ["member"] + shortKeys + ["best \(monitor)", "epoch", "done", "run"]
    var table = Table(
      titles.enumerated().map { index, title in
        Table.Column(title, index == titles.count - 1 ? .leading : .trailing)
      })
    let digestColumn = columns.count - 2
    for standing in standings(order) {
      var row = cells(standing).enumerated().filter { $0.offset != digestColumn }.map(\.element)
      row[row.count - 1] = Folder.name(of: standing.directory)
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

  /// The files that were written.
  struct Files {
    let table: String
    var charts: [String] = []
    /// Why there are no more charts.
    var missing: String?
  }

  /// Writes `sweep.csv` and the charts.
  func write() throws -> Files {
    try OutputFile.makeFolder(folder)
    var files = Files(table: "\(folder)/sweep.csv")
    try OutputFile.write(csv(), to: files.table)
    do {
      for (name, chart) in charts() where !chart.isEmpty {
        try OutputFile.write(Data(try Gnuplot.png(chart)), to: "\(folder)/\(name)")
        files.charts.append("\(folder)/\(name)")
      }
    } catch let failure as Gnuplot.Failure {
      files.missing = "no charts: \(failure)"
    }
    return files
  }

  /// The table for the terminal, and where the files are.
  func text(_ files: Files) -> String {
    let lines = [text(order: .best), "table   \(files.table)"] + files.charts.map { "chart   \($0)" }
    return (lines + [files.missing].compactMap(\.self)).joined(separator: "\n")
  }

  // MARK: - For machines

  /// The members as they stand.
  ///
  /// - Parameter number: of the only one that is meant; nil for all.
  func result(order: Order, only number: Int? = nil, _ files: Files? = nil) -> SweepResult {
    let members = standings(order).filter { number == nil || $0.member.index == number }.map { standing in
      SweepResult.Member(
        member: standing.member.index,
        values: Dictionary(zip(sweep.keys, standing.member.values), uniquingKeysWith: { first, _ in first }),
        run: standing.directory,
        state: standing.hasBegun ? standing.state?.phase.rawValue ?? "unknown" : "not begun",
        complete: standing.isComplete, epoch: standing.state?.epoch, epochs: standing.wanted,
        best: standing.best, bestEpoch: standing.state?.bestEpoch,
        digest: standing.epochs?.cells("digest")?.last)
    }
    return SweepResult(
      name: sweep.base.run.name, monitor: monitor, keys: sweep.keys, members: members, table: files?.table,
      charts: files?.charts ?? [])
  }

  // MARK: - Charts

  /// How many of the best members' curves are drawn.
  private static let curveLimit = 6

  private func charts() -> [(name: String, chart: Chart)] {
    let ordered = standings(.best)
    var charts = [("curves.png", curves(Array(ordered.prefix(Self.curveLimit))))]
    for (position, key) in sweep.keys.enumerated() {
      guard let chart = scatter(ordered, key: key, position: position) else { continue }
      charts.append(("best-by-\(shortKeys[position].replacing(".", with: "-")).png", chart))
    }
    return charts
  }

  private func curves(_ best: [Standing]) -> Chart {
    let series = best.compactMap { standing -> Chart.Series? in
      guard let epochs = standing.epochs else { return nil }
      let values = epochs.compared(monitor)
      let name = standing.member.values.compactMap(\.self).joined(separator: ", ")
      return Chart.Series("\(standing.member.index): \(name.prefix(60))", values: values)
    }
    return Chart("The best members", x: "epoch", y: monitor, series)
  }

  /// The best figure over a key's values, where these are numbers; a kind of points for each combination of what is varied and is
  /// no number.
  private func scatter(_ standings: [Standing], key: String, position: Int) -> Chart? {
    var kinds: [String] = []
    var groups: [String: [Chart.Point]] = [:]
    for standing in standings {
      guard let x = standing.member.values[position].flatMap(Self.number), let best = standing.best else {
        continue
      }
      let kind = standing.member.values.compactMap(\.self).filter { Self.number($0) == nil }
        .map(Self.kind).joined(separator: ", ")
      if groups[kind] == nil { kinds.append(kind) }
      groups[kind, default: []].append(Chart.Point(x, best))
    }
    let points = groups.values.joined()
    guard Set(points.map(\.x)).count > 1 else { return nil }
    let series =
      kinds.count > Self.curveLimit
      ? [Chart.Series("members", Array(points), style: .points)]
      : kinds.sorted().map { Chart.Series($0.isEmpty ? "members" : $0, groups[$0] ?? [], style: .points) }
    var chart = Chart("Best \(monitor)", x: key, y: "best \(monitor)", series)
    if let low = points.map(\.x).min(), let high = points.map(\.x).max() {
      chart.isLogarithmicX = low > 0 && high / low > 20
    }
    return chart
  }

  /// A swept value as a number, fractions included.
  private static func number(_ text: String) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
    switch parts.count {
    case 1: return parts[0]
    case 2: return parts[0].flatMap { left in parts[1].map { left / $0 } }
    default: return nil
    }
  }

  /// What kind a swept value is: of an optimizer with its settings its name.
  private static func kind(_ text: String) -> String {
    guard text.hasPrefix("{"), let colon = text.firstIndex(of: ":") else { return text }
    return String(text[text.index(after: text.startIndex)..<colon])
  }
}
