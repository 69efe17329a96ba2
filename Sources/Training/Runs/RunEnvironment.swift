internal import Foundation
internal import HDF5
public import Networks
internal import OneDNN
internal import Paths

/// What a run ran on and with, for `environment.json`; nothing in it decides a result that the checkpoint does not keep, too.
public struct RunEnvironment: Codable, Hashable, Sendable {
  /// The name of the machine.
  public var host: String
  /// The name of its processor.
  public var cpu: String
  /// The instruction set that the kernel library uses.
  public var instructionSet: String
  /// How many cores may be used, and who says so.
  public var cores: String
  /// How many workers trained, on each rank.
  public var workers: Int
  /// The nodes of the ranks, by rank; nil for a training in one process.
  @NullIfMissing public var nodes: [String]?
  /// Versions of Convoy and of its libraries, by name.
  public var versions: [String: String]
  /// The command as it was given.
  public var commandLine: [String]
  /// The commit of the repository that the program lies in; nil where it lies in none.
  @NullIfMissing public var gitRevision: String?
  /// The number of the Slurm job; nil outside of one.
  @NullIfMissing public var slurmJob: String?
  /// When the process began to train, ISO 8601.
  public var startedAt: String

  private enum CodingKeys: String, CodingKey {
    case host, cpu
    case instructionSet = "instruction_set"
    case cores, workers, nodes, versions
    case commandLine = "command_line"
    case gitRevision = "git_revision"
    case slurmJob = "slurm_job"
    case startedAt = "started_at"
  }

  static let fileName = "environment.json"

  /// What a run's directory says of the process that trained in it last; nil where it does not say.
  public static func read(directory: String) -> RunEnvironment? {
    guard let bytes = try? WholeFile.read("\(directory)/\(fileName)", limit: 1 << 20) else { return nil }
    return try? JSONDecoder().decode(RunEnvironment.self, from: Data(bytes))
  }

  /// The environment of this process.
  ///
  /// - Parameters:
  ///   - cores: how many may be used and who says so.
  ///   - nodes: the nodes of the ranks, by rank; nil for a training in one process.
  public init(workers: Int, cores: String, nodes: [String]? = nil) {
    let process = ProcessInfo.processInfo
    host = process.hostName
    cpu = Self.cpuModel()
    instructionSet = OneDNN.Library.instructionSet
    self.cores = cores
    self.workers = workers
    self.nodes = nodes
    versions = Self.libraryVersions
    commandLine = ProgramArguments.all
    gitRevision = Self.findGitRevision()
    slurmJob = process.environment["SLURM_JOB_ID"]
    startedAt = Date().formatted(.iso8601)
  }

  /// Convoy's own version.
  public static let version = "0.1.0"

  /// Versions of what can decide a result, by name.
  public static var libraryVersions: [String: String] {
    ["Convoy": version, "oneDNN": OneDNN.Library.version, "HDF5": HDF5.Library.version]
  }

  func json() -> String { ((try? JSONWriter().text(self)) ?? "{}") + "\n" }

  /// The name of its processor.
  static var cpuName: String { cpuModel() }

  private static func cpuModel() -> String {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("model name") }),
      let colon = line.firstIndex(of: ":")
    else { return "unknown" }
    return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
  }

  private static func findGitRevision() -> String? {
    guard let program = ProgramArguments.program else { return nil }
    var folder = Folder.parent(of: program)
    while folder != "/" {
      if let head = WholeFile.text("\(folder)/.git/HEAD") {
        let text = head.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.hasPrefix("ref: ") else { return text }
        let commit = WholeFile.text("\(folder)/.git/\(text.dropFirst(5))")
        return commit?.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      folder = Folder.parent(of: folder)
    }
    return nil
  }
}
