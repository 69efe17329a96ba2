internal import COneDNN

/// The process's CPU engine.
///
/// One engine serves all threads: descriptors and primitives are created under oneDNN's own locks and are immutable after.
final class Engine: @unchecked Sendable {
  // @unchecked because a dnnl_engine_t is immutable once created.
  let raw: dnnl_engine_t

  private init(raw: dnnl_engine_t) { self.raw = raw }

  static let shared: Result<Engine, OneDNNError> = {
    var engine: dnnl_engine_t?
    let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
    guard status == dnnl_success, let engine else {
      return .failure(OneDNNError(function: "dnnl_engine_create", status: status.rawValue))
    }
    return .success(Engine(raw: engine))
  }()
}

/// A queue of executions; on the CPU a primitive has finished when its call returns.
///
/// Confined to one thread at a time: every workspace owns one.
public final class Stream {
  let raw: dnnl_stream_t

  /// Makes a queue on the process's engine.
  ///
  /// - Throws: ``OneDNNError`` where the library cannot make one.
  public init() throws(OneDNNError) {
    let engine = try Engine.shared.get()
    var stream: dnnl_stream_t?
    try call("dnnl_stream_create") {
      dnnl_stream_create(&stream, engine.raw, UInt32(dnnl_stream_default_flags.rawValue))
    }
    guard let stream else { throw OneDNNError(function: "dnnl_stream_create", status: 0) }
    raw = stream
  }

  deinit { dnnl_stream_destroy(raw) }
}

/// Facts about the library that decide bits and speed.
public enum Library {
  /// The library's version, for instance `2.6.3`.
  public static var version: String {
    guard let version = dnnl_version()?.pointee else { return "unknown" }
    return "\(version.major).\(version.minor).\(version.patch)"
  }

  /// The widest instruction set that oneDNN uses on this CPU, for instance `avx512_core_bf16`.
  public static var instructionSet: String {
    switch dnnl_get_effective_cpu_isa() {
    case dnnl_cpu_isa_sse41: "sse41"
    case dnnl_cpu_isa_avx: "avx"
    case dnnl_cpu_isa_avx2: "avx2"
    case dnnl_cpu_isa_avx2_vnni: "avx2_vnni"
    case dnnl_cpu_isa_avx512_core: "avx512_core"
    case dnnl_cpu_isa_avx512_core_vnni: "avx512_core_vnni"
    case dnnl_cpu_isa_avx512_core_bf16: "avx512_core_bf16"
    case dnnl_cpu_isa_avx512_core_amx: "avx512_core_amx"
    case let other: "isa_\(other.rawValue)"
    }
  }

  /// How many floats a vector has in the widest instruction set that oneDNN uses on this CPU.
  static var vectorWidth: Int {
    let widest = dnnl_get_effective_cpu_isa().rawValue
    func has(_ set: dnnl_cpu_isa_t) -> Bool { widest & set.rawValue == set.rawValue }
    return has(dnnl_cpu_isa_avx512_core) ? 16 : has(dnnl_cpu_isa_avx) ? 8 : 4
  }

  /// Whether the CPU multiplies bf16 natively.
  public static var hasBF16: Bool {
    dnnl_get_effective_cpu_isa().rawValue & dnnl_cpu_isa_avx512_core_bf16.rawValue
      == dnnl_cpu_isa_avx512_core_bf16.rawValue
  }

  /// Whether the CPU multiplies tiles of bf16 (AMX), several times as fast as vectors of it.
  public static var hasTiles: Bool {
    dnnl_get_effective_cpu_isa().rawValue & dnnl_cpu_isa_avx512_core_amx.rawValue
      == dnnl_cpu_isa_avx512_core_amx.rawValue
  }

  /// Whether the library has kernels of Winograd for this CPU.
  public static var hasWinograd: Bool { instructionSet.hasPrefix("avx512") }

  /// How many compiled primitives the library keeps; a plan holds on to its own.
  public static func setPrimitiveCacheCapacity(_ capacity: Int32) {
    _ = dnnl_set_primitive_cache_capacity(capacity)
  }
}
