internal import COneDNN

/// A function of one element.
public enum Eltwise: Hashable, Sendable {
  /// x, or `negativeSlope · x` below zero; the slope is not negative.
  case relu(negativeSlope: Float)
  /// x, or `alpha · (eˣ − 1)` below zero; alpha is not negative.
  case elu(alpha: Float)
  /// x·Φ(x), with the error function.
  case gelu
  /// x·sigmoid(x).
  case swish
  /// log(1 + eˣ).
  case softplus
  /// 1 / (1 + e⁻ˣ).
  case sigmoid
  /// The hyperbolic tangent.
  case tanh
  /// `alpha · x + beta`.
  case linear(alpha: Float, beta: Float)
  /// x, held between two bounds.
  case clip(low: Float, high: Float)

  /// x, or 0 below zero.
  public static let plainReLU = Eltwise.relu(negativeSlope: 0)

  var algorithm: dnnl_alg_kind_t {
    switch self {
    case .relu: dnnl_eltwise_relu
    case .elu: dnnl_eltwise_elu
    case .gelu: dnnl_eltwise_gelu_erf
    case .swish: dnnl_eltwise_swish
    case .softplus: dnnl_eltwise_soft_relu
    case .sigmoid: dnnl_eltwise_logistic
    case .tanh: dnnl_eltwise_tanh
    case .linear: dnnl_eltwise_linear
    case .clip: dnnl_eltwise_clip_v2
    }
  }

  /// The variant whose gradient is a function of the output, so that the input need not be kept; the plain one where there is
  /// no such variant.
  var algorithmByOutput: dnnl_alg_kind_t {
    switch self {
    case .relu: dnnl_eltwise_relu_use_dst_for_bwd
    case .elu: dnnl_eltwise_elu_use_dst_for_bwd
    case .sigmoid: dnnl_eltwise_logistic_use_dst_for_bwd
    case .tanh: dnnl_eltwise_tanh_use_dst_for_bwd
    case .clip: dnnl_eltwise_clip_v2_use_dst_for_bwd
    case .gelu, .swish, .softplus, .linear: algorithm
    }
  }

  var alpha: Float {
    switch self {
    case .relu(let slope): slope
    case .elu(let alpha): alpha
    case .swish: 1
    case .gelu, .softplus, .sigmoid, .tanh: 0
    case .linear(let alpha, _): alpha
    case .clip(let low, _): low
    }
  }

  var beta: Float {
    switch self {
    case .linear(_, let beta): beta
    case .clip(_, let high): high
    case .relu, .elu, .gelu, .swish, .softplus, .sigmoid, .tanh: 0
    }
  }

  /// Whether the gradient is computed from the function's input, because its output does not tell it.
  public var needsInput: Bool {
    switch self {
    case .gelu, .swish, .softplus: true
    case .relu, .elu, .sigmoid, .tanh, .linear, .clip: false
    }
  }

  /// Whether f(0) = 0, so that padding stays zero.
  public var keepsZero: Bool {
    switch self {
    case .relu, .elu, .gelu, .swish, .tanh: true
    case .softplus, .sigmoid: false
    case .linear(_, let beta): beta == 0
    case .clip(let low, let high): low <= 0 && high >= 0
    }
  }

  /// The argument that the backward pass reads, by ``needsInput``; a linear function's gradient ignores its values.
  public var outputArgument: Argument {
    switch self {
    case .linear, .gelu, .swish, .softplus: .src
    case .relu, .elu, .sigmoid, .tanh, .clip: .dst
    }
  }
}

/// What a primitive does besides its operation: the scratchpad is the caller's, and a function may follow.
final class Attributes {
  let raw: dnnl_primitive_attr_t

  init(following eltwise: Eltwise? = nil) throws(OneDNNError) {
    var attributes: dnnl_primitive_attr_t?
    try call("dnnl_primitive_attr_create") { dnnl_primitive_attr_create(&attributes) }
    guard let attributes else { throw OneDNNError(function: "dnnl_primitive_attr_create", status: 0) }
    raw = attributes
    // The library's own scratchpad belongs to a thread; ours belongs to a workspace, which moves between threads.
    try call("dnnl_primitive_attr_set_scratchpad_mode") {
      dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user)
    }
    guard let eltwise else { return }
    var operations: dnnl_post_ops_t?
    try call("dnnl_post_ops_create") { dnnl_post_ops_create(&operations) }
    defer { dnnl_post_ops_destroy(operations) }
    try call("dnnl_post_ops_append_eltwise") {
      dnnl_post_ops_append_eltwise(operations, 1, eltwise.algorithm, eltwise.alpha, eltwise.beta)
    }
    try call("dnnl_primitive_attr_set_post_ops") { dnnl_primitive_attr_set_post_ops(attributes, operations) }
  }

  deinit { dnnl_primitive_attr_destroy(raw) }
}

/// All implementations of one operation, the library's favourite first.
///
/// - Parameter hint: the forward descriptor that a backward operation belongs to.
func implementations(
  of operation: UnsafeRawPointer, _ attributes: Attributes, hint: PrimitiveDescriptor?
) throws(OneDNNError) -> [PrimitiveDescriptor] {
  ThreadConfinement.confine()
  let engine = try Engine.shared.get()
  var iterator: dnnl_primitive_desc_iterator_t?
  let status = dnnl_primitive_desc_iterator_create(
    &iterator, operation, attributes.raw, engine.raw, hint?.raw)
  if status == dnnl_unimplemented { return [] }
  guard status == dnnl_success, let iterator else {
    throw OneDNNError(function: "dnnl_primitive_desc_iterator_create", status: status.rawValue)
  }
  defer { dnnl_primitive_desc_iterator_destroy(iterator) }
  var found: [PrimitiveDescriptor] = []
  repeat {
    guard let fetched = dnnl_primitive_desc_iterator_fetch(iterator) else { break }
    found.append(PrimitiveDescriptor(adopting: fetched))
  } while dnnl_primitive_desc_iterator_next(iterator) == dnnl_success
  return found
}
