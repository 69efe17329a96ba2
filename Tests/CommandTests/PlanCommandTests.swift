import Foundation
import TestSupport
import Testing

/// What a training will take, by command.
@Suite("The plan command")
struct PlanCommandTests {
  @Test("a plan names layers, kernels and memory, and says whether the time limit holds")
  func plan() throws {
    let small = try SmallTraining()
    let plan = try Program.run(["plan", small.config, "--workers", "1", "--seconds", "0.01", "--json"])
    #expect(plan.code == 0, "\(plan.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [String: Any])
    // 3·3·1·4 + 4 and 6·6·4·10 + 10.
    #expect(object["parameters"] as? Int == 40 + 1450)
    #expect(object["training_samples"] as? Int == 120)
    let checkpoint = try #require(object["checkpoint_bytes"] as? Int)
    #expect(checkpoint > 4 * 1490)
    let layers = try #require(object["kernels"] as? [[String: String]])
    #expect(layers.contains { $0["pass"] == "backward-weights" && !($0["kernel"] ?? "").isEmpty })
    let short = try Program.run([
      "plan", small.config, "--workers", "1", "--seconds", "0.01", "--set", "epochs=1000000", "--time-limit",
      "0:01",
    ])
    #expect(short.code == 78)
    #expect(short.errors.contains("does not fit"))
  }

  @Test("a plan for several nodes measures once, and its file lets another network be tried without")
  func planNodes() throws {
    let small = try SmallTraining()
    let machine = small.folder.file("machine.json")
    func plan(_ more: String...) throws -> Program.Result {
      try Program.run(
        ["plan", small.config, "--seconds", "0.01", "--nodes", "4,1,2", "--machine", machine] + more)
    }
    let first = try plan("--json")
    #expect(first.code == 0, "\(first.errors)")
    let bytes = try Data(contentsOf: URL(filePath: machine))
    let second = try plan("--json")
    #expect(second.output == first.output)
    func seconds(_ output: String) throws -> [Double] {
      let document = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
      let predictions = try #require(document["predictions"] as? [[String: Any]])
      #expect(predictions.count == 4)
      let rows = try #require(predictions[0]["rows"] as? [[String: Any]])
      #expect(rows.compactMap { $0["nodes"] as? Int } == [1, 2, 4])
      return rows.compactMap { $0["step_seconds"] as? Double }
    }
    let (usual, slow) = (
      try seconds(first.output), try seconds(try plan("--json", "--network", "1GbE").output)
    )
    #expect(usual.count == 3 && slow[0] == usual[0] && slow[1] > usual[1] && slow[2] > usual[2])
    let text = try plan("--network", "1ms,1MB/s").output
    #expect(
      text.contains("predicted, not measured") && text.contains("1.00 ms") && text.contains("cannot do yet"))
    #expect(try Data(contentsOf: URL(filePath: machine)) == bytes)
    // Another machine's file, of another training.
    let foreign = try #require(String(data: bytes, encoding: .utf8)).replacing(
      "\"cpu\" : \"", with: "\"cpu\" : \"Other ")
    try foreign.write(toFile: machine, atomically: true, encoding: .utf8)
    #expect(try plan().code == 0)
    let other = try plan("--set", "training.batch=7")
    #expect(other.code == 78 && other.errors.contains("has no figures of this training"))
    try "{}".write(toFile: machine, atomically: true, encoding: .utf8)
    #expect(try plan().code == 65)
    #expect(try plan("--network", "string").code == 64)
    #expect(try plan("--time-limit", "1:00").code == 64)
    #expect(try Program.run(["plan", small.config, "--node-workers", "3"]).code == 64)
  }
}
