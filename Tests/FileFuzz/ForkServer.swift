import Foundation

/// The program, stopped where it first touches the folder of its file, and copied there for each file: see `Tests/ForkShim`.
///
/// What it does before does not depend on the file, and costs ten times as much as reading a small one.
final class ForkServer {
  private let pid: pid_t
  /// Where copies are asked for, and where the program says what came of them.
  private let socket: Int32

  /// Starts the program and waits until it has come to the folder, which must not exist yet.
  ///
  /// - Parameters:
  ///   - shim: the compiled shim.
  ///   - output: a file in the folder that gets all a copy prints.
  ///   - limit: seconds until it is given up.
  /// - Returns: nil where it ends before it comes there, or has threads by then.
  init?(
    _ program: String, _ arguments: [String], shim: String, folder: String, output: String, limit: Double
  ) throws {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw FuzzError("no more sockets") }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in 0...2 as ClosedRange<Int32> {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 198)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 199)
    // Names of functions are looked up before there are copies, which would each do it again. Without a PATH a report has no charts, whose
    // program takes ten times as long as all else.
    pid = try FuzzChild.spawn(
      program, arguments, &actions,
      with: [
        "LD_PRELOAD": shim, "FORK_ROOT": folder, "FORK_LOG": output, "LD_BIND_NOW": "1", "PATH": "/nowhere",
      ])
    close(ends[1])
    socket = ends[0]
    guard receive(1, until: .now + .seconds(limit)) != nil else {
      kill(pid, SIGKILL)
      return nil
    }
  }

  deinit {
    close(socket)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  /// Has a copy read what is in the folder now, to its end.
  ///
  /// - Parameter limit: seconds until the copy is killed; see ``Patience``.
  func run(limit: Double) throws -> FuzzChild.Result {
    let end = ContinuousClock.now + .seconds(20 * limit + 600)
    guard write(socket, [1], 1) == 1, let number = receive(4, until: end) else {
      throw FuzzError("the program that is copied has ended")
    }
    let copy = pid_t(truncatingIfNeeded: number)
    let patience = Patience(limit)
    var hasHung = false
    while !hasHung, !isReadable(until: .now + .seconds(1)) {
      hasHung = patience.hasEnded(for: copy)
      if hasHung { kill(copy, SIGKILL) }
    }
    guard let status = receive(4, until: end), let peak = receive(8, until: end) else {
      throw FuzzError("the program that is copied does not say how a copy ended")
    }
    return FuzzChild.Result(
      ending: FuzzChild.Ending(status: Int32(truncatingIfNeeded: status), hasHung: hasHung),
      peakByteCount: Int(truncatingIfNeeded: peak) << 10)
  }

  /// A number of so many bytes.
  private func receive(_ count: Int, until deadline: ContinuousClock.Instant) -> UInt64? {
    var bytes = [UInt8](repeating: 0, count: count)
    guard isReadable(until: deadline), read(socket, &bytes, count) == count else { return nil }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func isReadable(until deadline: ContinuousClock.Instant) -> Bool {
    while true {
      let left = (deadline - .now) / .milliseconds(1)
      var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      let count = poll(&entry, 1, Int32(max(0, left)))
      if count > 0 { return true }
      if count == 0 || errno != EINTR { return false }
    }
  }
}
