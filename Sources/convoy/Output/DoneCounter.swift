internal import Parallel

/// Counts finished pieces of parallel work, and reports one at a time.
final class DoneCounter: Sendable {
  private let done = Guarded(0)

  func increment(_ report: (Int) -> Void) {
    done.withLock { done in
      done += 1
      report(done)
    }
  }
}
