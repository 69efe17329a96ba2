/// Which sums over samples the figures of a criterion need, and how the figures follow from them.
///
/// The sums of any two sets of samples add up to those of both: shards, minibatches and epochs are all the same to it. What is
/// counted is counted in `Double`, exactly up to 2⁵³.
public struct FigureLayout: Hashable, Sendable {
  /// Sums that belong together: one number, or one for each output.
  public struct Block: Hashable, Sendable {
    /// What the sums are, as files call them.
    public let name: String
    /// How many sums there are.
    public let count: Int
  }

  /// The loss, what the outputs mean, and the metrics.
  public let criterion: Criterion
  /// The number of outputs of the network.
  public let outputs: Int
  /// The loss, then what the metrics need.
  public let blocks: [Block]
  /// The number of sums in all blocks together.
  public let count: Int
  /// The tallies with their places, in the order of the blocks behind the loss.
  let tallies: [(tally: Tally, rule: any TallyRule, place: Int)]

  /// Finds out which sums a criterion needs for a network with this many outputs.
  public init(_ criterion: Criterion, outputs: Int) {
    var blocks = [Block(name: "loss", count: 1)]
    var tallies: [(tally: Tally, rule: any TallyRule, place: Int)] = []
    var next = 1
    // In the order of all metrics, so that which sums there are decides where they lie.
    for metric in criterion.metrics.inReferenceOrder {
      for tally in metric.rule.tallies where !tallies.contains(where: { $0.tally == tally }) {
        let rule = tally.rule
        let block = Block(name: rule.name, count: rule.width(outputs: outputs))
        tallies.append((tally, rule, next))
        blocks.append(block)
        next += block.count
      }
    }
    self.criterion = criterion
    self.outputs = outputs
    self.blocks = blocks
    self.tallies = tallies
    count = next
  }

  /// Whether both sum up the same.
  public static func == (left: FigureLayout, right: FigureLayout) -> Bool {
    left.outputs == right.outputs && left.criterion == right.criterion
  }

  /// Feeds what equality compares.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(outputs)
    hasher.combine(criterion)
  }

  /// Where a tally's sums begin; nil where no metric needs it.
  func place(of tally: Tally) -> Int? { tallies.first { $0.tally == tally }?.place }

  // MARK: - Figures

  /// A figure of the samples whose sums are given; 0 without samples.
  ///
  /// - Parameter metric: one of the criterion's.
  /// - Returns: nil for a metric that the sums do not hold.
  public func figure(_ metric: Metric, sums: [Double], samples: Int) -> Double? {
    let rule = metric.rule
    guard rule.tallies.allSatisfy({ place(of: $0) != nil }) else { return nil }
    return rule.figure(self.sums(sums, samples: samples))
  }

  func sums(_ values: [Double], samples: Int) -> TallySums {
    precondition(values.count == count, "expected \(count) sums, got \(values.count)")
    return TallySums(layout: self, values: values, samples: Double(max(samples, 1)))
  }
}
