internal import Glibc
internal import Parallel
internal import Synchronization

/// Watches over calls of MPI that wait for other ranks without an end: joining, leaving and ending them.
///
/// Nothing interrupts such a call, so who waits too long has to end the process.
enum Watchdog {
  /// Runs `body`, and calls `bite`, which ends the process, from another thread where it takes longer than so many seconds.
  static func watch<Result>(
    seconds: Double, _ body: () throws -> Result, bite: @escaping @Sendable () -> Void
  ) rethrows -> Result {
    let isOver = Watched()
    defer { isOver.value.store(true, ordering: .releasing) }
    let end = ContinuousClock.now + .seconds(seconds)
    // Where there is no thread to be had, the launcher's own limits have to do.
    _ = SystemThread.start {
      while !isOver.value.load(ordering: .acquiring) {
        guard ContinuousClock.now < end else { return bite() }
        usleep(20_000)
      }
    }
    return try body()
  }

  private final class Watched: Sendable {
    let value = Atomic<Bool>(false)
  }
}
