internal import Compute
internal import Datasets
internal import Dispatch
internal import Networks
internal import Parallel
internal import Synchronization

/// The memory of a training and one step over it: gradients of shards, their sum and the optimizer, statistics, copies for kernels.
///
/// ``TrainingState`` is what changes, ``ShardGradients``, ``ParameterUpdate`` and ``Evaluator`` are what happens to it. A
/// ``StepDriver`` decides which step comes next.
final class TrainingEngine: Sendable {
  let compiled: CompiledNetwork
  let optimizer: any Optimizer
  private let network: LoadedNetwork
  private let workers: WorkerMemory
  private let state: TrainingState
  private let gradients: ShardGradients
  private let update: ParameterUpdate
  private let evaluator: Evaluator
  let ranks: Ranks
  private let whole: WholeState
  /// Set when an update met a bad number halfway: some parameters have moved, some not, and none of it may be saved.
  private let isSpoiled = Atomic<Bool>(false)

  /// - Parameters:
  ///   - lossWeights: the weights of classes or labels in training.
  ///   - trainingSizes: the sizes of all minibatches that will be trained on.
  ///   - evaluationSizes: the sizes of all minibatches that will be evaluated.
  ///   - start: the numbers to begin with.
  ///   - ranks: those that take each step together, each with an engine of its own.
  /// - Throws: ``ComputeError`` where a layer has no kernel.
  init(
    _ compiled: CompiledNetwork, configuration: RunConfiguration, pool: WorkerPool,
    lossWeights: LossWeights, trainingSizes: Set<Int>, evaluationSizes: Set<Int>,
    start: EngineStart, ranks: Ranks = Ranks()
  ) throws {
    let training = configuration.training
    self.compiled = compiled
    optimizer = training.optimizer.rule
    self.ranks = ranks
    let gathered = compiled.gatheredPieces
    let slices = UpdateSlice.cut(compiled.segments, training, gathered: gathered)
    let ownership = Ownership(
      slices, gathered: gathered, storageCount: compiled.storageCount, trainedCount: compiled.trainedCount,
      ranks: ranks)
    whole = WholeState(ranks: ranks, ownership: ownership)
    state = try TrainingState(
      compiled, slotNames: optimizer.slotNames, slotRange: ownership.ownTrained, start: start.trained,
      slots: start.slots, keepsAverage: training.average != nil, average: start.average)
    let sharesSamples = evaluationSizes == [1]
    network = try LoadedNetwork(
      compiled, parameters: state.parameters, statistics: state.statistics,
      trainingShards: Sharding.sizes(ofMinibatches: trainingSizes, shardSize: compiled.shardSize),
      inferenceShards: Sharding.sizes(ofMinibatches: evaluationSizes, shardSize: compiled.shardSize),
      sharesSamples: sharesSamples)
    workers = try WorkerMemory(network, pool: pool)
    let largest = trainingSizes.union(evaluationSizes).max() ?? 1
    let shards = max(Sharding(sampleCount: largest, shardSize: compiled.shardSize).count, 1)
    gradients = try ShardGradients(
      network, configuration, workers: workers, lossWeights: lossWeights, minibatches: trainingSizes,
      maximumShards: shards, ranks: ranks)
    update = try ParameterUpdate(
      compiled, training, slices, ownership, state: state, pool: pool, gathered: gradients.gathered,
      ranks: ranks)
    evaluator = try Evaluator(
      network, average: state.average, workers: workers, maximumShards: shards,
      sharesSamples: sharesSamples, ranks: ranks)
  }

  /// Bytes for gradients that are taken over the whole minibatch: its rows, and a piece of a gradient for each worker.
  var gatheredByteCounts: (shared: Int, perWorker: Int) {
    guard let gathered = gradients.gathered else { return (0, 0) }
    return (gathered.byteCount, gathered.longestTask * MemoryLayout<Float>.stride)
  }

  /// The most gradients of shards that wait until they are added up.
  var waitingGradients: Int { gradients.reduction.bufferCount }

  /// Bytes that this rank sends in a step of so many samples, without headers and the few of agreements and statistics: partial sums,
  /// parameters, and what samples keep for gradients that are taken over the whole minibatch.
  func bytesSent(samples: Int) -> Double {
    if ranks.isAlone { return 0 }
    let sharding = Sharding(sampleCount: samples, shardSize: compiled.shardSize)
    let kept =
      compiled.gatheredBytesPerSample * ranks.ownPlaces(sharding).count * (ranks.communicator.size - 1)
    return update.bytesSent(shards: sharding.count) + Double(kept)
  }

  // MARK: - One step

  enum StepOutcome {
    case done(FigureSums, StepPhases)
    /// Asked to stop before all shards were done; nothing has changed.
    case stopped
    /// A number is not finite. With the policy to skip, nothing has changed; with the policy to stop, parameters may be
    /// partly updated, and the engine gives no copy of its state any more.
    case notFinite(NonFinite)
  }

  /// One minibatch: gradients of its shards, their sum in fixed order, the optimizer's update.
  ///
  /// - Parameter firstSample: the running number of the minibatch's first sample over the run; it keys dropout.
  func step(
    _ minibatch: Minibatch, _ moment: UpdateMoment, firstSample: Int, stop: StopRequest
  ) throws -> StepOutcome {
    precondition(!evaluator.isBusy, "a step while an evaluation is under way would change what it judges by")
    let minibatch = ShardedMinibatch(minibatch, shardSize: compiled.shardSize, firstSample: firstSample)
    var phases = StepPhases()
    guard try gradients.collect(minibatch, stop: stop, &phases) else { return .stopped }
    if let shard = gradients.firstShardWithBadLoss(minibatch) {
      return .notFinite(try gradients.locateBadLoss(shard, minibatch, ranks))
    }
    let computed = DispatchTime.now().uptimeNanoseconds
    let outcome = try update.apply(gradients, minibatch, moment, exchanging: &phases.exchange)
    if case .notFinite(let slice, let isPartial) = outcome {
      if isPartial { isSpoiled.store(true, ordering: .relaxed) }
      let segment = compiled.segments[update.slices[slice].segment]
      return .notFinite(try gradients.locateBadGradient(segment, minibatch, compiled.segments, ranks))
    }
    let updated = DispatchTime.now().uptimeNanoseconds
    try gradients.foldStatistics(of: minibatch, into: state.statistics)
    try network.refresh(on: workers.pool)
    let end = DispatchTime.now().uptimeNanoseconds
    phases.update = Double(updated - computed) * 1e-9 - phases.exchange
    phases.kernelWeights = Double(end - updated) * 1e-9
    return .done(gradients.sums(minibatch), phases)
  }

  /// The nanoseconds of every step of a training shard, on the first worker.
  func profile(_ shard: MinibatchShard) throws -> [UInt64] { try gradients.profile(shard) }

  // MARK: - Evaluation

  /// Begins an evaluation by the parameters as they are, or their running average where there is one.
  ///
  /// - Returns: what minibatches are given to; no step is possible until it is let go.
  func evaluation() throws -> EvaluationPass {
    try whole.gatherAverage(state)
    return try evaluator.begin()
  }

  // MARK: - State

  /// A copy of the whole state that training does not touch, on the first rank; nil on the others, which must ask for it, too.
  ///
  /// - Throws: ``TrainingError`` of kind `notFinite` after an update that a bad number cut short; ``CommunicationError``.
  func copyState() throws -> TrainingState? { try whole.copy(of: try sound()) }

  /// Whether every number of the state is finite, on all ranks together.
  ///
  /// - Throws: ``TrainingError`` of kind `notFinite` after an update that a bad number cut short; ``CommunicationError``.
  func isFinite() throws -> Bool { try whole.isFinite(try sound()) }

  /// The hexadecimal SHA-256 of all that training changes, in the plans' layouts; to be taken between steps, by all ranks.
  ///
  /// - Throws: ``TrainingError`` of kind `notFinite` after an update that a bad number cut short; ``CommunicationError``.
  func digest() throws -> String { try whole.digest(of: try sound()) }

  /// All numbers in canonical order, on all ranks.
  ///
  /// - Throws: ``TrainingError`` of kind `notFinite` after an update that a bad number cut short; ``CommunicationError``.
  func canonicalState() throws -> Checkpoint.Values {
    try whole.everywhere(of: try sound()).canonical(slotNames: optimizer.slotNames)
  }

  private func sound() throws(TrainingError) -> TrainingState {
    guard !isSpoiled.load(ordering: .relaxed) else {
      throw TrainingError(
        .notFinite, "the last update met a number that is not finite: its state is not kept")
    }
    update.settle()
    return state
  }
}
