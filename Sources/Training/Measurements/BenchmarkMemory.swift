public import Compute
internal import Networks

/// What a training takes of memory and disk, in bytes.
public struct TrainingMemory: Hashable, Sendable {
  /// A worker's activations and scratchpads, and its share of the buffers in which gradients are summed.
  public let perWorker: Int
  /// Parameters, optimizer state and statistics, which all workers share.
  public let shared: Int
  /// Bytes of a checkpoint file.
  public let checkpoint: Int
}

extension Benchmark {
  /// The steps of a full shard's training plan, each with the kernel that was chosen for it.
  public func trainingSteps() throws -> [StepName] {
    try compiled.trainingPlan(samples: compiled.shardSize).stepNames
  }

  /// Measured on what was allocated, the checkpoint by making one.
  public func memory() throws -> TrainingMemory {
    guard let state = try engine.copyState() else { throw Benchmark.needsOneRank }
    let values = try state.canonical(slotNames: engine.optimizer.slotNames)
    let checkpoint = Checkpoint(
      network: compiled.network, name: configuration.name, progress: TrainingProgress(),
      identity: RunIdentity(runID: "plan"), values: values.predicting,
      optimizer: configuration.training.optimizer, slots: values.slots, trained: values.trained,
      stateless: values.stateless)
    let encoded = try CheckpointFile.encode(checkpoint, model: model)
    let stride = MemoryLayout<Float>.stride
    let parameterBytes = compiled.storageCount * stride
    return TrainingMemory(
      perWorker: try MemoryDemand.bytesPerWorker(compiled) + engine.gatheredByteCounts.perWorker,
      shared: parameterBytes
        * (configuration.training.average == nil ? 1 : 2)
        + engine.optimizer.slotNames.count * compiled.trainedCount * stride
        + compiled.parameters.statisticsCount * stride
        + engine.gatheredByteCounts.shared,
      checkpoint: CheckpointHeader.byteCount + encoded.header.payloadByteCount)
  }
}
