import Foundation
import Parallel
import Testing

@Suite("Core detection")
struct CoresTests {
  /// A folder that stands for the system's files.
  static func withSystem(_ files: [String: String], _ body: (String) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("cores-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (name, text) in files {
      let file = root.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    try body(root.path)
  }

  static let status = ["proc/self/status": "Name:\tx\nCpus_allowed:\tff,ffffffff\nCpus_allowed_list:\t0-39\n"]

  @Test("SLURM_CPUS_PER_TASK limits, and nonsense in it does not")
  func slurm() throws {
    try Self.withSystem(Self.status) { root in
      #expect(Cores.available(environment: ["SLURM_CPUS_PER_TASK": "6"], root: root).count == 6)
      for text in ["0", "-3", "many", ""] {
        #expect(Cores.available(environment: ["SLURM_CPUS_PER_TASK": text], root: root).count == 40)
      }
    }
  }

  @Test(
    "the affinity mask counts its bits",
    arguments: [("00000000,00000003", 2), ("5", 2), ("ff,ffffffff", 40), ("8000,00000000,00000001", 2)])
  func affinity(mask: String, count: Int) throws {
    try Self.withSystem(["proc/self/status": "Cpus_allowed:\t\(mask)\n"]) { root in
      #expect(Cores.available(environment: [:], root: root).count == count)
    }
  }

  @Test("cpu.max of any group above counts, rounded down, at least 1")
  func versionTwo() throws {
    func count(leaf: String, parent: String) throws -> Int {
      var result = 0
      let files = [
        "proc/self/cgroup": "0::/job/step\n",
        "sys/fs/cgroup/job/step/cpu.max": leaf, "sys/fs/cgroup/job/cpu.max": parent,
      ].merging(Self.status) { first, _ in first }
      try Self.withSystem(files) { result = Cores.available(environment: [:], root: $0).count }
      return result
    }
    #expect(try count(leaf: "350000 100000\n", parent: "max 100000\n") == 3)
    #expect(try count(leaf: "max 100000\n", parent: "200000 100000\n") == 2)
    #expect(try count(leaf: "50000 100000\n", parent: "max 100000\n") == 1)
    #expect(try count(leaf: "max 100000\n", parent: "max 100000\n") == 40)
  }

  @Test("the mount's own cpu.max counts where the group's path is of another namespace")
  func namespace() throws {
    try Self.withSystem(["proc/self/cgroup": "0::/../outside\n", "sys/fs/cgroup/cpu.max": "400000 100000"]) {
      root in
      #expect(Cores.available(environment: [:], root: root).count == 4)
    }
  }

  @Test("cpu.cfs_quota_us counts; -1 is no limit", arguments: [("500000", 5), ("-1", 40)])
  func versionOne(quota: String, count: Int) throws {
    let files = [
      "proc/self/cgroup": "5:memory:/a\n4:cpu,cpuacct:/slurm/job\n0::/\n",
      "sys/fs/cgroup/cpu,cpuacct/slurm/job/cpu.cfs_quota_us": quota + "\n",
      "sys/fs/cgroup/cpu,cpuacct/slurm/job/cpu.cfs_period_us": "100000\n",
    ].merging(Self.status) { first, _ in first }
    try Self.withSystem(files) { root in
      #expect(Cores.available(environment: [:], root: root).count == count)
    }
  }

  @Test("the smallest limit decides and is named")
  func description() throws {
    let files = ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "300000 100000"]
      .merging(Self.status) { first, _ in first }
    try Self.withSystem(files) { root in
      let cores = Cores.available(environment: ["SLURM_CPUS_PER_TASK": "8"], root: root)
      #expect(cores.deciding?.source == "/sys/fs/cgroup/cpu.max")
      #expect(
        cores.description
          == "3 cores, by /sys/fs/cgroup/cpu.max; others allow 8 (SLURM_CPUS_PER_TASK), 40 (affinity mask)")
    }
  }

  @Test("nothing known gives one core; this machine gives at least one")
  func fallback() {
    #expect(Cores.available(environment: [:], root: "/nonexistent").count == 1)
    #expect(Cores.available().count >= 1)
  }
}
