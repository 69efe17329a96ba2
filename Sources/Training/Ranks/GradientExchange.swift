internal import Parallel
internal import Tensors

/// Brings what each rank knows of a gradient's sum to the owners of its slices, bucket after bucket.
///
/// A rank sends every other the partial sums of its shards' maximal nodes over the slices that the other owns: (k + 1)·(R − 1)/R times the
/// gradient in all, for R ranks and k nodes, with the gather of the parameters afterwards. A bucket has a part of the slices of every
/// owner. While one bucket travels, the next is packed and the one before is added up and used, so that memory for travelling sums
/// is that of two buckets.
final class GradientExchange: Sendable {
  private let ranks: Ranks
  private let pool: WorkerPool
  private let buckets: [Bucket]
  private let memory = Guarded(Memory())

  /// Some slices of each rank, by their places in a gradient, those of a rank one behind the other.
  private struct Bucket: Sendable {
    let slices: [[Range<Int>]]
    /// The numbers of this rank's slices among those that are summed.
    let own: Range<Int>

    /// The part of a gradient that a rank's slices take.
    func part(_ rank: Int) -> Range<Int> {
      guard let first = slices[rank].first, let last = slices[rank].last else { return 0..<0 }
      return first.lowerBound..<last.upperBound
    }
  }

  /// Buffers for two buckets, made when they are first needed.
  private struct Memory: Sendable {
    var outgoing: [AlignedBuffer<Float>] = [AlignedBuffer(count: 0), AlignedBuffer(count: 0)]
    var incoming: [AlignedBuffer<Float>] = [AlignedBuffer(count: 0), AlignedBuffer(count: 0)]
  }

  /// Floats of a rank's part of a bucket at most, but for a slice more: half a megabyte, of which a cache holds several.
  static let bucketLength = 1 << 17

  /// - Parameter bucketLength: floats of a rank's part of a bucket, about.
  init(
    _ slices: [UpdateSlice], _ ownership: Ownership, ranks: Ranks, pool: WorkerPool,
    bucketLength: Int = GradientExchange.bucketLength
  ) {
    self.ranks = ranks
    self.pool = pool
    let summed = ownership.slices.map { slices[$0].compactMap(\.gradientRange) }
    let longest = summed.map { $0.reduce(0) { $0 + $1.count } }.max() ?? 0
    let count = ranks.isAlone ? 1 : max(1, (longest + bucketLength - 1) / bucketLength)
    buckets = (0..<count).map { bucket in
      func range(_ rank: Int) -> Range<Int> {
        let all = summed[rank].count
        return bucket * all / count..<(bucket + 1) * all / count
      }
      return Bucket(slices: summed.indices.map { Array(summed[$0][range($0)]) }, own: range(ranks.rank))
    }
  }

  /// Floats that this rank sends for a minibatch of so many shards.
  func floatsSent(shards count: Int) -> Int {
    let nodes = SumTree(count: count).maximalNodes(in: ranks.partition(count)[ranks.rank]).count
    return buckets.reduce(0) { sum, bucket in
      bucket.slices.indices.reduce(sum) { $0 + ($1 == ranks.rank ? 0 : nodes * bucket.part($1).count) }
    }
  }

  /// Hands out what the others know of the sums of this rank's slices.
  ///
  /// - Parameters:
  ///   - reduction: the shards that were collected here.
  ///   - count: shards of the whole minibatch.
  ///   - seconds: gets the time spent on packing and waiting.
  ///   - body: adds up and uses some of this rank's slices, by their numbers among those that are summed.
  func forEachBucket(
    _ reduction: ShardReduction, shards count: Int, seconds: inout Double,
    _ body: (_ slices: Range<Int>, _ foreign: ForeignSums) throws -> Void
  ) throws {
    if ranks.isAlone {
      for bucket in buckets { try body(bucket.own, ForeignSums()) }
      return
    }
    let tree = SumTree(count: count)
    let nodes = ranks.partition(count).map { tree.maximalNodes(in: $0) }
    let clock = ContinuousClock()
    func timed<Result>(_ work: () throws -> Result) rethrows -> Result {
      let start = clock.now
      defer { seconds += TrainingClock.seconds(clock.now - start) }
      return try work()
    }
    var travelling = try timed { try start(0, reduction, nodes) }
    for number in buckets.indices {
      let arrived = travelling
      try timed {
        if number + 1 < buckets.count { travelling = try start(number + 1, reduction, nodes) }
        try ranks.communicator.finish(arrived.exchange)
      }
      try body(buckets[number].own, arrived.sums)
    }
  }

  /// A bucket on its way.
  private struct Travelling {
    let exchange: Exchange
    /// What will have come from the others.
    let sums: ForeignSums
  }

  /// Packs a bucket and sends it off.
  private func start(
    _ number: Int, _ reduction: ShardReduction, _ nodes: [[SumTree.Node]]
  ) throws(CommunicationError) -> Travelling {
    let (bucket, own) = (buckets[number], ranks.rank)
    let all = bucket.slices.indices
    let parts = all.map { bucket.part($0) }
    let (outStarts, outCount) = Self.places(all.map { $0 == own ? 0 : nodes[own].count * parts[$0].count })
    let (inStarts, inCount) = Self.places(all.map { $0 == own ? 0 : nodes[$0].count * parts[own].count })
    let (outgoing, incoming) = buffers(number % 2, outCount, inCount)
    let foreign = all.flatMap { owner in owner == own ? [] : bucket.slices[owner].map { (owner, $0) } }
    reduction.pack(nodes[own], slices: foreign.map(\.1), on: pool) { node, slice in
      let (owner, range) = foreign[slice]
      return outgoing.baseAddress + outStarts[owner] + node * parts[owner].count + range.lowerBound
        - parts[owner].lowerBound
    }
    let exchange = try ranks.communicator.startExchange(
      Self.spans(outgoing, outStarts).map { UnsafeRawBufferPointer($0) },
      Self.spans(incoming, inStarts).map { UnsafeMutableRawBufferPointer($0) })
    var sums: [(node: SumTree.Node, start: UnsafePointer<Float>)] = []
    for rank in all where rank != own {
      for (index, node) in nodes[rank].enumerated() {
        sums.append((node, UnsafePointer(incoming.baseAddress + inStarts[rank] + index * parts[own].count)))
      }
    }
    return Travelling(exchange: exchange, sums: ForeignSums(sums, from: parts[own].lowerBound))
  }

  /// Buffers of at least these sizes, which are kept.
  private func buffers(
    _ place: Int, _ out: Int, _ into: Int
  ) -> (AlignedBuffer<Float>, AlignedBuffer<Float>) {
    memory.withLock { memory in
      if memory.outgoing[place].count < out { memory.outgoing[place] = AlignedBuffer(count: out) }
      if memory.incoming[place].count < into { memory.incoming[place] = AlignedBuffer(count: into) }
      return (memory.outgoing[place], memory.incoming[place])
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
