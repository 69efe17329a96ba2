internal import Foundation
public import Settings
internal import Tensors

/// Adam, in Keras's form.
///
///     g ← g + λ·w                        weight decay λ, an L2 penalty as in PyTorch
///     α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
///     m ← m + (g − m)·(1 − β₁)
///     v ← v + (g² − v)·(1 − β₂)
///     w ← w − α·m / (√v + ε)
///
/// ε stands beside the uncorrected √v, as in Keras and in the last paragraph of the paper's section 2; PyTorch puts it beside the
/// corrected one.
///
/// - SeeAlso: Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>.
public struct Adam: AdamVariant {
  /// The rule's settings.
  public var adam: AdamSettings

  /// Takes the rule's settings.
  public init(_ adam: AdamSettings) { self.adam = adam }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<Adam>(
    "Adam (Kingma & Ba 2015).", Adam(learningRate: 0.001), SettingKey.adam(.gradientDecay))

  /// Keras's class for the rule.
  public var kerasClass: String? { "Adam" }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    range.addDecayToGradient(weightDecay)
    range.stepAlongAdam(moment, adam)
  }
}

/// Adam with decoupled weight decay, in Keras's form: ``Adam`` after `w ← w − η·λ·w`.
///
/// - SeeAlso: Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>.
public struct AdamW: AdamVariant {
  /// The rule's settings.
  public var adam: AdamSettings

  /// Takes the rule's settings.
  public init(_ adam: AdamSettings) { self.adam = adam }

  /// λ where none is given, as in Keras.
  public static var usualWeightDecay: Double { 0.004 }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<AdamW>(
    "Adam with decoupled weight decay (Loshchilov & Hutter 2019).", AdamW(learningRate: 0.001),
    SettingKey.adam(.weightDecay))

  /// Nil: Keras 2 does not find its own in a file.
  public var kerasClass: String? { nil }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    range.shrink(by: weightDecay * moment.learningRate)
    range.stepAlongAdam(moment, adam)
  }
}

extension UpdateRange {
  /// The step that ``Adam`` and ``AdamW`` share.
  fileprivate func stepAlongAdam(_ moment: UpdateMoment, _ adam: AdamSettings) {
    let w = parameters
    let t = Double(moment.update)
    let α = Float(
      moment.learningRate * (1 - pow(adam.beta2, t)).squareRoot() / (1 - pow(adam.beta1, t)))
    let (new1, new2, ε) = (Float(1 - adam.beta1), Float(1 - adam.beta2), Float(adam.epsilon))
    forLanes(count: count) { i in
      let (_, mean, squaredMean) = followMeans(at: i, new1, new2)
      w.store(w.lanes(at: i) - mean * α / (squaredMean.squareRoot() + ε), at: i)
    }
  }
}
