import Foundation
import TestSupport
import Testing

@Suite("Exit codes")
struct ExitStatusTests {
  private static let sources = URL(fileURLWithPath: Program.projectFolder).appendingPathComponent("Sources")

  /// All declarations of error types in the sources, by the names under which other targets know them.
  private func errorTypes() throws -> Set<String> {
    let files = try #require(
      FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
    var names: Set<String> = []
    while let file = files.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      // What a target keeps to itself reaches no command.
      for match in text.matches(of: /(public )?(?:struct|enum|class) (\w+)\s*(?:<[^>]*>)?: [^{\n]*\bError\b/)
      where match.1 != nil || file.path.contains("/Sources/convoy/") {
        names.insert(String(match.2))
      }
    }
    return names
  }

  @Test("every type of error has its place in the table of exit codes")
  func complete() throws {
    let table = try String(
      contentsOf: Self.sources.appendingPathComponent("convoy/ExitStatus.swift"), encoding: .utf8)
    let placed = Set(table.matches(of: /case (?:let \w+ as|is) (?:\w+\.)?(\w+):/).map { String($0.1) })
    let types = try errorTypes()
    #expect(types.count > 10)
    #expect(types == placed)
  }

  @Test("no other file names a code or ends the process")
  func onePlace() throws {
    let files = try #require(
      FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
    var places: [String] = []
    while let file = files.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      if text.contains(/\b_?exit\(|exitCode|\bExitCode\b/) { places.append(file.lastPathComponent) }
    }
    // Some signals end the process inside a handler, where no error can be thrown; a process that looks into a file for another
    // has no user; and ranks are ended by their launcher.
    #expect(
      places.sorted()
        == [
          "Failure.swift", "FirstProcess.swift", "InternalError.swift", "LookingProcess.swift",
          "MPIRanks.swift",
          "RankProcess.swift", "StopSignals.swift",
        ])
  }

  @Test(
    "the argument parser's errors begin as all others do, and end with 64",
    arguments: [
      ["train"], ["train", "a.yaml", "--steps", "x"], ["train", "a.yaml", "--steps", "0"],
      ["evaluate", "run"],
    ])
  func usage(_ arguments: [String]) throws {
    let result = try Program.run(arguments)
    #expect(result.code == 64 && result.output.isEmpty)
    #expect(
      result.errors.hasPrefix("error: ") && result.errors.contains("\nUsage: convoy"), "\(result.errors)")
    #expect(!result.errors.contains("Error:"))
  }

  @Test("help and the version are no failures, and help names every code")
  func help() throws {
    let help = try Program.run(["--help"])
    #expect(help.code == 0 && help.errors.isEmpty)
    let words = help.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(
      words.contains(
        "Exit codes: 0 success, 1 not learned with --overfit-batches, 64 wrong usage, 65 bad data, 66 missing input, 69 a rank is gone or does not answer (run again to resume), 70 internal error, 73 cannot create, 74 input/output error, "
          + "75 stopped by a signal with a valid checkpoint (run again to resume), 76 loss not finite, "
          + "77 run directory in use, 78 wrong config."))
    let version = try Program.run(["--version"])
    #expect(version.code == 0 && version.errors.isEmpty && !version.output.isEmpty)
  }
}
