extension FigureLayout {
  /// The decisions on one class or label: those for it that are right, all those for it, and all samples that belong to it.
  public struct Decisions: Hashable, Sendable {
    /// Decisions for it that are right.
    public let right: Int
    /// All decisions for it.
    public let taken: Int
    /// Samples that belong to it.
    public let actual: Int
  }

  /// The decisions on each class or label; empty where the criterion has neither precision, recall nor F1.
  public func decisions(_ sums: [Double]) -> [Decisions] {
    guard let place = place(of: .decisions) else { return [] }
    return (place..<place + outputs).map { place in
      Decisions(
        right: Int(sums[place]), taken: Int(sums[place + outputs]), actual: Int(sums[place + 2 * outputs]))
    }
  }

  /// How far an output is from its targets.
  public struct Errors: Hashable, Sendable {
    /// The mean of absolute differences.
    public let meanAbsolute: Double
    /// The root of the mean of squared differences.
    public let rootMeanSquared: Double
    /// The coefficient of determination, 1 for a perfect prediction and 0 for that of the mean.
    public let r2: Double
  }

  /// The errors of each output; empty where the criterion lacks one of these metrics.
  public func errors(_ sums: [Double], samples: Int) -> [Errors] {
    guard let absolute = place(of: .absoluteError), let squared = place(of: .squaredError),
      place(of: .targetMoments) != nil
    else { return [] }
    let all = self.sums(sums, samples: samples)
    return (0..<outputs).map { index in
      Errors(
        meanAbsolute: sums[absolute + index] / all.samples,
        rootMeanSquared: (sums[squared + index] / all.samples).squareRoot(),
        r2: all.determination(output: index))
    }
  }
}
