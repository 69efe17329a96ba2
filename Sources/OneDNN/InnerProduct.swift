internal import COneDNN

/// A fully connected layer: src [N, IC] or [N, IC, H, W], weights [OC, IC] or [OC, IC, H, W], bias [OC], dst [N, OC].
public struct InnerProductShape: Sendable {
  public var src: MemoryDescriptor
  public var weights: MemoryDescriptor
  /// Nil without bias.
  public var bias: MemoryDescriptor?
  public var dst: MemoryDescriptor

  public init(
    src: MemoryDescriptor, weights: MemoryDescriptor, bias: MemoryDescriptor?, dst: MemoryDescriptor
  ) {
    self.src = src
    self.weights = weights
    self.bias = bias
    self.dst = dst
  }

  public func forward(training: Bool, activation: Eltwise?) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_inner_product_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    let bias = bias.map { [$0.raw] }
    try call("dnnl_inner_product_forward_desc_init") {
      dnnl_inner_product_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, &src, &weights,
        bias, &dst)
    }
    return try implementations(of: &descriptor, Attributes(following: activation), hint: nil)
  }

  public func backwardData(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_inner_product_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    try call("dnnl_inner_product_backward_data_desc_init") {
      dnnl_inner_product_backward_data_desc_init(&descriptor, &src, &weights, &dst)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }

  public func backwardWeights(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_inner_product_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    let bias = bias.map { [$0.raw] }
    try call("dnnl_inner_product_backward_weights_desc_init") {
      dnnl_inner_product_backward_weights_desc_init(
        &descriptor, &src, &weights, bias, &dst)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
