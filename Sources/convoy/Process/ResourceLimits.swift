internal import Glibc

/// Limits of the process that would end its work halfway, checked before it begins.
///
/// A library whose memory or file is refused does not always report it: it may end the process, or take the file for damaged.
/// Ensuring a reserve here keeps the code below from finding out.
enum ResourceLimits {
  /// The descriptors that any command may need besides those that are open: data, checkpoints, tables, a chart's pipe.
  private static let descriptors = 24
  /// The least size of a thread's stack, in bytes, on which everything was tried.
  private static let stackByteCount = 1 << 20
  /// Bytes of address space besides those that the libraries have taken; each command checks again for its own work.
  private static let memoryByteCount = 96 << 20

  /// Checks all limits.
  ///
  /// - Throws: ``CommandError`` that names the limit.
  static func check() throws(CommandError) {
    try checkDescriptors()
    if let limit = soft(RLIMIT_STACK), limit < stackByteCount {
      throw refusal(
        "a stack of \(limit >> 10) KiB is too small (ulimit -s); allow \(stackByteCount >> 10) KiB")
    }
    try MemoryLimit.check(spare: memoryByteCount)
  }

  private static func checkDescriptors() throws(CommandError) {
    raiseDescriptors()
    guard let limit = soft(RLIMIT_NOFILE) else { return }
    // Numbers above the limit are free, unless a larger limit held before.
    let open = (0..<min(limit, 1024)).count { fcntl(Int32($0), F_GETFD) >= 0 }
    guard limit - open < descriptors else { return }
    throw refusal(
      "too few open files are allowed: \(limit), of which \(open) are open (ulimit -n); allow \(open + descriptors) or more"
    )
  }

  /// Raises the limit on descriptors as far as the administrator allows, up to the usual number.
  private static func raiseDescriptors() {
    var limit = rlimit()
    let wanted: rlim_t = 1024
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted,
      limit.rlim_max > limit.rlim_cur
    else { return }
    limit.rlim_cur = min(wanted, limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// The limit in force; nil where there is none.
  static func soft(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
    return limit.rlim_cur == rlim_t.max ? nil : Int(clamping: limit.rlim_cur)
  }

  static func refusal(_ text: String) -> CommandError { CommandError(.inputOutput, text) }
}

/// Limits on the process's memory: its address space (`ulimit -v`, Grid Engine's `h_vmem`) and its data (`ulimit -d`).
enum MemoryLimit {
  static var isSet: Bool { smallest != nil }

  /// Advice for when memory is refused.
  static var advice: String {
    guard let smallest else {
      return "the system refuses more; use fewer --workers or a smaller training.shard"
    }
    return
      "the limit is \(smallest.byteCount >> 10) KiB (\(smallest.option)); raise it, or use fewer --workers or a smaller training.shard"
  }

  /// - Parameter spare: the number of bytes that must still be free.
  static func check(spare: Int) throws(CommandError) {
    for (limit, used) in zip(limits, usage) {
      guard let limit, limit.byteCount - used < spare else { continue }
      throw ResourceLimits.refusal(
        "too little memory is allowed: \(limit.byteCount >> 10) KiB (\(limit.option)), of which the program and its libraries take "
          + "\(used >> 10) KiB; allow \((used + spare) >> 10) KiB or more")
    }
  }

  private struct Limit {
    let byteCount: Int
    let option: String
  }

  private static var smallest: Limit? { limits.compactMap(\.self).min { $0.byteCount < $1.byteCount } }

  private static var limits: [Limit?] {
    [(RLIMIT_AS, "ulimit -v"), (RLIMIT_DATA, "ulimit -d")].map { resource, option in
      ResourceLimits.soft(resource).map { Limit(byteCount: $0, option: option) }
    }
  }

  /// The bytes of address space and of data in use.
  private static var usage: [Int] {
    guard let file = fopen("/proc/self/statm", "r") else { return [0, 0] }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 256)
    guard fgets(&text, Int32(text.count), file) != nil else { return [0, 0] }
    let pages = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      .split(separator: " ").map { Int($0) ?? 0 }
    let pageByteCount = sysconf(Int32(_SC_PAGESIZE))
    return pages.count > 5 ? [pages[0] * pageByteCount, pages[5] * pageByteCount] : [0, 0]
  }
}
