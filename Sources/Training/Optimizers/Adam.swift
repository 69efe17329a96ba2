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
public struct Adam: Optimizer {
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
  public static let settings = SettingsDescription<Adam>(
    "Adam (Kingma & Ba 2015).", Adam(learningRate: 0.001),
    [
      .learningRate, .meanShare(\.beta1),
      .squaredMeanShare(\.beta2), .epsilon(\.epsilon), .gradientDecay,
    ])

  /// Keras's class for the rule.
  public var kerasClass: String? { "Adam" }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["mean", "squared_mean"] }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    range.addDecayToGradient(weightDecay)
    range.stepAlongAdam(moment, beta1: beta1, beta2: beta2, epsilon: epsilon)
  }
}

/// Adam with decoupled weight decay, in Keras's form: ``Adam`` after `w ← w − η·λ·w`.
///
/// - SeeAlso: Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>.
public struct AdamW: Optimizer {
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
    weightDecay: Double = 0.004
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<AdamW>(
    "Adam with decoupled weight decay (Loshchilov & Hutter 2019).", AdamW(learningRate: 0.001),
    [
      .learningRate, .meanShare(\.beta1),
      .squaredMeanShare(\.beta2), .epsilon(\.epsilon), .weightDecay,
    ])

  /// Nil: Keras 2 does not find its own in a file.
  public var kerasClass: String? { nil }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["mean", "squared_mean"] }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    range.shrink(by: weightDecay * moment.learningRate)
    range.stepAlongAdam(moment, beta1: beta1, beta2: beta2, epsilon: epsilon)
  }
}

extension UpdateRange {
  /// The step that ``Adam`` and ``AdamW`` share.
  fileprivate func stepAlongAdam(_ moment: UpdateMoment, beta1: Double, beta2: Double, epsilon: Double) {
    let (w, g, m) = (parameters, gradient, slots)
    let v = slots + slotStride
    let t = Double(moment.update)
    let α = Float(moment.learningRate * (1 - pow(beta2, t)).squareRoot() / (1 - pow(beta1, t)))
    let (new1, new2, ε) = (Float(1 - beta1), Float(1 - beta2), Float(epsilon))
    forLanes(count: count) { i in
      let gradient = g.lanes(at: i)
      let mean = m.lanes(at: i) + (gradient - m.lanes(at: i)) * new1
      let squaredMean = v.lanes(at: i) + (gradient * gradient - v.lanes(at: i)) * new2
      m.store(mean, at: i)
      v.store(squaredMean, at: i)
      w.store(w.lanes(at: i) - mean * α / (squaredMean.squareRoot() + ε), at: i)
    }
  }
}
