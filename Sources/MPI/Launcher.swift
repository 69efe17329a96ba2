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
  }

  /// Which program started the process.
  public let kind: Kind
  /// The number of this process, from 0.
  public let rank: Int
  /// How many processes were started.
  public let size: Int
  /// How many of them run on this node; nil where the launcher does not say.
  public let localSize: Int?

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
      (rank, self.size) = (number("OMPI_COMM_WORLD_RANK") ?? 0, size)
      localSize = number("OMPI_COMM_WORLD_LOCAL_SIZE")
    } else if let size = number("PMI_SIZE"), environment["SLURM_STEP_ID"] == nil {
      kind = .hydra
      (rank, self.size) = (number("PMI_RANK") ?? 0, size)
      localSize = number("MPI_LOCALNRANKS")
    } else if let size = number("SLURM_STEP_NUM_TASKS"), environment["SLURM_STEP_ID"] != nil {
      kind = .slurm
      (rank, self.size) = (number("SLURM_PROCID") ?? 0, size)
      localSize = Self.localTasks(environment["SLURM_STEP_TASKS_PER_NODE"], node: number("SLURM_NODEID"))
    } else {
      return nil
    }
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
