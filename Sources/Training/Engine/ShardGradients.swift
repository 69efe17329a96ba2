internal import Compute
internal import Datasets
internal import Networks
internal import Parallel
internal import Tensors

/// What the shards of a minibatch give: their gradients in the order of a fixed tree, their figures, and the statistics of
/// their batch normalisations.
///
/// Here ranks meet: each collects a part of the shards, and what leaves this type (rows of figures, statistics, rows of large dense
/// layers, words of embeddings with their gradients, and the partial sums of ``reduction``) is all that travels. No other part of a step knows which shards were computed where.
final class ShardGradients: Sendable {
  private let network: LoadedNetwork
  private let workers: WorkerMemory
  /// Hands shards to the workers, or one after another to all of them together.
  private let shardPool: WorkerPool
  /// Computes the parts of a shard; nil where a worker computes a shard alone.
  private let partPool: WorkerPool?
  /// An augmenter for each worker; none where samples are trained on as they are.
  private let augmenters: [Augmenter]
  private let lossWeights: LossWeights
  private let seed: UInt64
  private let ranks: Ranks
  private let figures: ShardFigures
  private let fold: StatisticsFold
  let statistics: ShardStatistics
  let reduction: ShardReduction
  /// Gradients that shards do not take, from rows that they keep; nil where there are none.
  let gathered: GatheredGradients?

  /// - Parameters:
  ///   - minibatches: the sizes of all minibatches that will be trained on.
  ///   - maximumShards: the most shards that a minibatch will have.
  /// - Throws: ``ComputeError`` where a layer has no kernel.
  init(
    _ network: LoadedNetwork, _ configuration: RunConfiguration, workers: WorkerMemory,
    lossWeights: LossWeights, minibatches: Set<Int>, maximumShards: Int, ranks: Ranks
  ) throws(ComputeError) {
    self.ranks = ranks
    let compiled = network.compiled
    let training = configuration.training
    let pool = workers.pool
    self.network = network
    self.workers = workers
    self.lossWeights = lossWeights
    seed = configuration.seed
    (shardPool, partPool) =
      training.parallelism == .intra ? (WorkerPool.confined(workers: 1), pool) : (pool, nil)
    augmenters = (0..<(training.augmentation.steps.isEmpty ? 0 : pool.workerCount)).map { _ in
      Augmenter(
        training.augmentation, sampleShape: compiled.network.inputShape, seed: configuration.seed,
        answers: AnswerForm(compiled.options.criterion, outputs: compiled.metrics.outputs))
    }
    figures = ShardFigures(compiled.metrics, maximumShards: maximumShards)
    statistics = ShardStatistics(
      count: compiled.parameters.statisticsCount, shards: maximumShards, workers: pool.workerCount)
    fold = StatisticsFold(compiled.parameters, keeping: compiled.keepsStatistics(ofLayer:))
    reduction = ShardReduction(
      length: compiled.gradientCount, maximumShards: maximumShards, workers: pool.workerCount,
      collectsParts: !ranks.isAlone)
    // A step's profile takes a full shard for a minibatch of its own.
    gathered = try GatheredGradients(
      compiled, minibatches: minibatches.union([compiled.shardSize]), workers: pool.workerCount)
  }

  /// Computes all shards forward and backward, each rank its own.
  ///
  /// - Parameter phases: gets the time of the own shards, and that of waiting for the other ranks.
  /// - Returns: whether all were done; false when a rank was asked to stop before.
  func collect(
    _ minibatch: ShardedMinibatch, stop: StopRequest, _ phases: inout StepPhases
  ) throws -> Bool {
    let clock = ContinuousClock()
    let start = clock.now
    var isDone = try collectOwn(minibatch, stop: stop)
    // A rank that has no shards is asked nowhere else.
    if ranks.own(minibatch.sharding).isEmpty, stop.isRequested { isDone = false }
    let computed = clock.now
    phases.shards = TrainingClock.seconds(computed - start)
    defer { if !ranks.isAlone { phases.waiting = TrainingClock.seconds(clock.now - computed) } }
    guard try ranks.agree(isDone, stop: stop) else { return false }
    try figures.gather(ranks, shards: ranks.partition(minibatch.sharding.count))
    return true
  }

  /// Brings the rows of the layers together whose gradients are taken over the whole minibatch.
  ///
  /// - Throws: ``CommunicationError`` where ranks cannot exchange them.
  func gatherRows(_ minibatch: ShardedMinibatch) throws(CommunicationError) {
    guard let gathered, !ranks.isAlone else { return }
    let sharding = minibatch.sharding
    let rows = ranks.partition(sharding.count).map { sharding.samples(of: $0) }
    try gathered.gather(rows: rows, over: ranks.communicator)
  }

  private func collectOwn(_ minibatch: ShardedMinibatch, stop: StopRequest) throws -> Bool {
    try reduction.collect(
      shards: minibatch.sharding.count, part: ranks.own(minibatch.sharding), on: shardPool,
      while: { !stop.isRequested }
    ) { [self] shard, worker, gradient in
      let range = minibatch.sharding[shard]
      let result = try network.train(
        source(minibatch, range, worker), in: workers.workspaces[worker], options: options(minibatch, range),
        gradient: gradient, statistics: statistics.memory(ofWorker: worker), on: partPool)
      statistics.keep(shard: shard, fromWorker: worker)
      figures.row(ofShard: shard).update(from: result.sums, count: result.sums.count)
    }
  }

  /// The first of the collected shards whose loss is not finite; nil where all are.
  func firstShardWithBadLoss(_ minibatch: ShardedMinibatch) -> Int? {
    (0..<minibatch.sharding.count).first { !figures.row(ofShard: $0)[0].isFinite }
  }

  /// The figures of the collected minibatch.
  func sums(_ minibatch: ShardedMinibatch) -> FigureSums { figures.sums(of: minibatch.sharding) }

  /// Moves running statistics towards those of the collected minibatch.
  ///
  /// - Throws: ``CommunicationError`` where ranks cannot exchange them.
  func foldStatistics(
    of minibatch: ShardedMinibatch, into running: AlignedBuffer<Float>
  ) throws(CommunicationError) {
    try fold.fold(statistics, minibatch.sharding, into: running, ranks)
  }

  /// The shards that were collected here.
  func ownShards(_ minibatch: ShardedMinibatch) -> Range<Int> { ranks.own(minibatch.sharding) }

  /// Runs a shard again, looking for the first step whose results are not finite; nil where there is none.
  func firstNonFinite(_ minibatch: ShardedMinibatch, _ range: Range<Int>) throws -> StepName? {
    let gradient = AlignedBuffer<Float>(count: reduction.length)
    return try network.locateNonFinite(
      source(minibatch, range, 0), in: workers.workspaces[0], options: options(minibatch, range),
      gradient: gradient.baseAddress, statistics: statistics.memory(ofWorker: 0))
  }

  /// The nanoseconds of every step of a shard, on the first worker.
  func profile(_ shard: MinibatchShard) throws -> [UInt64] {
    let gradient = AlignedBuffer<Float>(count: reduction.length)
    return try network.profile(
      shard, in: workers.workspaces[0],
      options: ShardOptions(
        scale: 1 / Float(shard.sampleCount), seed: seed, gathered: gathered?.rows(from: 0)),
      gradient: gradient.baseAddress, statistics: statistics.memory(ofWorker: 0))
  }

  /// The samples of a shard as training sees them.
  private func source(
    _ minibatch: ShardedMinibatch, _ range: Range<Int>, _ worker: Int
  ) -> any ShardSource {
    let shard = MinibatchShard(
      minibatch: minibatch.minibatch, range: range, classWeights: lossWeights.ofClasses)
    return augmenters.isEmpty ? shard : AugmentedShard(shard: shard, augmenter: augmenters[worker])
  }

  private func options(_ minibatch: ShardedMinibatch, _ range: Range<Int>) -> ShardOptions {
    ShardOptions(
      scale: 1 / Float(minibatch.sharding.sampleCount), outputWeights: lossWeights.ofOutputs, seed: seed,
      firstSample: UInt64(minibatch.firstSample + range.lowerBound),
      gathered: gathered?.rows(from: range.lowerBound))
  }
}
