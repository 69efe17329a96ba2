import Foundation

/// The program that is tried.
struct Program: Sendable {
  let path: String
  /// A library that is loaded before its own.
  let preload: String?
  /// Seconds that one start may take.
  let limit: Double
  /// How processes are started that train together; none where there is no MPI.
  let launchers: [Launcher]

  /// A program that starts several processes with one MPI.
  struct Launcher: Sendable {
    /// The plug-in for its MPI.
    let plugIn: String
    /// Its command, to which `-n`, a number and the program are added.
    let words: [String]
  }

  /// The launcher of some processes; nil where the program runs by itself.
  func launcher(of crew: Crew) -> Launcher? {
    crew.ranks == 1 || launchers.isEmpty ? nil : launchers[crew.launcher % launchers.count]
  }

  /// - Parameters:
  ///   - output: a file that gets all it prints.
  ///   - cache: the folder for what it keeps between starts.
  func start(
    _ arguments: [String], crew: Crew = Crew(), output: String, cache: String
  ) throws -> Child {
    try Child(self, arguments, crew, output: output, cache: cache)
  }
}

/// A program that runs beside this one, its output in a file.
struct Child {
  /// How it ended.
  enum Ending: Hashable, Sendable {
    case exited(Int32)
    case killed(Int32)
    /// It was still running after the time limit, and was killed.
    case hung
  }

  private let pid: pid_t
  private let deadline: ContinuousClock.Instant

  fileprivate init(
    _ program: Program, _ arguments: [String], _ crew: Crew, output: String, cache: String
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    var environment = ProcessInfo.processInfo.environment
    environment["XDG_CACHE_HOME"] = cache
    // Settings of the caller's shell are not part of a draw.
    environment["CONVOY_SET"] = nil
    environment["LD_PRELOAD"] = program.preload
    var command = [program.path] + arguments
    if let launcher = program.launcher(of: crew) {
      command = launcher.words + ["-n", "\(crew.ranks)"] + command
      environment["CONVOY_MPI"] = launcher.plugIn
    }
    let words = CStrings(command)
    let variables = CStrings(environment.map { "\($0.key)=\($0.value)" })
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, command[0], &actions, nil, words.pointers, variables.pointers)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
    self.pid = pid
    deadline = .now + .seconds(program.limit)
  }

  func send(_ signal: Int32) { kill(pid, signal) }

  /// How it ended, nil while it runs.
  ///
  /// Not to be asked again once it has an answer.
  private func ending() -> Ending? {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    let signal = status & 0x7f
    return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
  }

  /// Waits for its end.
  func wait() -> Ending {
    wait { false } ?? .hung
  }

  /// Waits for its end, or until a condition holds.
  ///
  /// - Parameter rest: microseconds between two looks.
  /// - Returns: nil where the condition held first.
  func wait(rest: UInt32 = 500, until condition: () -> Bool) -> Ending? {
    while true {
      if let ending = ending() { return ending }
      if condition() { return nil }
      if ContinuousClock.now > deadline {
        send(SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return .hung
      }
      if rest > 0 { usleep(rest) }
    }
  }
}

/// Texts as C takes them.
private final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ texts: [String]) {
    count = texts.count
    pointers = .allocate(capacity: count + 1)
    for (index, text) in texts.enumerated() { pointers[index] = strdup(text) }
    pointers[count] = nil
  }

  deinit {
    for index in 0..<count { free(pointers[index]) }
    pointers.deallocate()
  }
}
