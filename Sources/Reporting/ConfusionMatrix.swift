/// How often samples of each class were taken for each class.
public struct ConfusionMatrix: Hashable, Sendable {
  /// The names of the classes, which may be numbers as text.
  public let classNames: [String]
  /// The number of samples by class and predicted class, `counts[label][predicted]`.
  public private(set) var counts: [[Int]]

  /// A matrix without samples.
  public init(classNames: [String]) {
    self.classNames = classNames
    counts = Array(repeating: Array(repeating: 0, count: classNames.count), count: classNames.count)
  }

  /// A matrix of these samples.
  ///
  /// - Parameters:
  ///   - labels: one for each sample, in `0..<classNames.count`; `predictions` likewise.
  public init(classNames: [String], labels: [Int32], predictions: [Int32]) {
    precondition(
      labels.count == predictions.count, "\(labels.count) labels for \(predictions.count) predictions")
    self.init(classNames: classNames)
    for (label, predicted) in zip(labels, predictions) { counts[Int(label)][Int(predicted)] += 1 }
  }

  /// Figures of one class, each in [0, 1], and nil where it would divide by zero.
  public struct ClassFigures: Hashable, Sendable {
    /// The number of samples that are of the class.
    public let count: Int
    /// The share of the samples taken for the class that belong to it.
    public let precision: Double?
    /// The share of the class's samples that were taken for it.
    public let recall: Double?
    /// The harmonic mean of precision and recall.
    public let f1: Double?

    /// Computes the figures.
    ///
    /// - Parameters:
    ///   - right: the number of samples of the class that were taken for it.
    ///   - taken: the number of samples that were taken for it.
    ///   - actual: the number of samples that are of the class.
    public init(right: Int, taken: Int, actual: Int) {
      func share(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }
      count = actual
      precision = share(right, taken)
      recall = share(right, actual)
      f1 = share(2 * right, actual + taken)
    }
  }

  /// Precision, recall and F1 of one class.
  public func figures(ofClass index: Int) -> ClassFigures {
    ClassFigures(
      right: counts[index][index], taken: counts.reduce(0) { $0 + $1[index] },
      actual: counts[index].reduce(0, +))
  }

  /// Two classes, and how often samples of the first were taken for the second.
  public struct Mistake: Hashable, Sendable {
    /// The number of the true class.
    public let label: Int
    /// The number of the predicted class.
    public let predicted: Int
    /// How often this happened.
    public let count: Int
  }

  /// All mistakes, the most frequent first; among equals the lower classes come first.
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
