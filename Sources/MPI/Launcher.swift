internal import Foundation

/// What has started this process together with others, as its environment tells.
///
/// Nothing here asks a library of MPI, so that a process without one learns whether it was meant to have one.
public struct Launcher: Hashable, Sendable, CustomStringConvertible {
  /// Which program starts the ranks.
  public enum Kind: Hashable, Sendable {
    /// `mpirun` of Open MPI and of what derives from it.
    case openMPI
    /// `mpiexec` of MPICH, Intel MPI and others (Hydra).
    case hydra
    /// Slurm's `srun`.
    case slurm

    /// The variable that has a process's number.
    var rankVariable: String {
      switch self {
      case .openMPI: "OMPI_COMM_WORLD_RANK"
      case .hydra: "PMI_RANK"
      case .slurm: "SLURM_PROCID"
      }
    }
  }

  /// Which program started the process.
  public let kind: Kind
  /// The number of this process, from 0.
  public let rank: Int
  /// How many processes were started.
  public let size: Int
  /// How many of them run on this node; nil where the launcher does not say.
  public let localSize: Int?
  /// The number of this process among those of its node, from 0; nil where the launcher does not say.
  public let localRank: Int?
  /// Whether a process of this node with a lower number has ended already.
  ///
  /// False where that cannot be known.
  public var hasLowerEnded: Bool { Neighbours.hasLowerEnded(than: self) }

  /// The program's name.
  public var description: String {
    switch kind {
    case .openMPI: "mpirun (Open MPI)"
    case .hydra: "mpiexec (MPICH's Hydra)"
    case .slurm: "srun"
    }
  }

  /// The families of MPI that go with the launcher, the likeliest first.
  var families: [PlugInFolder.Family] {
    switch kind {
    case .openMPI: [.openMPI]
    case .hydra: [.mpich, .other]
    case .slurm: speaksPMI2 ? [.mpich, .openMPI, .other] : [.openMPI, .mpich, .other]
    }
  }

  private let speaksPMI2: Bool

  /// The launcher that started this process with others; nil for a process that is alone.
  public static func detected() -> Launcher? {
    Launcher(environment: ProcessInfo.processInfo.environment)
  }

  /// - Parameter environment: variables by name.
  init?(environment: [String: String]) {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    if environment[PlugInFolder.variable] == PlugInFolder.noPlugIn { return nil }
    speaksPMI2 = environment["PMI_FD"] != nil
    // `mpirun` inside of a Slurm job starts its helpers by `srun`, whose variables the ranks inherit: its own come first.
    if let size = number("OMPI_COMM_WORLD_SIZE") {
      kind = .openMPI
      self.size = size
      (localSize, localRank) = (number("OMPI_COMM_WORLD_LOCAL_SIZE"), number("OMPI_COMM_WORLD_LOCAL_RANK"))
    } else if let size = number("PMI_SIZE"), environment["SLURM_STEP_ID"] == nil {
      kind = .hydra
      self.size = size
      (localSize, localRank) = (number("MPI_LOCALNRANKS"), number("MPI_LOCALRANKID"))
    } else if let size = number("SLURM_STEP_NUM_TASKS"), environment["SLURM_STEP_ID"] != nil {
      kind = .slurm
      self.size = size
      localRank = number("SLURM_LOCALID")
      localSize = Self.localTasks(environment["SLURM_STEP_TASKS_PER_NODE"], node: number("SLURM_NODEID"))
    } else {
      return nil
    }
    rank = number(kind.rankVariable) ?? 0
    guard size > 1 else { return nil }
  }

  /// The tasks of a node in Slurm's list, such as `2(x3),1`.
  static func localTasks(_ list: String?, node: Int?) -> Int? {
    guard let list, var node else { return nil }
    for item in list.split(separator: ",") {
      let words = item.split(separator: "(")
      guard let tasks = words.first.flatMap({ Int($0) }) else { return nil }
      let times = words.count > 1 ? Int(words[1].dropFirst().dropLast()) ?? 1 : 1
      if node < times { return tasks }
      node -= times
    }
    return nil
  }
}
