/// How often each of several independent labels was found and missed.
public struct LabelCounts: Hashable, Sendable {
  /// The decisions on one label.
  public struct Counts: Hashable, Sendable {
    /// The number of samples that have the label and were taken to have it.
    public let right: Int
    /// The number of samples that were taken to have the label.
    public let taken: Int
    /// The number of samples that have the label.
    public let actual: Int

    /// The counts of one label.
    public init(right: Int, taken: Int, actual: Int) {
      self.right = right
      self.taken = taken
      self.actual = actual
    }

    /// Precision, recall and F1 of the label.
    public var figures: ConfusionMatrix.ClassFigures {
      ConfusionMatrix.ClassFigures(right: right, taken: taken, actual: actual)
    }
  }

  /// The names of the labels.
  public let names: [String]
  /// The counts, one for each name.
  public let counts: [Counts]

  /// The counts of several labels.
  ///
  /// - Parameter counts: one for each name.
  public init(names: [String], counts: [Counts]) {
    precondition(names.count == counts.count, "\(names.count) names for \(counts.count) labels")
    self.names = names
    self.counts = counts
  }

  /// All decisions together, for micro-averages.
  public var all: Counts {
    counts.reduce(Counts(right: 0, taken: 0, actual: 0)) {
      Counts(right: $0.right + $1.right, taken: $0.taken + $1.taken, actual: $0.actual + $1.actual)
    }
  }

  /// Precision, recall and F1 of each label, their plain means, and those of all decisions together.
  public func table() -> Table {
    var table = Table(
      [Table.Column("", .trailing), Table.Column("label")]
        + ["precision", "recall", "F1", "samples", "taken for it"].map { Table.Column($0, .trailing) })
    func text(_ share: Double?) -> String { share.map { NumberText.fixed($0, 4) } ?? "–" }
    func mean(_ values: [Double?]) -> Double? {
      let known = values.compactMap(\.self)
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    func cells(_ figures: ConfusionMatrix.ClassFigures, _ counts: Counts) -> [String] {
      [
        text(figures.precision), text(figures.recall), text(figures.f1), NumberText.grouped(counts.actual),
        NumberText.grouped(counts.taken),
      ]
    }
    for (index, (name, counts)) in zip(names, counts).enumerated() {
      table.add(["\(index)", TextWidth.printable(name)] + cells(counts.figures, counts))
    }
    let figures = counts.map(\.figures)
    table.addTotal([
      "", "mean", text(mean(figures.map(\.precision))), text(mean(figures.map(\.recall))),
      text(mean(figures.map(\.f1))), "", "",
    ])
    table.addTotal(["", "all decisions"] + cells(all.figures, all))
    return table
  }
}
