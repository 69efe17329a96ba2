internal import Foundation
internal import Glibc
internal import HDF5
internal import Tensors

/// The last message of a process that cannot go on, because of a fault in the program or a lack of memory.
///
/// It is one line with an exit code that scripts know, in place of a report of Swift's backtracer, which stops the process for half
/// a minute. Setting `SWIFT_BACKTRACE` brings that report back, and a sanitizer keeps its own.
enum InternalError {
  /// The signals by which a fault shows.
  private static let faults: [Int32] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS]

  private static let reports = "CONTRIBUTING.md says where to report it"

  // A handler may not ask for memory nor take a lock, so its messages are made in advance.
  nonisolated(unsafe) private static let lines = UnsafeMutablePointer<UnsafeBufferPointer<UInt8>>.allocate(
    capacity: 65)
  nonisolated(unsafe) private static var outOfMemory = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  nonisolated(unsafe) private static var damagedFile = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  nonisolated(unsafe) private static var endlessFile = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  nonisolated(unsafe) private static var hasMemoryLimit = false

  /// Takes the place of Swift's handlers.
  static func install() {
    outOfMemory = permanent(
      "error: out of memory: \(MemoryLimit.advice); the last checkpoint of a training is untouched\n")
    damagedFile = permanent(
      "error: libhdf5 crashed over a file, which is damaged or made to do harm; the last checkpoint of a training is untouched\n"
    )
    endlessFile = permanent(
      "error: libhdf5 does not finish reading a file, which is damaged or made to do harm; the last checkpoint of a training is untouched\n"
    )
    hasMemoryLimit = MemoryLimit.isSet
    for number in 0..<65 { lines[number] = UnsafeBufferPointer(start: nil, count: 0) }
    for number in faults {
      lines[Int(number)] = permanent(
        "error: an internal error (\(name(of: number))) of convoy \(Version.number); the last checkpoint of a training is "
          + "untouched. \(reports)\n")
    }
    // What a handler will use: its first use may ask the runtime for types.
    _ = Library.isInside
    write(lines[0])
    MemoryRefusal.handle { _ in
      write(outOfMemory)
      _exit(ExitStatus.inputOutput.rawValue)
    }
    handleOverrun()
    // Ctrl-\ ends commands that have no better answer, as it ends other programs.
    signal(SIGQUIT, SIG_DFL)
    guard getenv("SWIFT_BACKTRACE") == nil, !hasSanitizer else { return }
    for number in faults {
      var action = sigaction()
      action.__sigaction_handler.sa_sigaction = { number, information, _ in
        // Generic functions of the library may ask the runtime for a type, which takes locks that this thread may hold already.
        var isSent = true
        if let information { isSent = information.pointee.si_code == SI_USER }
        InternalError.end(by: number, isSent: isSent)
      }
      action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO
      sigemptyset(&action.sa_mask)
      sigaction(number, &action, nil)
    }
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in faults { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  }

  /// Answers a library that goes round in circles over a file.
  private static func handleOverrun() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      // The call may have ended just now.
      guard Library.isBusy else { return }
      InternalError.write(InternalError.endlessFile)
      _exit(ExitStatus.badData.rawValue)
    }
    action.sa_flags = SA_ONSTACK | SA_RESTART
    sigemptyset(&action.sa_mask)
    sigaction(Library.overrunSignal, &action, nil)
    // Whoever started this process may have left its own mask to it.
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, Library.overrunSignal)
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  }

  /// - Parameter isSent: whether another process sent the signal, and this one made no mistake.
  private static func end(by number: Int32, isSent: Bool) {
    // Swift and C++ end a process whose memory is refused in the same way as a faulty one.
    if hasMemoryLimit, !isMemoryLeft {
      write(outOfMemory)
      _exit(ExitStatus.inputOutput.rawValue)
    }
    // The process that looks into a file first does not see all that libhdf5 trusts.
    if !isSent, Library.isInside {
      write(damagedFile)
      _exit(ExitStatus.badData.rawValue)
    }
    write(lines[Int(number)])
    _exit(ExitStatus.internalError.rawValue)
  }

  /// Whether the system still gives a few megabytes.
  private static var isMemoryLeft: Bool {
    let size = 32 << 20
    guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      address != MAP_FAILED
    else { return false }
    munmap(address, size)
    return true
  }

  private static func write(_ line: UnsafeBufferPointer<UInt8>) {
    _ = Glibc.write(2, line.baseAddress, line.count)
  }

  private static func permanent(_ text: String) -> UnsafeBufferPointer<UInt8> {
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
    _ = bytes.initialize(from: text.utf8)
    return UnsafeBufferPointer(bytes)
  }

  private static var hasSanitizer: Bool {
    dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
  }

  private static func name(of number: Int32) -> String {
    switch number {
    case SIGSEGV: "SIGSEGV"
    case SIGBUS: "SIGBUS"
    case SIGILL: "SIGILL"
    case SIGFPE: "SIGFPE"
    case SIGTRAP: "SIGTRAP"
    case SIGABRT: "SIGABRT"
    case SIGSYS: "SIGSYS"
    default: "signal \(number)"
    }
  }
}
