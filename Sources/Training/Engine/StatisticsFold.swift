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

  func fold(_ shards: ShardStatistics, _ sharding: Sharding, into running: AlignedBuffer<Float>) {
    let total = Double(sharding.sampleCount)
    for (range, keptShare) in moving {
      let kept = Double(keptShare)
      for index in range {
        var mean = 0.0
        for shard in 0..<sharding.count {
          mean += Double(shards.value(index, ofShard: shard)) * Double(sharding[shard].count) / total
        }
        running[index] = Float(kept * Double(running[index]) + (1 - kept) * mean)
      }
    }
  }
}
