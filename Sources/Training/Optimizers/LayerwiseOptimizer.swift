internal import Tensors

/// A rule that scales the step of each parameter tensor by the ratio of its norm to that of its step, for large minibatches.
///
/// Three passes: the gradient becomes a direction, norms are summed over each tensor, the direction is applied. Sums run in
/// `Double` slice by slice in fixed order, so they do not depend on the number of workers.
public protocol LayerwiseOptimizer: Optimizer {
  /// Turns the range's gradient into a direction, in place, and updates the slots that this needs.
  func makeDirection(_ range: UpdateRange, _ moment: UpdateMoment)

  /// What a tensor's direction is multiplied by besides the learning rate.
  ///
  /// - Parameters: L2 norms of the whole tensor and of its direction.
  func trust(weightNorm: Double, directionNorm: Double) -> Double

  /// Moves the parameters along the direction.
  func apply(_ range: UpdateRange, _ moment: UpdateMoment, trust: Double)
}

extension LayerwiseOptimizer {
  /// One range as if it were a whole tensor.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    makeDirection(range, moment)
    let ratio = trust(
      weightNorm: squaredSum(range.parameters, count: range.count).squareRoot(),
      directionNorm: squaredSum(range.gradient, count: range.count).squareRoot())
    apply(range, moment, trust: range.decays ? ratio : 1)
  }
}
