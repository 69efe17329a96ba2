internal import Compute
internal import Datasets
internal import Networks
internal import Parallel
internal import Synchronization
internal import Tensors

/// One evaluation: whoever holds it judges minibatches by the parameters as they were when it began, or by their average.
///
/// It borrows the workers' memory and gives it back when it is let go. Until then the engine takes no step, so that the
/// parameters cannot change in between.
struct EvaluationPass: ~Copyable {
  private let evaluator: Evaluator

  fileprivate init(_ evaluator: Evaluator) { self.evaluator = evaluator }

  deinit { evaluator.end() }

  /// The figures of a minibatch with the running statistics, without smoothing and weights of classes.
  ///
  /// - Returns: nil when asked to stop.
  /// - Throws: ``ComputeError`` for a class that the outputs do not have, or a failing kernel.
  func figures(of minibatch: Minibatch, stop: StopRequest) throws -> FigureSums? {
    try evaluator.figures(of: minibatch, stop: stop)
  }
}

/// What an engine evaluates with; only an ``EvaluationPass`` uses it.
final class Evaluator: Sendable {
  /// The network that judges: with the parameters, or their average where one is kept.
  private let network: LoadedNetwork
  /// Whether ``network`` has copies of its own, which steps do not keep up to date.
  private let followsAverage: Bool
  private let workers: WorkerMemory
  private let shardSize: Int
  /// Whether all workers compute one sample together, as no minibatch has more.
  private let sharesSamples: Bool
  private let figures: ShardFigures
  /// The logits of a shard, a buffer for each worker.
  private let logits: [AlignedBuffer<Float>]
  private let ranks: Ranks
  private let isLent = Atomic<Bool>(false)

  /// - Parameters:
  ///   - network: the training's.
  ///   - average: the running average of its parameters; nil where none is kept.
  ///   - maximumShards: the most shards that a minibatch will have.
  ///   - sharesSamples: whether each minibatch has one sample, and the network was loaded for sharing it.
  /// - Throws: ``ComputeError`` where the kernel library fails.
  init(
    _ network: LoadedNetwork, average: AlignedBuffer<Float>?, workers: WorkerMemory, maximumShards: Int,
    sharesSamples: Bool, ranks: Ranks
  ) throws(ComputeError) {
    self.ranks = ranks
    self.sharesSamples = sharesSamples
    if let average {
      self.network = try LoadedNetwork(sharing: network, parameters: average)
    } else {
      self.network = network
    }
    followsAverage = average != nil
    self.workers = workers
    let compiled = network.compiled
    shardSize = compiled.shardSize
    var criterion = compiled.options.criterion
    criterion.loss = criterion.loss.withoutSmoothing
    figures = ShardFigures(
      FigureLayout(criterion, outputs: compiled.metrics.outputs), maximumShards: maximumShards)
    let classes = compiled.network.outputShape.elementCount
    logits = (0..<workers.pool.workerCount).map { _ in AlignedBuffer(count: compiled.shardSize * classes) }
  }

  /// Whether an evaluation is under way.
  var isBusy: Bool { isLent.load(ordering: .acquiring) }

  /// Begins an evaluation; one at a time.
  func begin() throws(ComputeError) -> EvaluationPass {
    let wasLent = isLent.exchange(true, ordering: .acquiringAndReleasing)
    precondition(!wasLent, "an evaluation began before the one before was let go")
    let pass = EvaluationPass(self)
    if followsAverage { try network.refresh() }
    return pass
  }

  fileprivate func end() { isLent.store(false, ordering: .releasing) }

  fileprivate func figures(of minibatch: Minibatch, stop: StopRequest) throws -> FigureSums? {
    let sharding = Sharding(sampleCount: minibatch.count, shardSize: shardSize)
    let own = ranks.own(sharding)
    let (pool, team) = sharesSamples ? (WorkerPool(workers: 1), workers.pool) : (workers.pool, nil)
    let done = try pool.forEach(in: own, while: { _ in !stop.isRequested }) {
      [self] shard, worker in
      let samples = MinibatchShard(minibatch: minibatch, range: sharding[shard])
      let rows = logits[worker].baseAddress
      try network.infer(samples, in: workers.workspaces[worker], logits: rows, sharedBy: team)
      let sums = figures.row(ofShard: shard)
      sums.update(repeating: 0, count: figures.layout.count)
      try figures.layout.add(rows, of: samples, to: sums)
    }
    guard try ranks.agree(done == own.upperBound, stop: stop) else { return nil }
    try figures.gather(ranks, shards: ranks.partition(sharding.count))
    return figures.sums(of: sharding)
  }
}
