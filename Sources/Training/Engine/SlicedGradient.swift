internal import Compute
internal import Parallel
internal import Tensors

/// A minibatch's gradient, slice by slice: the sums of the shards' gradients, and those that are taken over all samples at once.
///
/// Each slice is handed out while it is in cache, to be used up there.
final class SlicedGradient: Sendable {
  private let pool: WorkerPool
  private let gathered: GatheredGradients?
  /// The numbers of the own slices that shards have, and their places in a shard's gradient.
  private let summed: [Int]
  private let summedRanges: [Range<Int>]
  /// The own tasks of ``gathered`` with their slices, by number and by place in the task.
  private let tasks: [(task: Int, slices: [(slice: Int, offset: Int)])]
  /// A task's gradient, for each worker.
  private let pieces: [AlignedBuffer<Float>]

  /// - Parameters:
  ///   - slices: all slices of the parameters.
  ///   - own: the numbers of those that are handed out here.
  init(_ slices: [UpdateSlice], own: Range<Int>, _ gathered: GatheredGradients?, pool: WorkerPool) {
    self.pool = pool
    self.gathered = gathered
    summed = own.filter { slices[$0].gradientRange != nil }
    summedRanges = slices[own].compactMap(\.gradientRange)
    tasks = (gathered?.tasks ?? []).enumerated().compactMap { number, task in
      let inTask = own.filter {
        slices[$0].gradientRange == nil && task.range.contains(slices[$0].range.lowerBound)
      }.map { (slice: $0, offset: slices[$0].range.lowerBound - task.range.lowerBound) }
      return inTask.isEmpty ? nil : (number, inTask)
    }
    let longest = gathered?.longestTask ?? 0
    pieces = (0..<pool.workerCount).map { _ in AlignedBuffer(count: longest) }
  }

  /// Hands out own slices that shards have gradients of, each to one worker.
  ///
  /// - Parameters:
  ///   - places: their numbers among all such slices.
  ///   - reduction: the shards that were collected.
  ///   - foreign: what other ranks know of the sums.
  ///   - body: gets a slice's number, and its gradient in memory that is its own for the call.
  func forEachSummed(
    _ places: Range<Int>, of reduction: ShardReduction, with foreign: ForeignSums,
    _ body: @Sendable (_ slice: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
  ) {
    let first = places.lowerBound
    reduction.reduce(on: pool, slices: Array(summedRanges[places]), with: foreign) {
      [summed] index, _, gradient in
      body(summed[first + index], gradient)
    }
  }

  /// Hands out own slices whose gradients are taken over the whole minibatch, each to one worker.
  ///
  /// - Parameters:
  ///   - samples: how many samples the minibatch has.
  ///   - body: gets a slice's number, and its gradient in memory that is its own for the call.
  /// - Throws: ``ComputeError`` where a kernel fails.
  func forEachGathered(
    samples: Int, _ body: @Sendable (_ slice: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
  ) throws(ComputeError) {
    guard let gathered else { return }
    try pool.forEach(count: tasks.count) { [self] index, worker throws(ComputeError) in
      let (task, slices) = tasks[index]
      let piece = pieces[worker].baseAddress
      try gathered.compute(task, rows: samples, into: piece, worker: worker)
      for (slice, offset) in slices { body(slice, piece + offset) }
    }
  }
}
