internal import Settings

/// `dst[c] = src[c] / (bias + alpha · Σ src[i]²)^beta`, over the channels i from c − radius to c + radius.
///
/// The words and defaults are TensorFlow's; AlexNet has radius 2, bias 2, alpha 1e-4, beta 0.75. Keras has no such layer.
/// - SeeAlso: Krizhevsky et al. 2012.
public struct LocalResponseNorm: Hashable, Sendable, Codable {
  public var radius: Int
  public var bias: Float
  public var alpha: Float
  public var beta: Float

  public init(radius: Int = 5, bias: Float = 1, alpha: Float = 1, beta: Float = 0.5) {
    self.radius = radius
    self.bias = bias
    self.alpha = alpha
    self.beta = beta
  }
}

extension LayerDescription where Settings == LocalResponseNorm {
  /// Keras has no such layer: whoever loads the model gives one by `custom_objects` (`Configs/README.md` shows it).
  static let localResponseNorm = LayerDescription(
    .localResponseNorm, "Divides by a power of the sum of squares of the channels around.",
    LocalResponseNorm(),
    [
      SettingKey("radius", \.radius, .integer(0...1024), keras: "depth_radius", "Channels on either side."),
      SettingKey("bias", \.bias, .number(.positive), keras: "bias", "Added to the sum."),
      SettingKey("alpha", \.alpha, .number(.positive), keras: "alpha", "Factor of each square."),
      SettingKey("beta", \.beta, .number(.positive), keras: "beta", "The power."),
    ],
    keras: KerasLayer("LocalResponseNormalization"), make: LayerSpec.localResponseNorm,
    label: { "local response norm, radius \($0.radius)" }, infer: { try $0.infer($1) })
}

extension LocalResponseNorm {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    try inference.require(radius, atLeast: 0, "radius")
    for (name, value) in [("bias", bias), ("alpha", alpha), ("beta", beta)] {
      guard value > 0, value.isFinite else { throw inference.wrong(name, "\(value) must be above 0") }
    }
    return inference.make(
      output: inference.input, view: .samePlace, flopsPerElement: 2 * (2 * radius + 1) + 3)
  }
}
