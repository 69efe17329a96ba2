internal import Parallel
internal import Tensors

/// Brings what each rank knows of a gradient's sum to the owners of its slices.
///
/// A rank sends every other the partial sums of its shards' maximal nodes over the slices that the other owns: (k + 1)·(R − 1)/R times the
/// gradient in all, for R ranks and k nodes, with the gather of the parameters afterwards.
final class GradientExchange: Sendable {
  private let ranks: Ranks
  private let pool: WorkerPool
  /// The slices of each rank that shards have gradients of, by their places in a gradient.
  private let slices: [[Range<Int>]]
  /// The slices of the other ranks, with their owners.
  private let foreign: [(owner: Int, range: Range<Int>)]
  private let memory = Guarded(Memory())

  private struct Memory: Sendable {
    var outgoing = AlignedBuffer<Float>(count: 0)
    var incoming = AlignedBuffer<Float>(count: 0)
  }

  init(_ slices: [UpdateSlice], _ ownership: Ownership, ranks: Ranks, pool: WorkerPool) {
    self.ranks = ranks
    self.pool = pool
    self.slices = ownership.slices.map { slices[$0].compactMap(\.gradientRange) }
    let own = ranks.rank
    foreign = self.slices.enumerated().flatMap { owner, ranges in
      owner == own ? [] : ranges.map { (owner, $0) }
    }
  }

  /// The part of a gradient that a rank owns.
  private func part(_ owner: Int) -> Range<Int> {
    guard let first = slices[owner].first, let last = slices[owner].last else { return 0..<0 }
    return first.lowerBound..<last.upperBound
  }

  /// Floats that this rank sends for a minibatch of so many shards.
  func floatsSent(shards count: Int) -> Int {
    let nodes = SumTree(count: count).maximalNodes(in: ranks.partition(count)[ranks.rank]).count
    return slices.indices.reduce(0) { $0 + ($1 == ranks.rank ? 0 : nodes * part($1).count) }
  }

  /// What the others know of the sums of this rank's slices.
  ///
  /// - Parameters:
  ///   - reduction: the shards that were collected here.
  ///   - count: shards of the whole minibatch.
  /// - Returns: sums in memory that stays as it is until the next exchange.
  func exchange(
    _ reduction: ShardReduction, shards count: Int
  ) throws(CommunicationError) -> ForeignSums {
    if ranks.isAlone { return ForeignSums() }
    let tree = SumTree(count: count)
    let nodes = ranks.partition(count).map { tree.maximalNodes(in: $0) }
    let own = ranks.rank
    let (outStarts, outCount) = Self.places(
      slices.indices.map { $0 == own ? 0 : nodes[own].count * part($0).count })
    let (inStarts, inCount) = Self.places(
      slices.indices.map { $0 == own ? 0 : nodes[$0].count * part(own).count })
    let (outgoing, incoming) = buffers(outCount, inCount)
    let parts = slices.indices.map(part)
    reduction.pack(nodes[own], slices: foreign.map(\.range), on: pool) { [foreign] node, slice in
      let (owner, range) = foreign[slice]
      return outgoing.baseAddress + outStarts[owner] + node * parts[owner].count + range.lowerBound
        - parts[owner].lowerBound
    }
    try ranks.communicator.exchange(
      Self.spans(outgoing, outStarts).map { UnsafeRawBufferPointer($0) },
      Self.spans(incoming, inStarts).map { UnsafeMutableRawBufferPointer($0) })
    var sums: [(node: SumTree.Node, start: UnsafePointer<Float>)] = []
    for rank in slices.indices where rank != own {
      for (index, node) in nodes[rank].enumerated() {
        let start = incoming.baseAddress + inStarts[rank] + index * parts[own].count
        sums.append((node, UnsafePointer(start)))
      }
    }
    return ForeignSums(sums, from: parts[own].lowerBound)
  }

  /// Buffers of at least these sizes, which are kept.
  private func buffers(_ out: Int, _ into: Int) -> (AlignedBuffer<Float>, AlignedBuffer<Float>) {
    memory.withLock { memory in
      if memory.outgoing.count < out { memory.outgoing = AlignedBuffer(count: out) }
      if memory.incoming.count < into { memory.incoming = AlignedBuffer(count: into) }
      return (memory.outgoing, memory.incoming)
    }
  }

  /// Where pieces of these lengths begin that lie one behind the other, with an end; and the length of all.
  private static func places(_ lengths: [Int]) -> (starts: [Int], count: Int) {
    var starts = [0]
    for length in lengths { starts.append((starts.last ?? 0) + length) }
    return (starts, starts.last ?? 0)
  }

  private static func spans(
    _ buffer: AlignedBuffer<Float>, _ starts: [Int]
  ) -> [UnsafeMutableBufferPointer<Float>] {
    zip(starts, starts.dropFirst()).map {
      UnsafeMutableBufferPointer(start: buffer.baseAddress + $0, count: $1 - $0)
    }
  }
}
