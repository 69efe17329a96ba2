import Foundation
import Parallel
import Synchronization
import Testing

@Suite("Threads of workers")
struct WorkerThreadsTests {
  @Test("every index runs once, on any number of workers", arguments: [1, 2, 3, 9], [0, 1, 2, 500])
  func everyIndex(workers: Int, count: Int) {
    let runs = (0..<count).map { _ in Count() }
    WorkerThreads.perform(count, workers: workers) { runs[$0].value.add(1, ordering: .relaxed) }
    #expect(runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
  }

  @Test("the caller is worker 0, and no two threads are the same worker")
  func numbers() {
    let calls = (0..<4).map { _ in Count() }
    for _ in 0..<200 {
      let caller = pthread_self()
      WorkerThreads.share(among: 4) { worker in
        calls[worker].value.add(1, ordering: .relaxed)
        #expect((worker == 0) == (pthread_equal(caller, pthread_self()) != 0))
      }
    }
    #expect(calls[0].value.load(ordering: .relaxed) == 200)
    #expect(calls.allSatisfy { $0.value.load(ordering: .relaxed) <= 200 })
  }

  @Test("when a call returns, no helper is at work any more")
  func joined() {
    for _ in 0..<2000 {
      let inside = Count()
      WorkerThreads.share(among: 3) { _ in
        inside.value.add(1, ordering: .relaxed)
        sched_yield()
        inside.value.subtract(1, ordering: .relaxed)
      }
      #expect(inside.value.load(ordering: .relaxed) == 0)
    }
  }

  @Test("work inside work, and work from several threads at a time, comes to an end")
  func nested() {
    let total = Count()
    let done = Monitor(0)
    for _ in 0..<3 {
      let hasStarted = SystemThread.start {
        WorkerThreads.perform(20, workers: 3) { _ in
          WorkerThreads.perform(20, workers: 2) { _ in total.value.add(1, ordering: .relaxed) }
        }
        done.change { $0 += 1 }
      }
      #expect(hasStarted)
    }
    done.wait { $0 == 3 ? () : nil }
    #expect(total.value.load(ordering: .relaxed) == 1200)
  }

  private final class Count: Sendable {
    let value = Atomic<Int>(0)
  }
}
