internal import COneDNN

/// A fully connected layer: src [N, IC] or [N, IC, H, W], weights [OC, IC] or [OC, IC, H, W], bias [OC], dst [N, OC].
public struct InnerProductShape: Sendable {
  /// The source tensor.
  public var src: MemoryDescriptor
  /// The weights.
  public var weights: MemoryDescriptor
  /// The bias; nil where there is none.
  public var bias: MemoryDescriptor?
  /// The destination tensor.
  public var dst: MemoryDescriptor

  /// Makes a shape of its tensors; whether they fit together shows when descriptors are made.
  public init(
    src: MemoryDescriptor, weights: MemoryDescriptor, bias: MemoryDescriptor?, dst: MemoryDescriptor
  ) {
    self.src = src
    self.weights = weights
    self.bias = bias
    self.dst = dst
  }

  /// The descriptors of the pass from src to dst.
  ///
  /// - Parameters:
  ///   - training: whether a backward pass follows.
  ///   - activation: applied to the result before it is stored.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
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

  /// The descriptors of the pass that leads from diffDst to diffSrc.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func backwardData(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_inner_product_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    try call("dnnl_inner_product_backward_data_desc_init") {
      dnnl_inner_product_backward_data_desc_init(&descriptor, &src, &weights, &dst)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }

  /// The descriptors of the pass that leads from src and diffDst to diffWeights, and to diffBias where there
  /// is a bias.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
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
