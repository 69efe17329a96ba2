internal import Foundation
internal import Tensors

/// A rule that scales the step of each parameter tensor by the ratio of its norm to that of its step, for large minibatches.
///
/// Three passes: the gradient becomes a direction, norms are summed over each tensor, the direction is applied. Sums run in
/// `Double` slice by slice in fixed order, so they depend on no number of workers.
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

/// LARS: SGD with momentum whose step on each tensor is in proportion to the tensor's norm.
///
///     d = g + λ·w
///     r = trust · ‖w‖ / (‖d‖ + ε)        1 where either norm is 0, and for biases and normalisations that do not decay
///     m ← μ·m − η·r·d
///     w ← w + m
///
/// The norm is that of d, as in optax; the paper has ‖g‖ + λ‖w‖.
///
/// - SeeAlso: You, Gitman & Ginsburg 2017, <https://arxiv.org/abs/1708.03888>.
public struct LARS: LayerwiseOptimizer, Hashable {
  public let momentum: Double
  public let trustCoefficient: Double
  public let epsilon: Double
  public let weightDecay: Double

  /// - Parameters:
  ///   - momentum: μ in [0, 1).
  ///   - trustCoefficient: how large a step is against its tensor, above 0.
  ///   - epsilon: 0 or more.
  ///   - weightDecay: λ, 0 or more.
  public init(
    momentum: Double = 0.9, trustCoefficient: Double = 0.001, epsilon: Double = 0, weightDecay: Double = 0
  ) {
    self.momentum = momentum
    self.trustCoefficient = trustCoefficient
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["momentum"] }

  public func makeDirection(_ range: UpdateRange, _ moment: UpdateMoment) {
    range.addDecayToGradient(weightDecay)
  }

  public func trust(weightNorm: Double, directionNorm: Double) -> Double {
    weightNorm > 0 && directionNorm > 0 ? trustCoefficient * weightNorm / (directionNorm + epsilon) : 1
  }

  public func apply(_ range: UpdateRange, _ moment: UpdateMoment, trust: Double) {
    let (w, d, m) = (range.parameters, range.gradient, range.slots)
    let (rate, μ) = (Float(moment.learningRate * trust), Float(momentum))
    forLanes(count: range.count) { i in
      let velocity = m.lanes(at: i) * μ - d.lanes(at: i) * rate
      m.store(velocity, at: i)
      w.store(w.lanes(at: i) + velocity, at: i)
    } tail: { i in
      m[i] = m[i] * μ - d[i] * rate
      w[i] = w[i] + m[i]
    }
  }
}

/// LAMB: Adam whose step on each tensor is in proportion to the tensor's norm.
///
///     m ← m + (g − m)·(1 − β₁);   v ← v + (g² − v)·(1 − β₂)
///     d = (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) + λ·w
///     r = ‖w‖ / ‖d‖                      1 where either norm is 0, and for biases and normalisations that do not decay
///     w ← w − η·r·d
///
/// - SeeAlso: You et al. 2020, <https://arxiv.org/abs/1904.00962>.
public struct LAMB: LayerwiseOptimizer, Hashable {
  public let beta1: Double
  public let beta2: Double
  public let epsilon: Double
  public let weightDecay: Double

  /// - Parameters:
  ///   - beta1: kept share of the mean gradient, in [0, 1).
  ///   - beta2: kept share of the mean squared gradient, in [0, 1).
  ///   - epsilon: above 0.
  ///   - weightDecay: λ, 0 or more.
  public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7, weightDecay: Double = 0) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["mean", "squared_mean"] }

  public func makeDirection(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, m) = (range.parameters, range.gradient, range.slots)
    let v = range.slots + range.slotStride
    let t = Double(moment.update)
    let (new1, new2) = (Float(1 - beta1), Float(1 - beta2))
    let (below1, below2) = (Float(1 - pow(beta1, t)), Float(1 - pow(beta2, t)))
    let (ε, λ) = (Float(epsilon), Float(weightDecay * range.decayScale))
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let mean = m.lanes(at: i) + (gradient - m.lanes(at: i)) * new1
      let squares = v.lanes(at: i) + (gradient * gradient - v.lanes(at: i)) * new2
      m.store(mean, at: i)
      v.store(squares, at: i)
      g.store(mean / below1 / ((squares / below2).squareRoot() + ε) + w.lanes(at: i) * λ, at: i)
    } tail: { i in
      m[i] = m[i] + (g[i] - m[i]) * new1
      v[i] = v[i] + (g[i] * g[i] - v[i]) * new2
      g[i] = m[i] / below1 / ((v[i] / below2).squareRoot() + ε) + w[i] * λ
    }
  }

  public func trust(weightNorm: Double, directionNorm: Double) -> Double {
    weightNorm > 0 && directionNorm > 0 ? weightNorm / directionNorm : 1
  }

  public func apply(_ range: UpdateRange, _ moment: UpdateMoment, trust: Double) {
    let (w, d) = (range.parameters, range.gradient)
    let rate = Float(moment.learningRate * trust)
    forLanes(count: range.count) { i in
      w.store(w.lanes(at: i) - d.lanes(at: i) * rate, at: i)
    } tail: { i in
      w[i] = w[i] - d[i] * rate
    }
  }
}

extension UpdateRange {
  /// `g ← g + λ·w`, as far as weight decay acts.
  @inline(__always) func addDecayToGradient(_ weightDecay: Double) {
    guard weightDecay != 0, decays else { return }
    let (w, g, λ) = (parameters, gradient, Float(weightDecay * decayScale))
    forLanes(count: count) { i in
      g.store(g.lanes(at: i) + w.lanes(at: i) * λ, at: i)
    } tail: { i in
      g[i] = g[i] + w[i] * λ
    }
  }
}
