internal import Networks
internal import Parallel
internal import Tensors

/// Means and variances that shards measured in batch normalisation, kept until their minibatch is done.
final class ShardStatistics: Sendable {
  private let count: Int
  private let workers: [AlignedBuffer<Float>]
  private let shards: AlignedBuffer<Float>

  init(count: Int, shards: Int, workers: Int) {
    self.count = count
    // Plans bind the addresses they write to, so each worker writes to one place and the result is copied from there.
    self.workers = (0..<workers).map { _ in AlignedBuffer(count: count) }
    self.shards = AlignedBuffer(count: count * shards)
  }

  func memory(ofWorker worker: Int) -> UnsafeMutablePointer<Float> { workers[worker].baseAddress }

  func keep(shard: Int, fromWorker worker: Int) {
    (shards.baseAddress + shard * count).update(from: workers[worker].baseAddress, count: count)
  }

  func value(_ index: Int, ofShard shard: Int) -> Float { shards.baseAddress[shard * count + index] }

  /// The numbers of each rank's statistics, by rank: whose it is to fold them.
  func columns(_ ranks: Ranks) -> [Range<Int>] {
    let size = ranks.communicator.size
    return (0..<size).map { $0 * count / size..<($0 + 1) * count / size }
  }

  /// Brings the statistics that ranks measured to those that fold them.
  ///
  /// - Parameter shards: the shards of each rank, by rank.
  func exchange(_ ranks: Ranks, shards parts: [Range<Int>]) throws(CommunicationError) {
    guard count > 0, !ranks.isAlone else { return }
    let (columns, own) = (columns(ranks), ranks.rank)
    let outgoing = columns.map { columns in
      AlignedBuffer(
        parts[own].flatMap { shard in columns.map { shards.baseAddress[shard * count + $0] } })
    }
    let incoming = parts.map { AlignedBuffer<Float>(count: $0.count * columns[own].count) }
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    try ranks.communicator.exchange(
      outgoing.enumerated().map { $0 == own ? none : UnsafeRawBufferPointer($1.elements) },
      incoming.enumerated().map {
        UnsafeMutableRawBufferPointer($0 == own ? .init(start: nil, count: 0) : $1.elements)
      })
    for rank in parts.indices where rank != own {
      var next = incoming[rank].baseAddress
      for shard in parts[rank] {
        let row = shards.baseAddress + shard * count + columns[own].lowerBound
        row.update(from: next, count: columns[own].count)
        next += columns[own].count
      }
    }
    withExtendedLifetime((outgoing, incoming)) {}
  }
}

/// Moves the running statistics of batch normalisation towards those of a minibatch.
///
///     r ← k·r + (1 − k)·Σₛ (nₛ / N)·xₛ        over the minibatch's shards s in their order
///
/// with k the kept share (Keras's `momentum`), xₛ a shard's mean or biased variance and nₛ its samples. The mean of the
/// shards' variances is what training normalised by; the spread of their means is left out.
///
/// Statistics that are frozen stay as they are.
struct StatisticsFold: Sendable {
  private let moving: [(range: Range<Int>, keptShare: Float)]

  /// - Parameter keeps: whether the statistics of a layer stay as they are.
  init(_ layout: ParameterLayout, keeping keeps: (_ layer: String) -> Bool = { _ in false }) {
    moving = layout.parameters.compactMap { parameter in
      guard case .statistic(let keptShare) = parameter.spec.role, !keeps(parameter.layer) else { return nil }
      return (parameter.range, keptShare)
    }
  }

  /// Folds the statistics of a minibatch's shards, each rank its own share of them.
  ///
  /// - Throws: ``CommunicationError`` where ranks cannot exchange them.
  func fold(
    _ shards: ShardStatistics, _ sharding: Sharding, into running: AlignedBuffer<Float>, _ ranks: Ranks
  ) throws(CommunicationError) {
    guard !moving.isEmpty else { return }
    try shards.exchange(ranks, shards: ranks.partition(sharding.count))
    let columns = shards.columns(ranks)
    fold(shards, sharding, columns[ranks.rank], into: running)
    let stride = MemoryLayout<Float>.stride
    try ranks.communicator.gather(
      running.baseAddress, parts: columns.map { $0.lowerBound * stride..<$0.upperBound * stride })
  }

  private func fold(
    _ shards: ShardStatistics, _ sharding: Sharding, _ columns: Range<Int>, into running: AlignedBuffer<Float>
  ) {
    let total = Double(sharding.sampleCount)
    for (range, keptShare) in moving {
      let kept = Double(keptShare)
      for index in range.clamped(to: columns) {
        var mean = 0.0
        for shard in 0..<sharding.count {
          mean += Double(shards.value(index, ofShard: shard)) * Double(sharding[shard].count) / total
        }
        running[index] = Float(kept * Double(running[index]) + (1 - kept) * mean)
      }
    }
  }
}
