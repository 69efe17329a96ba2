internal import Foundation
internal import HDF5
internal import Networks
internal import OneDNN

/// What a run ran on and with, for `environment.json`; nothing in it decides a result that the checkpoint does not keep, too.
public struct RunEnvironment: Hashable, Sendable {
  public var host: String
  public var cpu: String
  public var instructionSet: String
  public var cores: String
  public var workers: Int
  public var versions: [String: String]
  public var commandLine: [String]
  /// Commit of the repository in or above the working directory, if there is one.
  public var gitRevision: String?
  public var slurmJob: String?
  public var startedAt: String

  /// The environment of this process.
  ///
  /// - Parameter cores: how many may be used and who says so.
  public init(workers: Int, cores: String) {
    let process = ProcessInfo.processInfo
    host = process.hostName
    cpu = Self.cpuModel()
    instructionSet = OneDNN.Library.instructionSet
    self.cores = cores
    self.workers = workers
    versions = Self.libraryVersions
    commandLine = process.arguments
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

  func json() -> String {
    let document: JSONValue = .object([
      "host": .string(host), "cpu": .string(cpu), "instruction_set": .string(instructionSet),
      "cores": .string(cores), "workers": .integer(workers),
      "versions": .object(versions.mapValues(JSONValue.string)),
      "command_line": .array(commandLine.map(JSONValue.string)),
      "git_revision": gitRevision.map(JSONValue.string) ?? .null,
      "slurm_job": slurmJob.map(JSONValue.string) ?? .null, "started_at": .string(startedAt),
    ])
    return ((try? document.text()) ?? "{}") + "\n"
  }

  static var cpuName: String { cpuModel() }

  private static func cpuModel() -> String {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("model name") }),
      let colon = line.firstIndex(of: ":")
    else { return "unknown" }
    return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
  }

  private static func findGitRevision() -> String? {
    var folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    while folder.path != "/" {
      let git = folder.appendingPathComponent(".git")
      if let head = try? String(contentsOf: git.appendingPathComponent("HEAD"), encoding: .utf8) {
        let text = head.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.hasPrefix("ref: ") else { return text }
        let reference = git.appendingPathComponent(String(text.dropFirst(5)))
        let commit = try? String(contentsOf: reference, encoding: .utf8)
        return commit?.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      folder.deleteLastPathComponent()
    }
    return nil
  }
}
