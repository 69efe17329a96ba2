import Compute
import Datasets
import Foundation
import Networks
import Settings
import Tensors
import TestSupport
import Testing
import Training

@testable import Experiments

/// What is written about configurations: the reference and its examples.
@Suite struct ConfigurationReferenceTests {
  @Test("the reference in Configs/README.md is what the schema says")
  func reference() throws {
    let readme = try String(contentsOfFile: Shipped.folder + "/README.md", encoding: .utf8)
    #expect(
      readme.hasSuffix("-->\n\n" + ConfigurationFile.reference),
      "replace the end of Configs/README.md by the output of `convoy config reference`")
  }

  @Test("Configs/README.md names every file beside it")
  func files() throws {
    let readme = try String(contentsOfFile: Shipped.folder + "/README.md", encoding: .utf8)
    let files = try FileManager.default.contentsOfDirectory(atPath: Shipped.folder).filter {
      $0.hasSuffix(".yaml")
    }
    #expect(files.count > 10 && files.filter { !readme.contains("](\($0))") }.isEmpty)
  }

  @Test("the examples in Configs/README.md are correct")
  func readmeExamples() throws {
    let readme = try String(contentsOfFile: Shipped.folder + "/README.md", encoding: .utf8)
    let examples = readme.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    #expect(examples.count == 13)
    for example in examples {
      // What is no case is read as a network, and an example that is none does not fit there.
      switch example.split(separator: "\n")[0] {
      case "sweep:": try checkSweep(example)
      case _ where example.contains("  from: "): try checkFineTuning(example)
      case "training:" where example.contains("answer:"): try checkAnswers(example)
      case "training:": try checkAugmentation(example)
      case "data:" where example.contains("validation:"): try checkValidation(example)
      case "data:": try checkTargets(example)
      case _ where example.contains("\nlook:\n"):
        #expect(try LookConfiguration.load(text: example, path: "README.md").kind == "dream")
      default: try checkNetwork(example)
      }
    }
  }

  /// Its network comes from a run that is not there; what is said of the training is read without it.
  private func checkFineTuning(_ example: String) throws {
    let parts = example.components(separatedBy: "\ntraining:")
    try #require(parts.count == 2)
    let text = try BrokenConfiguration.base().replacing(
      "training:\n", with: "training:\(parts[1].replacing("match: head", with: "match: dense"))")
    let training = try ConfigurationFile.load(text: text, path: "README.md").run.training
    #expect(training.start?.checkpoint.hasSuffix("/Results/resnet20-fashion-mnist") == true)
    #expect(training.layerRules.count == 2 && training.layerRules[1].freezing == .until(epochs: 2))
    let keys = try #require(try YAMLReader.read(parts[0], path: "README.md")["network"]?.entries?.map(\.key))
    #expect(keys == ["from", "until", "layers"] && keys.allSatisfy { RunSchema.network.key($0) != nil })
  }

  private func checkSweep(_ example: String) throws {
    let text = try BrokenConfiguration.base() + example
    #expect(try ConfigurationFile.loadSweep(text: text, path: "README.md").members.count > 1)
  }

  private func checkAugmentation(_ example: String) throws {
    let text = try BrokenConfiguration.base().replacing("training:\n", with: example)
    let loaded = try ConfigurationFile.load(text: text, path: "README.md")
    #expect(loaded.run.training.augmentation.steps.count == 5)
  }

  private func checkAnswers(_ example: String) throws {
    let text = try BrokenConfiguration.base().replacing("training:\n", with: example)
      .replacing("units: 10}", with: "units: 785}")
    let loaded = try ConfigurationFile.load(text: text, path: "README.md")
    #expect(
      loaded.run.training.augmentation.steps == [
        .boardSymmetry(RandomSymmetry(answer: .board)), .flipHorizontal(Flip(answer: .nowhere)),
      ])
  }

  private func checkValidation(_ example: String) throws {
    let parts = example.components(separatedBy: "training:\n")
    let text = try BrokenConfiguration.base().replacing("data:\n", with: parts[0])
      .replacing("training:\n", with: "training:\n" + parts[1].replacing("stage.3.*", with: "conv*"))
    let run = try ConfigurationFile.load(text: text, path: "README.md").run
    #expect(run.data.validation != nil && run.training.weightDecayRules.count == 2)
  }

  private func checkTargets(_ example: String) throws {
    var text = try BrokenConfiguration.base().replacing("  loss: softmax_cross_entropy\n", with: "")
    let (data, network) = (text.range(of: "data:\n"), text.range(of: "network:\n"))
    text.removeSubrange(try #require(data).lowerBound..<(try #require(network)).lowerBound)
    let loaded = try ConfigurationFile.load(
      text: text.replacing("training:\n", with: example), path: "README.md")
    #expect(loaded.run.training.loss == .huber(Huber(delta: 0.5)))
    #expect(loaded.run.training.monitor == .metric(.meanAbsoluteError))
    #expect(
      loaded.run.criterion(of: loaded.network).figureNames == ["loss", "mean_absolute_error", "r2"])
    #expect(loaded.run.data.train.target == .values("train/angles"))
    #expect(loaded.run.data.train.weights == "train/trust" && loaded.run.data.test?.weights == nil)
  }

  private func checkNetwork(_ example: String) throws {
    let indented = example.split(separator: "\n").map { "  \($0)\n" }.joined()
    let rest = "    - flatten\n    - dense: {units: 10}\n"
    var text = try BrokenConfiguration.base()
    let start = try #require(
      text.range(of: example.hasPrefix("input:") ? "  input:" : "  layers:\n"))
    let end = try #require(text.range(of: "training:"))
    text.replaceSubrange(start.lowerBound..<end.lowerBound, with: indented + rest)
    let layers = try ConfigurationFile.load(text: text, path: "README.md").run.network.layers
    #expect(layers.count > 4)
  }
}
