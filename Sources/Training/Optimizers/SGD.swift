public import Settings
internal import Tensors

/// Stochastic gradient descent with momentum, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     m ← μ·m − η·g
///     w ← w + m                          or with Nesterov  w ← w + μ·m − η·g
///
/// The learning rate η is inside m, so a change of rate acts on new gradients only (PyTorch keeps it outside).
///
/// - SeeAlso: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning",
///   ICML 2013.
public struct SGD: Optimizer {
  /// η, the step width before the schedule scales it; above 0.
  public var learningRate: Double
  /// μ, the kept share of the last step, in [0, 1); 0 needs no slot.
  public var momentum: Double
  /// Whether the gradient counts as if it were taken after the momentum's step.
  public var nesterov: Bool
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings; all but the learning rate have Keras's values by default.
  public init(
    learningRate: Double, momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<SGD>(
    "Stochastic gradient descent, with momentum.", SGD(learningRate: 0.01),
    [
      .learningRate,
      .share("momentum", \.momentum, keras: "momentum", "The share of the last update that is kept."),
      SettingKey(
        "nesterov", \.nesterov, .boolean, keras: "nesterov",
        "Whether the gradient counts as if it were taken after the momentum's step."),
      .weightDecay,
    ])

  /// Keras's class for the rule.
  public var kerasClass: String? { "SGD" }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { momentum == 0 ? [] : ["momentum"] }

  /// Without momentum the step is zero.
  public var restsWithoutGradient: Bool { momentum == 0 }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let w = range.parameters
    let g = range.gradient
    let m = range.slots
    let η = Float(moment.learningRate)
    let μ = Float(momentum)
    range.shrink(by: weightDecay * moment.learningRate)
    if momentum == 0 {
      forLanes(count: range.count) { i in
        w.store(w.lanes(at: i) - g.lanes(at: i) * η, at: i)
      }
    } else if nesterov {
      forLanes(count: range.count) { i in
        let rated = g.lanes(at: i) * η
        let velocity = m.lanes(at: i) * μ - rated
        m.store(velocity, at: i)
        w.store(w.lanes(at: i) + (velocity * μ - rated), at: i)
      }
    } else {
      forLanes(count: range.count) { i in
        let velocity = m.lanes(at: i) * μ - g.lanes(at: i) * η
        m.store(velocity, at: i)
        w.store(w.lanes(at: i) + velocity, at: i)
      }
    }
  }
}
