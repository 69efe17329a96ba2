import Parallel
import Testing

@Suite("Guarded values")
struct GuardedTests {
  @Test("one worker at a time has the value, whatever it is", arguments: [1, 2, 8])
  func alone(workers: Int) {
    let words = Guarded<[Int: String]>([:])
    WorkerPool(workers: workers).forEach(count: 2000) { index, _ in
      words.withLock { $0[index % 100, default: ""] += "x" }
    }
    #expect(words.withLock { $0.count } == 100)
    #expect(words.withLock { $0.values.allSatisfy { $0.count == 20 } })
  }

  @Test("an error leaves the lock open")
  func errors() {
    struct Failed: Error {}
    let number = Guarded(1)
    #expect(throws: Failed.self) {
      try number.withLock { value throws(Failed) in
        value = 2
        throw Failed()
      }
    }
    #expect(number.withLock { $0 } == 2)
  }
}
