internal import Datasets
internal import Parallel

/// A minibatch cut into shards, with its place in the run.
struct ShardedMinibatch: Sendable {
  let minibatch: Minibatch
  let sharding: Sharding
  /// The running number of the first sample over the run; it keys dropout.
  let firstSample: Int

  init(_ minibatch: Minibatch, shardSize: Int, firstSample: Int = 0) {
    self.minibatch = minibatch
    self.firstSample = firstSample
    sharding = Sharding(sampleCount: minibatch.count, shardSize: shardSize)
  }
}
