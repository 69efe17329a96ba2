internal import COneDNN

/// A oneDNN call that did not succeed.
public struct OneDNNError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The C function that failed.
  public let function: String
  /// Its `dnnl_status_t`.
  public let status: UInt32

  /// Whether the library has no implementation for what was asked, as opposed to a wrong argument or lack of memory.
  public var isUnimplemented: Bool { status == dnnl_unimplemented.rawValue }

  /// The call and the library's reason, in one line.
  public var description: String {
    let reason =
      switch dnnl_status_t(status) {
      case dnnl_out_of_memory: "out of memory"
      case dnnl_invalid_arguments: "invalid arguments"
      case dnnl_unimplemented: "not implemented for these shapes and types"
      case dnnl_iterator_ends: "no further implementation"
      case dnnl_runtime_error: "runtime error"
      case dnnl_not_required: "not required"
      default: "status \(status)"
      }
    return "oneDNN: \(function): \(reason)"
  }
}

/// Makes one call of the library; the only place that looks at a status.
func call(_ function: String, _ body: () -> dnnl_status_t) throws(OneDNNError) {
  let status = body()
  guard status == dnnl_success else {
    throw OneDNNError(function: function, status: status.rawValue)
  }
}
