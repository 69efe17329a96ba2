internal import Digests
internal import Experiments
internal import Foundation
internal import Paths
internal import Reporting
internal import Training

/// The results of a sweep's members so far, from their run directories.
struct SweepResults {
  /// How far one member has come.
  struct Standing {
    let member: Sweep.Member
    let directory: String
    /// Whether the run directory exists.
    let hasBegun: Bool
    /// The run's state; nil where it has none that can be read.
    let state: RunState?
    /// The table of the run's epochs; nil where there is none.
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

    /// The digest of parameters, optimizer state and statistics after the last epoch, which no machine or interruption changes.
    var digest: String { epochs?.cells("digest")?.last ?? "" }

    /// The number of epochs done, and what is missing from the run directory.
    var done: String {
      guard hasBegun else { return "0 of \(wanted)" }
      guard let state else { return "unknown: no \(RunState.fileName)" }
      let isTableMissing = epochs == nil && state.epoch > 0
      return "\(state.epoch) of \(wanted)" + (state.hasStoppedEarly ? ", stopped early" : "")
        + (isTableMissing ? ", no metrics.csv" : "")
    }

    /// The figure by which the member's epochs are compared.
    var monitor: MonitoredFigure { member.configuration.run.training.monitor }

    /// The monitored figure of the best epoch.
    var best: Double? { state?.best }

    /// The best figure, turned so that more is better; nil where there is none, or it is not a number.
    var score: Double? { best.map(monitor.turned).flatMap { $0.isNaN ? nil : $0 } }
  }

  enum Order {
    case members
    /// The best monitored figure first, among members with the same one; those without one come last, and equal ones keep their
    /// order.
    case best
  }

  let sweep: Sweep
  /// The run directory of each member.
  let directories: [String]
  /// The folder for the table and charts.
  let folder: String

  init(_ sweep: Sweep) {
    self.sweep = sweep
    directories = RunNames.directories(of: sweep)
    // Assignments that a run's name does not include tell sweeps apart where they are all that varies.
    let meaning = zip(sweep.members, RunNames.sharingNames(in: sweep)).flatMap { member, isShared in
      member.configuration.meaning + (isShared ? member.assignments : [])
    }.joined(separator: "\n")
    folder = "Results/\(sweep.base.run.name)/sweep-\(RunNames.digest(meaning).prefix(8))"
  }

  /// Whether nothing is left to do for a member: it is fully trained and has its report.
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
    let ranks = Dictionary(monitors.enumerated().map { ($1, $0) }) { first, _ in first }
    return all.enumerated().sorted { left, right in
      let (a, b) = (left.element.score, right.element.score)
      if (a == nil) != (b == nil) { return a != nil }
      // Figures of different kinds cannot be compared.
      let (first, second) = (ranks[left.element.monitor.name] ?? 0, ranks[right.element.monitor.name] ?? 0)
      if first != second { return first < second }
      if let a, let b, a != b { return a > b }
      return left.offset < right.offset
    }.map(\.element)
  }

  // MARK: - The table

  /// The figures by which members are compared, each once, in the order of the members.
  private var monitors: [String] {
    var seen: Set<String> = []
    return sweep.members.map(\.configuration.run.training.monitor.name).filter { seen.insert($0).inserted }
  }

  /// The figure by which all members are compared; nil where there are several.
  private var monitor: String? { monitors.count == 1 ? monitors[0] : nil }

  /// The titles of the columns with the best figures.
  private var bestColumns: [String] { monitor.map { ["best \($0)"] } ?? ["compared by", "best"] }

  private var columns: [String] {
    ["member"] + sweep.keys + bestColumns + ["best epoch", "epochs", "digest", "run"]
  }

  private func cells(_ standing: Standing) -> [String] {
    var cells = ["\(standing.member.index)"]
    cells += standing.member.values.map { $0 ?? "" }
    if monitor == nil { cells.append(standing.monitor.name) }
    cells.append(standing.best.map { NumberText.short($0) } ?? "")
    cells.append(standing.state?.bestEpoch.map { "\($0)" } ?? "")
    cells += [standing.done, standing.digest, standing.directory]
    return cells
  }

  /// The keys' last words, unless two keys share one.
  private var shortKeys: [String] {
    let words = sweep.keys.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    return Set(words).count == words.count ? words : sweep.keys
  }

  /// The table for the terminal.
  func text(order: Order) -> String {
    let terminal = TerminalOutput.standardOutput
    // In a file or a pipe lines may have any length.
    return table(order: order).text(
      width: terminal.tableWidth, unicode: terminal.hasUnicode)
  }

  private func table(order: Order) -> Table {
    let titles = ["member"] + shortKeys + bestColumns + ["epoch", "done", "run"]
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

  private func csv() -> String { CSVText.text([columns] + standings(.best).map(cells)) }

  // MARK: - Writing

  /// The files that were written.
  struct Files {
    let table: String
    var charts: [String] = []
    /// Why there are no more charts.
    var missing: String?
  }

  /// Writes `sweep.csv` and the charts.
  ///
  /// - Returns: the paths of the files.
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
        complete: standing.isComplete, monitor: standing.monitor.name, epoch: standing.state?.epoch,
        epochs: standing.wanted,
        best: standing.best, bestEpoch: standing.state?.bestEpoch,
        digest: standing.epochs?.cells("digest")?.last)
    }
    return SweepResult(
      name: sweep.base.run.name, monitor: monitor, keys: sweep.keys, members: members, table: files?.table,
      charts: files?.charts ?? [])
  }

  // MARK: - Charts

  /// The number of the best members whose curves are drawn.
  private static let curveLimit = 6

  private func charts() -> [(name: String, chart: Chart)] {
    let all = standings(.best)
    return monitors.flatMap { monitor in
      let ordered = all.filter { $0.monitor.name == monitor }
      let end = monitors.count == 1 ? ".png" : "-\(monitor).png"
      var charts = [("curves\(end)", curves(Array(ordered.prefix(Self.curveLimit)), monitor))]
      for (position, key) in sweep.keys.enumerated() {
        guard let chart = scatter(ordered, key: key, position: position, monitor) else { continue }
        charts.append(("best-by-\(shortKeys[position].replacing(".", with: "-"))\(end)", chart))
      }
      return charts
    }
  }

  private func curves(_ best: [Standing], _ monitor: String) -> Chart {
    let series = best.compactMap { standing -> Chart.Series? in
      guard let epochs = standing.epochs else { return nil }
      let values = epochs.compared(monitor)
      let name = standing.member.values.compactMap(\.self).joined(separator: ", ")
      return Chart.Series("\(standing.member.index): \(name.prefix(60))", values: values)
    }
    return Chart("The best members", x: "epoch", y: monitor, series)
  }

  /// A chart of the best figure over a key's values, where these are numbers.
  ///
  /// Each combination of varied values that are not numbers has points of its own kind.
  private func scatter(_ standings: [Standing], key: String, position: Int, _ monitor: String) -> Chart? {
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

  /// A swept value as a number, which may be a fraction.
  private static func number(_ text: String) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
    switch parts.count {
    case 1: return parts[0]
    case 2: return parts[0].flatMap { left in parts[1].map { left / $0 } }
    default: return nil
    }
  }

  /// The kind of a swept value: for an optimizer with its settings, its name.
  private static func kind(_ text: String) -> String {
    guard text.hasPrefix("{"), let colon = text.firstIndex(of: ":") else { return text }
    return String(text[text.index(after: text.startIndex)..<colon])
  }
}
