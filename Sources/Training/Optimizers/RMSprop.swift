public import Settings
internal import Tensors

/// RMSprop, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     v ← ρ·v + (1 − ρ)·g²
///     a ← ρ·a + (1 − ρ)·g                centred only
///     d = g / √(v + ε)                   or centred  g / √(v − a² + ε)
///     w ← w − η·d                        or with momentum  m ← μ·m + η·d;  w ← w − m
///
/// ε stands inside the root (PyTorch has it outside).
///
/// - SeeAlso: Tieleman & Hinton, "Lecture 6.5", Coursera 2012; Graves 2013, <https://arxiv.org/abs/1308.0850>.
public struct RMSprop: Optimizer {
  /// η, the step width before the schedule scales it; above 0.
  public var learningRate: Double
  /// ρ, the kept share of the running means, in [0, 1).
  public var rho: Double
  /// μ, the kept share of the last step, in [0, 1); 0 needs no slot.
  public var momentum: Double
  /// ε, against division by zero; above 0.
  public var epsilon: Double
  /// Whether the gradient's mean is subtracted, so that its variance is what counts.
  public var centered: Bool
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings; all but the learning rate have Keras's values by default.
  public init(
    learningRate: Double, rho: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-7,
    centered: Bool = false,
    weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.rho = rho
    self.momentum = momentum
    self.epsilon = epsilon
    self.centered = centered
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<RMSprop>(
    "RMSprop (Tieleman & Hinton 2012).", RMSprop(learningRate: 0.001),
    [
      .learningRate,
      .share("rho", \.rho, keras: "rho", "The share of the mean squared gradient that is kept."),
      .share("momentum", \.momentum, keras: "momentum", "The share of the last update that is kept."),
      .epsilon(\.epsilon),
      SettingKey(
        "centered", \.centered, .boolean, keras: "centered",
        "Whether the step is divided by the gradient's standard deviation instead of its root mean square."),
      .weightDecay,
    ])

  /// Keras's class for the rule.
  public var kerasClass: String? { "RMSprop" }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] {
    ["squared_mean"] + (momentum > 0 ? ["momentum"] : []) + (centered ? ["mean"] : [])
  }

  /// The mean shrinks by ρ, and the step is zero; momentum would go on.
  public var restsWithoutGradient: Bool { momentum == 0 && !centered }

  /// Shrinks the mean as often.
  public func rest(_ range: UpdateRange, updates: Int) {
    range.decay(slot: 0, by: Float(rho), times: updates)
  }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, v) = (range.parameters, range.gradient, range.slots)
    let m = range.slots + range.slotStride
    let a = range.slots + range.slotStride * (momentum > 0 ? 2 : 1)
    let (η, μ, ε) = (Float(moment.learningRate), Float(momentum), Float(epsilon))
    let (ρ, new) = (Float(rho), Float(1 - rho))
    range.shrink(by: weightDecay * moment.learningRate)
    // One loop for each of the four forms would save nothing: the time is that of memory.
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let squares = v.lanes(at: i) * ρ + gradient * gradient * new
      v.store(squares, at: i)
      var below = squares + ε
      if centered {
        let mean = a.lanes(at: i) * ρ + gradient * new
        a.store(mean, at: i)
        below = squares - mean * mean + ε
      }
      var change = gradient * η / below.squareRoot()
      if μ > 0 {
        change = m.lanes(at: i) * μ + change
        m.store(change, at: i)
      }
      w.store(w.lanes(at: i) - change, at: i)
    }
  }
}
