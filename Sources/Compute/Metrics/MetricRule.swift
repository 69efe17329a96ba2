internal import Settings

/// A metric's formula: which sums over samples it needs, and how it follows from them.
protocol MetricRule: Sendable {
  /// The word that configurations and tables have for it.
  var name: String { get }
  /// What references say of it, in a few words.
  var summary: String { get }
  /// Whether more is better.
  var isBetterHigher: Bool { get }
  /// The tasks that the metric says something of.
  var tasks: Set<Criterion.Task> { get }
  var tallies: [Tally] { get }

  /// ``Metric/isTelling(outputs:)``.
  func isTelling(outputs: Int) -> Bool

  func figure(_ sums: TallySums) -> Double

  /// ``Metric/keras(_:takesLogits:)``.
  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject?
}

extension MetricRule {
  func isTelling(outputs: Int) -> Bool { true }
  var isBetterHigher: Bool { true }
  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? { nil }
}

/// The sums of some samples, by tally.
struct TallySums {
  let layout: FigureLayout
  let values: [Double]
  /// How many samples there are; 1 where there are none.
  let samples: Double

  var outputs: Int { layout.outputs }
  /// How many outputs all samples have together.
  var elements: Double { samples * Double(outputs) }

  /// The sums of a tally, which the layout has.
  subscript(tally: Tally) -> ArraySlice<Double> {
    guard let place = layout.place(of: tally) else {
      preconditionFailure("the sums hold no \(tally.rule.name)")
    }
    return values[place..<place + tally.rule.width(outputs: outputs)]
  }

  /// The sum of a tally that has one number, or of its numbers.
  func total(_ tally: Tally) -> Double { self[tally].reduce(0, +) }
}
