/// What a step of a training costs on one or several nodes: the work by measured times, and what ranks tell each other by a model of the
/// network.
///
/// All ranks take each part of a step together, so that the slowest one counts in each. Nothing is overlapped with anything.
/// The model chooses how shards are dealt to ranks (``partition(workers:)``), and it predicts steps on nodes that are not there.
public struct StepCostModel: Hashable, Sendable {
  /// How partial sums come to those who add them up.
  public enum Exchange: String, CaseIterable, Hashable, Sendable {
    /// Each rank sends every other one what it knows of the other's slice: one round, as many messages as there are others.
    case direct
    /// Halves, quarters and so on are exchanged with ranks at distances 1, 2, 4 and so on, and added on the way where the tree allows:
    /// as many rounds as the logarithm of the ranks. (Rabenseifner's reduce-scatter, in the tree's order.)
    case halving
  }

  /// What there is to do in a step, and how fast nodes do it.
  public struct Work: Hashable, Sendable, Codable {
    /// Seconds that a worker takes for a shard, forward and backward.
    public var secondsPerShard: Double
    /// Bytes of a shard's gradient.
    public var gradientBytes: Double
    /// The most gradients that wait until they are added up; further ones are added while shards are computed.
    public var waitingGradients: Int
    /// Bytes of the parameters, which every rank keeps.
    public var parameterBytes: Double
    /// How many values the optimizer keeps for each parameter, on its owner's node alone.
    public var slots: Int
    /// Bytes that a shard keeps for gradients that are taken over the whole minibatch, and that all ranks get.
    public var rowBytesPerShard: Double
    /// Bytes of batch normalisations' statistics of a shard.
    public var statisticsBytes: Double
    /// Bytes per second that a node reads and writes in the sum of gradients and the optimizer.
    public var memoryBytesPerSecond: Double
    /// Seconds of what every rank does whatever its share: copies of parameters for kernels, asking for samples.
    public var secondsPerStep: Double
    /// How often in a step ranks tell each other a few numbers.
    public var agreements: Int
    /// Bytes of a rank's part of a gradient that are sent at once; longer parts are sent in as many pieces.
    public var bucketBytes: Double

    /// Takes all of it.
    public init(
      secondsPerShard: Double, gradientBytes: Double, waitingGradients: Int = .max, parameterBytes: Double,
      slots: Int, rowBytesPerShard: Double = 0, statisticsBytes: Double = 0, memoryBytesPerSecond: Double,
      secondsPerStep: Double = 0, agreements: Int = 3, bucketBytes: Double = 512 * 1024
    ) {
      self.secondsPerShard = secondsPerShard
      self.gradientBytes = gradientBytes
      self.waitingGradients = waitingGradients
      self.parameterBytes = parameterBytes
      self.slots = slots
      self.rowBytesPerShard = rowBytesPerShard
      self.statisticsBytes = statisticsBytes
      self.memoryBytesPerSecond = memoryBytesPerSecond
      self.secondsPerStep = secondsPerStep
      self.agreements = agreements
      self.bucketBytes = bucketBytes
    }
  }

  /// The work of a step.
  public var work: Work
  /// The network between the nodes.
  public var interconnect: Interconnect
  /// How partial sums travel.
  public var exchange: Exchange

  /// Takes what there is to do, on what network, and how partial sums travel.
  public init(_ work: Work, _ interconnect: Interconnect, exchange: Exchange = .direct) {
    self.work = work
    self.interconnect = interconnect
    self.exchange = exchange
  }

  // MARK: - A step

  /// What a step takes, in seconds, part by part; and what a rank sends in it.
  public struct Step: Hashable, Sendable {
    /// All shards forward and backward, on the rank that takes the longest.
    public var shards = 0.0
    /// Packing and adding partial sums, and the optimizer.
    public var update = 0.0
    /// Partial sums, rows and statistics on their way, as far as their bytes decide.
    public var exchangeBytes = 0.0
    /// Parameters on their way, as far as their bytes decide.
    public var gatherBytes = 0.0
    /// Latencies and messages, of whatever kind.
    public var messages = 0.0
    /// What every rank does whatever its share.
    public var fixed = 0.0
    /// The bytes that the rank sends which sends the most.
    public var bytesSent = 0.0
    /// The bytes of buffers that a rank needs for the exchange, on the rank that needs the most.
    public var bufferBytes = 0.0

    /// Seconds of the whole step.
    public var seconds: Double { shards + update + communication + fixed }
    /// Seconds in which ranks tell each other something.
    public var communication: Double { exchangeBytes + gatherBytes + messages }
  }

  /// Predicts a step.
  ///
  /// - Parameters:
  ///   - ranges: the shards of each rank, by rank, together all shards of the minibatch.
  ///   - workers: the workers of each rank, by rank.
  public func step(_ ranges: [Range<Int>], workers: [Int]) -> Step {
    precondition(
      ranges.count == workers.count, "\(ranges.count) ranks have shards, and \(workers.count) have workers")
    var step = Step()
    let count = ranges.last?.upperBound ?? 0
    let waves = zip(ranges, workers).map { ($0.count + $1 - 1) / $1 }.max() ?? 0
    step.shards = Double(waves) * work.secondsPerShard
    step.fixed = work.secondsPerStep
    guard count > 0 else { return step }
    let tree = SumTree(count: count)
    let nodes = ranges.map { tree.nodeCount(in: $0) }
    step.update = updateBytes(ranges, nodes) / work.memoryBytesPerSecond
    guard ranges.count > 1 else { return step }
    switch exchange {
    case .direct: addDirect(ranges, nodes, to: &step)
    case .halving: addHalving(ranges, tree, to: &step)
    }
    return step
  }

  /// Bytes that the sum and the optimizer read and write on the rank with the most to do.
  private func updateBytes(_ ranges: [Range<Int>], _ nodes: [Int]) -> Double {
    let size = Double(ranges.count)
    let all = nodes.reduce(0, +)
    let own = zip(ranges, nodes).map { range, nodes in
      // What waits is read once; then partial sums are written for others, and those of others are read.
      Double(min(range.count, max(work.waitingGradients, nodes)))
        + Double(nodes) * (size - 1) / size + Double(all - nodes) / size
    }
    return (own.max() ?? 0) * work.gradientBytes
      + 2 * Double(1 + work.slots) * work.parameterBytes / size
  }

  private func addDirect(_ ranges: [Range<Int>], _ nodes: [Int], to step: inout Step) {
    let size = ranges.count
    let share = Double(size - 1) / Double(size)
    let (most, all) = (Double(nodes.max() ?? 0), Double(nodes.reduce(0, +)))
    // Whoever has the fewest nodes gets the most of the others, but never more than who has the most sends.
    let sums = work.gradientBytes * most * share
    let largest = Double(ranges.map(\.count).max() ?? 0)
    let rows = work.rowBytesPerShard * largest * Double(size - 1)
    let statistics = work.statisticsBytes * (largest * share + share)
    let parameters = work.parameterBytes * share
    step.bytesSent = sums + rows + statistics + parameters
    step.exchangeBytes = (sums + rows + statistics) / interconnect.bytesPerSecond
    step.gatherBytes = parameters / interconnect.bytesPerSecond
    let rounds =
      1 + work.agreements + (work.rowBytesPerShard > 0 ? 1 : 0) + (work.statisticsBytes > 0 ? 2 : 0)
    // Buckets follow each other without waiting.
    let buckets = max(Int((work.gradientBytes / Double(size) / work.bucketBytes).rounded(.up)), 1)
    step.messages =
      Double(rounds) * interconnect.seconds(messages: size - 1, bytes: 0)
      + interconnect.seconds(messages: buckets * (size - 1), bytes: 0)
    // Two buckets are in memory at a time, what is sent and what comes.
    let received = (all - Double(nodes.min() ?? 0)) / Double(size) * work.gradientBytes
    step.bufferBytes =
      (sums + received) * Double(min(buckets, 2)) / Double(buckets)
      + work.rowBytesPerShard * Double(ranges.last?.upperBound ?? 0)
  }

  private func addHalving(_ ranges: [Range<Int>], _ tree: SumTree, to step: inout Step) {
    let size = ranges.count
    let share = Double(size - 1) / Double(size)
    var groups = ranges
    var (bytes, rounds, memory) = (0.0, 0, 0.0)
    // Where ranks are no power of two, some first give all that they have to their neighbours, and get all parameters in the end.
    let power = 1 << (Int.bitWidth - 1 - size.leadingZeroBitCount)
    var extra = 0.0
    if power < size {
      let given = (0..<size - power).map { tree.nodeCount(in: ranges[2 * $0 + 1]) }.max() ?? 0
      bytes += Double(given) * work.gradientBytes
      memory += 2 * Double(given) * work.gradientBytes
      extra = work.parameterBytes
      rounds += 2
      groups =
        (0..<size - power).map { ranges[2 * $0].lowerBound..<ranges[2 * $0 + 1].upperBound }
        + ranges[(2 * (size - power))...]
    }
    var part = work.gradientBytes
    while groups.count > 1 {
      let nodes = groups.map { tree.nodeCount(in: $0) }.max() ?? 0
      part /= 2
      bytes += Double(nodes) * part
      memory += 3 * Double(nodes) * part
      rounds += 1
      groups = stride(from: 0, to: groups.count, by: 2).map {
        groups[$0].lowerBound..<groups[$0 + 1].upperBound
      }
    }
    let largest = Double(ranges.map(\.count).max() ?? 0)
    let rows = work.rowBytesPerShard * largest * Double(size - 1)
    let statistics = work.statisticsBytes * (largest * share + share)
    let parameters = work.parameterBytes * share + extra
    let steps = rounds - (power < size ? 2 : 0)
    step.bytesSent = bytes + rows + statistics + parameters
    step.exchangeBytes = (bytes + rows + statistics) / interconnect.bytesPerSecond
    step.gatherBytes = parameters / interconnect.bytesPerSecond
    step.update += memory / work.memoryBytesPerSecond
    // Whatever else is told goes round by doubling, in as many rounds.
    let others =
      1 + work.agreements + (work.rowBytesPerShard > 0 ? 1 : 0) + (work.statisticsBytes > 0 ? 2 : 0)
    step.messages =
      Double(rounds + others * (steps + (power < size ? 1 : 0))) * interconnect.seconds(messages: 1, bytes: 0)
    step.bufferBytes = 2 * bytes + work.rowBytesPerShard * Double(ranges.last?.upperBound ?? 0)
  }

  // MARK: - Who takes which shards

  /// What telling one partial sum more costs a step, in times of a shard on one worker.
  ///
  /// - Parameter ranks: how many there are.
  public func nodeCost(ranks: Int) -> Double {
    guard ranks > 1, work.secondsPerShard > 0 else { return 0 }
    let bytes = work.gradientBytes * Double(ranks - 1) / Double(ranks)
    // A partial sum more is written by one and read by others.
    let seconds = bytes / interconnect.bytesPerSecond + 2 * bytes / work.memoryBytesPerSecond
    return seconds / work.secondsPerShard
  }

  /// How shards are dealt to ranks.
  ///
  /// - Parameter workers: the workers of each rank, by rank.
  public func partition(workers: [Int]) -> ShardPartition {
    ShardPartition(workers: workers, nodeCost: nodeCost(ranks: workers.count))
  }
}
