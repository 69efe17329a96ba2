internal import COneDNN

/// Batch normalisation over the channels of [N, C, H, W] or [N, C]; scale and shift are two vectors of C.
public struct BatchNormalizationShape: Sendable {
  /// The tensor that is normalised; source and destination have the same layout.
  public var data: MemoryDescriptor
  /// Added to the variance under the root.
  public var epsilon: Float
  /// Whether the result is multiplied by a vector.
  public var scale: Bool
  /// Whether a vector is added to the result.
  public var shift: Bool
  /// Clamps the result at 0 and remembers where.
  public var relu: Bool

  /// Makes a normalisation with these settings.
  public init(data: MemoryDescriptor, epsilon: Float, scale: Bool, shift: Bool, relu: Bool) {
    self.data = data
    self.epsilon = epsilon
    self.scale = scale
    self.shift = shift
    self.relu = relu
  }

  private func flags(global: Bool) -> UInt32 {
    var flags: UInt32 = 0
    if global { flags |= dnnl_use_global_stats.rawValue }
    if scale { flags |= dnnl_use_scale.rawValue }
    if shift { flags |= dnnl_use_shift.rawValue }
    if relu { flags |= dnnl_fuse_norm_relu.rawValue }
    return flags
  }

  /// The descriptors of the pass from a tensor to its normalised values.
  ///
  /// - Parameters:
  ///   - training: whether a backward pass follows.
  ///   - givenStatistics: whether mean and variance are taken; otherwise they are computed.
  public func forward(
    training: Bool, givenStatistics: Bool
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_batch_normalization_desc_t()
    var data = data.raw
    try call("dnnl_batch_normalization_forward_desc_init") {
      dnnl_batch_normalization_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, &data, epsilon,
        flags(global: givenStatistics))
    }
    return try implementations(of: &descriptor, Attributes(), hint: nil)
  }

  /// The descriptors of the pass back; with given statistics the gradient does not go through them.
  public func backward(
    hint: PrimitiveDescriptor, givenStatistics: Bool
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_batch_normalization_desc_t()
    var (diff, data) = (data.raw, data.raw)
    try call("dnnl_batch_normalization_backward_desc_init") {
      dnnl_batch_normalization_backward_desc_init(
        &descriptor, dnnl_backward, &diff, &data, epsilon, flags(global: givenStatistics))
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
