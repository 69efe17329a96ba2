import Foundation
import Synchronization
import Tensors
import Testing

@testable import Parallel

@Suite("Reduction over shards")
struct ShardReductionTests {
  /// The tree as its documentation defines it: pair neighbours level by level.
  static func reference(_ gradients: [[Float]]) -> [Float] {
    var level = gradients
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map { index in
        guard index + 1 < level.count else { return level[index] }
        return zip(level[index], level[index + 1]).map { $0 + $1 }
      }
    }
    return level[0]
  }

  /// Values of very different size, so that every order of addition gives other bits.
  static func gradients(shards: Int, length: Int) -> [[Float]] {
    (0..<shards).map { shard in
      var stream = RandomStream(seed: 1, purpose: .synthetic, a: UInt64(shard))
      return (0..<length).map { _ in
        let scale: Float = [1e-4, 1, 1e4][stream.nextInteger(below: 3)]
        return (stream.nextUniform() - 0.5) * scale
      }
    }
  }

  static func slices(_ length: Int, of sliceLength: Int) -> [Range<Int>] {
    stride(from: 0, to: length, by: sliceLength).map { $0..<min($0 + sliceLength, length) }
  }

  static func sum(
    _ gradients: [[Float]], workers: Int, byteBudget: Int, sliceLength: Int = ShardReduction.sliceLength
  ) -> [Float] {
    let length = gradients[0].count
    let pool = WorkerPool(workers: workers)
    let reduction = ShardReduction(
      length: length, maximumShards: gradients.count, workers: workers, byteBudget: byteBudget)
    let total = AlignedBuffer<Float>(count: length)
    let complete = reduction.collect(shards: gradients.count, on: pool) { shard, _, gradient in
      // Uneven work, so that shards finish out of order.
      for _ in 0..<(shard * 7919 % 5) * 200 { gradient[0] += 1 }
      for index in 0..<length { gradient[index] = gradients[shard][index] }
    }
    #expect(complete)
    let ranges = slices(length, of: sliceLength)
    reduction.reduce(on: pool, slices: ranges) { slice, _, gradient in
      (total.baseAddress + ranges[slice].lowerBound).update(from: gradient, count: ranges[slice].count)
    }
    return total.array()
  }

  @Test(
    "the sum has the bits of the tree, for any number of workers and buffers", arguments: [1, 2, 3, 8],
    [1, 2, 3, 5, 8, 13, 16, 31, 100])
  func bits(workers: Int, shards: Int) {
    let gradients = Self.gradients(shards: shards, length: 304)
    let expected = Self.reference(gradients)
    for budget in [0, 10 * 304 * 4, 1 << 20] {
      #expect(
        Self.sum(gradients, workers: workers, byteBudget: budget).map(\.bitPattern)
          == expected.map(\.bitPattern))
    }
  }

  @Test("the sum does not depend on how the buffer is sliced", arguments: [16, 48, 1008, 2048])
  func slicing(length: Int) {
    let gradients = Self.gradients(shards: 11, length: 5008)
    let expected = Self.reference(gradients)
    #expect(
      Self.sum(gradients, workers: 2, byteBudget: 0, sliceLength: length).map(\.bitPattern)
        == expected.map(\.bitPattern))
  }

  @Test("another order of addition gives other bits, so the tests above can fail")
  func oracleBites() {
    let gradients = Self.gradients(shards: 7, length: 304)
    let sequential = gradients.dropFirst().reduce(gradients[0]) { zip($0, $1).map { $0 + $1 } }
    #expect(sequential.map(\.bitPattern) != Self.reference(gradients).map(\.bitPattern))
  }

  @Test("memory is bounded by workers and the logarithm of shards")
  func memory() {
    let reduction = ShardReduction(length: 1 << 10, maximumShards: 1000, workers: 4, byteBudget: 0)
    #expect(reduction.bufferCount == 2 * 4 + 2 * 10 - 4)
  }

  @Test(
    "one worker that is stuck on the first shard does not block the others for lack of buffers",
    .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "needs two cores"),
    arguments: [8, 32, 33, 64, 100, 128, 256])
  func stragglers(shards: Int) {
    let others = shards - 1
    let gradients = Self.gradients(shards: shards, length: 48)
    let reduction = ShardReduction(length: 48, maximumShards: shards, workers: 2, byteBudget: 0)
    #expect(reduction.bufferCount < max(shards / 2, 9))
    let done = Atomic<Int>(0)
    let doneMeanwhile = Atomic<Int>(0)
    let complete = reduction.collect(shards: shards, on: WorkerPool(workers: 2)) { shard, _, gradient in
      if shard == 0 {
        // Waiting is allowed here only because it ends by itself. Long before that a second worker is there and, unless
        // it is blocked, through with the other shards.
        let end = ContinuousClock.now + .seconds(30)
        while done.load(ordering: .acquiring) < others, ContinuousClock.now < end { usleep(2000) }
        doneMeanwhile.store(done.load(ordering: .acquiring), ordering: .releasing)
      }
      for index in 0..<48 { gradient[index] = gradients[shard][index] }
      done.add(1, ordering: .acquiringAndReleasing)
    }
    #expect(complete)
    #expect(doneMeanwhile.load(ordering: .acquiring) >= others)
    #expect(reduction.partials.first?.shards.lowerBound == 0)
    #expect(reduction.partials.map(\.shards.count).reduce(0, +) == shards)
  }

  @Test(
    "no more buffers are needed than there are, wherever one shard of a minibatch is stuck",
    arguments: [2, 3, 8])
  func neededBuffers(workers: Int) {
    for shards in [2, 3, 5, 8, 9, 31, 32, 33, 64, 65, 100, 127, 128, 129] {
      let tree = SumTree(count: shards)
      var most = 0
      for stuck in 0..<shards {
        // One worker holds the stuck shard, each other the shard that it takes next; all before these is added up.
        for next in stuck + 1...shards {
          let waiting = Self.completeSums(tree, of: Set(0..<next).subtracting([stuck]))
          most = max(most, waiting + min(workers, shards - next + 1))
        }
      }
      let there = min(shards, ShardReduction.neededBuffers(shards: shards, workers: workers))
      #expect(most <= there, "\(shards) shards need \(most) buffers, and there are \(there)")
    }
  }

  /// How many sums are left of some finished shards when all finished neighbours have been added.
  private static func completeSums(_ tree: SumTree, of finished: Set<Int>) -> Int {
    func count(_ node: SumTree.Node) -> Int {
      let leaves = tree.leaves(of: node)
      if leaves.isEmpty || finished.isDisjoint(with: leaves) { return 0 }
      if finished.isSuperset(of: leaves) { return 1 }
      return count(node.left) + count(node.right)
    }
    return count(tree.root)
  }

  @Test("a stop leaves shards out and says so; the next minibatch is whole again", arguments: [1, 2])
  func stop(workers: Int) {
    let pool = WorkerPool(workers: workers)
    let reduction = ShardReduction(length: 16, maximumShards: 20, workers: workers, byteBudget: 0)
    let done = Atomic<Int>(0)
    let stopped = reduction.collect(
      shards: 20, on: pool, while: { done.load(ordering: .relaxed) < 5 }
    ) { _, _, _ in
      done.add(1, ordering: .relaxed)
    }
    #expect(!stopped)
    let whole = reduction.collect(shards: 20, on: pool) { _, _, gradient in
      for index in 0..<16 { gradient[index] = 1 }
    }
    #expect(whole)
    let total = AlignedBuffer<Float>(count: 16)
    reduction.reduce(on: pool, slices: [0..<16]) { _, _, gradient in
      total.baseAddress.update(from: gradient, count: 16)
    }
    #expect(total.array() == Array(repeating: 20, count: 16))
  }

  @Test("doubles are summed in the same tree", arguments: [0, 1, 2, 3, 7, 16])
  func doubles(count: Int) {
    let terms = (0..<count).map { Double(Self.gradients(shards: 16, length: 1)[$0][0]) / 3 }
    func tree(_ range: Range<Int>) -> Double {
      // The left half is the largest power of two below the count: the same tree, seen from the root.
      guard range.count > 1 else { return range.isEmpty ? 0 : terms[range.lowerBound] }
      var half = 1
      while half * 2 < range.count { half *= 2 }
      return tree(range.lowerBound..<range.lowerBound + half)
        + tree(range.lowerBound + half..<range.upperBound)
    }
    #expect(SumTree.sum(terms) == tree(0..<count))
    // Figures lie in rows, one for each shard: every column is a sum of its own.
    guard count > 0 else { return }
    let rows = terms.flatMap { term -> [Double] in [term, 1, -3 * term] }
    let sums = SumTree.sumRows(rows, width: 3)
    #expect(sums == [tree(0..<count), Double(count), SumTree.sum(terms.map { -3 * $0 })])
  }
}
