internal import Glibc

/// A value behind a lock, in which threads may wait until somebody changes it.
///
/// It is for a few threads that hand things to each other. Pieces of work of a ``WorkerPool`` never wait.
public final class Monitor<State: Sendable>: @unchecked Sendable {
  // @unchecked because the state is touched only while the lock is held.
  private var state: State
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// Takes the value that is to be guarded.
  public init(_ state: State) {
    self.state = state
    let isReady = pthread_mutex_init(mutex, nil) == 0 && pthread_cond_init(changed, nil) == 0
    precondition(isReady, "the system refused a lock")
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Changes the value, then wakes all who wait.
  public func change<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    return try body(&state)
  }

  /// Changes the value, and wakes all who wait only where `body` answers that it matters to them.
  ///
  /// It is for frequent changes: waking a thread for nothing costs more than the change.
  public func changeWaking(if body: (inout State) throws -> Bool) rethrows {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if try body(&state) { pthread_cond_broadcast(changed) }
  }

  /// Asks again after every change until there is an answer; changes that `body` makes wake nobody.
  public func wait<Answer>(_ body: (inout State) throws -> Answer?) rethrows -> Answer {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let answer = try body(&state) { return answer }
      pthread_cond_wait(changed, mutex)
    }
  }
}
