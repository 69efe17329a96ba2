internal import Parallel
internal import Synchronization

#if canImport(Glibc)
  public import Glibc
#endif

/// A request to stop, made from anywhere and polled between pieces of work.
public final class StopRequest: Sendable {
  private let signal = Atomic<Int32>(0)
  private let noticed = Atomic<Bool>(false)

  /// A request that nobody has made yet.
  public init() {}

  /// Whether somebody has asked to stop.
  public var isRequested: Bool {
    guard signal.load(ordering: .relaxed) != 0 else { return false }
    noticed.store(true, ordering: .relaxed)
    return true
  }

  /// Whether somebody has seen the request since it was made.
  var isNoticed: Bool { noticed.load(ordering: .relaxed) }

  /// The signal that asked, nil when nobody did.
  public var signalNumber: Int32? {
    let number = signal.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Asks to stop; only the first signal is remembered.
  public func request(signal number: Int32 = SIGTERM) {
    _ = signal.compareExchange(expected: 0, desired: number, ordering: .relaxed)
  }
}

/// Signals that end a training in good order.
///
/// Whatever a terminal, a batch system, a container or a limit sends to end a process sets a flag and nothing else; the trainer sees
/// it after the shard in hand. A second SIGINT or SIGQUIT, which only people send, ends the process at once: the checkpoint
/// before stays intact, since files are replaced atomically. Where nobody looks at the flag for ``patience`` seconds, because
/// a library hangs, the process ends, too.
public enum StopSignals {
  /// What the handlers set.
  public static let request = StopRequest()

  private static let interrupts = Atomic<Int>(0)
  /// How many checkpoints are being written, for which the process waits however long that takes.
  private static let saving = Atomic<Int>(0)

  /// The signals that ask to stop.
  ///
  /// Besides the usual ones: SIGUSR1 and SIGUSR2 announce the end of a job's time (Slurm, Grid Engine), SIGXCPU that of its
  /// processor time, SIGALRM is `timeout`'s and Perl's idiom for a limit, SIGPWR asks a container to shut down.
  public static let handled: [Int32] = [
    SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGALRM, SIGPWR,
  ]

  /// Seconds after which a process that does not look whether it should stop is ended.
  ///
  /// Batch systems wait for thirty before they kill.
  private static let patience: UInt32 = 20

  /// Installs the handlers.
  ///
  /// SIGPIPE and SIGXFSZ are ignored: writing then reports an error, which can be handled. SIGHUP stays ignored where it was,
  /// as under `nohup`. A second call changes nothing, and loses no signal. The calling thread gets a stack for handlers; other
  /// threads that run oneDNN's kernels need one, too, or block these signals, as those of ``SystemThread`` do.
  @discardableResult
  public static func install() -> StopRequest {
    // Made here: a first use inside a handler would run an initializer or ask the runtime for a type, which is not allowed there.
    let request = request
    _ = (request.signalNumber, request.isNoticed)
    _ = (interrupts.load(ordering: .relaxed), saving.load(ordering: .relaxed), patience)
    SystemThread.provideSignalStack()
    for number in handled {
      var current = sigaction()
      sigaction(number, nil, &current)
      if number == SIGHUP, isIgnored(current) { continue }
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { StopSignals.receive($0) }
      // Calls that a signal interrupts are made again by the kernel where it can; the others are checked for EINTR. The
      // interrupted stack may be none: see `SystemThread.withSignalStack`.
      action.sa_flags = SA_RESTART | SA_ONSTACK
      sigemptyset(&action.sa_mask)
      sigaction(number, &action, nil)
    }
    unblock()
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    return request
  }

  /// Lets signals through that a parent may have blocked; a blocked signal would wait without end.
  public static func unblock() {
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in handled { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  }

  /// Runs work that a stop waits for, however long it takes.
  static func whileSaving<Result>(_ work: () -> Result) -> Result {
    saving.add(1, ordering: .relaxed)
    defer { saving.subtract(1, ordering: .relaxed) }
    return work()
  }

  /// What a handler does; nothing but atomics and calls that are allowed there.
  private static func receive(_ number: Int32) {
    guard let first = request.signalNumber else {
      request.request(signal: number)
      if number == SIGINT || number == SIGQUIT { interrupts.add(1, ordering: .relaxed) }
      // A signal that announces the end leaves minutes; the others are followed by SIGKILL.
      if number != SIGUSR1, number != SIGUSR2 { alarm(patience) }
      return
    }
    switch number {
    case SIGALRM:
      if saving.load(ordering: .relaxed) > 0 {
        alarm(patience)
      } else if !request.isNoticed {
        _exit(128 + first)
      }
    case SIGINT, SIGQUIT:
      // The code by which a shell knows a program that the signal ended.
      if interrupts.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
    // SIGXCPU comes every second: time that has begun to run out is not given back.
    default: break
    }
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// `SIGTERM` and the like, for messages.
  public static func name(of number: Int32) -> String {
    switch number {
    case SIGTERM: "SIGTERM"
    case SIGINT: "SIGINT"
    case SIGQUIT: "SIGQUIT"
    case SIGHUP: "SIGHUP"
    case SIGUSR1: "SIGUSR1"
    case SIGUSR2: "SIGUSR2"
    case SIGXCPU: "SIGXCPU"
    case SIGALRM: "SIGALRM"
    case SIGPWR: "SIGPWR"
    default: "signal \(number)"
    }
  }
}
