internal import Settings
internal import Tensors

/// Normalises each channel to mean 0 and variance 1, then scales by gamma and shifts by beta.
///
/// In training the statistics are those of the *shard* (its samples, all positions), so that no worker waits for another;
/// the shard size is part of a run's numerics. The running statistics keep the share `momentum` of their old value
/// (Keras's meaning) and store the biased variance; shards fold into them in order.
/// - SeeAlso: Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>.
public struct BatchNorm: NormSettings {
  /// The share of the running statistics that each shard keeps, in [0, 1).
  public var momentum: Float
  /// Added to the variance, inside the root.
  public var epsilon: Float
  /// Whether the result is multiplied by a trained gamma.
  public var scale: Bool
  /// Whether a trained beta is added.
  public var center: Bool

  /// A batch normalisation; the defaults are Keras's.
  public init(momentum: Float = 0.99, epsilon: Float = 1e-3, scale: Bool = true, center: Bool = true) {
    self.momentum = momentum
    self.epsilon = epsilon
    self.scale = scale
    self.center = center
  }
}

extension LayerDescription where Settings == BatchNorm {
  static let batchNorm = LayerDescription(
    .batchNorm, "Normalises each channel over the samples of a shard.", BatchNorm(),
    [
      SettingKey(
        "momentum", \.momentum, .number(.share), keras: "momentum",
        "The share of the running statistics that each shard keeps.")
    ] + SettingKey.norm,
    keras: KerasLayer("BatchNormalization", options: [.channelAxis(isWritten: false)]),
    make: LayerSpec.batchNorm, label: { _ in "batch norm" }, infer: { try $0.infer($1) })
}

extension BatchNorm {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    guard momentum >= 0, momentum < 1 else {
      throw inference.wrong("momentum", "\(momentum) must be at least 0 and below 1")
    }
    func statistic(_ name: String, _ initializer: Initializer) -> ParameterSpec {
      ParameterSpec(
        name: name, shape: [inference.channels], role: .statistic(keptShare: momentum),
        initializer: initializer)
    }
    return inference.make(
      output: inference.input, view: .samePlace,
      parameters: try vectors(inference)
        + [statistic("moving_mean", .zeros), statistic("moving_variance", .ones)],
      flopsPerElement: 2)
  }
}

/// Settings of a layer that brings values to mean 0 and variance 1, and may scale and shift them.
protocol NormSettings: Codable, Hashable, Sendable {
  var epsilon: Float { get set }
  var scale: Bool { get set }
  var center: Bool { get set }
}

extension SettingKey where Root: NormSettings {
  static var norm: [SettingKey] {
    [
      SettingKey(
        "epsilon", \.epsilon, .number(.positive), keras: "epsilon", "Added to the variance, inside the root."),
      SettingKey(
        "scale", \.scale, .boolean, keras: .unlessDefault("scale"),
        "Whether the result is multiplied by a trained gamma."),
      SettingKey(
        "center", \.center, .boolean, keras: .unlessDefault("center"), "Whether a trained beta is added."),
    ]
  }
}

extension NormSettings {
  /// Gamma and beta, one for each channel, as far as the layer has them.
  func vectors(_ inference: LayerInference) throws -> [ParameterSpec] {
    guard epsilon > 0 else { throw inference.wrong("epsilon", "\(epsilon) must be above 0") }
    func vector(_ name: String, _ initializer: Initializer) -> ParameterSpec {
      ParameterSpec(name: name, shape: [inference.channels], role: .vector, initializer: initializer)
    }
    return (scale ? [vector("gamma", .ones)] : []) + (center ? [vector("beta", .zeros)] : [])
  }
}
