internal import Tensors
public import Testing

/// Gradients by central differences: `∂f/∂x[i] ≈ (f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h`, with an error of O(h²) + O(ε/h).
public struct GradientCheck: Sendable {
  /// The step h; 10⁻⁵ suits functions in `Double`, about 10⁻² functions computed in `Float`.
  public var step: Double
  /// Every how many elements are checked; 1 for all.
  public var stride: Int

  /// A check of one function.
  public init(step: Double = 1e-5, stride: Int = 1) {
    self.step = step
    self.stride = stride
  }

  /// The numerical gradient at the offsets that ``stride`` selects.
  public func gradient(
    at point: ReferenceTensor, of function: (ReferenceTensor) throws -> Double
  ) rethrows -> [(offset: Int, value: Double)] {
    var moved = point
    return try Swift.stride(from: 0, to: point.values.count, by: stride).map { offset in
      let original = point.values[offset]
      moved.values[offset] = original + step
      let above = try function(moved)
      moved.values[offset] = original - step
      let below = try function(moved)
      moved.values[offset] = original
      return (offset, (above - below) / (2 * step))
    }
  }
}

/// Expects `analytic` to be the gradient of `function` at `point`, by central differences.
///
/// - Parameter ofLargest: allowed difference as a share of the largest checked gradient.
public func expectGradient(
  _ analytic: ReferenceTensor, at point: ReferenceTensor, _ what: String = "",
  check: GradientCheck = GradientCheck(), absolute: Double = 1e-9, ofLargest: Double = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation, of function: (ReferenceTensor) throws -> Double
) rethrows {
  guard analytic.shape == point.shape else {
    Issue.record(
      "\(what): the gradient has \(analytic.shape), its point \(point.shape)",
      sourceLocation: sourceLocation)
    return
  }
  let numeric = try check.gradient(at: point, of: function)
  expectClose(
    numeric.map { analytic.values[$0.offset] }, numeric.map(\.value),
    shape: check.stride == 1 ? point.shape : nil, absolute: absolute, ofLargest: ofLargest, what,
    sourceLocation: sourceLocation)
}
