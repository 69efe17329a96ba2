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
public struct LAMB: LayerwiseOptimizer, AdamVariant {
  /// The rule's settings.
  public var adam: AdamSettings

  /// Takes the rule's settings.
  public init(_ adam: AdamSettings) { self.adam = adam }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<LAMB>(
    "LAMB (You et al. 2020), for large minibatches: Adam with steps in proportion to each parameter's norm, except "
      + "where `weight_decay_on` or a rule leaves the parameter out.",
    LAMB(learningRate: 0.001), SettingKey.adam(.directionDecay))

  /// Nil: Keras's rule takes the ratio of norms for every tensor, keeps weight decay out of the norms, and is not found by its
  /// name in a file.
  public var kerasClass: String? { nil }

  /// Turns the gradient of a range into a direction.
  public func makeDirection(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g) = (range.parameters, range.gradient)
    let t = Double(moment.update)
    let (new1, new2) = (Float(1 - adam.beta1), Float(1 - adam.beta2))
    let (below1, below2) = (Float(1 - pow(adam.beta1, t)), Float(1 - pow(adam.beta2, t)))
    let (ε, λ) = (Float(adam.epsilon), Float(weightDecay * range.decayScale))
    forLanes(count: range.count) { i in
      let (_, mean, squaredMean) = range.followMeans(at: i, new1, new2)
      g.store(mean / below1 / ((squaredMean / below2).squareRoot() + ε) + w.lanes(at: i) * λ, at: i)
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
