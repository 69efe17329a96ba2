internal import COneDNN

/// How an image of another size gets its pixels.
public enum ResamplingAlgorithm: Hashable, Sendable {
  /// The pixel whose centre is nearest.
  case nearest
  /// The four nearest pixels, weighted by their distances.
  case linear

  var raw: dnnl_alg_kind_t {
    switch self {
    case .nearest: dnnl_resampling_nearest
    case .linear: dnnl_resampling_linear
    }
  }
}

/// An image enlarged or reduced: src [N, C, H, W], dst [N, C, OH, OW]; pixel centres lie at half pixels.
public struct ResamplingShape: Sendable {
  /// How pixels are made.
  public var algorithm: ResamplingAlgorithm
  /// The source tensor.
  public var src: MemoryDescriptor
  /// The destination tensor.
  public var dst: MemoryDescriptor

  /// Makes a shape of its tensors; whether they fit together shows when descriptors are made.
  public init(_ algorithm: ResamplingAlgorithm, src: MemoryDescriptor, dst: MemoryDescriptor) {
    self.algorithm = algorithm
    self.src = src
    self.dst = dst
  }

  /// The descriptors of the pass from src to dst.
  ///
  /// - Parameter training: whether a backward pass follows.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func forward(training: Bool) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_resampling_desc_t()
    var (src, dst) = (src.raw, dst.raw)
    try call("dnnl_resampling_forward_desc_init") {
      dnnl_resampling_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, algorithm.raw, nil, &src, &dst
      )
    }
    return try implementations(of: &descriptor, Attributes(), hint: nil)
  }

  /// The descriptors of the pass from diffDst to diffSrc.
  ///
  /// - Parameter hint: the forward descriptor that this pass belongs to.
  /// - Returns: all implementations, the library's favourite first; none where it has none.
  /// - Throws: ``OneDNNError`` where the shapes do not fit together.
  public func backward(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_resampling_desc_t()
    var (src, dst) = (src.raw, dst.raw)
    try call("dnnl_resampling_backward_desc_init") {
      dnnl_resampling_backward_desc_init(&descriptor, algorithm.raw, nil, &src, &dst)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
