import Foundation
import Tensors
import Testing

@testable import Parallel

@Suite("Ranks as threads")
struct RankThreadsTests {
  @Test("every rank gets the parts of all, whatever their sizes", arguments: [1, 2, 3, 5, 8])
  func gather(size: Int) throws {
    let texts = (0..<size).map { String(repeating: "r\($0)", count: $0 * $0) }
    let all = try RankThreads.run(size) { ranks in try ranks.gather(text: texts[ranks.rank]) }
    #expect(all == Array(repeating: texts, count: size))
    let numbers = try RankThreads.run(size) { ranks in try ranks.gather(Double(ranks.rank) / 3) }
    #expect(numbers == Array(repeating: (0..<size).map { Double($0) / 3 }, count: size))
    #expect(try RankThreads.run(size) { try $0.first(41 + $0.rank) } == Array(repeating: 41, count: size))
  }

  @Test("an exchange brings each rank what the others have for it, many times over", arguments: [2, 3, 7])
  func exchange(size: Int) throws {
    _ = try RankThreads.run(size) { ranks in
      for round in 0..<50 {
        // What rank a sends to rank b in a round: its length and contents follow from all three.
        func message(_ a: Int, _ b: Int) -> [UInt8] {
          (0..<(a * 31 + b * 17 + round) % 23).map {
            UInt8(truncatingIfNeeded: a &* 7 &+ b &* 13 &+ $0 &+ round)
          }
        }
        let out = (0..<size).map { AlignedBuffer(message(ranks.rank, $0)) }
        let into = (0..<size).map { AlignedBuffer<UInt8>(count: message($0, ranks.rank).count) }
        try ranks.exchange(
          out.map { UnsafeRawBufferPointer($0.elements) },
          into.map { UnsafeMutableRawBufferPointer($0.elements) })
        for other in 0..<size where other != ranks.rank {
          #expect(into[other].array() == message(other, ranks.rank))
        }
        withExtendedLifetime(out) {}
      }
    }
  }

  @Test("a rank that fails makes the others fail, wherever they wait", .timeLimit(.minutes(1)))
  func failure() {
    struct Broken: Error {}
    #expect(throws: Broken.self) {
      _ = try RankThreads.run(3) { ranks in
        try ranks.meet()
        if ranks.rank == 1 { throw Broken() }
        try ranks.meet()
      }
    }
    #expect(throws: CommunicationError.self) {
      _ = try RankThreads.run(2) { ranks in
        if ranks.rank == 0 { ranks.abort(code: 76) }
        try ranks.meet()
      }
    }
  }

  @Test("ranks at different places of the program, or with messages of other lengths, are found out")
  func mismatch() {
    #expect(throws: CommunicationError.self) {
      _ = try RankThreads.run(2) { ranks in
        let buffer = AlignedBuffer<UInt8>(count: 8)
        if ranks.rank == 0 {
          try ranks.gather(buffer.baseAddress, parts: [0..<4, 4..<8])
        } else {
          let part = UnsafeRawBufferPointer(start: buffer.baseAddress, count: 4)
          let into = UnsafeMutableRawBufferPointer(start: buffer.baseAddress + 4, count: 4)
          try ranks.exchange([part, part], [into, into])
        }
      }
    }
    #expect(throws: CommunicationError.self) {
      _ = try RankThreads.run(2) { ranks in
        let buffer = AlignedBuffer<UInt8>(count: 8)
        try ranks.gather(buffer.baseAddress, parts: [0..<4, 4..<(7 + ranks.rank)])
      }
    }
  }
}

@Suite("Partitions of shards")
struct ShardPartitionTests {
  @Test("each shard belongs to one rank, in order, for any ranks, workers and costs")
  func covers() {
    for seed in 0..<400 {
      var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic)
      let workers = (0...draw.nextInteger(below: 9)).map { _ in 1 + draw.nextInteger(below: 6) }
      let count = draw.nextInteger(below: 200)
      let cost = Double(draw.nextUniform()) * 4
      let ranges = ShardPartition(workers: workers, nodeCost: cost).ranges(of: count)
      #expect(ranges.count == workers.count)
      #expect(ranges.flatMap(Array.init) == Array(0..<count))
    }
  }

  @Test("ranks get shares by their workers, at bounds that leave few sums to tell")
  func shares() {
    let even = ShardPartition(workers: [1, 1, 1, 1])
    #expect(even.ranges(of: 64) == [0..<16, 16..<32, 32..<48, 48..<64])
    #expect(ShardPartition(workers: [2, 1, 1]).ranges(of: 64) == [0..<32, 32..<48, 48..<64])
    // 33, 34 and 33 of 100 shards would be 4, 6 and 4 sums; bounds at multiples of 4 or 8 have at most 4.
    let tree = SumTree(count: 100)
    let ranges = ShardPartition(workers: [1, 1, 1], nodeCost: 1).ranges(of: 100)
    #expect(ranges.map { tree.maximalNodes(in: $0).count }.max() ?? 9 <= 4)
    #expect(ranges.map(\.count).max() ?? 99 <= 40)
  }

  @Test("maximal nodes stand for exactly the range, and no two of them could be one", arguments: 1...40)
  func maximalNodes(count: Int) {
    let tree = SumTree(count: count)
    for start in 0..<count {
      for end in start...count {
        let nodes = tree.maximalNodes(in: start..<end)
        #expect(nodes.flatMap { Array(tree.leaves(of: $0)) } == Array(start..<end))
        for node in nodes where node != tree.root {
          let parent = tree.leaves(of: node.parent)
          #expect(parent.lowerBound < start || parent.upperBound > end)
        }
      }
    }
  }
}

@Suite("Reduction over ranks")
struct RankReductionTests {
  /// The sum that ranks come to which hold these shards; every rank owns an even part of the slices.
  static func sum(
    _ gradients: [[Float]], _ partition: [Range<Int>], workers: Int, byteBudget: Int
  ) throws -> [Float] {
    let length = gradients[0].count
    let slices = ShardReductionTests.slices(length, of: 48)
    let size = partition.count
    let tree = SumTree(count: gradients.count)
    let nodes = partition.map { tree.maximalNodes(in: $0) }
    let owned = (0..<size).map { slices[$0 * slices.count / size..<($0 + 1) * slices.count / size] }
    let totals = try RankThreads.run(size) { ranks in
      let pool = WorkerPool(workers: workers)
      let reduction = ShardReduction(
        length: length, maximumShards: gradients.count, workers: workers, collectsParts: true,
        byteBudget: byteBudget)
      let complete = reduction.collect(shards: gradients.count, part: partition[ranks.rank], on: pool) {
        shard, _, gradient in
        for index in 0..<length { gradient[index] = gradients[shard][index] }
      }
      #expect(complete)
      func span(_ rank: Int) -> Range<Int> {
        guard let first = owned[rank].first, let last = owned[rank].last else { return 0..<0 }
        return first.lowerBound..<last.upperBound
      }
      let own = span(ranks.rank)
      let out = (0..<size).map { AlignedBuffer<Float>(count: nodes[ranks.rank].count * span($0).count) }
      let into = (0..<size).map { AlignedBuffer<Float>(count: nodes[$0].count * own.count) }
      for rank in 0..<size {
        let ranges = Array(owned[rank])
        let start = span(rank).lowerBound
        let target = out[rank]
        let width = span(rank).count
        reduction.pack(nodes[ranks.rank], slices: ranges, on: pool) { node, slice in
          target.baseAddress + node * width + ranges[slice].lowerBound - start
        }
      }
      try ranks.exchange(
        out.map { UnsafeRawBufferPointer($0.elements) },
        into.map { UnsafeMutableRawBufferPointer($0.elements) })
      var sums: [(node: SumTree.Node, start: UnsafePointer<Float>)] = []
      for rank in 0..<size where rank != ranks.rank {
        for (index, node) in nodes[rank].enumerated() {
          sums.append((node, UnsafePointer(into[rank].baseAddress + index * own.count)))
        }
      }
      let total = AlignedBuffer<Float>(count: length)
      let ranges = Array(owned[ranks.rank])
      reduction.reduce(on: pool, slices: ranges, with: ForeignSums(sums, from: own.lowerBound)) {
        slice, _, gradient in
        (total.baseAddress + ranges[slice].lowerBound).update(from: gradient, count: ranges[slice].count)
      }
      let stride = MemoryLayout<Float>.stride
      try ranks.gather(
        total.baseAddress,
        parts: (0..<size).map { span($0).lowerBound * stride..<span($0).upperBound * stride })
      withExtendedLifetime((out, into)) {}
      return total.array()
    }
    #expect(totals.allSatisfy { $0 == totals[0] })
    return totals[0]
  }

  /// All ways to cut a number of shards into ranges for some ranks, empty ones among them.
  static func partitions(_ count: Int, ranks: Int) -> [[Range<Int>]] {
    func cuts(_ start: Int, _ ranks: Int) -> [[Range<Int>]] {
      ranks == 1
        ? [[start..<count]]
        : (start...count).flatMap { end in cuts(end, ranks - 1).map { [start..<end] + $0 } }
    }
    return cuts(0, ranks)
  }

  @Test("every partition of up to 12 shards gives the bits of the tree", arguments: [2, 3])
  func everyPartition(ranks: Int) throws {
    for count in 1...12 {
      let gradients = ShardReductionTests.gradients(shards: count, length: 240)
      let expected = ShardReductionTests.reference(gradients).map(\.bitPattern)
      for partition in Self.partitions(count, ranks: ranks) {
        let sum = try Self.sum(gradients, partition, workers: 1, byteBudget: 0)
        #expect(sum.map(\.bitPattern) == expected, "\(count) shards as \(partition)")
      }
    }
  }

  @Test("any ranks and workers give the bits of the tree", arguments: [1, 2, 3, 5, 8], [1, 2, 3])
  func anyCrew(ranks: Int, workers: Int) throws {
    for count in [1, 2, 5, 7, 16, 37, 100] {
      let gradients = ShardReductionTests.gradients(shards: count, length: 480)
      let expected = ShardReductionTests.reference(gradients).map(\.bitPattern)
      let partition = ShardPartition(workers: Array(repeating: 1, count: ranks)).ranges(of: count)
      for budget in [0, 1 << 20] {
        let sum = try Self.sum(gradients, partition, workers: workers, byteBudget: budget)
        #expect(sum.map(\.bitPattern) == expected)
      }
    }
  }

  @Test("a part of the shards always finds buffers", .timeLimit(.minutes(2)), arguments: [1, 2, 3])
  func buffersOfParts(workers: Int) throws {
    for (count, part) in [(128, 1..<127), (100, 3..<98), (64, 31..<33), (33, 0..<33), (257, 1..<256)] {
      let reduction = ShardReduction(
        length: 16, maximumShards: count, workers: workers, collectsParts: true, byteBudget: 0)
      let isDone = reduction.collect(shards: count, part: part, on: WorkerPool(workers: workers)) {
        shard, _, gradient in
        for index in 0..<16 { gradient[index] = Float(shard) }
      }
      #expect(isDone)
      #expect(reduction.partials.flatMap { Array($0.shards) } == Array(part))
    }
  }
}
