internal import Foundation
public import Settings
internal import Tensors

/// LAMB: Adam whose step on each tensor is in proportion to the tensor's norm.
///
///     m ← m + (g − m)·(1 − β₁);   v ← v + (g² − v)·(1 − β₂)
///     d = (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) + λ·w
///     r = ‖w‖ / ‖d‖                      1 where either norm is 0, and for biases and normalisations that do not decay
///     w ← w − η·r·d
///
/// - SeeAlso: You et al. 2020, <https://arxiv.org/abs/1904.00962>.
public struct LAMB: LayerwiseOptimizer {
  /// η, the step width before the schedule scales it.
  public var learningRate: Double
  /// β₁, the kept share of the gradient's running mean, in [0, 1).
  public var beta1: Double
  /// β₂, the kept share of the squared gradient's running mean, in [0, 1).
  public var beta2: Double
  /// ε, against division by zero.
  public var epsilon: Double
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings.
  ///
  /// - Parameters:
  ///   - learningRate: η, which the schedule scales; above 0.
  ///   - beta1: kept share of the mean gradient, in [0, 1).
  ///   - beta2: kept share of the mean squared gradient, in [0, 1).
  ///   - epsilon: above 0.
  ///   - weightDecay: λ, 0 or more.
  public init(
    learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
    weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<LAMB>(
    "LAMB (You et al. 2020), for large minibatches: Adam with steps in proportion to each parameter's norm, except "
      + "where `weight_decay_on` or a rule leaves the parameter out.",
    LAMB(learningRate: 0.001),
    [
      .learningRate, .meanShare(\.beta1),
      .squaredMeanShare(\.beta2),
      .epsilon(\.epsilon), .directionDecay,
    ])

  /// There is none: Keras's takes the ratio of norms for every tensor, has its weight decay outside of the norms, and cannot be looked up by its
  /// name in a file.
  public var kerasClass: String? { nil }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["mean", "squared_mean"] }

  /// Turns the gradient of a range into a direction.
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
    }
  }

  /// The factor of a whole tensor's step.
  public func trust(weightNorm: Double, directionNorm: Double) -> Double {
    weightNorm > 0 && directionNorm > 0 ? weightNorm / directionNorm : 1
  }

  /// Moves a range along its direction.
  public func apply(_ range: UpdateRange, _ moment: UpdateMoment, trust: Double) {
    let (w, d) = (range.parameters, range.gradient)
    let rate = Float(moment.learningRate * trust)
    forLanes(count: range.count) { i in
      w.store(w.lanes(at: i) - d.lanes(at: i) * rate, at: i)
    }
  }
}
