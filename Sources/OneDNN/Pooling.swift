internal import COneDNN

public enum PoolingAlgorithm: Hashable, Sendable {
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
  public var algorithm: PoolingAlgorithm
  public var src: MemoryDescriptor
  public var dst: MemoryDescriptor
  public var kernel: [Int]
  public var strides: [Int]
  public var paddingBefore: [Int]
  public var paddingAfter: [Int]

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
