internal import COneDNN

/// How a convolution is computed; Winograd's minimal filtering trades exactness of rounding for fewer multiplications.
public enum ConvolutionAlgorithm: String, Hashable, Sendable, CaseIterable {
  /// Multiplies and adds as the definition says.
  case direct
  /// Transforms tiles first, so that fewer multiplications are left.
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
  /// Distances between the elements of the kernel, as [vertical, horizontal]; 1 is a dense kernel.
  public var dilations: [Int]
  /// Rows above and columns to the left of the image, as [vertical, horizontal].
  public var paddingBefore: [Int]
  /// Rows below and columns to the right of the image, as [vertical, horizontal].
  public var paddingAfter: [Int]

  /// Makes a shape of its tensors and geometry; whether they fit together shows when descriptors are made.
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

  /// The descriptors of the pass from src to dst.
  ///
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

  /// The descriptors of the pass that leads from diffDst to diffSrc.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
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

  /// The descriptors of the pass that leads from src and diffDst to diffWeights, and to diffBias where there
  /// is a bias.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
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
    let found = try implementations(of: &descriptor, Attributes(), hint: hint)
    return found.filter { !isWrong($0.implementation) }
  }

  /// Whether a kernel of version 2.6.3 sums what it has not read, so that its gradients are wrong, and others in each run.
  private func isWrong(_ kernel: String) -> Bool {
    // The kernel for AMX, where windows are dilated; both for bf16, where windows move by more than an image's width.
    isDilated && kernel.contains("amx")
      || isNarrow && (kernel.contains("amx") || kernel.hasPrefix("jit_bf16:"))
  }

  private var isNarrow: Bool { src.dimensions[3] < strides[1] }
  private var isDilated: Bool { dilations.contains { $0 > 1 } }
}
