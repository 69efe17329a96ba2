/// How a minibatch is cut into shards: slices of a fixed size, the last one possibly shorter.
///
/// The size is part of a run's numerics (sums are grouped by it); the number of workers is not.
public struct Sharding: Hashable, Sendable {
  /// Samples of the minibatch.
  public let sampleCount: Int
  /// Samples of a full shard.
  public let shardSize: Int

  /// Cuts a minibatch into shards.
  ///
  /// - Parameters:
  ///   - sampleCount: samples of the minibatch, 0 or more.
  ///   - shardSize: samples of a full shard, 1 or more.
  public init(sampleCount: Int, shardSize: Int) {
    precondition(sampleCount >= 0, "a minibatch cannot have \(sampleCount) samples")
    precondition(shardSize >= 1, "a shard needs at least 1 sample, got \(shardSize)")
    self.sampleCount = sampleCount
    self.shardSize = shardSize
  }

  /// Number of shards.
  public var count: Int { (sampleCount + shardSize - 1) / shardSize }

  /// Positions, within the minibatch, of a shard's samples.
  public subscript(shard: Int) -> Range<Int> {
    precondition(shard >= 0 && shard < count, "shard \(shard) is outside 0..<\(count)")
    return shard * shardSize..<min((shard + 1) * shardSize, sampleCount)
  }

  /// Positions of the samples of some shards, which follow each other.
  public func samples(of shards: Range<Int>) -> Range<Int> {
    shards.isEmpty ? 0..<0 : self[shards.lowerBound].lowerBound..<self[shards.upperBound - 1].upperBound
  }

  /// Sizes that shards of such a minibatch have: the full one, and that of a shorter last shard.
  public var sizes: [Int] {
    let last = sampleCount % shardSize
    return [sampleCount >= shardSize ? shardSize : nil, last > 0 ? last : nil].compactMap { $0 }
  }

  /// The sizes that the shards of some minibatches have.
  ///
  /// - Parameters:
  ///   - minibatches: samples of each, 0 or more.
  ///   - shardSize: samples of a full shard, 1 or more.
  public static func sizes(ofMinibatches minibatches: Set<Int>, shardSize: Int) -> Set<Int> {
    Set(minibatches.flatMap { Sharding(sampleCount: $0, shardSize: shardSize).sizes })
  }
}
