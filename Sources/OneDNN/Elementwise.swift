internal import COneDNN

/// Operations on whole tensors that keep or join their shapes.
public enum Elementwise {
  /// `dst = f(src)`, in place where both are the same memory.
  public static func forward(
    _ function: Eltwise, on data: MemoryDescriptor, training: Bool
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_eltwise_desc_t()
    var data = data.raw
    var (algorithm, alpha) = (training ? function.algorithmByOutput : function.algorithm, function.alpha)
    if case .clip(low: 0, let high) = function {
      // The same values under a name that the library knows to keep zeros, as padded channels require.
      (algorithm, alpha) = (dnnl_eltwise_bounded_relu, high)
    }
    try call("dnnl_eltwise_forward_desc_init") {
      dnnl_eltwise_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, algorithm, &data, alpha,
        function.beta)
    }
    return try implementations(of: &descriptor, Attributes(), hint: nil)
  }

  /// `diffSrc = diffDst · f′`, with f′ computed from f's output, or its input where ``Eltwise/needsInput`` says so.
  ///
  /// - Parameter output: the layout of whichever it is.
  public static func backward(
    _ function: Eltwise, diff: MemoryDescriptor, output: MemoryDescriptor, hint: PrimitiveDescriptor
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_eltwise_desc_t()
    var (diff, output) = (diff.raw, output.raw)
    try call("dnnl_eltwise_backward_desc_init") {
      dnnl_eltwise_backward_desc_init(
        &descriptor, function.algorithmByOutput, &diff, &output, function.alpha, function.beta)
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }

  /// `dst = src + src1`, with an optional function after it.
  ///
  /// - Returns: no implementation where the library applies the function wrongly: behind sums of images whose channels lie in blocks
  ///   of another width than the CPU's vectors and fill none of these up.
  public static func add(
    _ left: MemoryDescriptor, _ right: MemoryDescriptor, activation: Eltwise? = nil
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    try binary(dnnl_binary_add, left, right, activation)
  }

  /// `dst = src · src1`, element by element.
  public static func multiply(
    _ left: MemoryDescriptor, _ right: MemoryDescriptor
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    try binary(dnnl_binary_mul, left, right, nil)
  }

  private static func binary(
    _ algorithm: dnnl_alg_kind_t, _ left: MemoryDescriptor, _ right: MemoryDescriptor, _ activation: Eltwise?
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_binary_desc_t()
    var (src0, src1, dst) = (left.raw, right.raw, left.raw)
    try call("dnnl_binary_desc_init") {
      dnnl_binary_desc_init(&descriptor, algorithm, &src0, &src1, &dst)
    }
    let found = try implementations(of: &descriptor, Attributes(following: activation), hint: nil)
    // In version 2.6.3 the kernel goes through memory in whole vectors and takes what follows the last channels for padding of its
    // own: it zeroes other positions, and what lies behind the tensor.
    return activation != nil && fillsNoVector(left) ? [] : found
  }

  private static func fillsNoVector(_ image: MemoryDescriptor) -> Bool {
    switch image.layout {
    case .channelBlocks(let block):
      block != Library.vectorWidth && !image.dimensions[1].isMultiple(of: Library.vectorWidth)
    case .blocks: true
    case .any, .plain, .winograd, .opaque: false
    }
  }

  /// Joins tensors along the channels.
  public static func concat(
    _ sources: [MemoryDescriptor], into dst: MemoryDescriptor
  ) throws(OneDNNError) -> PrimitiveDescriptor {
    let engine = try Engine.shared.get()
    let attributes = try Attributes()
    var result: dnnl_primitive_desc_t?
    var destination = dst.raw
    ThreadConfinement.confine()
    try call("dnnl_concat_primitive_desc_create") {
      dnnl_concat_primitive_desc_create(
        &result, &destination, Int32(sources.count), 1, sources.map(\.raw), attributes.raw, engine.raw)
    }
    guard let result else { throw OneDNNError(function: "dnnl_concat_primitive_desc_create", status: 0) }
    return PrimitiveDescriptor(adopting: result)
  }

  /// Copies a tensor into another layout or number format.
  public static func reorder(
    from src: MemoryDescriptor, to dst: MemoryDescriptor
  ) throws(OneDNNError) -> PrimitiveDescriptor {
    let engine = try Engine.shared.get()
    let attributes = try Attributes()
    var result: dnnl_primitive_desc_t?
    var (source, destination) = (src.raw, dst.raw)
    ThreadConfinement.confine()
    try call("dnnl_reorder_primitive_desc_create") {
      dnnl_reorder_primitive_desc_create(
        &result, &source, engine.raw, &destination, engine.raw, attributes.raw)
    }
    guard let result else { throw OneDNNError(function: "dnnl_reorder_primitive_desc_create", status: 0) }
    return PrimitiveDescriptor(adopting: result)
  }
}
