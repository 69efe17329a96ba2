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
  /// The slices of each block of a table, by number and by place in the block.
  private let slicesOfBlocks: [[(slice: Int, offset: Int)]]
  /// Whether each block is only handed out when it has words of the minibatch.
  private let isLeftAlone: [Bool]
  /// A task's or block's gradient, for each worker.
  private let pieces: [AlignedBuffer<Float>]

  /// - Parameters:
  ///   - slices: all slices of the parameters.
  ///   - leavesAlone: whether a slice of a table without words of the minibatch is handed out to nobody, rather than with a gradient
  ///     of zero.
  init(
    _ slices: [UpdateSlice], _ gathered: GatheredGradients?, pool: WorkerPool,
    leavesAlone: (UpdateSlice) -> Bool
  ) {
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
    let placed = slices.indices.filter { slices[$0].gradientRange == nil }
    var next = placed.startIndex
    var slicesOfBlocks: [[(slice: Int, offset: Int)]] = []
    // Both are in the order of the buffer.
    for block in gathered?.blocks ?? [] {
      var own: [(slice: Int, offset: Int)] = []
      while next < placed.endIndex, slices[placed[next]].range.lowerBound < block.range.upperBound {
        let start = slices[placed[next]].range.lowerBound
        if start >= block.range.lowerBound { own.append((placed[next], start - block.range.lowerBound)) }
        next += 1
      }
      slicesOfBlocks.append(own)
    }
    self.slicesOfBlocks = slicesOfBlocks
    isLeftAlone = slicesOfBlocks.map { own in own.allSatisfy { leavesAlone(slices[$0.slice]) } }
    let longest = gathered?.longestTask ?? 0
    pieces = (0..<pool.workerCount).map { _ in AlignedBuffer(count: longest) }
  }

  /// Hands out every slice to one worker, but for slices of tables that are left alone.
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
    guard !slicesOfBlocks.isEmpty else { return }
    let touched = gathered.sortWords(rows: samples)
    let others = slicesOfBlocks.indices.filter { !isLeftAlone[$0] }
    let wanted = others.isEmpty ? touched : touched.filter { isLeftAlone[$0] } + others
    let groups = (wanted.count + Self.blocksAtOnce - 1) / Self.blocksAtOnce
    pool.forEach(count: groups) { [self] group, worker in
      let piece = pieces[worker].baseAddress
      for place in group * Self.blocksAtOnce..<min((group + 1) * Self.blocksAtOnce, wanted.count) {
        gathered.compute(block: wanted[place], into: piece)
        for (slice, offset) in slicesOfBlocks[wanted[place]] { body(slice, piece + offset) }
      }
    }
  }

  /// Blocks are small; a worker takes several.
  private static let blocksAtOnce = 8
}
