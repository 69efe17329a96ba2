internal import Synchronization

/// Counts finished pieces of parallel work, and reports one at a time.
final class DoneCounter: Sendable {
  private let done = Mutex(0)

  func increment(_ report: (Int) -> Void) {
    done.withLock { done in
      done += 1
      report(done)
    }
  }
}
