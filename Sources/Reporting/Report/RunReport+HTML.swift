internal import Foundation
internal import ImageFiles
internal import Mustache

extension RunReport {
  /// The report as one self-contained HTML page.
  ///
  /// - Parameter drawsCharts: whether to ask gnuplot for the curves; without it a note says what is missing.
  public func html(drawsCharts: Bool = true) throws -> String {
    var notes = notes
    var svgs: [[String: Any]] = []
    if drawsCharts {
      do throws(Gnuplot.Failure) {
        for chart in charts where !chart.isEmpty {
          svgs.append(["title": chart.title, "svg": try Gnuplot.svg(chart)])
        }
      } catch {
        svgs = []
        notes.append("The curves are not drawn: \(error).")
      }
    }
    var page: [String: Any] = [
      "name": name, "run": run, "state": state, "highlights": Self.facts(highlights), "notes": notes,
      "hasNotes": !notes.isEmpty, "charts": svgs, "hasCharts": !svgs.isEmpty,
      "configuration": configuration, "environment": Self.facts(environment),
      "hasEnvironment": !environment.isEmpty,
    ]
    page.merge(epochParts()) { $1 }
    page.merge(classParts()) { $1 }
    page.merge(outputParts()) { $1 }
    page.merge(try pictureParts()) { $1 }
    page["sections"] = Self.sections.filter { page[$0.condition] as? Bool ?? true }.map {
      ["id": $0.id, "title": $0.title]
    }
    return try MustacheTemplate(string: ReportTemplate.text).render(page)
  }

  private static let sections = [
    (id: "curves", title: "Learning curves", condition: "hasCharts"),
    (id: "epochs", title: "Epochs", condition: "hasEpochs"),
    (id: "classes", title: "Classes", condition: "hasClasses"),
    (id: "outputs", title: "Outputs", condition: "hasOutputs"),
    (id: "confusion", title: "Confusion matrix", condition: "hasConfusion"),
    (id: "mistakes", title: "Mistakes", condition: "hasMistakes"),
    (id: "filters", title: "Filters", condition: "hasFilters"),
    (id: "config", title: "Configuration", condition: ""),
    (id: "environment", title: "Environment", condition: "hasEnvironment"),
  ]

  private static func facts(_ facts: [Fact]) -> [[String: String]] {
    facts.map { ["name": $0.name, "value": $0.value] }
  }

  // MARK: - Curves

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

  /// `Mean absolute error` of `mean_absolute_error`.
  private static func title(_ name: String) -> String {
    let words = name.replacing("_", with: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  // MARK: - Epochs

  private func epochParts() -> [String: Any] {
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
    // A column that nobody filled says nothing.
    let shown = columns.filter { column in epochs.contains { !column.text($0).isEmpty } }
    let rows = epochs.map { epoch -> [String: Any] in
      ["cells": shown.map { $0.text(epoch) }, "isBest": epoch.number == bestEpoch]
    }
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
    return [
      "hasEpochs": !epochs.isEmpty, "epochColumns": shown.map(\.title), "epochs": rows,
      "hasTimes": !times.isEmpty, "times": times.joined(separator: " · "),
    ]
  }

  private typealias Column = (title: String, text: (Epoch) -> String)

  private static func fixed(_ number: Double?, _ digits: Int) -> String {
    number.map { NumberText.fixed($0, digits) } ?? ""
  }

  // MARK: - Classes

  /// More classes than this, and the matrix is no picture any more.
  private static let matrixLimit = 40

  private func classParts() -> [String: Any] {
    guard let confusion else { return ["hasClasses": false, "hasConfusion": false] }
    let names = confusion.classNames
    let figures = names.indices.map { confusion.figures(ofClass: $0) }
    func mean(_ value: (ConfusionMatrix.ClassFigures) -> Double?) -> String {
      let values = figures.compactMap(value)
      return values.isEmpty ? "" : NumberText.fixed(values.reduce(0, +) / Double(values.count), 4)
    }
    let classes = zip(names, figures).map { name, figures in
      [
        "name": name, "precision": Self.fixed(figures.precision, 4),
        "recall": Self.fixed(figures.recall, 4), "f1": Self.fixed(figures.f1, 4),
        "count": NumberText.grouped(figures.count),
      ]
    }
    let total = [
      "name": "mean", "precision": mean(\.precision), "recall": mean(\.recall), "f1": mean(\.f1),
      "count": NumberText.grouped(figures.map(\.count).reduce(0, +)),
    ]
    let confusions = confusion.mistakes().prefix(10).map {
      [
        "label": names[$0.label], "predicted": names[$0.predicted],
        "count": NumberText.grouped($0.count),
      ]
    }
    return [
      "hasClasses": true, "hasConfusion": true, "evaluated": evaluated ?? "", "classes": classes,
      "total": total, "showsMatrix": names.count <= Self.matrixLimit, "matrix": matrixRows(confusion),
      "hasConfusions": !confusions.isEmpty, "confusions": confusions,
    ]
  }

  /// The tables of labels or numbers, which have no classes.
  private func outputParts() -> [String: Any] {
    guard let table = labels?.table() ?? errors?.table() else { return ["hasOutputs": false] }
    // The first column counts the rows, which a page need not.
    func cells(_ row: [String]) -> [String: Any] {
      ["name": row[1], "values": Array(row.dropFirst(2))]
    }
    return [
      "hasOutputs": true, "evaluated": evaluated ?? "", "outputTitle": table.columns[1].title,
      "outputColumns": table.columns.dropFirst(2).map(\.title), "outputs": table.rows.map(cells),
      "outputTotals": table.footer.map(cells),
    ]
  }

  private func matrixRows(_ confusion: ConfusionMatrix) -> [[String: Any]] {
    let names = confusion.classNames
    return zip(names, confusion.counts).enumerated().map { label, entry in
      let (name, row) = entry
      let sum = max(1, row.reduce(0, +))
      let cells = row.enumerated().map { predicted, count in
        [
          "count": count == 0 ? "·" : "\(count)",
          "kind": count == 0 ? "none" : predicted == label ? "right" : "wrong",
          "share": NumberText.fixed(Double(count) / Double(sum) * 100, 1),
          "title": "\(name) taken for \(names[predicted]): \(count) of \(row.reduce(0, +))",
        ]
      }
      return ["name": name, "cells": cells]
    }
  }

  // MARK: - Pictures

  private func pictureParts() throws -> [String: Any] {
    let wrong = try mistakes.map { mistake in
      [
        "image": try Self.dataURI(mistake.image), "label": mistake.label, "predicted": mistake.predicted,
        "percent": "\(NumberText.fixed(mistake.probability * 100, 1)) %", "row": "\(mistake.row)",
      ]
    }
    let kernels = try (filters?.images ?? []).enumerated().map { index, image in
      ["image": try Self.dataURI(image), "number": "\(index)"]
    }
    return [
      "hasMistakes": !wrong.isEmpty, "mistakes": wrong, "hasFilters": !kernels.isEmpty,
      "filters": kernels, "filterLayer": filters?.layer ?? "", "filterLegend": filters?.legend ?? "",
    ]
  }

  private static func dataURI(_ image: Image) throws(ImageError) -> String {
    "data:image/png;base64," + Data(try PNG.encode(image)).base64EncodedString()
  }
}
