import Foundation
import Parallel
import Synchronization
import Tensors
import Testing

@Suite("Worker pool")
struct WorkerPoolTests {
  struct Failed: Error, Equatable {
    let index: Int
  }

  @Test("every index runs exactly once", arguments: [1, 2, 3, 8], [0, 1, 7, 1000])
  func everyIndexOnce(workers: Int, count: Int) {
    let runs = AlignedBuffer<Int>(count: count)
    let slices = DisjointSlices(runs, sliceLength: 1)
    WorkerPool(workers: workers).forEach(count: count) { index, _ in slices[index][0] += 1 }
    #expect(runs.array() == Array(repeating: 1, count: count))
  }

  @Test(
    "a worker's number stays below the pool's, and no two pieces share one at a time", arguments: [1, 2, 5])
  func workerNumbers(workers: Int) {
    let busy = (0..<workers).map { _ in Flag() }
    let clashes = Atomic<Int>(0)
    let outside = Atomic<Int>(0)
    WorkerPool(workers: workers).forEach(count: 200) { _, worker in
      guard busy.indices.contains(worker) else {
        outside.add(1, ordering: .relaxed)
        return
      }
      if busy[worker].value.exchange(true, ordering: .acquiringAndReleasing) {
        clashes.add(1, ordering: .relaxed)
      }
      // Long enough for other workers to be at theirs, whatever the number of cores.
      usleep(100)
      busy[worker].value.store(false, ordering: .releasing)
    }
    #expect(clashes.load(ordering: .relaxed) == 0 && outside.load(ordering: .relaxed) == 0)
  }

  @Test("of several errors the one of the lowest index is thrown", arguments: [1, 2, 3, 8])
  func lowestErrorWins(workers: Int) {
    for _ in 0..<50 {
      #expect(throws: Failed(index: 13)) {
        try WorkerPool(workers: workers).forEach(count: 100) { index, _ in
          if index >= 13 { throw Failed(index: index) }
        }
      }
    }
  }

  @Test(
    "of two errors at the same time the one of the lower index is thrown, whichever comes first",
    .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "needs two cores"),
    arguments: [0, 1])
  func lowestErrorWinsInAnyOrder(first: Int) {
    let begun = Atomic<Int>(0)
    let thrown = Atomic<Int>(0)
    #expect(throws: Failed(index: 0)) {
      try WorkerPool(workers: 2).forEach(count: 2) { index, _ in
        begun.add(1, ordering: .acquiringAndReleasing)
        Self.wait { begun.load(ordering: .acquiring) == 2 }
        if index != first {
          Self.wait { thrown.load(ordering: .acquiring) == 1 }
          // Behind the mark the other error has still to be taken note of.
          usleep(50_000)
        }
        thrown.add(1, ordering: .acquiringAndReleasing)
        throw Failed(index: index)
      }
    }
  }

  @Test(
    "a worker that is stuck holds up no index but its own",
    .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "needs two cores"))
  func stuckWorker() {
    let done = Atomic<Int>(0)
    let doneMeanwhile = Atomic<Int>(0)
    WorkerPool(workers: 2).forEach(count: 20) { index, _ in
      if index == 0 {
        Self.wait { done.load(ordering: .acquiring) == 19 }
        doneMeanwhile.store(done.load(ordering: .acquiring), ordering: .releasing)
      }
      done.add(1, ordering: .acquiringAndReleasing)
    }
    #expect(doneMeanwhile.load(ordering: .acquiring) == 19)
  }

  /// Waiting is allowed here only because it ends by itself.
  private static func wait(for condition: () -> Bool) {
    let end = ContinuousClock.now + .seconds(30)
    while !condition(), ContinuousClock.now < end { usleep(1000) }
  }

  @Test("after a stop no further index is handed out, and those taken are finished", arguments: [1, 2, 4])
  func stop(workers: Int) {
    let done = (0..<100).map { _ in Flag() }
    let finished = Atomic<Int>(0)
    let next = WorkerPool(workers: workers).forEach(
      in: 0..<100, while: { _ in finished.load(ordering: .relaxed) < 10 }
    ) { index, _ in
      done[index].value.store(true, ordering: .relaxed)
      finished.add(1, ordering: .relaxed)
    }
    #expect(next >= 10 && next < 10 + workers)
    #expect(done.map { $0.value.load(ordering: .relaxed) } == (0..<100).map { $0 < next })
  }

  @Test("in every pass each thread is armed before its first piece, once for each worker that it is")
  func arming() {
    struct Log {
      /// Threads of this pass that were armed.
      var armed: Set<UInt> = []
      var count = 0
      var early = 0
      var threads: Set<UInt> = []
    }
    let log = Guarded(Log())
    let pool = WorkerPool(workers: 3) {
      log.withLock {
        $0.armed.insert(UInt(pthread_self()))
        $0.count += 1
      }
    }
    for _ in 0..<20 {
      log.withLock { ($0.armed, $0.count, $0.threads) = ([], 0, []) }
      pool.forEach(count: 30) { _, _ in
        usleep(50)
        log.withLock { log in
          let thread = UInt(pthread_self())
          log.threads.insert(thread)
          if !log.armed.contains(thread) { log.early += 1 }
        }
      }
      let pass = log.withLock { $0 }
      #expect(pass.early == 0)
      // A thread that comes when all is done has nothing to arm itself for.
      #expect((1...3).contains(pass.count) && pass.armed.isSuperset(of: pass.threads))
    }
  }

  @Test(
    "workers run at the same time",
    .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "needs two cores"))
  func simultaneous() {
    // Each of two pieces waits for the other to begin; other tests may keep the helper busy for a while.
    let begun = Atomic<Int>(0)
    let met = Atomic<Int>(0)
    WorkerPool(workers: 2).forEach(count: 2) { _, _ in
      begun.add(1, ordering: .acquiringAndReleasing)
      let end = ContinuousClock.now + .seconds(30)
      while begun.load(ordering: .acquiring) < 2, ContinuousClock.now < end { usleep(2000) }
      if begun.load(ordering: .acquiring) == 2 { met.add(1, ordering: .relaxed) }
    }
    #expect(met.load(ordering: .relaxed) == 2)
  }

  final class Flag: Sendable {
    let value = Atomic<Bool>(false)
  }
}

@Suite("Sharding")
struct ShardingTests {
  @Test(
    "shards cover the minibatch in order, each full but the last",
    arguments: [(128, 16), (17, 5), (3, 8), (0, 4)])
  func cover(samples: Int, size: Int) {
    let sharding = Sharding(sampleCount: samples, shardSize: size)
    let ranges = (0..<sharding.count).map { sharding[$0] }
    #expect(ranges.flatMap { Array($0) } == Array(0..<samples))
    #expect(ranges.dropLast().allSatisfy { $0.count == size })
    #expect(Set(ranges.map(\.count)) == Set(sharding.sizes))
  }

  @Test("slices are disjoint and cover the buffer", arguments: [(1000, 64), (64, 64), (5, 8)])
  func slices(count: Int, length: Int) {
    let slices = DisjointSlices(AlignedBuffer<Float>(count: count), sliceLength: length)
    #expect((0..<slices.count).flatMap { Array(slices.range(of: $0)) } == Array(0..<count))
    #expect(
      (0..<slices.count).map { slices[$0].count } == (0..<slices.count).map { slices.range(of: $0).count })
  }
}
