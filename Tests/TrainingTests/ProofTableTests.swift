import Testing

@testable import Training

@Suite("Table of a proof")
struct ProofTableTests {
  @Test("trials with the first one's digests do not differ")
  func same() {
    var table = ProofTable()
    for name in ["1 worker", "2 workers", "resumed after 1"] {
      #expect(table.add(name, ["a", "b", "c"]).firstDifference == nil)
    }
    #expect(table.difference == nil)
    #expect(table.steps == 2)
    #expect(table.trials.map(\.last) == ["c", "c", "c"])
  }

  @Test(
    "the first step after which a trial differs is named, though later ones may agree again",
    arguments: [
      (["x", "b", "c", "d"], 0, "from the start on"), (["a", "x", "c", "d"], 1, "from step 1 on"),
      (["a", "b", "c", "x"], 3, "from step 3 on"), (["a", "b", "c"], 3, "from step 3 on"),
      (["a", "b", "c", "d", "e"], 4, "from step 4 on"),
    ])
  func difference(digests: [String], step: Int, words: String) throws {
    var table = ProofTable()
    table.add("1 worker", ["a", "b", "c", "d"])
    table.add("2 workers", ["a", "b", "c", "d"])
    #expect(table.add("3 workers", digests).firstDifference == step)
    let difference = try #require(table.difference)
    #expect(difference == "not the same bytes as with 1 worker: 3 workers \(words)")
  }

  @Test("all trials that differ are named, each with its own step")
  func several() {
    var table = ProofTable()
    table.add("2 workers", ["a", "b", "c"])
    table.add("1 worker", ["a", "x", "y"])
    table.add("8 workers", ["a", "b", "c"])
    table.add("resumed after 1", ["a", "b", "z"])
    #expect(
      table.difference
        == "not the same bytes as with 2 workers: 1 worker from step 1 on, resumed after 1 from step 2 on")
  }
}
