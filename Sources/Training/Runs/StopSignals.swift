internal import Synchronization

#if canImport(Glibc)
  public import Glibc
#endif

/// A wish to stop, set from anywhere and polled between pieces of work.
public final class StopRequest: Sendable {
  private let signal = Atomic<Int32>(0)

  /// Makes a wish that nobody has made yet.
  public init() {}

  /// Whether somebody has asked to stop.
  public var isRequested: Bool { signal.load(ordering: .relaxed) != 0 }

  /// The signal that asked, nil when nobody did.
  public var signalNumber: Int32? {
    let number = signal.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Asks to stop; only the first wish is remembered.
  public func request(signal number: Int32 = SIGTERM) {
    _ = signal.compareExchange(expected: 0, desired: number, ordering: .relaxed)
  }
}

/// Signals that end a training in good order.
///
/// SIGTERM, SIGINT, SIGUSR1 and SIGHUP set a flag and nothing else; the trainer sees it after the shard in hand. A second
/// SIGINT ends the process at once: the checkpoint before stays intact, since files are replaced atomically.
public enum StopSignals {
  /// What the handlers set.
  public static let request = StopRequest()

  private static let interrupts = Atomic<Int>(0)

  /// The signals that ask to stop.
  public static let handled: [Int32] = [SIGTERM, SIGINT, SIGUSR1, SIGHUP]

  /// Installs the handlers.
  ///
  /// SIGPIPE and SIGXFSZ are ignored: writing then reports an error, which can be handled. SIGHUP stays ignored where it was,
  /// as under `nohup`. A second call changes nothing but forgets no signal either.
  @discardableResult
  public static func install() -> StopRequest {
    // Made here: a first use inside a handler would run an initializer, which is not allowed there.
    let request = request
    for number in handled {
      var current = sigaction()
      sigaction(number, nil, &current)
      if number == SIGHUP, isIgnored(current) { continue }
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        StopSignals.request.request(signal: number)
        // The code by which a shell knows a program that the signal ended.
        if number == SIGINT, StopSignals.interrupts.add(1, ordering: .relaxed).oldValue > 0 {
          _exit(128 + SIGINT)
        }
      }
      // Calls that a signal interrupts are made again by the kernel where it can; the others are checked for EINTR.
      action.sa_flags = SA_RESTART
      sigemptyset(&action.sa_mask)
      sigaction(number, &action, nil)
    }
    // A parent may have started us with these blocked; a blocked signal would wait for ever.
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in handled { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    return request
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// `SIGTERM` and the like, for messages.
  public static func name(of number: Int32) -> String {
    switch number {
    case SIGTERM: "SIGTERM"
    case SIGINT: "SIGINT"
    case SIGUSR1: "SIGUSR1"
    case SIGHUP: "SIGHUP"
    default: "signal \(number)"
    }
  }
}
