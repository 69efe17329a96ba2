public import Settings
internal import Tensors

/// Lion: the sign of a mean gradient, so every element moves by the same.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     w ← w − η·sign(β₁·m + (1 − β₁)·g)
///     m ← β₂·m + (1 − β₂)·g
///
/// - SeeAlso: Chen et al. 2023, <https://arxiv.org/abs/2302.06675>.
public struct Lion: Optimizer {
  /// η, the step width before the schedule scales it; above 0.
  public var learningRate: Double
  /// β₁, the share of the running mean in the direction of a step, in [0, 1).
  public var beta1: Double
  /// β₂, the kept share of the gradient's running mean, in [0, 1).
  public var beta2: Double
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings; all but the learning rate have Keras's values by default.
  public init(
    learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<Lion>(
    "Lion (Chen et al. 2023): the sign of a mean gradient.", Lion(learningRate: 0.001),
    [
      .learningRate,
      .share("beta1", \.beta1, keras: "beta_1", "The share of the running mean in the direction of a step."),
      .share("beta2", \.beta2, keras: "beta_2", "The share of the gradient's running mean that is kept."),
      .weightDecay,
    ])

  /// Nil: Keras 2 does not find its own in a file.
  public var kerasClass: String? { nil }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["mean"] }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, m) = (range.parameters, range.gradient, range.slots)
    let η = Float(moment.learningRate)
    let (β1, new1) = (Float(beta1), Float(1 - beta1))
    let (β2, new2) = (Float(beta2), Float(1 - beta2))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let (gradient, mean) = (g.lanes(at: i), m.lanes(at: i))
      let direction = mean * β1 + gradient * new1
      var change = Lanes.zero
      change.replace(with: η, where: direction .> 0)
      change.replace(with: -η, where: direction .< 0)
      w.store(w.lanes(at: i) - change, at: i)
      m.store(mean * β2 + gradient * new2, at: i)
    }
  }
}
