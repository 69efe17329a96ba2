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
    return try implementations(of: &descriptor, Attributes(following: activation), hint: nil)
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

/// Batch normalisation over the channels of [N, C, H, W] or [N, C]; scale and shift are two vectors of C.
public struct BatchNormalizationShape: Sendable {
  /// The tensor that is normalised; source and destination have the same layout.
  public var data: MemoryDescriptor
  /// Added to the variance under the root.
  public var epsilon: Float
  /// Whether the result is multiplied by a vector.
  public var scale: Bool
  /// Whether a vector is added to the result.
  public var shift: Bool
  /// Clamps the result at 0 and remembers where.
  public var relu: Bool

  /// Makes a normalisation with these settings.
  public init(data: MemoryDescriptor, epsilon: Float, scale: Bool, shift: Bool, relu: Bool) {
    self.data = data
    self.epsilon = epsilon
    self.scale = scale
    self.shift = shift
    self.relu = relu
  }

  private func flags(global: Bool) -> UInt32 {
    var flags: UInt32 = 0
    if global { flags |= dnnl_use_global_stats.rawValue }
    if scale { flags |= dnnl_use_scale.rawValue }
    if shift { flags |= dnnl_use_shift.rawValue }
    if relu { flags |= dnnl_fuse_norm_relu.rawValue }
    return flags
  }

  /// The descriptors of the pass from a tensor to its normalised values.
  ///
  /// - Parameters:
  ///   - training: whether a backward pass follows.
  ///   - givenStatistics: whether mean and variance are taken; otherwise they are computed.
  public func forward(
    training: Bool, givenStatistics: Bool
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_batch_normalization_desc_t()
    var data = data.raw
    try call("dnnl_batch_normalization_forward_desc_init") {
      dnnl_batch_normalization_forward_desc_init(
        &descriptor, training ? dnnl_forward_training : dnnl_forward_inference, &data, epsilon,
        flags(global: givenStatistics))
    }
    return try implementations(of: &descriptor, Attributes(), hint: nil)
  }

  /// The descriptors of the pass back; with given statistics the gradient does not go through them.
  public func backward(
    hint: PrimitiveDescriptor, givenStatistics: Bool
  ) throws(OneDNNError) -> [PrimitiveDescriptor] {
    var descriptor = dnnl_batch_normalization_desc_t()
    var (diff, data) = (data.raw, data.raw)
    try call("dnnl_batch_normalization_backward_desc_init") {
      dnnl_batch_normalization_backward_desc_init(
        &descriptor, dnnl_backward, &diff, &data, epsilon, flags(global: givenStatistics))
    }
    return try implementations(of: &descriptor, Attributes(), hint: hint)
  }
}
