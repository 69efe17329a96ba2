internal import COneDNN

/// How an image of another size gets its pixels.
public enum ResamplingAlgorithm: Hashable, Sendable {
  case nearest
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
  public var algorithm: ResamplingAlgorithm
  public var src: MemoryDescriptor
  public var dst: MemoryDescriptor

  public init(_ algorithm: ResamplingAlgorithm, src: MemoryDescriptor, dst: MemoryDescriptor) {
    self.algorithm = algorithm
    self.src = src
    self.dst = dst
  }

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

  public func backward(hint: PrimitiveDescriptor) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_resampling_desc_t()
    var (src, dst) = (src.raw, dst.raw)
    try call("dnnl_resampling_backward_desc_init") {
      dnnl_resampling_backward_desc_init(&descriptor, algorithm.raw, nil, &src, &dst)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
