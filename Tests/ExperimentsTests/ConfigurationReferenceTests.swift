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

/// What is written about configurations: the reference, its examples, the JSON Schema.
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
    #expect(examples.count == 11)
    for example in examples where example.contains("\nlook:\n") {
      #expect(try LookConfiguration.load(text: example, path: "README.md").kind == "dream")
    }
    for example in examples where example.hasPrefix("sweep:\n") {
      let text = try BrokenConfiguration.base() + example
      #expect(try ConfigurationFile.loadSweep(text: text, path: "README.md").members.count > 1)
    }
    for example in examples where example.hasPrefix("training:\n") {
      let text = try BrokenConfiguration.base().replacing("training:\n", with: example)
      let loaded = try ConfigurationFile.load(text: text, path: "README.md")
      #expect(loaded.run.training.augmentation.steps.count == 5)
    }
    for example in examples where example.contains("validation:") {
      let parts = example.components(separatedBy: "training:\n")
      let text = try BrokenConfiguration.base().replacing("data:\n", with: parts[0])
        .replacing("training:\n", with: "training:\n" + parts[1].replacing("stage.3.*", with: "conv*"))
      let run = try ConfigurationFile.load(text: text, path: "README.md").run
      #expect(run.data.validation != nil && run.training.weightDecayRules.count == 2)
    }
    for example in examples where example.hasPrefix("data:\n") && !example.contains("validation:") {
      var text = try BrokenConfiguration.base().replacing("  loss: softmax_cross_entropy\n", with: "")
      let (data, network) = (text.range(of: "data:\n"), text.range(of: "network:\n"))
      text.removeSubrange(try #require(data).lowerBound..<(try #require(network)).lowerBound)
      let loaded = try ConfigurationFile.load(
        text: text.replacing("training:\n", with: example), path: "README.md")
      #expect(loaded.run.training.loss == .huber(delta: 0.5))
      #expect(loaded.run.training.monitor == .metric(.meanAbsoluteError))
      #expect(
        loaded.run.criterion(of: loaded.network).figureNames == ["loss", "mean_absolute_error", "r2"])
      #expect(loaded.run.data.train.target == .values("train/angles"))
      #expect(loaded.run.data.train.weights == "train/trust" && loaded.run.data.test?.weights == nil)
    }
    for example in examples
    where ["training:\n", "sweep:\n", "name:", "data:\n"].allSatisfy({ !example.hasPrefix($0) }) {
      let indented = example.split(separator: "\n").map { "  \($0)\n" }.joined()
      let rest = "    - flatten\n    - dense: {units: 10}\n"
      var text = try BrokenConfiguration.base()
      let start = try #require(
        text.range(of: example.hasPrefix("input:") ? "  input:" : "  layers:\n"))
      let end = try #require(text.range(of: "training:"))
      text.replaceSubrange(start.lowerBound..<end.lowerBound, with: indented + rest)
      _ = try ConfigurationFile.load(text: text, path: "README.md")
    }
  }

  @Test("the JSON Schema accepts the shipped configurations, and refuses what it can of the broken ones")
  func jsonSchema() throws {
    let directory = try TemporaryDirectory()
    let schema = try directory.write(ConfigurationFile.jsonSchema, to: "schema.json")
    let wrong = try directory.write(
      try BrokenConfiguration.base().replacing("epochs: 10", with: "epoch: 10"), to: "wrong.yaml")
    let script = """
      import json, sys
      try:
        import jsonschema, yaml
        validator = jsonschema.Draft202012Validator
      except (ImportError, AttributeError):
        sys.exit(3)
      schema = json.load(open(sys.argv[1]))
      validator.check_schema(schema)
      for path in sys.argv[2:]:
        errors = [e.message for e in validator(schema).iter_errors(yaml.safe_load(open(path)))]
        print("correct" if not errors else "wrong")
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, schema] + Shipped.names.map(Shipped.path) + [wrong]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    // Python and its validator are not needed to build or test; 3 and 127 say that they are not there.
    guard ![3, 127].contains(process.terminationStatus) else { return }
    #expect(process.terminationStatus == 0)
    let answers = String(decoding: output, as: UTF8.self).split(separator: "\n")
    #expect(answers == Shipped.names.map { _ in "correct" } + ["wrong"])
  }
}
