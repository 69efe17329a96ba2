internal import COneDNN

/// A transposed 2-D convolution's tensors and geometry, in oneDNN's logical order.
///
/// src [N, IC, H, W], weights [OC, IC, KH, KW], bias [OC], dst [N, OC, OH, OW]. Layouts may be `any`. Padding is that of the
/// convolution that leads from dst to src; behind the last window it may be negative, down to one less than the stride.
public struct DeconvolutionShape: Sendable {
  /// The source tensor.
  public var src: MemoryDescriptor
  /// The weights.
  public var weights: MemoryDescriptor
  /// The bias; nil where there is none.
  public var bias: MemoryDescriptor?
  /// The destination tensor.
  public var dst: MemoryDescriptor
  /// Distances between neighbouring windows, as [vertical, horizontal].
  public var strides: [Int]
  /// Rows above and columns to the left of the image, as [vertical, horizontal].
  public var paddingBefore: [Int]
  /// Rows below and columns to the right of the image, as [vertical, horizontal].
  public var paddingAfter: [Int]

  /// Makes a shape of its tensors and geometry; whether they fit together shows when descriptors are made.
  public init(
    src: MemoryDescriptor, weights: MemoryDescriptor, bias: MemoryDescriptor?, dst: MemoryDescriptor,
    strides: [Int], paddingBefore: [Int], paddingAfter: [Int]
  ) {
    self.src = src
    self.weights = weights
    self.bias = bias
    self.dst = dst
    self.strides = strides
    self.paddingBefore = paddingBefore
    self.paddingAfter = paddingAfter
  }

  private var cStrides: [Int64] { strides.map(Int64.init) }
  private var cBefore: [Int64] { paddingBefore.map(Int64.init) }
  private var cAfter: [Int64] { paddingAfter.map(Int64.init) }

  /// The descriptors of the pass from src to dst.
  ///
  /// - Parameter training: whether a backward pass follows.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func forward(training: Bool) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_deconvolution_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    let bias = bias.map { [$0.raw] }
    try call("dnnl_deconvolution_forward_desc_init") {
      dnnl_deconvolution_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, dnnl_deconvolution_direct,
        &src, &weights, bias, &dst, cStrides, cBefore, cAfter)
    }
    return try implementations(of: &descriptor, Attributes(), hint: nil)
  }

  /// The descriptors of the pass that leads from diffDst to diffSrc.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func backwardData(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_deconvolution_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    try call("dnnl_deconvolution_backward_data_desc_init") {
      dnnl_deconvolution_backward_data_desc_init(
        &descriptor, dnnl_deconvolution_direct, &src, &weights, &dst, cStrides, cBefore, cAfter)
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
    var descriptor = dnnl_deconvolution_desc_t()
    var (src, weights, dst) = (src.raw, weights.raw, dst.raw)
    let bias = bias.map { [$0.raw] }
    try call("dnnl_deconvolution_backward_weights_desc_init") {
      dnnl_deconvolution_backward_weights_desc_init(
        &descriptor, dnnl_deconvolution_direct, &src, &weights, bias, &dst, cStrides, cBefore, cAfter)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
