import Foundation

/// How long a process is waited for.
struct Patience {
  private let begin = ContinuousClock.now
  private let limit: Double

  /// - Parameter limit: seconds of time; ten times as many for one that has hardly had the processor in them.
  init(_ limit: Double) { self.limit = limit }

  func hasEnded(for pid: pid_t) -> Bool {
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    return seconds > limit && (seconds > 10 * limit || Self.processorSeconds(pid) > min(limit, 20))
  }

  /// The processor's time of a process and of its children that have ended.
  private static func processorSeconds(_ pid: pid_t) -> Double {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let name = text.lastIndex(of: ")")
    else { return 0 }
    // The numbers from the third on; the times are the 14th to 17th.
    let fields = text[name...].split(separator: " ").dropFirst()
    let ticks = fields.dropFirst(11).prefix(4).reduce(0) { $0 + (Double($1) ?? 0) }
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

/// The program, reading one file.
enum FuzzChild {
  /// How it ended.
  enum Ending: Hashable {
    case exited(Int32)
    case killed(Int32)
    /// It was still running after the time limit, and was killed.
    case hung

    /// - Parameter status: as `waitpid` gives it.
    init(status: Int32, hasHung: Bool) {
      let signal = status & 0x7f
      self = hasHung ? .hung : signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
    }
  }

  struct Result {
    let ending: Ending
    /// The most memory that it, or a process that it waited for, had at once.
    let peakByteCount: Int
  }

  /// Runs it to its end.
  ///
  /// - Parameters:
  ///   - limit: seconds until it is killed; see ``Patience``.
  ///   - output: a file that gets all it prints.
  static func run(_ program: String, _ arguments: [String], limit: Double, output: String) throws -> Result {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    forgetOwnPeak()
    let pid = try spawn(program, arguments, &actions)
    let patience = Patience(limit)
    var usage = rusage()
    var status: Int32 = 0
    var hasHung = false
    while wait4(pid, &status, WNOHANG, &usage) == 0 {
      if !hasHung, patience.hasEnded(for: pid) {
        hasHung = true
        kill(pid, SIGKILL)
      }
      usleep(500)
    }
    return Result(ending: Ending(status: status, hasHung: hasHung), peakByteCount: usage.ru_maxrss << 10)
  }

  /// Starts it.
  ///
  /// - Parameter additions: variables of its environment besides those of this process.
  static func spawn(
    _ program: String, _ arguments: [String], _ actions: inout posix_spawn_file_actions_t,
    with additions: [String: String] = [:]
  ) throws -> pid_t {
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    // With Swift's report of a crash the program would not answer by itself, and pages of registers take time.
    let variables = ProcessInfo.processInfo.environment.filter { $0.key != "SWIFT_BACKTRACE" }
    var environment =
      variables.merging(additions, uniquingKeysWith: { $1 }).map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (words + environment).forEach { free($0) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, program, &actions, nil, &words, &environment)
    guard code == 0 else { throw FuzzError("cannot start \(program): \(String(cString: strerror(code)))") }
    return pid
  }

  /// A new process counts the peak of the one that starts it as its own.
  private static func forgetOwnPeak() {
    let descriptor = open("/proc/self/clear_refs", O_WRONLY)
    guard descriptor >= 0 else { return }
    // 5 is the peak, <https://docs.kernel.org/filesystems/proc.html>.
    _ = write(descriptor, "5", 1)
    close(descriptor)
  }

  static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}
