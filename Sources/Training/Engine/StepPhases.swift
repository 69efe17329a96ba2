/// Seconds of the three passes of a training step, one after the other.
public struct StepPhases: Hashable, Sendable {
  /// All shards forward and backward.
  public var shards = 0.0
  /// Sum of the shards' gradients, and the optimizer.
  public var update = 0.0
  /// Copies of the parameters in the layouts and number formats that kernels read.
  public var kernelWeights = 0.0

  /// Starts with no time at all.
  public init() {}

  init(shards: Double, update: Double, kernelWeights: Double) {
    self.shards = shards
    self.update = update
    self.kernelWeights = kernelWeights
  }
}
