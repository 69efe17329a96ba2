internal import Digests
internal import Experiments
internal import Glibc
internal import MPI
internal import Parallel
internal import Paths
internal import Synchronization
internal import Training

/// The ranks that this process is one of, from joining them to leaving them.
///
/// It is used by one thread, before and after all others.
enum RankProcess {
  nonisolated(unsafe) private static var joined: MPIRanks?

  /// Leaves results, progress and warnings to the first rank from now on.
  static func listen() {
    if let launcher = Launcher.detected(), launcher.rank > 0 {
      TerminalOutput.isFollower.store(true, ordering: .relaxed)
    }
  }

  /// Joins the processes that a launcher of MPI has started; alone where none has.
  ///
  /// - Parameter limit: seconds after which a rank that does not answer is taken for lost.
  /// - Throws: `MPIError` where the ranks cannot be joined; ``CommandError`` where they were not started alike.
  static func join(limit: Double = RankConfiguration().timeout) throws -> Ranks {
    guard let launcher = Launcher.detected() else { return Ranks() }
    listen()
    let ranks = try MPIRanks(launcher, limit: limit) { reason in
      // The thread that waits for the others cannot be asked to end.
      if isToSpeak(.lostRank, answersOthers: false) { TerminalOutput.note("error: \(reason)") }
      _exit(ExitStatus.lostRank.rawValue)
    }
    joined = ranks
    // A library of MPI may have put handlers of its own in their place.
    StopSignals.install()
    try checkSameStart(ranks)
    if ranks.isFirst { warnOfBinding(ranks) }
    return Ranks(ranks)
  }

  /// Refuses ranks with other arguments or of another program: together they would make nonsense.
  private static func checkSameStart(_ ranks: MPIRanks) throws {
    let arguments = ProgramArguments.all.dropFirst().joined(separator: " ")
    let program = try WholeFile.read("/proc/self/exe", limit: 1 << 32)
    let digest = SHA256.digest(of: program).hexadecimal.prefix(16)
    for (what, values) in [
      ("the arguments", try ranks.gather(text: arguments)),
      ("the program of the digest", try ranks.gather(text: String(digest))),
    ] {
      guard let rank = values.indices.first(where: { values[$0] != values[0] }) else { continue }
      throw CommandError(
        .configuration,
        "rank \(rank) (\(ranks.nodes[rank])) was started with \(what) '\(values[rank])', and rank 0 (\(ranks.nodes[0])) with "
          + "'\(values[0])': ranks train one network together. CONVOY_MPI=none makes processes that have nothing to do with each other"
      )
    }
  }

  /// How many workers a rank has that is not told: its share of the cores that it may use.
  static var usualWorkers: Int {
    let cores = Cores.available().count
    guard let joined else { return cores }
    let neighbours = joined.nodes.count { $0 == joined.nodes[joined.rank] }
    return max(1, isBound(cores) ? cores : cores / neighbours)
  }

  /// Whether a launcher has given this process cores of its own.
  private static func isBound(_ cores: Int) -> Bool { cores < sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

  private static func warnOfBinding(_ ranks: MPIRanks) {
    let cores = Cores.available().count
    let all = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    guard cores == 1, all > 1, Set(ranks.nodes).count == ranks.size else { return }
    TerminalOutput.warn(
      "each rank may use only one of \(all) cores, because the launcher binds it; give ranks their node's cores with "
        + "`mpirun --bind-to none` or `srun --cpus-per-task`")
  }

  /// Leaves the others in good order, once this process has nothing more to do with them.
  ///
  /// - Parameter status: what the process ends with; nil for success.
  static func leave(_ status: ExitStatus? = nil) {
    joined?.leave(endingWith: status?.rawValue ?? 0)
    joined = nil
  }

  /// Ends all ranks because of an error of this one; returns where it is alone.
  static func giveUp(_ status: ExitStatus) {
    joined?.abort(code: status.rawValue)
  }

  /// Waits a moment on all ranks but the first, longer on later ones: where several meet an error, one says so and ends all.
  ///
  /// - Parameters:
  ///   - status: what the process will end with.
  ///   - answersOthers: lets the MPI library answer meanwhile, which only the thread may that talks to the other ranks: MPICH ends nobody
  ///     before all have answered.
  /// - Returns: whether this rank has something to say; false when it was being ended meanwhile, or only tells of a signal.
  static func isToSpeak(_ status: ExitStatus, answersOthers: Bool = true) -> Bool {
    guard let launcher = Launcher.detected(), launcher.rank > 0 else { return true }
    if status == .stopped { return false }
    let wasStopped = StopSignals.request.isRequested
    let end = ContinuousClock.now + .seconds(2 + 0.3 * Double(min(launcher.rank, 10)))
    while ContinuousClock.now < end {
      if answersOthers { joined?.answerOthers() }
      // Launchers end processes by SIGTERM first.
      usleep(20_000)
      if !wasStopped, StopSignals.request.isRequested { return false }
    }
    // Some launchers take their time to end the others, or let ranks that have not joined each other end by themselves, and all of
    // them met the same. Only where the lower rank was lost, nobody has said so yet.
    return (joined != nil && status == .lostRank) || !launcher.hasLowerEnded
  }

  /// What this rank's messages begin with: nothing on the first, which speaks for all.
  static func signature() -> String {
    guard let launcher = Launcher.detected(), launcher.rank > 0 else { return "" }
    let node = joined.map { " (\($0.nodes[$0.rank]))" } ?? ""
    return "rank \(launcher.rank)\(node): "
  }
}
