internal import Compute
internal import Foundation

/// Times and errors of kernels, ready to be printed.
struct KernelTable {
  private let peaks: [ComputePrecision: Double]
  private var rows: [KernelBenchmark.Row] = []

  init(_ precisions: [ComputePrecision]) throws {
    var peaks: [ComputePrecision: Double] = [:]
    for precision in precisions { peaks[precision] = try KernelTuner.measuredPeak(precision) }
    self.peaks = peaks
  }

  mutating func append(_ rows: [KernelBenchmark.Row]) { self.rows += rows }

  /// The measured peak, before the lines of kernels.
  var heading: String {
    peaks.sorted { $0.key.rawValue < $1.key.rawValue }
      .map {
        String(format: "measured peak of one core in %@: %.0f GFLOP/s", $0.key.rawValue, $0.value * 1e-9)
      }
      .joined(separator: "\n")
  }

  /// One line for a kernel.
  ///
  /// Multiplications are counted as the convolution's definition has them, so that Winograd's may pass
  /// the peak.
  func line(_ row: KernelBenchmark.Row) -> String {
    let timing = row.timing
    let name = "\(row.shape.name) \(timing.pass.rawValue) \(timing.precision.rawValue) \(timing.kernel)"
    return name.padding(toLength: 72, withPad: " ", startingAt: 0)
      + String(
        format: "%9.0f µs %5.0f GFLOP/s %4.0f%%", timing.seconds * 1e6, rate(timing) * 1e-9,
        share(timing) * 100)
      + (row.error.map { String(format: "  error %.1e", $0) } ?? "")
  }

  func json() throws -> String {
    try ResultJSON.text(
      rows.map { row in
        Entry(
          shape: row.shape.name, pass: row.timing.pass.rawValue, precision: row.timing.precision.rawValue,
          algorithm: row.timing.algorithm.rawValue, kernel: row.timing.kernel, seconds: row.timing.seconds,
          flopsPerSecond: rate(row.timing), peakShare: share(row.timing), largestError: row.error)
      })
  }

  private func rate(_ timing: KernelTiming) -> Double { timing.flops / timing.seconds }

  private func share(_ timing: KernelTiming) -> Double {
    rate(timing) / (peaks[timing.precision] ?? .infinity)
  }

  private struct Entry: Encodable {
    let shape: String
    let pass: String
    let precision: String
    let algorithm: String
    let kernel: String
    let seconds: Double
    let flopsPerSecond: Double
    let peakShare: Double
    let largestError: Double?
  }
}
