import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Whatever a terminal, a batch system, a container or the kernel may send.
@Suite("Signals")
struct SignalTests {
  private func start(_ run: String, _ config: String, shell: String? = nil) throws -> RunningProgram {
    let program = try Program.start(["train", config, "--run-dir", run, "--quiet"], shell: shell)
    try program.wait { FileManager.default.fileExists(atPath: "\(run)/state.json") }
    return program
  }

  private func prepare(epochs: Int = 100_000) throws -> (folder: TemporaryDirectory, config: String) {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    return (folder, try Sample.config(folder, epochs: epochs))
  }

  @Test(
    "a training stops in good order by every signal that announces an end",
    arguments: [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGALRM, SIGPWR])
  func stops(_ signal: Int32) throws {
    let (folder, config) = try prepare()
    let program = try start(folder.file("run"), config)
    program.send(signal)
    let result = try program.finish()
    #expect(result.code == 75 && !result.wasKilled, "\(result.errors)")
    #expect(!result.errors.contains("error:") && result.output.contains("the same command resumes there"))
  }

  @Test("time that a shell allows, and alarms that a parent has set, stop a training in good order")
  func limits() throws {
    let (folder, config) = try prepare()
    for shell in ["ulimit -S -t 3", "trap '' ALRM; trap - ALRM"] {
      let program = try start(
        folder.file(shell.hasPrefix("ulimit") ? "limit" : "alarm"), config, shell: shell)
      if !shell.hasPrefix("ulimit") { program.send(SIGALRM) }
      let result = try program.finish()
      #expect(result.code == 75 && !result.wasKilled, "\(shell): \(result.errors)")
    }
  }

  @Test("stopped and continued, as by Ctrl-Z and fg, a training comes to the same bytes")
  func suspended() throws {
    let (folder, config) = try prepare(epochs: 60)
    #expect(try Program.run(["train", config, "--run-dir", folder.file("whole"), "--quiet"]).code == 0)
    let program = try start(folder.file("run"), config)
    for _ in 0..<3 {
      program.send(SIGTSTP)
      usleep(20_000)
      program.send(SIGCONT)
      usleep(20_000)
    }
    #expect(try program.finish().code == 0)
    #expect(try Sample.digest(folder.file("run")) == Sample.digest(folder.file("whole")))
  }

  @Test("signals that a parent blocked reach the program", arguments: ["train", "evaluate"])
  func blocked(_ command: String) throws {
    let (folder, config) = try prepare()
    guard command == "train" else { return }
    // A shell cannot block signals; a thread of this process can, and its child begins with its mask.
    var mask = sigset_t()
    var former = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &mask, &former)
    let program = try Program.start(["train", config, "--run-dir", folder.file("run"), "--quiet"])
    pthread_sigmask(SIG_SETMASK, &former, nil)
    try program.wait { FileManager.default.fileExists(atPath: folder.file("run/state.json")) }
    program.send(SIGTERM)
    #expect(try program.finish().code == 75)
  }

  @Test(
    "a fault inside the program is one line, 70, and where to report it; no crash report",
    arguments: [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT])
  func faults(_ signal: Int32) throws {
    let (folder, config) = try prepare()
    let program = try start(folder.file("run"), config, shell: "unset SWIFT_BACKTRACE")
    let begin = Date()
    program.send(signal)
    let result = try program.finish()
    #expect(result.code == 70 && !result.wasKilled, "\(result.errors)")
    let lines = result.errors.split(separator: "\n").filter { !$0.hasPrefix("warning:") }
    #expect(lines.count == 1, "\(result.errors)")
    #expect(
      lines.first?.hasPrefix("error: an internal error (SIG") == true && result.errors.contains("report"))
    #expect(Date().timeIntervalSince(begin) < 5)
  }

  @Test("a fault ends a training at whatever moment it comes")
  func faultAtAnyMoment() throws {
    let (folder, config) = try prepare()
    var random = SplitMix64(seed: 5)
    for draw in 0..<24 {
      let program = try start(folder.file("run-\(draw)"), config, shell: "unset SWIFT_BACKTRACE")
      usleep(UInt32(random.next(below: 150_000)))
      program.send([SIGSEGV, SIGABRT][draw % 2])
      defer { program.send(SIGKILL) }
      try program.wait { false }
      let result = try program.finish()
      #expect(result.code == 70 && !result.wasKilled, "draw \(draw): \(result.code) \(result.errors)")
    }
  }

  @Test("Ctrl-\\ ends a command that has nothing to save at once")
  func quit() throws {
    // A pipe from which nobody reads: the command waits to write the rest.
    let folder = try TemporaryDirectory()
    try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
    let program = try Program.start(
      ["config", "schema"], shell: "ulimit -c 0; exec 3<>\(folder.file("pipe")) >\(folder.file("pipe"))")
    usleep(1_000_000)
    program.send(SIGQUIT)
    usleep(2_000_000)
    // Ends what the signal has not ended, with another outcome.
    program.send(SIGKILL)
    let result = try program.finish()
    #expect(result.wasKilled && result.code == SIGQUIT && result.errors.isEmpty, "\(result)")
  }
}
