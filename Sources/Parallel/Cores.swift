internal import Foundation
internal import Tensors

/// How many cores this process may use, and who says so.
public struct Cores: Hashable, Sendable, CustomStringConvertible {
  /// A place that limits the number of cores.
  public struct Limit: Hashable, Sendable, CustomStringConvertible {
    /// How many cores there are to use, 1 or more.
    public let count: Int
    /// Who sets the limit, for instance `SLURM_CPUS_PER_TASK` or a file name.
    public let source: String

    /// The count with where it comes from, as in `4 (SLURM_CPUS_PER_TASK)`.
    public var description: String { "\(count) (\(source))" }
  }

  /// All limits that were found, in the order in which they were looked up.
  public let limits: [Limit]

  /// The smallest of the limits; at least 1.
  public var count: Int { limits.map(\.count).min() ?? 1 }

  /// The limit that decided.
  public var deciding: Limit? { limits.min { $0.count < $1.count } }

  /// The number of cores, the limit that decided, and the others, in one line.
  public var description: String {
    let others = limits.filter { $0 != deciding }.map(\.description)
    let decided = deciding.map { "\(counted($0.count, "core")), by \($0.source)" } ?? "1 core"
    return others.isEmpty ? decided : "\(decided); others allow \(others.joined(separator: ", "))"
  }

  /// The smallest of: `SLURM_CPUS_PER_TASK`, the affinity mask, and the quota of every control group above this process
  /// (`cpu.max` of version 2, `cpu.cfs_quota_us` of version 1), rounded down.
  ///
  /// Foundation's count is not used: it ignores the affinity mask and version 2 of control groups.
  public static func available() -> Cores {
    available(environment: ProcessInfo.processInfo.environment, root: "")
  }

  /// The same from given sources, for tests.
  ///
  /// - Parameter root: put before `/proc/self/…` and `/sys/fs/cgroup`.
  public static func available(environment: [String: String], root: String) -> Cores {
    let files = SystemFiles(root: root)
    var limits: [Limit] = []
    let slurm = "SLURM_CPUS_PER_TASK"
    if let count = environment[slurm].flatMap({ Int($0) }), count >= 1 {
      limits.append(Limit(count: count, source: slurm))
    }
    if let count = affinityCount(files) {
      limits.append(Limit(count: count, source: "affinity mask"))
    }
    limits += ControlGroups(files: files).limits()
    return Cores(limits: limits)
  }

  /// Bits set in the process's affinity mask.
  ///
  /// The kernel prints the mask that `sched_getaffinity` returns as hexadecimal words with commas between them.
  private static func affinityCount(_ files: SystemFiles) -> Int? {
    let key = "Cpus_allowed:"
    guard let status = files.text("/proc/self/status"),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix(key) })
    else { return nil }
    let count = line.dropFirst(key.count).reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount }
    return count > 0 ? count : nil
  }
}

/// Small files of the running system, or of a folder that stands for it.
private struct SystemFiles {
  let root: String

  func text(_ file: String) -> String? {
    try? String(contentsOfFile: root + file, encoding: .utf8)
  }

  func number(_ file: String) -> Int? {
    text(file).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: root + file) }
}

/// CPU quotas of the control groups that this process is in.
private struct ControlGroups {
  let files: SystemFiles

  func limits() -> [Cores.Limit] {
    guard let table = files.text("/proc/self/cgroup") else { return [] }
    var limits: [Cores.Limit] = []
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[0] == "0", fields[1].isEmpty {
        limits += ancestors(of: fields[2], under: "/sys/fs/cgroup").compactMap(versionTwo)
      } else if fields[1].split(separator: ",").contains("cpu") {
        let mounts = ["/sys/fs/cgroup/\(fields[1])", "/sys/fs/cgroup/cpu"]
        guard let mount = mounts.first(where: files.exists) else {
          continue
        }
        limits += ancestors(of: fields[2], under: mount).compactMap(versionOne)
      }
    }
    return limits
  }

  /// The group's folder and all above it, up to the mount point; a quota anywhere on the way holds.
  private func ancestors(of group: Substring, under mount: String) -> [String] {
    var parts = group.split(separator: "/")
    var folders: [String] = []
    while !parts.isEmpty {
      folders.append(mount + "/" + parts.joined(separator: "/"))
      parts.removeLast()
    }
    return folders + [mount]
  }

  private func versionTwo(_ folder: String) -> Cores.Limit? {
    let file = folder + "/cpu.max"
    guard let fields = files.text(file)?.split(whereSeparator: \.isWhitespace), fields.count == 2,
      let quota = Int(fields[0]), let period = Int(fields[1])
    else { return nil }
    return limit(quota: quota, period: period, file: file)
  }

  private func versionOne(_ folder: String) -> Cores.Limit? {
    let file = folder + "/cpu.cfs_quota_us"
    guard let quota = files.number(file), let period = files.number(folder + "/cpu.cfs_period_us") else {
      return nil
    }
    return limit(quota: quota, period: period, file: file)
  }

  /// - Returns: nil for "no limit", which is −1 in version 1 and not a number in version 2.
  private func limit(quota: Int, period: Int, file: String) -> Cores.Limit? {
    guard quota > 0, period > 0 else { return nil }
    return Cores.Limit(count: max(1, quota / period), source: file)
  }
}
