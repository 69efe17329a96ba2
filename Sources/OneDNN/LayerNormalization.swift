internal import COneDNN

/// Layer normalisation of the rows of a matrix [rows, C]; scale and shift are two vectors of C.
public struct LayerNormalizationShape: Sendable {
  public var data: MemoryDescriptor
  public var epsilon: Float
  public var scale: Bool
  public var shift: Bool

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

  /// Training keeps each row's mean and variance for the way back.
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
