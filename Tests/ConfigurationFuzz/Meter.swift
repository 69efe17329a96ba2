import Foundation

/// Time of this thread for each piece of work, and by how much the process's peak of memory has grown since the first.
///
/// What one piece of work needs is at most that growth, whatever memory earlier ones have given back to the allocator.
final class Meter {
  private var lastSeconds = 0.0
  private var all: [Double] = []
  private let firstPeak = Meter.peak

  func measure<T, E: Error>(_ work: () throws(E) -> T) throws(E) -> T {
    let start = seconds
    defer {
      lastSeconds = seconds - start
      all.append(lastSeconds)
    }
    return try work()
  }

  /// Nil where the last work stayed within its limits.
  func excess(seconds: Double, bytes: Int) -> String? {
    if lastSeconds > seconds { return "took \(lastSeconds) s" }
    let growth = Meter.peak - firstPeak
    if growth > bytes { return "made the process grow by \(growth) bytes" }
    return nil
  }

  var summary: String {
    let ordered = all.sorted()
    func milliseconds(_ seconds: Double) -> String { String(format: "%.2f ms", seconds * 1e3) }
    return
      "CPU time: median \(milliseconds(ordered[ordered.count / 2])), 99.9th percentile "
      + "\(milliseconds(ordered[ordered.count * 999 / 1000])), most \(milliseconds(ordered[ordered.count - 1])); memory: "
      + String(format: "%.1f MiB more than before the first", Double(Meter.peak - firstPeak) / 1_048_576)
  }

  private var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Bytes that were ever resident at once.
  private static var peak: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  }
}
