/// Which sums a criterion needs of samples, and how its figures follow from them.
///
/// The sums of any two sets of samples add up to those of both: shards, minibatches and epochs are all the same to it. What is
/// counted is counted in `Double`, exactly up to 2⁵³.
public struct MetricLayout: Hashable, Sendable {
  /// Sums that belong together: one number, or one for each output.
  public struct Block: Hashable, Sendable {
    public let name: String
    public let count: Int
  }

  public let criterion: Criterion
  /// The number of outputs of the network.
  public let outputs: Int
  public let blocks: [Block]
  /// The number of sums in all blocks together.
  public let count: Int

  /// Places of the blocks; nil for those that no metric needs.
  let correct: Int?
  let exact: Int?
  let tops: [(count: Int, place: Int)]
  let decisions: Int?
  let absolute: Int?
  let squared: Int?
  let moments: Int?

  public init(_ criterion: Criterion, outputs: Int) {
    var blocks = [Block(name: "loss", count: 1)]
    var next = 1
    func add(_ name: String, _ count: Int = 1) -> Int {
      blocks.append(Block(name: name, count: count))
      next += count
      return next - count
    }
    let metrics = criterion.metrics
    correct = metrics.contains(.accuracy) ? add("correct") : nil
    exact = metrics.contains(.exactMatch) ? add("exact") : nil
    var tops: [(Int, Int)] = []
    for case .topAccuracy(let count) in metrics { tops.append((count, add("top_\(count)"))) }
    self.tops = tops
    let needsDecisions = metrics.contains { [.precision, .recall, .f1].contains($0) }
    // Right ones, those that were taken for a class, those that are of it.
    decisions = needsDecisions ? add("decisions", 3 * outputs) : nil
    absolute = metrics.contains(.meanAbsoluteError) ? add("absolute_error", outputs) : nil
    let needsSquares = metrics.contains {
      [.meanSquaredError, .rootMeanSquaredError, .r2].contains($0)
    }
    squared = needsSquares ? add("squared_error", outputs) : nil
    // Of the targets: their sums and the sums of their squares.
    moments = metrics.contains(.r2) ? add("target_moments", 2 * outputs) : nil
    self.criterion = criterion
    self.outputs = outputs
    self.blocks = blocks
    count = next
  }

  public static func == (left: MetricLayout, right: MetricLayout) -> Bool {
    left.outputs == right.outputs && left.criterion == right.criterion
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(outputs)
    hasher.combine(criterion)
  }

  // MARK: - Figures

  /// A figure of the samples whose sums are given; 0 without samples.
  ///
  /// - Parameter metric: one of the criterion's.
  /// - Returns: nil for a metric that the sums do not hold.
  public func figure(_ metric: Metric, sums: [Double], samples: Int) -> Double? {
    precondition(sums.count == count, "expected \(count) sums, got \(sums.count)")
    let total = Double(max(samples, 1))
    let elements = total * Double(outputs)
    switch metric {
    case .accuracy:
      return correct.map { sums[$0] / (criterion.task == .labels ? elements : total) }
    case .exactMatch: return exact.map { sums[$0] / total }
    case .topAccuracy(let count):
      return tops.first { $0.count == count }.map { sums[$0.place] / total }
    case .precision: return decisions.map { meanOfClasses(sums, $0) { right, taken, _ in (right, taken) } }
    case .recall: return decisions.map { meanOfClasses(sums, $0) { right, _, actual in (right, actual) } }
    case .f1:
      return decisions.map {
        meanOfClasses(sums, $0) { right, taken, actual in (2 * right, taken + actual) }
      }
    case .meanAbsoluteError: return absolute.map { sum(sums, $0) / elements }
    case .meanSquaredError: return squared.map { sum(sums, $0) / elements }
    case .rootMeanSquaredError: return squared.map { (sum(sums, $0) / elements).squareRoot() }
    case .r2:
      guard let squared, let moments else { return nil }
      let all = (0..<outputs).map {
        determination(sums, squared, moments, output: $0, samples: total)
      }
      return all.reduce(0, +) / Double(outputs)
    }
  }

  /// The total over all outputs, which start at a place.
  private func sum(_ sums: [Double], _ place: Int) -> Double {
    sums[place..<place + outputs].reduce(0, +)
  }

  private func meanOfClasses(
    _ sums: [Double], _ place: Int, _ share: (Double, Double, Double) -> (Double, Double)
  ) -> Double {
    var (sum, known) = (0.0, 0)
    for index in 0..<outputs {
      let (part, whole) = share(
        sums[place + index], sums[place + outputs + index], sums[place + 2 * outputs + index])
      guard whole > 0 else { continue }
      sum += part / whole
      known += 1
    }
    return known == 0 ? 0 : sum / Double(known)
  }

  /// R² of one output; of targets that are all the same 1 where they are met, else 0.
  func determination(
    _ sums: [Double], _ squared: Int, _ moments: Int, output index: Int, samples: Double
  ) -> Double {
    let mean = sums[moments + index] / samples
    let squares = sums[moments + outputs + index]
    let spread = squares - samples * mean * mean
    let error = sums[squared + index]
    // What is left of squares that should cancel is rounding.
    if spread <= 1e-12 * squares { return error == 0 ? 1 : 0 }
    return 1 - error / spread
  }
}
