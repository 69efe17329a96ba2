internal import Compute

/// The speed of a kernel, for machines.
struct KernelTime: Encodable {
  let layer: String
  let pass: String
  let precision: String
  let algorithm: String
  let kernel: String
  let seconds: Double
  let gflopsPerSecond: Double
  /// Whether this kernel was chosen.
  let chosen: Bool
}
