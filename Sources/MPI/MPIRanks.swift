internal import Foundation
internal import Glibc
public import Parallel

/// The ranks of a program that a launcher of MPI started: one process each.
///
/// All calls come from the thread that opened it.
public final class MPIRanks: Communicator {
  /// This process's number, from 0.
  public let rank: Int
  /// How many processes there are.
  public let size: Int
  /// The host name of each process, by rank.
  public let nodes: [String]
  /// The name and version of the MPI library, on one line.
  public let library: String
  private let plugIn: PlugIn
  private let limit: Double
  private let lost: @Sendable (CommunicationError) -> Void
  /// Seconds that a library has for leaving the others.
  private static let patience = 10.0
  /// Seconds that it has for ending them: fewer than those after which others tell of the same error (2.3).
  private static let endingPatience = 1.5

  /// Joins the processes that a launcher started.
  ///
  /// - Parameters:
  ///   - limit: seconds after which a rank that does not answer is taken for lost.
  ///   - lost: is told, on a thread of its own, that a rank does not join or leave, or that the end of all does not come; it must end
  ///     the process, because nothing else ends the call that waits for the rank.
  /// - Throws: ``MPIError`` where the plug-in is missing, or its library does not see the processes that the launcher started;
  ///   `CommunicationError` where one of them does not answer.
  public init(
    _ launcher: Launcher, limit: Double, lost: @escaping @Sendable (CommunicationError) -> Void
  ) throws {
    guard let path = PlugInFolder.plugIn(for: launcher) else {
      throw MPIError(
        .missing,
        "\(launcher) started \(launcher.size) processes, and there is no plug-in for its MPI in \(PlugInFolder.path). \(MPIError.advice)"
      )
    }
    let plugIn = try PlugIn(path: path)
    self.plugIn = plugIn
    library = plugIn.library
    self.limit = limit
    self.lost = lost
    var (rank, size) = (Int32(0), Int32(0))
    let status = Watchdog.watch(seconds: limit) {
      plugIn.start(&rank, &size)
    } bite: {
      lost(
        CommunicationError(
          "rank \(launcher.rank) (\(Self.hostName)) has waited \(Int(limit)) s for all of \(launcher.size) ranks to join; one was not "
            + "started, was stopped or killed, or its node is gone"))
    }
    guard status == 0 else {
      throw MPIError(.mismatch, "\(plugIn.library) does not start: \(plugIn.text(ofError: status))")
    }
    guard size == launcher.size else {
      throw MPIError(
        .mismatch,
        "\(launcher) started \(launcher.size) processes, but each is alone for \(plugIn.library) of \(path), and would train by itself. "
          + Self.advice(launcher))
    }
    let nameless = MPIRanks(plugIn, rank: Int(rank), size: Int(size), nodes: [], limit: limit, lost: lost)
    (self.rank, self.size) = (nameless.rank, nameless.size)
    nodes = try nameless.gather(text: Self.hostName)
  }

  private init(
    _ plugIn: PlugIn, rank: Int, size: Int, nodes: [String], limit: Double,
    lost: @escaping @Sendable (CommunicationError) -> Void
  ) {
    (self.plugIn, self.limit, self.nodes, self.lost) = (plugIn, limit, nodes, lost)
    (self.rank, self.size) = (rank, size)
    library = plugIn.library
  }

  private static func advice(_ launcher: Launcher) -> String {
    switch launcher.kind {
    case .openMPI, .hydra:
      "Start it with the mpirun of that MPI, or build the plug-in with the mpicc beside this mpirun"
    case .slurm:
      "Try srun --mpi=pmix or --mpi=pmi2 (`srun --mpi=list` shows what there is), or that MPI's own mpirun"
    }
  }

  private static var hostName: String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard gethostname(&bytes, 255) == 0 else { return "?" }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// As `Communicator` says; the time limit holds for each call.
  public func startExchange(
    _ outgoing: [UnsafeRawBufferPointer], _ incoming: [UnsafeMutableRawBufferPointer]
  ) throws(CommunicationError) -> Exchange {
    var number = Int32(0)
    try check(
      plugIn.startExchange(
        outgoing.map(\.baseAddress), outgoing.map(\.count), incoming.map(\.baseAddress),
        incoming.map(\.count),
        &number))
    return Exchange(number: Int(number))
  }

  /// As `Communicator` says; the time limit holds for each call.
  public func finish(_ exchange: Exchange) throws(CommunicationError) {
    try check(plugIn.finishExchange(Int32(exchange.number), limit))
  }

  /// As `Communicator` says; the time limit holds for each call.
  public func gather(_ base: UnsafeMutableRawPointer, parts: [Range<Int>]) throws(CommunicationError) {
    try check(plugIn.gather(base, parts.map(\.lowerBound), parts.map(\.upperBound), limit))
  }

  private func check(_ status: Int32) throws(CommunicationError) {
    if status == 0 { return }
    guard status < 0 else {
      throw CommunicationError("\(name(rank)) cannot reach the others: \(plugIn.text(ofError: status))")
    }
    let missing = Int(-1 - status)
    let who = missing < size ? name(missing) : "a rank"
    throw CommunicationError(
      "\(who) has not answered \(name(rank)) for \(Int(limit)) s; it was stopped or killed, or its node is gone. The newest "
        + "checkpoint is untouched: the same command goes on from it")
  }

  /// `rank 2 (node7)`.
  private func name(_ rank: Int) -> String {
    nodes.indices.contains(rank) && !nodes[rank].isEmpty ? "rank \(rank) (\(nodes[rank]))" : "rank \(rank)"
  }

  /// Lets the library answer other ranks while this one has nothing to tell them: another's end of all may wait for that.
  public func answerOthers() { plugIn.progress() }

  /// Ends all processes; does not return.
  public func abort(code: Int32) {
    // A library whose launcher is gone may wait for it, and that of MPICH for a rank that was stopped.
    Watchdog.watch(seconds: Self.endingPatience) {
      plugIn.abort(code)
    } bite: {
      _exit(code)
    }
    _exit(code)
  }

  /// Leaves the other ranks, which leave, too.
  ///
  /// There is nothing left to be lost. With some launchers a library then waits without an end, after a signal for instance: the process ends all
  /// the same, as it was to end.
  /// - Parameter code: the exit code of the process.
  public func leave(endingWith code: Int32) {
    Watchdog.watch(seconds: min(limit, Self.patience)) {
      plugIn.finish()
    } bite: {
      _exit(code)
    }
  }
}
