internal import COneDNN

/// A function of one element.
public enum Eltwise: Hashable, Sendable {
  case relu(negativeSlope: Float)
  case sigmoid
  case tanh
  /// `alpha · x + beta`.
  case linear(alpha: Float, beta: Float)

  public static let plainReLU = Eltwise.relu(negativeSlope: 0)

  var algorithm: dnnl_alg_kind_t {
    switch self {
    case .relu: dnnl_eltwise_relu
    case .sigmoid: dnnl_eltwise_logistic
    case .tanh: dnnl_eltwise_tanh
    case .linear: dnnl_eltwise_linear
    }
  }

  /// The variant whose gradient is a function of the output, so that the input need not be kept.
  var algorithmByOutput: dnnl_alg_kind_t {
    switch self {
    case .relu: dnnl_eltwise_relu_use_dst_for_bwd
    case .sigmoid: dnnl_eltwise_logistic_use_dst_for_bwd
    case .tanh: dnnl_eltwise_tanh_use_dst_for_bwd
    case .linear: dnnl_eltwise_linear
    }
  }

  var alpha: Float {
    switch self {
    case .relu(let slope): slope
    case .sigmoid, .tanh: 0
    case .linear(let alpha, _): alpha
    }
  }

  var beta: Float {
    if case .linear(_, let beta) = self { beta } else { 0 }
  }

  /// The argument by which the backward pass takes the output; a linear function's gradient ignores its values.
  public var outputArgument: Argument {
    if case .linear = self { .src } else { .dst }
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
