internal import Glibc

/// A thread of the operating system, which may be refused.
///
/// Dispatch and Foundation wait without end for a thread that the system refuses (a limit on processes, a control group's
/// `pids.max`, no address space for a stack). Here the caller learns of the refusal and goes on without the thread.
public enum SystemThread {
  /// Starts a thread that runs `body` and then ends; nobody waits for it.
  ///
  /// Signals that ask a process to stop go to other threads; those that report a fault are taken where it happens.
  /// - Returns: false when the system refuses the thread; `body` is then never called.
  public static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    defer { attributes.deallocate() }
    guard pthread_attr_init(attributes) == 0 else { return false }
    defer { pthread_attr_destroy(attributes) }
    pthread_attr_setstacksize(attributes, stackByteCount)
    pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))

    // A thread begins with the signal mask of the one that makes it.
    var mask = sigset_t()
    var former = sigset_t()
    sigfillset(&mask)
    for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&mask, number) }
    pthread_sigmask(SIG_BLOCK, &mask, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }

    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = pthread_create(&thread, attributes, threadMain, work.toOpaque())
    guard status == 0 else {
      work.release()
      return false
    }
    return true
  }

  /// Runs `body` with a second stack for handlers of this thread's faults: its own may be what ran out.
  public static func withFaultStack(_ body: () -> Void) {
    let byteCount = 64 << 10
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { memory.deallocate() }
    var stack = stack_t(ss_sp: memory, ss_flags: 0, ss_size: byteCount)
    sigaltstack(&stack, nil)
    defer {
      var none = stack_t(ss_sp: nil, ss_flags: 2, ss_size: 0)  // SS_DISABLE
      sigaltstack(&none, nil)
    }
    body()
  }

  /// What a thread's calls may take; of it only what is touched becomes memory.
  private static let stackByteCount = 4 << 20
}

/// What a new thread does.
private final class Work: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private func threadMain(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let pointer else { return nil }
  let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
  SystemThread.withFaultStack(work.body)
  return nil
}
