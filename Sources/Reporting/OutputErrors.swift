/// How far a network's numbers are from their targets.
public struct OutputErrors: Hashable, Sendable {
  /// The errors of one output.
  public struct Figures: Hashable, Sendable {
    /// The mean absolute error, in the unit of the targets.
    public let meanAbsolute: Double
    /// The root of the mean squared error, in the unit of the targets.
    public let rootMeanSquared: Double
    /// The coefficient of determination: 1 is perfect, and 0 is no better than the mean of the targets.
    public let r2: Double

    /// The errors of one output.
    public init(meanAbsolute: Double, rootMeanSquared: Double, r2: Double) {
      self.meanAbsolute = meanAbsolute
      self.rootMeanSquared = rootMeanSquared
      self.r2 = r2
    }
  }

  /// The names of the outputs.
  public let names: [String]
  /// The errors, one for each name.
  public let figures: [Figures]

  /// The errors of several outputs.
  ///
  /// - Parameter figures: one for each name.
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
