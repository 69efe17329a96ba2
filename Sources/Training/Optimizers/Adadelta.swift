public import Settings
internal import Tensors

/// Adadelta, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     v ← ρ·v + (1 − ρ)·g²
///     d = g·√(u + ε) / √(v + ε)
///     u ← ρ·u + (1 − ρ)·d²
///     w ← w − η·d
///
/// The paper has η = 1.
///
/// - SeeAlso: Zeiler 2012, <https://arxiv.org/abs/1212.5701>.
public struct Adadelta: Optimizer {
  /// η, the step width before the schedule scales it; above 0.
  public var learningRate: Double
  /// ρ, the kept share of the running means, in [0, 1).
  public var rho: Double
  /// ε, against division by zero, above 0; it decides how large the first steps are.
  public var epsilon: Double
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings; all but the learning rate have Keras's values by default.
  public init(
    learningRate: Double, rho: Double = 0.95, epsilon: Double = 1e-7, weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.rho = rho
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<Adadelta>(
    "Adadelta (Zeiler 2012); the paper's learning rate is 1.", Adadelta(learningRate: 1),
    [
      .learningRate, .share("rho", \.rho, keras: "rho", "The share of the running means that is kept."),
      .epsilon(\.epsilon),
      .weightDecay,
    ])

  /// Keras's class for the rule.
  public var kerasClass: String? { "Adadelta" }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["squared_mean", "squared_change"] }

  /// Both means shrink by ρ, and the step is zero.
  public var restsWithoutGradient: Bool { true }

  /// Shrinks both means as often.
  public func rest(_ range: UpdateRange, updates: Int) {
    range.decay(slot: 0, by: Float(rho), times: updates)
    range.decay(slot: 1, by: Float(rho), times: updates)
  }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, v) = (range.parameters, range.gradient, range.slots)
    let u = range.slots + range.slotStride
    let (η, ε) = (Float(moment.learningRate), Float(epsilon))
    let (ρ, new) = (Float(rho), Float(1 - rho))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let squares = v.lanes(at: i) * ρ + gradient * gradient * new
      let change = gradient * (u.lanes(at: i) + ε).squareRoot() / (squares + ε).squareRoot()
      v.store(squares, at: i)
      u.store(u.lanes(at: i) * ρ + change * change * new, at: i)
      w.store(w.lanes(at: i) - change * η, at: i)
    }
  }
}
