internal import Compute

/// How fast a kernel was, for machines.
struct KernelTime: Encodable {
  let layer: String
  let pass: String
  let precision: String
  let algorithm: String
  let kernel: String
  let seconds: Double
  let gflopsPerSecond: Double
  /// Whether it is the one that was chosen.
  let chosen: Bool
}
