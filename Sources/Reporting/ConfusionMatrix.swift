/// How often samples of each class were taken for each class.
public struct ConfusionMatrix: Hashable, Sendable {
  public let classNames: [String]
  /// `counts[label][predicted]`.
  public private(set) var counts: [[Int]]

  public init(classNames: [String]) {
    self.classNames = classNames
    counts = Array(repeating: Array(repeating: 0, count: classNames.count), count: classNames.count)
  }

  /// - Parameters:
  ///   - labels: one per sample, each in `0..<classNames.count`; `predictions` likewise.
  public init(classNames: [String], labels: [Int32], predictions: [Int32]) {
    precondition(
      labels.count == predictions.count, "\(labels.count) labels for \(predictions.count) predictions")
    self.init(classNames: classNames)
    for (label, predicted) in zip(labels, predictions) { counts[Int(label)][Int(predicted)] += 1 }
  }

  /// Figures of one class, each in [0, 1] and nil where it divides by zero.
  public struct ClassFigures: Hashable, Sendable {
    /// Samples that are of the class.
    public let count: Int
    /// The share of the samples taken for the class that belong to it.
    public let precision: Double?
    /// The share of the class's samples that were taken for it.
    public let recall: Double?
    /// Harmonic mean of precision and recall.
    public let f1: Double?

    /// - Parameters:
    ///   - right: samples of the class that were taken for it.
    ///   - taken: samples that were taken for it.
    ///   - actual: samples that are of it.
    public init(right: Int, taken: Int, actual: Int) {
      func share(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }
      count = actual
      precision = share(right, taken)
      recall = share(right, actual)
      f1 = share(2 * right, actual + taken)
    }
  }

  /// Precision, recall and the like of one class.
  public func figures(ofClass index: Int) -> ClassFigures {
    ClassFigures(
      right: counts[index][index], taken: counts.reduce(0) { $0 + $1[index] },
      actual: counts[index].reduce(0, +))
  }

  /// Two classes and how often samples of the first were taken for the second.
  public struct Mistake: Hashable, Sendable {
    public let label: Int
    public let predicted: Int
    public let count: Int
  }

  /// Mistakes, the most frequent first; of equally frequent ones the lower classes first.
  public func mistakes() -> [Mistake] {
    var mistakes: [Mistake] = []
    for (label, row) in counts.enumerated() {
      for (predicted, count) in row.enumerated() where predicted != label && count > 0 {
        mistakes.append(Mistake(label: label, predicted: predicted, count: count))
      }
    }
    return mistakes.sorted {
      ($1.count, $0.label, $0.predicted) < ($0.count, $1.label, $1.predicted)
    }
  }
}
