internal import Experiments
internal import Glibc
internal import MPI
internal import Parallel
internal import Training

/// The ranks that this process is one of, from joining them to leaving them.
///
/// It is used by one thread, before and after all others.
enum RankProcess {
  nonisolated(unsafe) private static var joined: MPIRanks?

  /// Joins the processes that a launcher of MPI has started; alone where none has.
  ///
  /// - Parameter limit: seconds after which a rank that does not answer is taken for lost.
  /// - Throws: `MPIError` where the ranks cannot be joined.
  static func join(limit: Double) throws -> Ranks {
    guard let launcher = Launcher.detected() else { return Ranks() }
    let ranks = try MPIRanks(launcher, limit: limit) { reason in
      // The thread that waits for the others cannot be asked to end.
      if isToSpeak() { TerminalOutput.note("error: \(reason)") }
      _exit(ExitStatus.lostRank.rawValue)
    }
    joined = ranks
    // A library of MPI may have put handlers of its own in their place.
    StopSignals.install()
    if ranks.isFirst { warnOfBinding(ranks) }
    return Ranks(ranks)
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
  static func leave() {
    joined?.finish()
    joined = nil
  }

  /// Ends all ranks because of an error of this one; returns where it is alone.
  static func giveUp(_ status: ExitStatus) {
    joined?.abort(code: status.rawValue)
  }

  /// Waits a moment on all ranks but the first, longer on later ones: where several meet an error, one says so and ends all.
  ///
  /// - Returns: whether this rank has something to say; false when it was being ended meanwhile.
  static func isToSpeak() -> Bool {
    guard let launcher = Launcher.detected(), launcher.rank > 0, !StopSignals.request.isRequested else {
      return true
    }
    let end = ContinuousClock.now + .seconds(1.2 + 0.3 * Double(min(launcher.rank, 10)))
    while ContinuousClock.now < end {
      // Launchers end processes by SIGTERM first.
      usleep(20_000)
      if StopSignals.request.isRequested { return false }
    }
    return true
  }

  /// What this rank's messages begin with: nothing on the first, which speaks for all.
  static func signature() -> String {
    guard let launcher = Launcher.detected(), launcher.rank > 0 else { return "" }
    let node = joined.map { " (\($0.nodes[$0.rank]))" } ?? ""
    return "rank \(launcher.rank)\(node): "
  }
}
