import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Work where the system gives little: it is done, or refused in one line, and it always ends.
@Suite("Resource limits")
struct ResourceLimitTests {
  /// A program that nobody but root may run cannot be tried as another user.
  private static let asNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
  private static let canBeNobody: Bool = {
    guard getuid() == 0 else { return false }
    // Through a shell, as below: it gives up what is left of root's rights.
    let tried = try? Program.run(
      ["-c", "\(asNobody) bash -c '\(Program.path) --version'"], program: "/bin/sh")
    return tried?.code == 0
  }()

  /// Runs a command under limits that a shell sets.
  ///
  /// - Parameter prefix: what the shell runs the program by.
  private func expectAnEnd(
    _ arguments: [String], under limits: String, prefix: String = "", folder: TemporaryDirectory
  ) throws -> Program.Result {
    let words = ([Program.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let script = "unset SWIFT_BACKTRACE; exec timeout -k 1 60 \(prefix) bash -c \"\(limits); exec \(words)\""
    let result = try Program.run(["-c", script], in: folder.path, program: "/bin/sh")
    // 124 and 137 are `timeout`'s: it did not end by itself.
    let codes: [Int32] = [0, 65, 66, 70, 73, 74, 75, 78]
    #expect(codes.contains(result.code) && !result.wasKilled, "\(limits), \(arguments[0]): \(result)")
    let lines = result.errors.split(separator: "\n")
    // Where Swift's own allocation is refused, its runtime speaks first.
    #expect(
      lines.allSatisfy {
        $0.hasPrefix("error: ") || $0.hasPrefix("warning: ") || $0.contains("failed to allocate")
      },
      "\(limits), \(arguments[0]): \(result.errors)")
    #expect((result.code == 0) || !lines.isEmpty, "\(limits), \(arguments[0]) ended without a word")
    return result
  }

  private struct Place {
    let small: SmallTraining
    var folder: TemporaryDirectory { small.folder }

    init() throws {
      small = try SmallTraining()
      // Also for the user whose limits are tried.
      chmod(small.folder.path, 0o777)
      try #require(
        try Program.run(["train", small.config, "--run-dir", folder.file("done"), "--quiet"]).code == 0)
    }

    func commands(_ number: Int) -> [[String]] {
      [
        ["train", small.config, "--run-dir", folder.file("run-\(number)"), "--quiet", "--workers", "3"],
        [
          "train", small.config, "--run-dir", folder.file("streamed-\(number)"), "--quiet", "--set",
          "data.memory_limit=4 kB",
        ],
        [
          "evaluate", folder.file("done"), "--data", folder.file("data.h5"), "--images", "train/images",
          "--labels", "train/labels",
        ],
        [
          "import", "idx", "--images", folder.file("images"), "--labels", folder.file("labels"), "--to",
          folder.file("import-\(number).h5"),
        ],
        ["report", folder.file("done"), "--output", folder.file("report-\(number).html")],
        ["inspect", folder.file("data.h5")],
      ]
    }
  }

  @Test("few open files: the work is done or refused, whatever their number")
  func descriptors() throws {
    let place = try Place()
    var seed = SplitMix64(seed: 11)
    for (number, limit) in [5, 6, 9, 14, 20, 24, 27, 28, 30, 34].enumerated() {
      let commands = place.commands(number)
      let command = commands[Int(seed.next() % UInt64(commands.count))]
      let result = try expectAnEnd(command, under: "ulimit -n \(limit)", folder: place.folder)
      if result.code != 0, result.code != 70 {
        #expect(result.errors.contains("open files"), "\(limit): \(result.errors)")
      }
    }
    // What is asked for suffices.
    for command in place.commands(99) {
      let result = try expectAnEnd(command, under: "ulimit -n 28", folder: place.folder)
      #expect(result.code == 0, "\(command): \(result.errors)")
    }
  }

  @Test("little address space: one line that names the limit, or the work done")
  func addressSpace() throws {
    let place = try Place()
    var seed = SplitMix64(seed: 5)
    for number in 0..<8 {
      let commands = place.commands(number)
      let command = commands[Int(seed.next() % UInt64(commands.count))]
      let limit = 200_000 + Int(seed.next() % 300_000)
      let result = try expectAnEnd(command, under: "ulimit -v \(limit)", folder: place.folder)
      if result.code != 0 { #expect(result.errors.contains("ulimit -v"), "\(limit): \(result.errors)") }
    }
  }

  @Test(
    "no more threads: the same work on fewer, with a warning, and its end",
    .enabled(if: ResourceLimitTests.canBeNobody, "needs root, and a program that others may run"))
  func threads() throws {
    let place = try Place()
    let whole = try Sample.digest(place.folder.file("done"))
    for limit in [1, 2, 3, 4, 5, 7] {
      for (index, command) in place.commands(limit).prefix(2).enumerated() {
        let result = try expectAnEnd(
          command, under: "ulimit -u \(limit)", prefix: Self.asNobody, folder: place.folder)
        #expect(result.code == 0, "\(limit): \(result.errors)")
        if limit < 3, index == 0 { #expect(result.errors.contains("ulimit -u"), "\(result.errors)") }
        if index == 0 { #expect(try Sample.digest(place.folder.file("run-\(limit)")) == whole) }
      }
    }
  }
}
