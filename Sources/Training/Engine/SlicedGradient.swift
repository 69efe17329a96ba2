internal import Compute
internal import Parallel
internal import Tensors

/// A minibatch's gradient, slice by slice: the sums of the shards' gradients, and those that are taken over all samples at once.
///
/// Each slice is handed out while it is in cache, to be used up there.
final class SlicedGradient: Sendable {
  private let pool: WorkerPool
  private let gathered: GatheredGradients?
  /// The numbers of the slices that shards have, and their places in a shard's gradient.
  private let summed: [Int]
  private let summedRanges: [Range<Int>]
  /// The slices of each task of ``gathered``, by number and by place in the task.
  private let slicesOfTasks: [[(slice: Int, offset: Int)]]
  /// A task's gradient, for each worker.
  private let pieces: [AlignedBuffer<Float>]

  /// - Parameter slices: all slices of the parameters.
  init(_ slices: [UpdateSlice], _ gathered: GatheredGradients?, pool: WorkerPool) {
    self.pool = pool
    self.gathered = gathered
    summed = slices.indices.filter { slices[$0].gradientRange != nil }
    summedRanges = slices.compactMap(\.gradientRange)
    var slicesOfTasks: [[(slice: Int, offset: Int)]] = []
    for task in gathered?.tasks ?? [] {
      slicesOfTasks.append(
        slices.indices.filter {
          slices[$0].gradientRange == nil && task.range.contains(slices[$0].range.lowerBound)
        }.map { ($0, slices[$0].range.lowerBound - task.range.lowerBound) })
    }
    self.slicesOfTasks = slicesOfTasks
    let longest = gathered?.longestTask ?? 0
    pieces = (0..<pool.workerCount).map { _ in AlignedBuffer(count: longest) }
  }

  /// Hands out every slice to one worker.
  ///
  /// - Parameters:
  ///   - reduction: the shards that were collected.
  ///   - samples: how many samples the minibatch has.
  ///   - body: gets a slice's number, and its gradient in memory that is its own for the call.
  /// - Throws: ``ComputeError`` where a kernel fails.
  func forEachSlice(
    of reduction: ShardReduction, samples: Int,
    _ body: @Sendable (_ slice: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
  ) throws(ComputeError) {
    reduction.reduce(on: pool, slices: summedRanges) { [summed] index, _, gradient in
      body(summed[index], gradient)
    }
    guard let gathered else { return }
    try pool.forEach(count: slicesOfTasks.count) { [self] task, worker throws(ComputeError) in
      let piece = pieces[worker].baseAddress
      try gathered.compute(task, rows: samples, into: piece, worker: worker)
      for (slice, offset) in slicesOfTasks[task] { body(slice, piece + offset) }
    }
  }
}
