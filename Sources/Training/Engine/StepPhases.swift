/// Seconds of the passes of a training step, one after the other.
public struct StepPhases: Hashable, Sendable {
  /// All shards forward and backward.
  public var shards = 0.0
  /// Sum of the shards' gradients, and the optimizer.
  public var update = 0.0
  /// What ranks tell each other of gradients and parameters, and waiting for them; 0 where there is one.
  public var exchange = 0.0
  /// Copies of the parameters in the layouts and number formats that kernels read.
  public var kernelWeights = 0.0

  /// Starts with no time at all.
  public init() {}

  /// All phases, in the order of the step.
  static var all: [WritableKeyPath<StepPhases, Double>] { [\.shards, \.update, \.exchange, \.kernelWeights] }
}
