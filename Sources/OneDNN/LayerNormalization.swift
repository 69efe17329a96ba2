internal import COneDNN

/// Layer normalisation of the rows of a matrix [rows, C]; scale and shift are two vectors of C.
public struct LayerNormalizationShape: Sendable {
  /// The tensor that is normalised; source and destination have the same layout.
  public var data: MemoryDescriptor
  /// Added to the variance under the root.
  public var epsilon: Float
  /// Whether the result is multiplied by a vector.
  public var scale: Bool
  /// Whether a vector is added to the result.
  public var shift: Bool

  /// Makes a normalisation with these settings.
  public init(data: MemoryDescriptor, epsilon: Float, scale: Bool, shift: Bool) {
    self.data = data
    self.epsilon = epsilon
    self.scale = scale
    self.shift = shift
  }

  private var flags: UInt32 {
    (scale ? dnnl_use_scale.rawValue : 0) | (shift ? dnnl_use_shift.rawValue : 0)
  }

  private var statistics: MemoryDescriptor {
    get throws(OneDNNError) { try .dense([data.dimensions[0]], .f32) }
  }

  /// The descriptors of the pass from a tensor to its normalised values.
  ///
  /// - Parameter training: whether a backward pass follows, for which each row's mean and variance are kept.
  public func forward(training: Bool) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_layer_normalization_desc_t()
    var (data, statistics) = (data.raw, try statistics.raw)
    try call("dnnl_layer_normalization_forward_desc_init") {
      dnnl_layer_normalization_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, &data, &statistics, epsilon,
        flags)
    }
    return try implementations(of: &descriptor, Attributes(), hint: nil)
  }

  /// The descriptors of the pass from diffDst to diffSrc and to the gradients of scale and shift.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func backward(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_layer_normalization_desc_t()
    var (diff, data, statistics) = (data.raw, data.raw, try statistics.raw)
    try call("dnnl_layer_normalization_backward_desc_init") {
      dnnl_layer_normalization_backward_desc_init(
        &descriptor, dnnl_backward, &diff, &data, &statistics, epsilon, flags)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
