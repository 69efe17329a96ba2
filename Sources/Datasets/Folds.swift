/// One of several parts into which samples are cut, to be tested on while the others are trained on: cross-validation.
///
/// Of each class, every part has the same share, to within one sample. Which samples are in which part follows from the labels
/// and the seed, so that the parts of all imports of the same samples fit together.
public struct Fold: Hashable, Sendable {
  /// Which part is tested on, from 1.
  public var number: Int
  /// How many parts there are, at least 2.
  public var count: Int
  /// What decides which samples are in which part.
  public var seed: UInt64

  /// A part of several.
  public init(_ number: Int, of count: Int, seed: UInt64 = 0) {
    precondition(count >= 2 && (1...count).contains(number), "there is no part \(number) of \(count)")
    (self.number, self.count, self.seed) = (number, count, seed)
  }

  /// Which samples are tested on, in the order of the samples.
  func isTested(_ labels: [Int32]) -> [Bool] {
    let shares = [Double](repeating: 1 / Double(count), count: count)
    let tested = SplitAssignment.rows(labels: labels, shares: shares, seed: seed)[number - 1]
    var marks = [Bool](repeating: false, count: labels.count)
    for row in tested { marks[Int(row)] = true }
    return marks
  }
}
