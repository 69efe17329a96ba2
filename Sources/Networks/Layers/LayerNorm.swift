internal import Settings

/// Normalises the channels of each position to mean 0 and variance 1, then scales by gamma and shifts by beta.
///
/// - SeeAlso: Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.
public struct LayerNorm: NormSettings {
  /// Added to the variance, inside the root.
  public var epsilon: Float
  /// Whether the result is multiplied by a trained gamma.
  public var scale: Bool
  /// Whether a trained beta is added.
  public var center: Bool

  /// A layer normalisation; the defaults are Keras's.
  public init(epsilon: Float = 1e-3, scale: Bool = true, center: Bool = true) {
    self.epsilon = epsilon
    self.scale = scale
    self.center = center
  }
}

extension LayerDescription where Settings == LayerNorm {
  static let layerNorm = LayerDescription(
    .layerNorm, "Normalises the channels of each position.", LayerNorm(), SettingKey.norm,
    keras: KerasLayer(
      "LayerNormalization", options: [.channelAxis(isWritten: false), .only("rms_scaling", [false])]),
    make: LayerSpec.layerNorm, label: { _ in "layer norm" },
    infer: { norm, inference in
      inference.make(
        output: inference.input, view: .samePlace, parameters: try norm.vectors(inference),
        flopsPerElement: 8)
    })
}
