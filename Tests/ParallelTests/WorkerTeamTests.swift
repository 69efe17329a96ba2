import Parallel
import Tensors
import Testing

/// Workers that go through many small groups together.
@Suite("Worker team")
struct WorkerTeamTests {
  struct Failed: Error, Equatable {
    let index: Int
  }

  @Test("every piece of every group runs exactly once, one group after the other", arguments: [1, 2, 3, 8])
  func everyPieceOnce(workers: Int) throws {
    let counts = (0..<2_000).map { [0, 1, 2, 3, 7, 16][$0 % 6] }
    let runs = AlignedBuffer<Int>(count: 16)
    for _ in 0..<5 {
      let sums: [Int] = WorkerPool(workers: workers).lead { team in
        counts.map { count in
          runs.fill(with: 0)
          // A piece of another group would write here.
          let slices = DisjointSlices(runs, sliceLength: 1)
          team.forEach(count: count) { index in slices[index][0] += index + 1 }
          return runs.array().enumerated().reduce(0) {
            $0 + ($1.element == $1.offset + 1 ? 1 : 100 * $1.element)
          }
        }
      }
      #expect(sums == counts)
    }
  }

  @Test(
    "of several errors the one of the lowest index is thrown, and the team goes on", arguments: [1, 2, 3, 8])
  func lowestErrorWins(workers: Int) {
    WorkerPool(workers: workers).lead { team in
      for _ in 0..<200 {
        #expect(throws: Failed(index: 3)) {
          try team.forEach(count: 9) { index throws(Failed) in
            if index >= 3 { throw Failed(index: index) }
          }
        }
      }
    }
  }

  @Test("the leader's result and its error come out")
  func outcome() {
    #expect(WorkerPool(workers: 2).lead { _ in 7 } == 7)
    #expect(throws: Failed(index: 1)) {
      try WorkerPool(workers: 2).lead { _ throws(Failed) in throw Failed(index: 1) }
    }
  }

  @Test("a team within a piece of a pool")
  func nested() {
    let sums = AlignedBuffer<Int>(count: 4)
    let slices = DisjointSlices(sums, sliceLength: 1)
    WorkerPool(workers: 2).forEach(count: 4) { index, _ in
      let own = AlignedBuffer<Int>(count: 8)
      let pieces = DisjointSlices(own, sliceLength: 1)
      WorkerPool(workers: 2).lead { team in
        team.forEach(count: 8) { pieces[$0][0] = index * 8 + $0 }
      }
      slices[index][0] = own.array().reduce(0, +)
    }
    #expect(sums.array() == (0..<4).map { row in (0..<8).reduce(0) { $0 + row * 8 + $1 } })
  }
}
