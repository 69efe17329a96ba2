internal import Foundation
internal import ImageFiles
internal import Mustache

extension RunReport {
  /// The report as one self-contained HTML page.
  ///
  /// - Parameter drawsCharts: whether gnuplot draws the curves; where it cannot, a note says why.
  public func html(drawsCharts: Bool = true) throws -> String {
    var page = RunReportPage()
    (page.name, page.run, page.state) = (name, run, state)
    page.highlights = highlights.map(RunReportPage.Fact.init)
    page.notes = notes
    if drawsCharts { drawCharts(on: &page) }
    page.hasNotes = !page.notes.isEmpty
    showEpochs(on: &page)
    showRanks(on: &page)
    if let confusion { show(confusion, on: &page) }
    showOutputs(on: &page)
    try showPictures(on: &page)
    page.configuration = configuration
    page.environment = environment.map(RunReportPage.Fact.init)
    page.hasEnvironment = !environment.isEmpty
    page.sections = Self.sections(of: page)
    return try MustacheTemplate(string: ReportTemplate.text).render(page)
  }

  /// The name of the section with the curves.
  public static let curves = "curves"

  /// The names of the sections in a page that ``html(drawsCharts:)`` made, in their order.
  public static func sections(ofPage html: String) -> [String] {
    html.split(separator: "<section id=\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
  }

  private static func sections(of page: RunReportPage) -> [RunReportPage.Section] {
    let all = [
      (curves, "Learning curves", page.hasCharts), ("epochs", "Epochs", page.hasEpochs),
      ("ranks", "Ranks", page.hasRanks),
      ("classes", "Classes", page.hasClasses), ("outputs", "Outputs", page.hasOutputs),
      ("confusion", "Confusion matrix", page.hasConfusion), ("mistakes", "Mistakes", page.hasMistakes),
      ("filters", "Filters", page.hasFilters), ("config", "Configuration", true),
      ("environment", "Environment", page.hasEnvironment),
    ]
    return all.filter(\.2).map { RunReportPage.Section(id: $0.0, title: $0.1) }
  }

  // MARK: - Curves

  /// Draws all curves, or none and says why.
  private func drawCharts(on page: inout RunReportPage) {
    do throws(Gnuplot.Failure) {
      var drawn: [DrawnChart] = []
      for chart in charts where !chart.isEmpty { drawn.append(try DrawnChart(chart)) }
      page.charts = drawn
      page.hasCharts = !drawn.isEmpty
    } catch {
      page.notes.append("The curves are not drawn: \(error).")
    }
  }

  /// The curves that the report draws.
  var charts: [Chart] {
    func curve(_ name: String, _ value: (Epoch) -> Double?) -> Chart.Series {
      let points = epochs.compactMap { epoch in
        value(epoch).map { Chart.Point(Double(epoch.number), $0) }
      }
      return Chart.Series(name, points)
    }
    let figures = figureNames.map { name in
      var chart = Chart(
        Self.title(name), x: "epoch", y: name.replacing("_", with: " "),
        [
          curve("training") { $0.train[name] }, curve("validation") { $0.validation[name] },
          curve("test") { $0.test[name] },
        ])
      if let bestEpoch { chart.marks = [Chart.Mark(x: Double(bestEpoch), "best")] }
      return chart
    }
    let rate = Chart(
      "Learning rate", x: learningRate.isEmpty ? "epoch" : "step", y: "learning rate",
      [
        learningRate.isEmpty
          ? curve("learning rate", \.learningRate) : Chart.Series("learning rate", learningRate)
      ])
    var time = Chart(
      "Time per epoch", x: "epoch", y: "seconds",
      [
        curve("all", \.seconds), curve("training steps", \.trainingSeconds), curve("test", \.testSeconds),
        curve("checkpoints", \.checkpointSeconds), curve("waiting for data", \.dataWaitSeconds),
      ])
    time.yRange = 0...max(1e-3, (epochs.compactMap(\.seconds).max() ?? 1) * 1.1)
    return figures + [rate, time]
  }

  /// The title for a figure's name: `Mean absolute error` for `mean_absolute_error`.
  private static func title(_ name: String) -> String {
    let words = name.replacing("_", with: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  // MARK: - Ranks

  /// A bar for each rank, all to one scale.
  private func showRanks(on page: inout RunReportPage) {
    guard let first = ranks.first else { return }
    let totals = ranks.map { $0.phases.reduce(0) { $0 + $1.seconds } }
    let longest = max(totals.max() ?? 0, 1e-9)
    page.hasRanks = true
    page.phases = first.phases.enumerated().map { RunReportPage.Phase(name: $1.name, number: $0) }
    page.ranks = zip(ranks, totals).map { rank, total in
      RunReportPage.RankRow(
        name: rank.name,
        parts: rank.phases.enumerated().map { number, phase in
          RunReportPage.RankRow.Part(
            number: number, width: Self.fixed(100 * phase.seconds / longest, 2),
            title: "\(phase.name) \(Self.fixed(phase.seconds, 2)) s")
        }, seconds: Self.fixed(total, 2))
    }
  }

  // MARK: - Epochs

  private func showEpochs(on page: inout RunReportPage) {
    func figures(_ title: String, _ values: @escaping (Epoch) -> [String: Double]) -> [Column] {
      figureNames.map { name in
        ("\(title) \(name.replacing("_", with: " "))", { values($0)[name].map(NumberText.short) ?? "" })
      }
    }
    let columns: [Column] =
      [("epoch", { "\($0.number)" })] + figures("training", \.train)
      + figures("validation", \.validation) + figures("test", \.test) + [
        ("learning rate", { $0.learningRate.map { NumberText.short($0) } ?? "" }),
        ("seconds", { Self.fixed($0.seconds, 2) }),
        ("training steps", { Self.fixed($0.trainingSeconds, 2) }),
        ("test", { Self.fixed($0.testSeconds, 2) }),
        ("checkpoints", { Self.fixed($0.checkpointSeconds, 2) }),
        ("waiting for data", { Self.fixed($0.dataWaitSeconds, 2) }),
      ]
    // A column without any value is left out.
    let shown = columns.filter { column in epochs.contains { !column.text($0).isEmpty } }
    page.epochColumns = shown.map(\.title)
    page.epochs = epochs.map { epoch in
      RunReportPage.EpochRow(cells: shown.map { $0.text(epoch) }, isBest: epoch.number == bestEpoch)
    }
    page.hasEpochs = !epochs.isEmpty
    let total = epochs.compactMap(\.seconds).reduce(0, +)
    func share(_ what: String, _ seconds: (Epoch) -> Double?) -> String? {
      let sum = epochs.compactMap(seconds).reduce(0, +)
      guard total > 0, epochs.contains(where: { seconds($0) != nil }) else { return nil }
      return "\(what) \(NumberText.fixed(sum / total * 100, 1)) %"
    }
    let times = [
      share("training steps", \.trainingSeconds), share("test", \.testSeconds),
      share("copying state for checkpoints", \.checkpointSeconds),
      share("waiting for data", \.dataWaitSeconds),
    ].compactMap(\.self)
    page.hasTimes = !times.isEmpty
    page.times = times.joined(separator: " · ")
  }

  private typealias Column = (title: String, text: (Epoch) -> String)

  private static func fixed(_ number: Double?, _ digits: Int) -> String {
    number.map { NumberText.fixed($0, digits) } ?? ""
  }

  // MARK: - Classes

  /// The largest number of classes whose matrix is still readable.
  private static let matrixLimit = 40

  private func show(_ confusion: ConfusionMatrix, on page: inout RunReportPage) {
    let names = confusion.classNames
    let figures = names.indices.map { confusion.figures(ofClass: $0) }
    func mean(_ value: (ConfusionMatrix.ClassFigures) -> Double?) -> String {
      let values = figures.compactMap(value)
      return values.isEmpty ? "" : NumberText.fixed(values.reduce(0, +) / Double(values.count), 4)
    }
    (page.hasClasses, page.hasConfusion) = (true, true)
    page.evaluated = evaluated ?? ""
    page.classes = zip(names, figures).map { name, figures in
      RunReportPage.ClassRow(
        name: name, precision: Self.fixed(figures.precision, 4), recall: Self.fixed(figures.recall, 4),
        f1: Self.fixed(figures.f1, 4), count: NumberText.grouped(figures.count))
    }
    page.total = RunReportPage.ClassRow(
      name: "mean", precision: mean(\.precision), recall: mean(\.recall), f1: mean(\.f1),
      count: NumberText.grouped(figures.map(\.count).reduce(0, +)))
    page.showsMatrix = names.count <= Self.matrixLimit
    page.matrix = matrixRows(confusion)
    page.confusions = confusion.mistakes().prefix(10).map {
      RunReportPage.Confusion(
        label: names[$0.label], predicted: names[$0.predicted], count: NumberText.grouped($0.count))
    }
    page.hasConfusions = !page.confusions.isEmpty
  }

  /// Fills the tables of labels or numbers, where there are no classes.
  private func showOutputs(on page: inout RunReportPage) {
    guard let table = labels?.table() ?? errors?.table() else { return }
    // The first column counts rows, which a page does not need.
    func row(_ cells: [String]) -> RunReportPage.OutputRow {
      RunReportPage.OutputRow(name: cells[1], values: Array(cells.dropFirst(2)))
    }
    page.hasOutputs = true
    page.evaluated = evaluated ?? ""
    page.outputTitle = table.columns[1].title
    page.outputColumns = table.columns.dropFirst(2).map(\.title)
    page.outputs = table.rows.map(row)
    page.outputTotals = table.footer.map(row)
  }

  private func matrixRows(_ confusion: ConfusionMatrix) -> [RunReportPage.MatrixRow] {
    let names = confusion.classNames
    return zip(names, confusion.counts).enumerated().map { label, entry in
      let (name, row) = entry
      let sum = row.reduce(0, +)
      let cells = row.enumerated().map { predicted, count in
        RunReportPage.MatrixCell(
          count: count == 0 ? "·" : "\(count)",
          kind: count == 0 ? "none" : predicted == label ? "right" : "wrong",
          share: NumberText.fixed(Double(count) / Double(max(1, sum)) * 100, 1),
          title: "\(name) taken for \(names[predicted]): \(count) of \(sum)")
      }
      return RunReportPage.MatrixRow(name: name, cells: cells)
    }
  }

  // MARK: - Pictures

  private func showPictures(on page: inout RunReportPage) throws {
    page.mistakes = try mistakes.map { mistake in
      RunReportPage.Mistake(
        image: try Self.dataURI(mistake.image), label: mistake.label, predicted: mistake.predicted,
        percent: "\(NumberText.fixed(mistake.probability * 100, 1)) %", row: "\(mistake.row)")
    }
    page.hasMistakes = !mistakes.isEmpty
    page.filters = try (filters?.images ?? []).enumerated().map { index, image in
      RunReportPage.Filter(image: try Self.dataURI(image), number: "\(index)")
    }
    page.hasFilters = !page.filters.isEmpty
    (page.filterLayer, page.filterLegend) = (filters?.layer ?? "", filters?.legend ?? "")
  }

  private static func dataURI(_ image: Image) throws(ImageError) -> String {
    "data:image/png;base64," + Data(try PNG.encode(image)).base64EncodedString()
  }
}
