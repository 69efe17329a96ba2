import Foundation
import TestSupport
import Testing

@Suite("Learning rates, and learning by heart, by command")
struct FindLearningRateTests {
  @Test("find-lr suggests a rate, draws it, says the same in JSON on any workers, and makes no run")
  func finds() throws {
    let training = try SmallTraining()
    let folder = training.folder
    func find(_ more: String...) throws -> Program.Result {
      try Program.run(
        ["find-lr", training.config, "--from", "1e-4", "--to", "1000", "--steps", "60"] + more,
        in: folder.path)
    }
    let text = try find("--plot", "lr.svg")
    try #require(text.code == 0, "\(text.errors)")
    #expect(text.output.contains("steepest fall: suggested") && text.output.contains("--set learning_rate="))
    let picture = try String(contentsOfFile: folder.file("lr.svg"), encoding: .utf8)
    #expect(picture.hasPrefix("<svg") && picture.contains("learning rate"))
    let one = try find("--json", "--workers", "1")
    let object = try JSONSerialization.jsonObject(with: Data(one.output.utf8)) as? [String: Any]
    #expect((object?["suggestion"] as? Double).map { (1e-4...10).contains($0) } == true)
    #expect(try find("--json", "--workers", "3").output == one.output)
    #expect(!FileManager.default.fileExists(atPath: folder.file("Results")))
  }

  @Test("wrong ranges and files are refused in one line")
  func refusals() throws {
    try expectFailure(
      ["find-lr", "c.yaml", "--from", "1", "--to", "0.1"], code: 64, says: "--to must be above --from")
    try expectFailure(
      ["find-lr", "c.yaml", "--steps", "3"], code: 64, says: "--steps <n>", "from 10 to 1000000")
    try expectFailure(["find-lr", "c.yaml", "--plot", "lr.pdf"], code: 64, says: ".png or .svg")
    try expectFailure(["find-lr", "none.yaml"], code: 66, says: "none.yaml")
    try expectFailure(
      ["train", "c.yaml", "--overfit-batches", "0"], code: 64,
      says: "--overfit-batches <n>", "from 1 to 1048576")
  }

  @Test("train --overfit-batches says whether the network can learn, in a run of its own")
  func overfit() throws {
    let training = try SmallTraining()
    func train(_ rate: String, code: Int32) throws -> String {
      let result = try Program.run(
        [
          "train", training.config, "--quiet", "--overfit-batches", "1", "--set", "learning_rate=\(rate)",
          "--set", "training.epochs=60",
        ], in: training.folder.path)
      #expect(result.code == code, "\(result.errors)")
      return result.output
    }
    #expect(try train("0.3", code: 0).contains("The network can learn: it knows the"))
    #expect(try train("1e-9", code: 1).contains("The network did NOT learn the"))
    let runs = try FileManager.default.contentsOfDirectory(atPath: training.folder.file("Results/small"))
    #expect(runs.count == 2)
  }

  @Test("a network with batch normalisation is judged by its training, and the gap to evaluation has a name")
  func overfitWithBatchNorm() throws {
    let training = try SmallTraining()
    // Running statistics that have hardly moved make of every sample the same class.
    let layers =
      "[rescale: {scale: 1, offset: 1000}, batch_norm: {momentum: 0.999}, flatten, dense: {units: 10}]"
    let result = try Program.run(
      [
        "train", training.config, "--quiet", "--overfit-batches", "1", "--set", "network.layers=\(layers)",
        "--set",
        "learning_rate=0.3", "--set", "training.epochs=20",
      ], in: training.folder.path)
    #expect(result.code == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("The network can learn: it knows the 16 samples of 1 minibatch by heart"))
    #expect(result.output.contains("accuracy 1.0000"), "\(result.output)")
    #expect(result.output.contains("Evaluation is behind"), "\(result.output)")
  }
}
