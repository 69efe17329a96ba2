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

  /// Runs `body` with a second stack for this thread's signal handlers.
  ///
  /// A thread's own stack may be what ran out. And some of oneDNN's kernels point the stack's register into their tensors while they
  /// compute, so that a handler on that stack would write the registers' contents over a tensor or over the heap's own data.
  public static func withSignalStack(_ body: () -> Void) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: signalStackByteCount, alignment: 64)
    defer { memory.deallocate() }
    var stack = stack_t(ss_sp: memory, ss_flags: 0, ss_size: signalStackByteCount)
    sigaltstack(&stack, nil)
    defer {
      var none = stack_t(ss_sp: nil, ss_flags: CInt(SS_DISABLE), ss_size: 0)
      sigaltstack(&none, nil)
    }
    body()
  }

  /// Gives the calling thread a second stack for its signal handlers, which it keeps; nothing where it has one.
  ///
  /// See ``withSignalStack(_:)`` for the reasons.
  public static func provideSignalStack() {
    var current = stack_t()
    sigaltstack(nil, &current)
    guard current.ss_flags & CInt(SS_DISABLE) != 0 else { return }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: signalStackByteCount, alignment: 64)
    var stack = stack_t(ss_sp: memory, ss_flags: 0, ss_size: signalStackByteCount)
    sigaltstack(&stack, nil)
  }

  /// Room for a handler's calls, and for the registers that the kernel puts there first: 11 KiB on CPUs with AMX.
  private static let signalStackByteCount = 64 << 10

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
  SystemThread.withSignalStack(work.body)
  return nil
}
