/// How far a network's numbers are from what they should be.
public struct OutputErrors: Hashable, Sendable {
  /// The errors of one output.
  public struct Figures: Hashable, Sendable {
    public let meanAbsolute: Double
    public let rootMeanSquared: Double
    /// 1 is perfect, 0 no better than the mean.
    public let r2: Double

    public init(meanAbsolute: Double, rootMeanSquared: Double, r2: Double) {
      self.meanAbsolute = meanAbsolute
      self.rootMeanSquared = rootMeanSquared
      self.r2 = r2
    }
  }

  public let names: [String]
  public let figures: [Figures]

  /// - Parameter figures: one per name.
  public init(names: [String], figures: [Figures]) {
    precondition(names.count == figures.count, "\(names.count) names for \(figures.count) outputs")
    self.names = names
    self.figures = figures
  }

  /// The errors of each output, as a table.
  public func table() -> Table {
    var table = Table(
      [Table.Column("", .trailing), Table.Column("output")]
        + ["MAE", "RMSE", "R²"].map { Table.Column($0, .trailing) })
    for (index, (name, figure)) in zip(names, figures).enumerated() {
      table.add([
        "\(index)", TextWidth.printable(name), NumberText.short(figure.meanAbsolute),
        NumberText.short(figure.rootMeanSquared), NumberText.fixed(figure.r2, 4),
      ])
    }
    return table
  }
}
