internal import Glibc
internal import Synchronization

/// Threads that help the calling thread with its work: made when they are first asked for, and kept.
///
/// The caller always works, too, and never waits for a helper that has not begun. So work ends on however few threads the
/// system gives, on one if need be, and what it computes may not depend on how many took part.
public enum WorkerThreads {
  /// Calls `body` on this thread as worker 0 and, as far as there are threads, on others as workers 1, 2 and so on.
  ///
  /// A worker other than 0 may never be called: pieces of work are taken from a common counter, not assigned to workers.
  /// - Parameter workers: how many take part at the most, 1 or more.
  public static func share(among workers: Int, _ body: @Sendable (_ worker: Int) -> Void) {
    precondition(workers >= 1, "work needs at least 1 worker, got \(workers)")
    guard workers > 1 else { return body(0) }
    // Helpers are done with the closure before this returns, so it need not outlive the call.
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        Crew.shared.run(Shift(workers: workers, UnsafeRawPointer(pointer)), body)
      }
    }
  }

  /// Runs `body` once for each index in `0..<count`, on at most `workers` threads.
  public static func perform(_ count: Int, workers: Int, _ body: @Sendable (_ index: Int) -> Void) {
    guard count > 0 else { return }
    let next = Atomic<Int>(0)
    share(among: min(workers, count)) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        body(index)
      }
    }
  }

  /// Makes the threads that this many workers need, as far as the system gives them.
  ///
  /// - Returns: how many workers can work at a time: `workers`, or fewer where the system refused threads.
  public static func prepare(workers: Int) -> Int { Crew.shared.prepare(workers: workers) }
}

private typealias WorkerBody = @Sendable (Int) -> Void

/// One call of ``WorkerThreads/share(among:_:)``: seats for its helpers.
private final class Shift: @unchecked Sendable {
  // @unchecked because the seats are touched only under the crew's lock; the body is read while its owner waits.
  private let body: UnsafeRawPointer
  /// The number of the next worker to join.
  var nextSeat = 1
  let seats: Int
  /// Helpers that have joined and are not done.
  let active = Atomic<Int>(0)

  init(workers: Int, _ body: UnsafeRawPointer) {
    seats = workers
    self.body = body
  }

  var hasSeats: Bool { nextSeat < seats }

  // Not inlined, so that no reference to the closure is kept behind the call.
  @inline(never) func work(_ seat: Int) {
    body.assumingMemoryBound(to: WorkerBody.self).pointee(seat)
  }
}

/// The helpers of the process.
///
/// Who is done with a shift looks for the next one for a few microseconds before it sleeps: in a training one follows the other
/// at once, and waking a thread takes longer than many a piece of work.
private final class Crew: @unchecked Sendable {
  // @unchecked because everything below is touched only under the lock, but for what is atomic.
  static let shared = Crew()

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let opened = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Shifts with seats left, the oldest first.
  private var shifts: [Shift] = []
  /// The number of ``shifts``, to be seen without the lock.
  private let shiftCount = Atomic<Int>(0)
  private var helpers = 0
  private var sleeping = 0
  /// When the system last refused a thread, in seconds of a clock that only goes forward.
  private var refusal: Int?

  private init() {
    let isReady =
      pthread_mutex_init(mutex, nil) == 0 && pthread_cond_init(opened, nil) == 0
      && pthread_cond_init(finished, nil) == 0
    precondition(isReady, "the system refused a lock")
  }

  // MARK: - Who has work

  func run(_ shift: Shift, _ body: WorkerBody) {
    pthread_mutex_lock(mutex)
    hire(shift.seats - 1)
    if helpers > 0 {
      shifts.append(shift)
      shiftCount.store(shifts.count, ordering: .relaxed)
      for _ in 0..<min(sleeping, shift.seats - 1) { pthread_cond_signal(opened) }
    }
    pthread_mutex_unlock(mutex)

    body(0)

    pthread_mutex_lock(mutex)
    // A helper that has not begun by now need not begin.
    close(shift)
    pthread_mutex_unlock(mutex)
    if lookOut(until: { shift.active.load(ordering: .acquiring) == 0 }) { return }
    pthread_mutex_lock(mutex)
    while shift.active.load(ordering: .acquiring) > 0 { pthread_cond_wait(finished, mutex) }
    pthread_mutex_unlock(mutex)
  }

  func prepare(workers: Int) -> Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    hire(workers - 1)
    return min(workers, helpers + 1)
  }

  private func close(_ shift: Shift) {
    shift.nextSeat = shift.seats
    shifts.removeAll { $0 === shift }
    shiftCount.store(shifts.count, ordering: .relaxed)
  }

  /// Makes helpers until there are that many, or until the system refuses one; it is asked again after a second.
  private func hire(_ wanted: Int) {
    guard helpers < wanted else { return }
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    if let refusal, now.tv_sec <= refusal { return }
    while helpers < wanted {
      guard SystemThread.start({ Crew.shared.help() }) else {
        refusal = now.tv_sec
        return
      }
      helpers += 1
    }
  }

  // MARK: - Helpers

  private func help() {
    pthread_mutex_lock(mutex)
    while true {
      guard let shift = shifts.first else {
        pthread_mutex_unlock(mutex)
        _ = lookOut(until: { shiftCount.load(ordering: .relaxed) > 0 })
        pthread_mutex_lock(mutex)
        if shifts.isEmpty {
          sleeping += 1
          pthread_cond_wait(opened, mutex)
          sleeping -= 1
        }
        continue
      }
      let seat = shift.nextSeat
      shift.nextSeat += 1
      shift.active.add(1, ordering: .relaxed)
      if !shift.hasSeats { close(shift) }
      pthread_mutex_unlock(mutex)
      shift.work(seat)
      pthread_mutex_lock(mutex)
      if shift.active.subtract(1, ordering: .releasing).newValue == 0 { pthread_cond_broadcast(finished) }
    }
  }

  /// Keeps asking for some microseconds: about what it costs to put a thread to sleep and to wake it.
  private func lookOut(until condition: () -> Bool) -> Bool {
    for _ in 0..<Self.looks where condition() { return true }
    return false
  }

  private static let looks = 8000
}
