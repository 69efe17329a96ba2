import Foundation
import TestSupport
import Testing

/// What happens where nobody reads what the program says, as behind `convoy … 2>&1 | head`.
@Suite("Closed output")
struct ClosedOutputTests {
  /// Both streams lead into a pipe whose reader has gone.
  private static func run(_ arguments: [String], in folder: TemporaryDirectory) throws -> Program.Result {
    let pipe = folder.file("pipe")
    return try Program.run(
      arguments, shell: "mkfifo '\(pipe)'; (: <'\(pipe)') & exec >'\(pipe)' 2>&1; wait")
  }

  @Test("a training goes on to its end and writes all of its files")
  func training() throws {
    let small = try SmallTraining()
    let run = small.folder.file("run")
    let result = try Self.run(["train", small.config, "--run-dir", run], in: small.folder)
    #expect(result.code == 0 && !result.wasKilled)
    let rows = try String(contentsOfFile: "\(run)/metrics.csv", encoding: .utf8)
    #expect(rows.split(separator: "\n").count == 4, "a head and three epochs")
  }

  @Test("an error that cannot be told still gives its exit code")
  func failure() throws {
    let folder = try TemporaryDirectory()
    let result = try Self.run(["train", folder.file("missing.yaml")], in: folder)
    #expect(result.code == 66 && !result.wasKilled)
  }
}
