internal import COneDNN

/// How a convolution is computed; Winograd's minimal filtering trades exactness of rounding for fewer multiplications.
public enum ConvolutionAlgorithm: String, Hashable, Sendable, CaseIterable {
  case direct
  case winograd

  var raw: dnnl_alg_kind_t {
    switch self {
    case .direct: dnnl_convolution_direct
    case .winograd: dnnl_convolution_winograd
    }
  }
}

/// A 2-D convolution's tensors and geometry, in oneDNN's logical order.
///
/// src [N, IC, H, W], weights [OC, IC, KH, KW] or [G, OC / G, IC / G, KH, KW], bias [OC], dst [N, OC, OH, OW]. Layouts may
/// be `any`.
public struct ConvolutionShape: Sendable {
  public var src: MemoryDescriptor
  public var weights: MemoryDescriptor
  /// Nil without bias.
  public var bias: MemoryDescriptor?
  public var dst: MemoryDescriptor
  /// Each as [vertical, horizontal]; a dilation of 1 is a dense kernel.
  public var strides: [Int]
  public var dilations: [Int]
  public var paddingBefore: [Int]
  public var paddingAfter: [Int]

  public init(
    src: MemoryDescriptor, weights: MemoryDescriptor, bias: MemoryDescriptor?, dst: MemoryDescriptor,
    strides: [Int], dilations: [Int], paddingBefore: [Int], paddingAfter: [Int]
  ) {
    self.src = src
    self.weights = weights
    self.bias = bias
    self.dst = dst
    self.strides = strides
    self.dilations = dilations
    self.paddingBefore = paddingBefore
    self.paddingAfter = paddingAfter
  }

  private var cStrides: [Int64] { strides.map(Int64.init) }
  private var cDilations: [Int64] { dilations.map { Int64($0 - 1) } }
  private var cBefore: [Int64] { paddingBefore.map(Int64.init) }
  private var cAfter: [Int64] { paddingAfter.map(Int64.init) }

  /// - Parameters:
  ///   - training: whether a backward pass follows.
  ///   - activation: applied to the result before it is stored.
  public func forward(
    _ algorithm: ConvolutionAlgorithm, training: Bool, activation: Eltwise?
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_convolution_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    let bias = bias.map { [$0.raw] }
    try call("dnnl_dilated_convolution_forward_desc_init") {
      dnnl_dilated_convolution_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, algorithm.raw, &src,
        &weights, bias, &dst, cStrides, cDilations,
        cBefore, cAfter)
    }
    return try implementations(of: &descriptor, Attributes(following: activation), hint: nil)
  }

  public func backwardData(
    _ algorithm: ConvolutionAlgorithm, hint: PrimitiveDescriptor
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_convolution_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    try call("dnnl_dilated_convolution_backward_data_desc_init") {
      dnnl_dilated_convolution_backward_data_desc_init(
        &descriptor, algorithm.raw, &src, &weights, &dst, cStrides, cDilations, cBefore, cAfter)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }

  public func backwardWeights(
    _ algorithm: ConvolutionAlgorithm, hint: PrimitiveDescriptor
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_convolution_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    let bias = bias.map { [$0.raw] }
    try call("dnnl_dilated_convolution_backward_weights_desc_init") {
      dnnl_dilated_convolution_backward_weights_desc_init(
        &descriptor, algorithm.raw, &src, &weights,
        bias, &dst, cStrides, cDilations, cBefore,
        cAfter)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
