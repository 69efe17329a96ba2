public import Parallel

/// Predicts a training's steps on any number of equal nodes, from what was measured on one machine and a model of the network.
///
/// Nothing here is measured. A node's workers compute shards as fast as those of the measured machine, however many there are, and its
/// memory is as fast as that of the measured workers, times the workers up to eight.
public struct ScaleOutPlan: Sendable {
  /// What was measured.
  public let figures: TrainingFigures
  /// The network between the nodes.
  public let interconnect: Interconnect
  /// The workers of each node.
  public let nodeWorkers: Int

  /// Takes what was measured, the network, and the workers of a node.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration` where workers share shards and a node has others than were measured.
  public init(_ figures: TrainingFigures, on interconnect: Interconnect, nodeWorkers: Int? = nil) throws {
    let nodeWorkers = nodeWorkers ?? figures.workers
    guard !figures.sharesShards || nodeWorkers == figures.workers else {
      throw TrainingError(
        .configuration,
        "with training.parallelism: intra a shard's time was measured for \(figures.workers) workers together, and for "
          + "\(nodeWorkers) it is unknown; measure with --workers \(nodeWorkers)")
    }
    self.figures = figures
    self.interconnect = interconnect
    self.nodeWorkers = nodeWorkers
  }

  /// What stays the same where there are more nodes.
  public enum Scaling: Hashable, Sendable {
    /// The samples of a step.
    case strong(minibatch: Int)
    /// The samples of a step for each node.
    case weak(perNode: Int)

    func minibatch(nodes: Int) -> Int {
      switch self {
      case .strong(let minibatch): minibatch
      case .weak(let perNode): perNode * nodes
      }
    }
  }

  /// What costs the most of all that keeps nodes from being as many times as fast.
  public enum Limit: String, Sendable {
    /// Nothing worth a word.
    case nothing = "–"
    /// There are too few shards for all workers, or they cannot be dealt evenly.
    case shards
    /// The bytes that travel.
    case bytes
    /// How many messages travel.
    case messages
    /// What every rank does whatever its share.
    case repeatedWork = "repeated work"
  }

  /// A step on some nodes.
  public struct Row: Sendable {
    /// How many nodes there are, each with one rank.
    public let nodes: Int
    /// Samples of a step.
    public let minibatch: Int
    /// Shards of a step.
    public let shards: Int
    /// The step, part by part.
    public let step: StepCostModel.Step
    /// Images per second, over steps without evaluations and checkpoints.
    public let imagesPerSecond: Double
    /// Images per second, as a share of those of one node times the nodes.
    public let efficiency: Double
    /// Bytes of memory of a rank, without samples.
    public let memoryBytes: Double
    /// What keeps nodes from being as many times as fast.
    public let limit: Limit
  }

  /// Steps on some numbers of nodes.
  ///
  /// - Parameters:
  ///   - scaling: what stays the same.
  ///   - nodes: how many there are, 1 or more each.
  ///   - exchange: how partial sums travel.
  public func rows(
    _ scaling: Scaling, nodes: [Int], exchange: StepCostModel.Exchange = .direct
  ) -> [Row] {
    let alone = step(scaling, nodes: 1, exchange)
    return nodes.map { count in
      let (step, shards) = step(scaling, nodes: count, exchange)
      let minibatch = scaling.minibatch(nodes: count)
      let rate = Double(minibatch) / step.seconds
      let rateAlone = Double(scaling.minibatch(nodes: 1)) / alone.step.seconds
      let efficiency = rate / (rateAlone * Double(count))
      return Row(
        nodes: count, minibatch: minibatch, shards: shards, step: step, imagesPerSecond: rate,
        efficiency: efficiency, memoryBytes: memory(nodes: count, shards: shards, step),
        limit: efficiency > 0.97 ? .nothing : limit(scaling, count, step, alone.step))
    }
  }

  /// The model of nodes like these.
  func model(_ exchange: StepCostModel.Exchange) -> StepCostModel {
    var work = figures.work
    let faster = memorySpeed(nodeWorkers) / memorySpeed(figures.workers)
    work.memoryBytesPerSecond *= faster
    work.secondsPerStep += figures.copySeconds / faster - figures.copySeconds
    return StepCostModel(work, interconnect, exchange: exchange)
  }

  /// The memory's speed with some workers, in that of one; a few keep all channels of a processor busy.
  private func memorySpeed(_ workers: Int) -> Double { Double(min(workers, 8)) }

  private func step(
    _ scaling: Scaling, nodes: Int, _ exchange: StepCostModel.Exchange
  ) -> (step: StepCostModel.Step, shards: Int) {
    let model = model(exchange)
    let count = Sharding(sampleCount: scaling.minibatch(nodes: nodes), shardSize: figures.shardSize).count
    // Where workers share shards, a node takes one after another.
    let workers = Array(repeating: figures.sharesShards ? 1 : nodeWorkers, count: nodes)
    return (model.step(model.partition(workers: workers).ranges(of: count), workers: workers), count)
  }

  private func limit(
    _ scaling: Scaling, _ nodes: Int, _ step: StepCostModel.Step, _ alone: StepCostModel.Step
  ) -> Limit {
    let share: Double
    switch scaling {
    case .strong: share = 1 / Double(nodes)
    case .weak: share = 1
    }
    let losses: [(Limit, Double)] = [
      (.shards, step.shards - alone.shards * share),
      (.bytes, step.exchangeBytes + step.gatherBytes),
      (.messages, step.messages),
      (.repeatedWork, step.update + step.fixed - (alone.update + alone.fixed) * share),
    ]
    return losses.max { $0.1 < $1.1 }?.0 ?? .nothing
  }

  /// Bytes of a rank: its workers' memory, gradients that wait, parameters, its part of the optimizer's state, and what travels.
  private func memory(nodes: Int, shards: Int, _ step: StepCostModel.Step) -> Double {
    let work = figures.work
    let float = MemoryLayout<Float>.stride
    let buffers = ShardReduction.bufferCount(
      length: Int(work.gradientBytes) / float, maximumShards: max(shards, 1), workers: nodeWorkers,
      collectsParts: nodes > 1)
    let rows = nodes == 1 ? work.rowBytesPerShard * Double(shards) : 0
    return Double(nodeWorkers) * figures.workspaceBytes + Double(buffers) * work.gradientBytes
      + Double(figures.wholeBuffers) * work.parameterBytes
      + Double(work.slots) * work.parameterBytes / Double(nodes) + work.statisticsBytes + rows
      + step.bufferBytes
  }
}
