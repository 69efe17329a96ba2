internal import COneDNN

/// The role of a tensor in a primitive; oneDNN's `DNNL_ARG_…`.
public struct Argument: Hashable, Sendable, RawRepresentable {
  /// The library's number.
  public let rawValue: Int32

  /// Takes one of the library's numbers.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The source.
  public static let src = Argument(rawValue: DNNL_ARG_SRC)
  /// The second source of an operation on two.
  public static let src1 = Argument(rawValue: DNNL_ARG_SRC_1)
  /// The destination.
  public static let dst = Argument(rawValue: DNNL_ARG_DST)
  /// The weights.
  public static let weights = Argument(rawValue: DNNL_ARG_WEIGHTS)
  /// The bias.
  public static let bias = Argument(rawValue: DNNL_ARG_BIAS)
  /// The means of a normalisation.
  public static let mean = Argument(rawValue: DNNL_ARG_MEAN)
  /// The variances of a normalisation.
  public static let variance = Argument(rawValue: DNNL_ARG_VARIANCE)
  /// The vector that a normalisation's result is multiplied by.
  public static let scale = Argument(rawValue: DNNL_ARG_SCALE)
  /// The vector that is added to a normalisation's result.
  public static let shift = Argument(rawValue: DNNL_ARG_SHIFT)
  /// What the forward pass remembers for the backward pass.
  public static let workspace = Argument(rawValue: DNNL_ARG_WORKSPACE)
  /// Memory for the time of one execution.
  public static let scratchpad = Argument(rawValue: DNNL_ARG_SCRATCHPAD)
  /// The gradient of the source.
  public static let diffSrc = Argument(rawValue: DNNL_ARG_DIFF_SRC)
  /// The gradient of the destination.
  public static let diffDst = Argument(rawValue: DNNL_ARG_DIFF_DST)
  /// The gradient of the weights.
  public static let diffWeights = Argument(rawValue: DNNL_ARG_DIFF_WEIGHTS)
  /// The gradient of the bias.
  public static let diffBias = Argument(rawValue: DNNL_ARG_DIFF_BIAS)
  /// The gradient of a normalisation's scale.
  public static let diffScale = Argument(rawValue: DNNL_ARG_DIFF_SCALE)
  /// The gradient of a normalisation's shift.
  public static let diffShift = Argument(rawValue: DNNL_ARG_DIFF_SHIFT)

  /// The i-th source of a sum or concatenation.
  public static func multipleSrc(_ index: Int) -> Argument {
    Argument(rawValue: DNNL_ARG_MULTIPLE_SRC + Int32(index))
  }
}

/// One implementation of an operation, with the layouts it wants.
public final class PrimitiveDescriptor: @unchecked Sendable {
  // @unchecked because a dnnl_primitive_desc_t is immutable once created.
  let raw: dnnl_primitive_desc_t

  /// Takes ownership.
  init(adopting raw: dnnl_primitive_desc_t) { self.raw = raw }

  deinit { dnnl_primitive_desc_destroy(raw) }

  /// The layout of an argument; empty where the primitive has none.
  public func descriptor(of argument: Argument) -> MemoryDescriptor {
    guard let found = dnnl_primitive_desc_query_md(raw, dnnl_query_exec_arg_md, argument.rawValue) else {
      return .zero
    }
    return MemoryDescriptor(raw: found.pointee)
  }

  /// The memory that one execution needs for itself.
  public var scratchpad: MemoryDescriptor { descriptor(of: .scratchpad) }

  /// The kernel's name, for instance `jit:avx512_core`.
  public var implementation: String {
    var name: UnsafePointer<CChar>?
    let status = dnnl_primitive_desc_query(raw, dnnl_query_impl_info_str, 0, &name)
    guard status == dnnl_success, let name else { return "unknown" }
    return String(cString: name)
  }

  /// Whether this is a plain loop for correctness only, orders of magnitude slower than a kernel.
  public var isReference: Bool { implementation.hasPrefix("ref") }

  /// Whether this was generated for the shape and the CPU, with vectors as wide as it has.
  public var isGenerated: Bool { implementation.contains("jit") }
}

/// A compiled kernel.
///
/// Immutable, and run by several workers at once, each with its own memory and scratchpad.
public final class Primitive: @unchecked Sendable {
  // @unchecked because with a user-managed scratchpad a dnnl_primitive_t holds no state of an execution.
  let raw: dnnl_primitive_t
  /// What the kernel was compiled from.
  public let descriptor: PrimitiveDescriptor

  /// Compiles a kernel, or finds it among those that the library keeps.
  ///
  /// - Throws: ``OneDNNError`` where the library cannot compile it.
  public init(_ descriptor: PrimitiveDescriptor) throws(OneDNNError) {
    ThreadConfinement.confine()
    var primitive: dnnl_primitive_t?
    try call("dnnl_primitive_create") { dnnl_primitive_create(&primitive, descriptor.raw) }
    guard let primitive else { throw OneDNNError(function: "dnnl_primitive_create", status: 0) }
    raw = primitive
    self.descriptor = descriptor
  }

  deinit { dnnl_primitive_destroy(raw) }
}

/// A primitive with its tensors, ready to run any number of times.
public final class Execution {
  private let primitive: Primitive
  private let stream: Stream
  private let memories: [Memory]
  private let arguments: UnsafeMutableBufferPointer<dnnl_exec_arg_t>

  /// Binds tensors to the arguments of a primitive.
  ///
  /// - Parameters:
  ///   - stream: where the primitive will run; of the same thread as the execution.
  ///   - tensors: one for each argument that the primitive has, the scratchpad included.
  public init(_ primitive: Primitive, on stream: Stream, _ tensors: [(Argument, Memory)]) {
    self.primitive = primitive
    self.stream = stream
    memories = tensors.map(\.1)
    arguments = .allocate(capacity: tensors.count)
    _ = arguments.initialize(
      from: tensors.map { dnnl_exec_arg_t(arg: $0.0.rawValue, memory: $0.1.raw) })
  }

  deinit { arguments.deallocate() }

  /// Runs the kernel on the calling thread, which has been confined, and returns when it is done.
  @inline(__always)
  public func run() throws(OneDNNError) {
    let status = dnnl_primitive_execute(
      primitive.raw, stream.raw, Int32(truncatingIfNeeded: arguments.count), arguments.baseAddress)
    guard status == dnnl_success else {
      throw OneDNNError(function: "dnnl_primitive_execute", status: status.rawValue)
    }
  }
}
