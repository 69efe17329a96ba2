public import Tensors
public import Testing

/// How far a value may lie from the expected one: `|actual − expected| ≤ absolute + relative·|expected| + ofLargest·max|expected|`.
public struct Tolerance: Sendable, Equatable {
  /// The largest difference that is always allowed.
  public var absolute: Double
  /// The largest difference as a share of the expected value.
  public var relative: Double
  /// Share of the largest expected magnitude in the tensor: the error of sums that cancel is proportional to their terms,
  /// not to their result.
  public var ofLargest: Double

  /// A tolerance with both limits.
  public init(absolute: Double = 0, relative: Double = 0, ofLargest: Double = 0) {
    self.absolute = absolute
    self.relative = relative
    self.ofLargest = ofLargest
  }

  /// A comparison of whole tensors: nil where all elements are within the tolerance, otherwise what is wrong.
  ///
  /// Says shape, worst index with both values, and how many elements are outside. NaN is close to nothing; equal
  /// infinities are equal.
  public func mismatch<Actual: BinaryFloatingPoint, Expected: BinaryFloatingPoint>(
    _ actual: some Collection<Actual>, _ expected: some Collection<Expected>, shape: Shape? = nil
  ) -> String? {
    let shape = shape ?? [expected.count]
    guard actual.count == expected.count, expected.count == shape.elementCount else {
      return "expected \(expected.count) elements of \(shape), got \(actual.count)"
    }
    let largest = expected.lazy.map { abs(Double($0)) }.filter(\.isFinite).max() ?? 0
    var worst: (offset: Int, excess: Double, actual: Double, expected: Double)?
    var outside = 0
    for (offset, pair) in zip(actual, expected).enumerated() {
      let (found, wanted) = (Double(pair.0), Double(pair.1))
      if found == wanted { continue }
      let difference = abs(found - wanted)
      let allowed = absolute + relative * abs(wanted) + ofLargest * largest
      if difference.isFinite, difference <= allowed { continue }
      outside += 1
      let excess =
        difference.isFinite ? difference / max(allowed, .leastNormalMagnitude) : .infinity
      if excess > worst?.excess ?? -1 { worst = (offset, excess, found, wanted) }
    }
    guard let worst else { return nil }
    return "\(outside) of \(expected.count) elements of \(shape) differ; worst at "
      + "\(ReferenceTensor.coordinates(of: worst.offset, in: shape)): \(worst.actual), expected "
      + "\(worst.expected), difference \(abs(worst.actual - worst.expected)) is \(worst.excess) times the "
      + "allowed (largest expected magnitude \(largest))"
  }
}

/// Expects two sequences of numbers to be close, element by element.
///
/// - Parameter shape: how the elements are arranged, for the message; `[count]` when nil.
public func expectClose<Actual: BinaryFloatingPoint, Expected: BinaryFloatingPoint>(
  _ actual: some Collection<Actual>, _ expected: some Collection<Expected>, shape: Shape? = nil,
  absolute: Double = 0, relative: Double = 0, ofLargest: Double = 0, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let tolerance = Tolerance(absolute: absolute, relative: relative, ofLargest: ofLargest)
  if let mismatch = tolerance.mismatch(actual, expected, shape: shape) {
    Issue.record("\(what.isEmpty ? "" : what + ": ")\(mismatch)", sourceLocation: sourceLocation)
  }
}

/// Expects numbers to be close to a reference tensor's, element by element.
public func expectClose<Actual: BinaryFloatingPoint>(
  _ actual: some Collection<Actual>, _ expected: ReferenceTensor, absolute: Double = 0,
  relative: Double = 0, ofLargest: Double = 0, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose(
    actual, expected.values, shape: expected.shape, absolute: absolute, relative: relative,
    ofLargest: ofLargest, what, sourceLocation: sourceLocation)
}

/// Expects two tensors to have the same shape and close elements.
public func expectClose(
  _ actual: ReferenceTensor, _ expected: ReferenceTensor, absolute: Double = 0, relative: Double = 0,
  ofLargest: Double = 0, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.shape == expected.shape else {
    Issue.record("\(what): expected \(expected.shape), got \(actual.shape)", sourceLocation: sourceLocation)
    return
  }
  expectClose(
    actual.values, expected, absolute: absolute, relative: relative, ofLargest: ofLargest, what,
    sourceLocation: sourceLocation)
}
