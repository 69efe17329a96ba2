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
  /// The own slices of each task of ``gathered``, for those tasks that have some.
  private let tasks: [(number: Int, slices: [PlacedSlice])]
  /// The own slices of each block of a table.
  private let blocks: [[PlacedSlice]]
  /// Whether each block is only handed out when it has words of the minibatch.
  private let isLeftAlone: [Bool]
  /// The blocks that are always handed out.
  private let constantBlocks: [Int]
  /// A task's or block's gradient, for each worker.
  private let pieces: [AlignedBuffer<Float>]

  /// - Parameters:
  ///   - slices: all slices of the parameters.
  ///   - own: the numbers of those that are handed out here.
  ///   - leavesAlone: whether a slice of a table without words of the minibatch is handed out to nobody, rather than with a gradient
  ///     of zero, by the slice's number.
  init(
    _ slices: [UpdateSlice], own: Range<Int>, _ gathered: GatheredGradients?, pool: WorkerPool,
    leavesAlone: (_ slice: Int) -> Bool
  ) {
    self.pool = pool
    self.gathered = gathered
    summed = own.filter { slices[$0].gradientRange != nil }
    summedRanges = slices[own].compactMap(\.gradientRange)
    let placed = own.filter { slices[$0].gradientRange == nil }
    tasks = Self.place(placed, of: slices, in: (gathered?.tasks ?? []).map(\.range)).enumerated().compactMap {
      $1.isEmpty ? nil : ($0, $1)
    }
    let blocks = Self.place(placed, of: slices, in: (gathered?.blocks ?? []).map(\.range))
    self.blocks = blocks
    let isLeftAlone = blocks.map { own in own.allSatisfy { leavesAlone($0.slice) } }
    self.isLeftAlone = isLeftAlone
    constantBlocks = blocks.indices.filter { !isLeftAlone[$0] }
    let longest = gathered?.longestTask ?? 0
    pieces = (0..<pool.workerCount).map { _ in AlignedBuffer(count: longest) }
  }

  /// A slice in a piece of the gradient that is computed at once.
  private struct PlacedSlice {
    let slice: Int
    /// The slice's place in the piece.
    let offset: Int
  }

  /// The slices of each piece.
  ///
  /// - Parameter numbers: the slices' numbers, in the order of their places; pieces may be in any order.
  private static func place(
    _ numbers: [Int], of slices: [UpdateSlice], in pieces: [Range<Int>]
  ) -> [[PlacedSlice]] {
    var placed = [[PlacedSlice]](repeating: [], count: pieces.count)
    var rest = pieces.indices.sorted { pieces[$0].lowerBound < pieces[$1].lowerBound }[...]
    for number in numbers {
      let start = slices[number].range.lowerBound
      while let first = rest.first, pieces[first].upperBound <= start { rest.removeFirst() }
      guard let piece = rest.first, pieces[piece].contains(start) else { continue }
      placed[piece].append(PlacedSlice(slice: number, offset: start - pieces[piece].lowerBound))
    }
    return placed
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
      let piece = pieces[worker].baseAddress
      try gathered.compute(tasks[index].number, rows: samples, into: piece, worker: worker)
      for placed in tasks[index].slices { body(placed.slice, piece + placed.offset) }
    }
    guard blocks.contains(where: { !$0.isEmpty }) else { return }
    let touched = gathered.sortWords(rows: samples).filter { !blocks[$0].isEmpty && isLeftAlone[$0] }
    let wanted = touched + constantBlocks
    let groups = (wanted.count + Self.blocksAtOnce - 1) / Self.blocksAtOnce
    pool.forEach(count: groups) { [self] group, worker in
      let piece = pieces[worker].baseAddress
      for block in wanted[group * Self.blocksAtOnce..<min((group + 1) * Self.blocksAtOnce, wanted.count)] {
        gathered.compute(block: block, into: piece)
        for placed in blocks[block] { body(placed.slice, piece + placed.offset) }
      }
    }
  }

  /// Blocks are small; a worker takes several.
  private static let blocksAtOnce = 8
}
