/// Seconds of the passes of a training step, one after the other.
public struct StepPhases: Hashable, BitwiseCopyable, Sendable {
  /// All shards forward and backward.
  public var shards = 0.0
  /// Waiting until the other ranks have computed theirs, and learning their figures; 0 where there is one.
  public var waiting = 0.0
  /// Sum of the shards' gradients, and the optimizer.
  public var update = 0.0
  /// What ranks tell each other of gradients and parameters, and waiting for them; 0 where there is one.
  public var exchange = 0.0
  /// Copies of the parameters in the layouts and number formats that kernels read.
  public var kernelWeights = 0.0

  /// Starts with no time at all.
  public init() {}

  /// All phases, in the order of the step.
  static var all: [WritableKeyPath<StepPhases, Double>] {
    [\.shards, \.waiting, \.update, \.exchange, \.kernelWeights]
  }

  static func += (sums: inout StepPhases, more: StepPhases) {
    for phase in all { sums[keyPath: phase] += more[keyPath: phase] }
  }
}
