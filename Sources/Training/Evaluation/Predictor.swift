public import Compute
public import Datasets
public import Networks
internal import Parallel
internal import Tensors

/// A network with its values, ready to predict: plans for the forward pass and memory for each worker.
///
/// Shards run on all workers; results depend on neither their number nor the order in which they finish. One call at a
/// time: workspaces are shared by the calls.
public final class Predictor: Sendable {
  /// The network that predicts.
  public let network: ResolvedNetwork
  /// What the network was trained by, which says what its outputs mean.
  public let criterion: Criterion
  /// How many outputs the network has.
  public var outputCount: Int { network.outputShape.elementCount }

  /// The ranks that predict together; each computes its shards and gets the outputs of all.
  let ranks: Ranks
  private let loaded: LoadedNetwork
  private let pool: WorkerPool
  private let workspaces: [Workspace]
  /// Whether all workers compute one sample together, as there is no other.
  private let sharesSample: Bool

  /// Compiles a network for inference, with its values.
  ///
  /// - Parameters:
  ///   - criterion: nil for softmax cross-entropy of classes.
  ///   - sampleCount: how many samples will be predicted, in minibatches of ``batch`` or in one call; plans are compiled for the
  ///     sizes of their shards.
  ///   - workers: 1 or more.
  ///   - ranks: those that predict together, each with a predictor of its own; all must ask for the same.
  /// - Throws: ``ComputeError`` where a layer has no kernel; ``TrainingError`` of kind `configuration` where the work does not fit into the
  ///   free memory.
  public init(
    _ network: ResolvedNetwork, values: CanonicalParameters, criterion: Criterion? = nil, sampleCount: Int,
    workers: Int, ranks: Ranks = Ranks()
  ) throws {
    self.ranks = ranks
    self.network = network
    self.criterion = criterion ?? .classification
    sharesSample = sampleCount == 1
    // From the samples alone: a shard that followed the number of workers could change the last bits.
    let shard = sampleCount < Self.batch ? max(1, min(16, sampleCount / Self.leastShards)) : nil
    let compiled = try CompiledNetwork(
      network,
      options: CompileOptions(
        batch: Self.batch, shard: shard, training: false, criterion: self.criterion))
    try MemoryDemand.check(
      try MemoryDemand.inference(compiled, workers: workers, sharesSample: sharesSample), of: "inference",
      workers: workers)
    // Samples may come in minibatches or all at once.
    let minibatches = RunData.minibatchSizes(samples: sampleCount, batch: Self.batch).union([sampleCount])
    let parameters = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(values.trainable.baseAddress, into: parameters.baseAddress)
    let statistics = AlignedBuffer<Float>(count: values.statistics.count)
    statistics.copy(from: values.statistics)
    let loaded = try LoadedNetwork(
      compiled, parameters: parameters, statistics: statistics,
      inferenceShards: Sharding.sizes(ofMinibatches: minibatches, shardSize: compiled.shardSize),
      sharesSamples: sharesSample)
    self.loaded = loaded
    pool = WorkerPool(workers: workers)
    workspaces = try (0..<(sharesSample ? 1 : workers)).map { _ in try loaded.makeWorkspace() }
  }

  /// The least shards of a few samples, so that each of some workers has one.
  private static let leastShards = 8

  /// The samples whose pixels this rank reads of minibatches of ``batch``; nil for all.
  var wantedPlaces: WantedPlaces? {
    ranks.wantedPlaces(batch: Self.batch, shardSize: loaded.compiled.shardSize)
  }

  /// Samples in memory at once; small enough that a wish to stop is heard soon.
  public static let batch = 512

  /// Outputs of a minibatch, [samples, outputs] row by row, without an activation that the loss does itself; nil when asked to
  /// stop.
  ///
  /// - Parameters:
  ///   - flips: views of each sample whose outputs are averaged; there must be no ``problem(of:answer:)`` with them.
  ///   - answer: whether outputs lie on the sample and are mirrored with it; nil where that follows from their form.
  public func logits(
    _ minibatch: Minibatch, stop: StopRequest, flips: TestTimeFlips = .none, answer: AnswerPlace? = nil
  ) throws -> [Float]? {
    let views = flips.views
    guard var sum = try logits(minibatch, views[0], stop) else { return nil }
    for view in views.dropFirst() {
      guard var more = try logits(minibatch, view, stop) else { return nil }
      let steps = view.augmentation(answer).steps
      if steps.contains(where: { $0.movesAnswers(answers, on: network.inputShape) }) {
        answers.mirror(
          &more, on: network.inputShape, horizontally: view.horizontally, vertically: view.vertically,
          transposed: view.transposed)
      }
      for index in sum.indices { sum[index] += more[index] }
    }
    // Of one, two, four or eight views: exact but for the additions.
    return views.count == 1 ? sum : sum.map { $0 / Float(views.count) }
  }

  /// Logits of samples given as bytes one after another, each `[H, W, C]`; nil when asked to stop.
  ///
  /// - Parameters:
  ///   - pixels: a whole number of samples of the network's input.
  ///   - flips, answer: as in ``logits(_:stop:flips:answer:)``.
  public func logits(
    pixels: [UInt8], stop: StopRequest, flips: TestTimeFlips = .none, answer: AnswerPlace? = nil
  ) throws -> [Float]? {
    try logits(
      Minibatch(pixels: pixels, sampleShape: network.inputShape), stop: stop, flips: flips, answer: answer)
  }

  /// What the network's outputs are to steps that move samples.
  private var answers: AnswerForm { AnswerForm(criterion, outputs: outputCount) }

  /// Why samples cannot be mirrored, or their outputs not averaged, in one line; nil where they can.
  public func problem(of flips: TestTimeFlips, answer: AnswerPlace?) -> String? {
    for step in flips.views.flatMap({ $0.augmentation(answer).steps }) {
      if let problem = Augmentation.problem(
        of: step, for: network.inputShape, answers: answers, key: "--answer ")
      {
        return problem
      }
    }
    return nil
  }

  private func logits(_ minibatch: Minibatch, _ view: TestTimeFlips.View, _ stop: StopRequest)
    throws -> [Float]?
  {
    let view = view.augmentation(.nowhere)
    let sharding = Sharding(sampleCount: minibatch.count, shardSize: loaded.compiled.shardSize)
    let rows = AlignedBuffer<Float>(count: sharding.sampleCount * outputCount)
    let augmenters = workspaces.map { _ in
      view.steps.isEmpty ? nil : Augmenter(view, sampleShape: network.inputShape, seed: 0)
    }
    let own = ranks.own(sharding)
    let (shards, team) = sharesSample ? (WorkerPool(workers: 1), pool) : (pool, nil)
    let done = try shards.forEach(in: own, while: { _ in !stop.isRequested }) {
      [self] shard, worker in
      let range = sharding[shard]
      let samples = MinibatchShard(minibatch: minibatch, range: range)
      let source: any ShardSource =
        if let augmenter = augmenters[worker] {
          AugmentedShard(shard: samples, augmenter: augmenter)
        } else {
          samples
        }
      try loaded.infer(
        source, in: workspaces[worker], logits: rows.baseAddress + range.lowerBound * outputCount,
        sharedBy: team)
    }
    guard try ranks.agree(done == own.upperBound, stop: stop) else { return nil }
    let width = outputCount * MemoryLayout<Float>.stride
    let parts = ranks.partition(sharding.count).map { sharding.samples(of: $0) }
    try ranks.communicator.gather(
      rows.baseAddress, parts: parts.map { $0.lowerBound * width..<$0.upperBound * width })
    return Array(rows.elements)
  }
}
