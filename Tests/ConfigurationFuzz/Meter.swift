import Foundation

/// Time of this thread and peak memory of the process, one piece of work at a time.
final class Meter {
  /// What a piece of work took.
  private struct Cost {
    var seconds = 0.0
    var bytes = 0
  }

  private var last = Cost()
  private var most = Cost()
  private var all: [Double] = []
  /// glibc's `malloc_trim`, which its module does not have.
  private let trim = dlsym(nil, "malloc_trim").map {
    unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self)
  }

  /// Runs work and notes what it took.
  ///
  /// The memory that earlier work has given back is returned to the system first, so that its use again is seen.
  func measure<T, E: Error>(_ work: () throws(E) -> T) throws(E) -> T {
    _ = trim?(0)
    // proc(5): 5 sets the peak back to what is resident now.
    let file = open("/proc/self/clear_refs", O_WRONLY)
    precondition(file >= 0 && write(file, "5", 1) == 1, "cannot set back the peak of memory")
    close(file)
    let before = status("VmRSS:")
    let start = seconds
    defer {
      last = Cost(seconds: seconds - start, bytes: status("VmHWM:") - before)
      most = Cost(seconds: max(most.seconds, last.seconds), bytes: max(most.bytes, last.bytes))
      all.append(last.seconds)
    }
    return try work()
  }

  /// Nil where the last work stayed within its limits.
  func excess(seconds: Double, bytes: Int) -> String? {
    if last.seconds > seconds { return "took \(last.seconds) s" }
    if last.bytes > bytes { return "took \(last.bytes) bytes" }
    return nil
  }

  var summary: String {
    let ordered = all.sorted()
    func milliseconds(_ seconds: Double) -> String { String(format: "%.2f ms", seconds * 1e3) }
    return
      "CPU time: median \(milliseconds(ordered[ordered.count / 2])), 99.9th percentile "
      + "\(milliseconds(ordered[ordered.count * 999 / 1000])), most \(milliseconds(most.seconds)); memory: at most "
      + String(format: "%.1f MiB", Double(most.bytes) / 1_048_576)
  }

  private var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Bytes that the kernel's account of this process gives for a name.
  private func status(_ name: String) -> Int {
    var buffer = [UInt8](repeating: 0, count: 8192)
    let file = open("/proc/self/status", O_RDONLY)
    defer { close(file) }
    let count = read(file, &buffer, buffer.count)
    let text = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
    else { preconditionFailure("no \(name) in /proc/self/status") }
    return kibibytes << 10
  }
}
