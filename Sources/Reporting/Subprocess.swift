internal import Foundation
internal import Glibc
internal import Paths

/// Runs another program to its end.
///
/// Foundation's `Process` ends this process where it cannot make a pipe, and waits for ever where it cannot make a thread. This one
/// needs a pipe and a process, and says which of them the system refused.
public enum Subprocess {
  /// Why a program did not do its work, in a few words.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason.
    public let description: String

    init(_ description: String) { self.description = description }

    /// A failure with the system's words for an error number.
    init(_ what: String, _ code: Int32) { self.init("\(what): \(String(cString: strerror(code)))") }
  }

  /// Runs a program without input; its standard error is discarded.
  ///
  /// - Parameters:
  ///   - program: the program's path.
  ///   - seconds: the time after which it is killed.
  /// - Returns: the program's standard output.
  /// - Throws: ``Failure`` where it cannot be run, takes too long, or ends with a status other than 0.
  public static func output(
    of program: String, _ arguments: [String], seconds: Double = 60
  ) throws(Failure) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Failure("no pipe to it can be made", errno) }
    let (reading, writing) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(reading) }
    let child: pid_t
    do throws(Failure) { child = try start(program, arguments, output: writing) } catch {
      close(writing)
      throw error
    }
    close(writing)
    let result = Result { () throws(Failure) in try readAll(reading, seconds: seconds) }
    if case .failure = result { kill(child, SIGKILL) }
    let status = wait(for: child)
    let bytes = try result.get()
    guard status == 0 else { throw Failure(describe(status)) }
    return bytes
  }

  private static func start(
    _ program: String, _ arguments: [String], output: Int32
  ) throws(Failure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // Signals that are ignored or blocked here must not be so there.
    var (usual, none) = (sigset_t(), sigset_t())
    sigfillset(&usual)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &usual)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var words = ([program] + arguments).map { strdup($0.systemPath) } + [nil]
    var environment =
      ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in words + environment { free(pointer) } }
    var child = pid_t()
    let status = posix_spawn(&child, program.systemPath, &actions, &attributes, &words, &environment)
    guard status == 0 else { throw Failure("\(program) cannot be started", status) }
    return child
  }

  private static func readAll(_ descriptor: Int32, seconds: Double) throws(Failure) -> [UInt8] {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let left = Double((end - clock.now).components.seconds)
      guard left >= 0 else { throw Failure("it was not done after \(Int(seconds)) s") }
      var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&question, 1, Int32(min(left, 3600) * 1000) + 1000)
      if ready < 0, errno != EINTR { throw Failure("its output cannot be read", errno) }
      guard ready > 0 else { continue }
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure("its output cannot be read", errno) }
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
  }

  private static func wait(for child: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status
  }

  /// A status of `waitpid` in words.
  private static func describe(_ status: Int32) -> String {
    let signal = status & 0x7F
    return signal == 0 ? "it ended with status \((status >> 8) & 0xFF)" : "it was ended by signal \(signal)"
  }
}
