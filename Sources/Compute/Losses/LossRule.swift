internal import Settings

/// A loss's formula, with its settings.
protocol LossRule: Hashable, Sendable {
  /// The loss's settings, as configurations, checkpoints and Keras write them.
  static var settings: SettingsDescription<Self> { get }

  /// What the outputs are that the loss takes.
  static var outputs: LossOutputs { get }

  /// Whether the loss of a mixture of targets is the mixture of their losses.
  static var isLinearInTargets: Bool { get }

  /// One sample's loss.
  ///
  /// - Parameters:
  ///   - row: the sample's outputs, ``Loss/finalActivation`` left out.
  ///   - outputWeights: the weight of each output in a mean over them; empty stands for 1 each.
  ///   - scale: a factor of the gradient.
  ///   - gradient: out, how the loss changes with each output, times `scale`; nil where only the loss is wanted.
  func loss(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, outputWeights: [Double], scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double

  /// ``Loss/keras(_:takesLogits:)``.
  func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject
}

extension LossRule {
  var kerasSettings: [String: ResolvedValue.Content] { Self.settings.kerasSettings(of: self) }
}

/// What the outputs of a network are that a loss takes.
public enum LossOutputs: Hashable, Sendable {
  /// Logits of classes, of which a sample has one: the loss takes their softmax.
  case classes
  /// Logits of labels, each decided by itself: the loss takes their sigmoid.
  case labels
  /// Numbers as they are.
  case numbers
}

extension SettingKey where Root: LossRule {
  static func labelSmoothing(_ path: any WritableKeyPath<Root, Float> & Sendable) -> SettingKey {
    SettingKey(
      "label_smoothing", path, .number(NumberRange(minimum: 0, maximum: 0.99)), keras: "label_smoothing",
      "The share of each target that is spread over all classes, or for labels over yes and no.")
  }
}
