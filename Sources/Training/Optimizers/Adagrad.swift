public import Settings
internal import Tensors

/// Adagrad, in Keras's form.
///
///     w ← w − η·λ·w                      weight decay λ, decoupled
///     s ← s + g²                         from s₀, the initial accumulator
///     w ← w − η·g / √(s + ε)
///
/// - SeeAlso: Duchi, Hazan & Singer, JMLR 12, 2011.
public struct Adagrad: Optimizer {
  /// η, the step width before the schedule scales it; above 0.
  public var learningRate: Double
  /// s₀, what the sums of squares begin with, 0 or more; the slot holds what has been added to it, so that slots start at zero.
  public var initialAccumulator: Double
  /// ε, against division by zero; above 0.
  public var epsilon: Double
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double

  /// Takes the rule's settings; all but the learning rate have Keras's values by default.
  public init(
    learningRate: Double, initialAccumulator: Double = 0.1, epsilon: Double = 1e-7, weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.initialAccumulator = initialAccumulator
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<Adagrad>(
    "Adagrad (Duchi et al. 2011).", Adagrad(learningRate: 0.001),
    [
      .learningRate,
      SettingKey(
        "initial_accumulator", \.initialAccumulator, .number(.nonNegative),
        keras: "initial_accumulator_value",
        "What the sum of squared gradients starts from."), .epsilon(\.epsilon), .weightDecay,
    ])

  /// Keras's class for the rule.
  public var kerasClass: String? { "Adagrad" }

  /// What the rule remembers of each parameter.
  public var slotNames: [String] { ["squared_sum"] }

  /// The sum stays, and the step is zero.
  public var restsWithoutGradient: Bool { true }

  /// Takes the rule's step over a range.
  public func update(_ range: UpdateRange, _ moment: UpdateMoment) {
    let (w, g, s) = (range.parameters, range.gradient, range.slots)
    let (η, start) = (Float(moment.learningRate), Float(initialAccumulator + epsilon))
    range.shrink(by: weightDecay * moment.learningRate)
    forLanes(count: range.count) { i in
      let gradient = g.lanes(at: i)
      let sum = s.lanes(at: i) + gradient * gradient
      s.store(sum, at: i)
      w.store(w.lanes(at: i) - gradient * η / (sum + start).squareRoot(), at: i)
    }
  }
}
