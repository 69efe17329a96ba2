internal import Compute
internal import Parallel
internal import Tensors

/// The sums of each shard of a minibatch, a row each, until all are there and are added in the order of the tree.
struct ShardFigures: Sendable {
  let layout: FigureLayout
  private let rows: AlignedBuffer<Double>

  init(_ layout: FigureLayout, maximumShards: Int) {
    self.layout = layout
    rows = AlignedBuffer(count: maximumShards * layout.count)
  }

  /// The sums of a shard, as many as the layout has; only the worker that computes the shard writes them.
  func row(ofShard shard: Int) -> UnsafeMutablePointer<Double> { rows.baseAddress + shard * layout.count }

  /// Brings the rows of all ranks together on each.
  ///
  /// - Parameter parts: the shards of each rank, by rank.
  func gather(_ ranks: Ranks, shards parts: [Range<Int>]) throws(CommunicationError) {
    if ranks.isAlone { return }
    let stride = layout.count * MemoryLayout<Double>.stride
    try ranks.communicator.gather(
      rows.baseAddress, parts: parts.map { $0.lowerBound * stride..<$0.upperBound * stride })
  }

  /// The sums of a minibatch whose shards are all there.
  func sums(of sharding: Sharding) -> FigureSums {
    FigureSums(
      layout, shards: Array(rows.elements[..<(sharding.count * layout.count)]), samples: sharding.sampleCount)
  }
}
