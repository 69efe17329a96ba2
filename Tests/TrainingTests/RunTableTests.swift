import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("Tables of runs")
struct RunTableTests {
  @Test("drawn tables are read as their lines say, without rows of another width and half a row")
  func drawnTables() throws {
    let folder = try TemporaryFolder()
    for seed in 0..<200 as Range<UInt64> {
      var dice = SplitMix64(seed: seed)
      let width = 1 + dice.next(below: 4)
      func cell() -> String { ["", "1", "-2.5", "nan", "zèbre", "1e400", " 3"][dice.next(below: 7)] }
      var lines = [(0..<width).map { "c\($0)" }.joined(separator: ",")]
      for _ in 0..<dice.next(below: 12) {
        let count = dice.next(below: 4) == 0 ? dice.next(below: 6) : width
        lines.append((0..<count).map { _ in cell() }.joined(separator: ","))
      }
      // What a process that was killed has left of a row.
      let rest = dice.next(below: 3) == 0 ? cell() : ""
      let path = folder("table.csv")
      try Data((lines.joined(separator: "\n") + "\n" + rest).utf8).write(to: URL(fileURLWithPath: path))
      let table = try #require(RunTable(path: path))
      let wanted = lines.dropFirst().map { $0.components(separatedBy: ",") }.filter { $0.count == width }
      #expect(table.columns == (0..<width).map { "c\($0)" })
      #expect(Array(table.rows) == wanted, "seed \(seed)")
      for column in 0..<width {
        #expect(table.cells("c\(column)") == wanted.map { $0[column] }, "seed \(seed)")
        let numbers = table.numbers("c\(column)").map { $0.map { "\($0)" } }
        #expect(numbers == wanted.map { Double($0[column]).map { "\($0)" } }, "seed \(seed)")
      }
      #expect(table.cells("d") == nil && table.numbers("d") == wanted.map { _ in nil })
    }
  }

  @Test("a table without a first line is none")
  func empty() throws {
    let folder = try TemporaryFolder()
    #expect(RunTable(path: folder("missing.csv")) == nil)
    // The last one has more columns than any run's.
    for text in ["", "step,epoch", String(repeating: "train_loss,", count: 20_000) + "\n"] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder("a.csv")))
      #expect(RunTable(path: folder("a.csv")) == nil)
    }
  }
}
