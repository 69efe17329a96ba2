internal import COneDNN

/// What a pooling makes of the elements of a window.
public enum PoolingAlgorithm: Hashable, Sendable {
  /// The largest element.
  case max
  /// The mean of those elements of the window that lie inside the image.
  case average

  var raw: dnnl_alg_kind_t {
    switch self {
    case .max: dnnl_pooling_max
    case .average: dnnl_pooling_avg_exclude_padding
    }
  }
}

/// A 2-D pooling: src [N, C, H, W], dst [N, C, OH, OW]; the other members as [vertical, horizontal].
public struct PoolingShape: Sendable {
  /// What is made of a window's elements.
  public var algorithm: PoolingAlgorithm
  /// The source tensor.
  public var src: MemoryDescriptor
  /// The destination tensor.
  public var dst: MemoryDescriptor
  /// The size of the window, as [vertical, horizontal].
  public var kernel: [Int]
  /// Distances between neighbouring windows, as [vertical, horizontal].
  public var strides: [Int]
  /// Rows above and columns to the left of the image, as [vertical, horizontal].
  public var paddingBefore: [Int]
  /// Rows below and columns to the right of the image, as [vertical, horizontal].
  public var paddingAfter: [Int]

  /// Makes a shape of its tensors and geometry; whether they fit together shows when descriptors are made.
  public init(
    _ algorithm: PoolingAlgorithm, src: MemoryDescriptor, dst: MemoryDescriptor, kernel: [Int],
    strides: [Int], paddingBefore: [Int], paddingAfter: [Int]
  ) {
    self.algorithm = algorithm
    self.src = src
    self.dst = dst
    self.kernel = kernel
    self.strides = strides
    self.paddingBefore = paddingBefore
    self.paddingAfter = paddingAfter
  }

  /// The descriptors of the pass from src to dst.
  ///
  /// - Parameters:
  ///   - training: whether a backward pass follows; a maximum then remembers where it was found.
  ///   - activation: applied to the result before it is stored.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func forward(training: Bool, activation: Eltwise?) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_pooling_desc_t()
    var (src, dst) = (src.raw, dst.raw)
    try call("dnnl_pooling_forward_desc_init") {
      dnnl_pooling_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, algorithm.raw, &src, &dst,
        strides.map(Int64.init), kernel.map(Int64.init), paddingBefore.map(Int64.init),
        paddingAfter.map(Int64.init))
    }
    return try implementations(of: &descriptor, Attributes(following: activation), hint: nil)
  }

  /// The descriptors of the pass from diffDst to diffSrc.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func backward(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_pooling_desc_t()
    var (src, dst) = (src.raw, dst.raw)
    try call("dnnl_pooling_backward_desc_init") {
      dnnl_pooling_backward_desc_init(
        &descriptor, algorithm.raw, &src, &dst, strides.map(Int64.init), kernel.map(Int64.init),
        paddingBefore.map(Int64.init), paddingAfter.map(Int64.init))
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
