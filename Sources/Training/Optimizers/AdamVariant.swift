internal import Settings
internal import Tensors

/// The settings that Adam and its variants have in common.
public struct AdamSettings: Hashable, Sendable {
  /// η, the step width before the schedule scales it; above 0.
  public var learningRate: Double
  /// β₁, the kept share of the gradient's running mean, in [0, 1).
  public var beta1: Double
  /// β₂, the kept share of the squared gradient's running mean, in [0, 1).
  public var beta2: Double
  /// ε, against division by zero; above 0.
  public var epsilon: Double
  /// λ, the weight decay; 0 for none.
  public var weightDecay: Double
}

/// ``Adam`` or a rule like it, which follows running means of the gradient and of its square.
public protocol AdamVariant: Optimizer {
  /// The rule's settings.
  var adam: AdamSettings { get set }

  /// Takes the rule's settings.
  init(_ adam: AdamSettings)

  /// λ where none is given; 0 unless the rule says otherwise.
  static var usualWeightDecay: Double { get }
}

extension AdamVariant {
  /// 0: no weight decay.
  public static var usualWeightDecay: Double { 0 }

  /// Takes the rule's settings; all but the learning rate have Keras's values by default.
  public init(
    learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
    weightDecay: Double = Self.usualWeightDecay
  ) {
    self.init(
      AdamSettings(
        learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay))
  }

  /// η, ``AdamSettings/learningRate``.
  public var learningRate: Double {
    get { adam.learningRate }
    set { adam.learningRate = newValue }
  }

  /// λ, ``AdamSettings/weightDecay``.
  public var weightDecay: Double {
    get { adam.weightDecay }
    set { adam.weightDecay = newValue }
  }

  /// The running means of the gradient and of its square.
  public var slotNames: [String] { ["mean", "squared_mean"] }
}

extension SettingKey where Root: AdamVariant {
  /// The keys of ``AdamSettings``.
  ///
  /// - Parameter decay: what the rule's weight decay does.
  static func adam(_ decay: SettingKey) -> [SettingKey] {
    [
      .learningRate,
      .share(
        "beta1", \.adam.beta1, keras: "beta_1", "The share of the gradient's running mean that is kept."),
      .share(
        "beta2", \.adam.beta2, keras: "beta_2",
        "The share of the squared gradient's running mean that is kept."),
      .epsilon(\.adam.epsilon), decay,
    ]
  }
}

extension UpdateRange {
  /// Moves the running means m of the gradient and v of its square, for the lanes that begin at an element.
  ///
  ///     m ← m + (g − m)·(1 − β₁)
  ///     v ← v + (g² − v)·(1 − β₂)
  ///
  /// - Parameters:
  ///   - new1: 1 − β₁.
  ///   - new2: 1 − β₂.
  @inline(__always)
  func followMeans(
    at i: Int, _ new1: Float, _ new2: Float
  ) -> (gradient: Lanes, mean: Lanes, squaredMean: Lanes) {
    let (m, v) = (slots, slots + slotStride)
    let g = gradient.lanes(at: i)
    let mean = m.lanes(at: i) + (g - m.lanes(at: i)) * new1
    let squaredMean = v.lanes(at: i) + (g * g - v.lanes(at: i)) * new2
    m.store(mean, at: i)
    v.store(squaredMean, at: i)
    return (g, mean, squaredMean)
  }
}
