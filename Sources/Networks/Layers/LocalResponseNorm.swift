internal import Settings

/// `dst[c] = src[c] / (bias + alpha · Σ src[i]²)^beta`, over the channels i from c − radius to c + radius.
///
/// The words and defaults are TensorFlow's; AlexNet has radius 2, bias 2, alpha 1e-4, beta 0.75. Keras has no such layer.
/// - SeeAlso: Krizhevsky et al. 2012.
public struct LocalResponseNorm: Hashable, Sendable, Codable {
  /// How many channels count on either side.
  public var radius: Int
  /// Added to the sum; above 0.
  public var bias: Float
  /// Factor of each square; above 0.
  public var alpha: Float
  /// The power that is divided by; above 0.
  public var beta: Float

  /// A local response normalisation; the defaults are TensorFlow's.
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
    .localResponseNorm, "Divides each value by a power of the sum of squares over neighbouring channels.",
    LocalResponseNorm(),
    [
      SettingKey(
        "radius", \.radius, .integer(0...1024), keras: "depth_radius",
        "How many channels count on either side."),
      SettingKey("bias", \.bias, .number(.positive), keras: "bias", "Added to the sum."),
      SettingKey("alpha", \.alpha, .number(.positive), keras: "alpha", "The factor of each square."),
      SettingKey("beta", \.beta, .number(.positive), keras: "beta", "The power that is divided by."),
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
