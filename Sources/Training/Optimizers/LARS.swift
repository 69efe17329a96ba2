public import Settings
internal import Tensors

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
public struct LARS: LayerwiseOptimizer {
  /// η, the step width before the schedule scales it; above 0.
  public var learningRate: Double
  /// μ, the kept share of the last step, in [0, 1).
  public var momentum: Double
  /// The size of a step relative to the norm of its tensor, above 0.
  public var trustCoefficient: Double
  /// ε, against division by zero; 0 or more.
  public var epsilon: Double
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings; all but the learning rate have the paper's values by default.
  public init(
    learningRate: Double, momentum: Double = 0.9, trustCoefficient: Double = 0.001, epsilon: Double = 0,
    weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.trustCoefficient = trustCoefficient
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<LARS>(
    "LARS (You et al. 2017), for large minibatches: steps in proportion to each parameter's norm, except where "
      + "`weight_decay_on` or a rule leaves the parameter out.",
    LARS(learningRate: 1),
    [
      .learningRate, .share("momentum", \.momentum, "The share of the last update that is kept."),
      SettingKey(
        "trust", \.trustCoefficient, .number(.positive),
        "The size of a step relative to the parameter's norm."),
      SettingKey(
        "epsilon", \.epsilon, .number(.nonNegative), "A small number against division by zero."),
      .directionDecay,
    ])

  /// Nil: Keras has no such rule.
  public var kerasClass: String? { nil }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["momentum"] }

  /// Turns the gradient of a range into a direction.
  public func makeDirection(_ range: UpdateRange, _ moment: UpdateMoment) {
    range.addDecayToGradient(weightDecay)
  }

  /// The factor of a whole tensor's step.
  public func trust(weightNorm: Double, directionNorm: Double) -> Double {
    weightNorm > 0 && directionNorm > 0 ? trustCoefficient * weightNorm / (directionNorm + epsilon) : 1
  }

  /// Moves a range along its direction.
  public func apply(_ range: UpdateRange, _ moment: UpdateMoment, trust: Double) {
    let (w, d, m) = (range.parameters, range.gradient, range.slots)
    let (rate, μ) = (Float(moment.learningRate * trust), Float(momentum))
    forLanes(count: range.count) { i in
      let velocity = m.lanes(at: i) * μ - d.lanes(at: i) * rate
      m.store(velocity, at: i)
      w.store(w.lanes(at: i) + velocity, at: i)
    }
  }
}
