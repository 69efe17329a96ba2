import Foundation
import HDF5
import TestSupport
import Testing

/// What is said of files that are something else, of runs that did not begin, and with names that nobody chose well.
@Suite("Plain messages")
struct PlainMessageTests {
  @Test("a dataset in place of a checkpoint or a config is called by its kind")
  func kinds() throws {
    let folder = try TemporaryDirectory()
    let data = try Sample.dataset(folder.file("data.h5"))
    try expectFailure(
      ["evaluate", data, "--data", data], code: 65, says: "is an HDF5 file but not a checkpoint", "--data")
    try expectFailure(["train", data], code: 78, says: "this is an HDF5 file", "YAML")
    try expectFailure(["config", "check", data], code: 78, says: "this is an HDF5 file")
  }

  @Test("another program's model in place of a checkpoint is told how it becomes one")
  func models() throws {
    let folder = try TemporaryDirectory()
    let data = try Sample.dataset(folder.file("data.h5"))
    for (name, advice) in [
      ("m.keras", "`convoy import keras"), ("m.onnx", "`convoy import onnx"), ("m.pth", "PyTorch"),
      ("m.safetensors", "--architecture"), ("m.yaml", "but a configuration; `convoy train"),
      ("m.h5", "or is cut off"),
    ] {
      let model = try folder.write("name: m\n", to: name)
      try expectFailure(
        ["evaluate", model, "--data", data], code: 65, says: "is not a checkpoint of Convoy", advice)
    }
  }

  @Test("a refusal names the first of many differences and counts the others")
  func differences() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let run = folder.file("run")
    let small = try Sample.config(folder)
    #expect(try Program.run(["train", small, "--run-dir", run, "--quiet"]).code == 0)
    let layers = (1...20).map { "conv2d: {filters: \($0), kernel: 1}" }.joined(separator: ", ")
    let large = try Sample.config(
      folder, network: "[\(layers), flatten, dense: {units: 3}]", name: "large.yaml")
    let result = try Program.run(["train", large, "--run-dir", run])
    #expect(
      result.code == 78 && result.errors.contains(" more, which `convoy config diff"), "\(result.errors)")
    #expect(result.errors.count < 900, "\(result.errors)")
  }

  @Test("a run that failed before its first step is listed with the reason")
  func failedStart() throws {
    let folder = try TemporaryDirectory()
    let config = try Sample.config(folder)
    let run = folder.file("run")
    try expectFailure(["train", config, "--run-dir", run], code: 66, says: "data.h5")
    let listed = try Program.run(["runs", folder.path, "--json"])
    #expect(listed.code == 0 && listed.output.contains("\"failed\""), "\(listed.output)")
    #expect(listed.output.contains("there is no dataset"), "\(listed.output)")
    // With its data there the same command begins.
    try Sample.dataset(folder.file("data.h5"))
    #expect(try Program.run(["train", config, "--run-dir", run, "--quiet"]).code == 0)
    #expect(try Program.run(["runs", folder.path, "--json"]).output.contains("\"finished\""))
  }

  @Test("measuring speed ends whatever the learning rate is")
  func bench() throws {
    let folder = try TemporaryDirectory()
    let config = try Sample.config(folder).replacing("tiny.yaml", with: "wild.yaml")
    try String(contentsOfFile: folder.file("tiny.yaml"), encoding: .utf8)
      .replacing("learning_rate: 0.01", with: "learning_rate: 1000000")
      .write(toFile: config, atomically: true, encoding: .utf8)
    for command in [
      ["bench", config, "--made-up", "--seconds", "0.3", "--training-only"],
      ["plan", config, "--samples", "100"],
    ] {
      let result = try Program.run(command)
      #expect(result.code == 0, "\(command): \(result.errors)")
    }
  }

  @Test("a path that holds control characters is shown without them")
  func paths() throws {
    let training = try SmallTraining()
    let run = training.folder.file("a\u{1B}]0;b\u{7}\u{9B}31m")
    for command in [
      ["train", training.config, "--run-dir", run], ["inspect", run],
    ] {
      let result = try Program.run(command)
      let shown = result.output + result.errors
      #expect(result.code == 0 && shown.contains("]0;b"), "\(command): \(shown.debugDescription)")
      #expect(
        shown.unicodeScalars.allSatisfy {
          "\n\t".unicodeScalars.contains($0) || $0.properties.generalCategory != .control
        },
        "\(command): \(shown.debugDescription)")
    }
  }

  @Test(
    "names of classes that hold control characters reach neither terminal, table nor JSON", arguments: 0..<3)
  func names(_ seed: UInt64) throws {
    let folder = try TemporaryDirectory()
    let data = folder.file("data.h5")
    var random = SplitMix64(seed: seed)
    let signs: [Character] = [
      "\u{1B}", "\n", "\r", "\t", "\u{7}", "\u{9B}", "\u{7F}", "\u{202E}", "a", "[", "é",
    ]
    let names = (0..<3).map { index in
      "\(index)" + String((0..<6).map { _ in signs[random.next(below: signs.count)] })
    }
    let file = try HDF5.File.create(data)
    do {
      try file.root.makeDataset("test/images", type: .uint8, shape: [30, 4])
        .write((0..<120).map { UInt8(truncatingIfNeeded: $0 &* 37) })
      let labels = try file.root.makeDataset("test/labels", type: .uint8, shape: [30])
      try labels.write((0..<30).map { Int32($0 % 3) })
      try labels.attributes.write("class_names", names)
    }
    try file.close()
    let config = try folder.write(
      """
      name: names
      data: {train: {file: data.h5, images: test/images, labels: test/labels}}
      network: {input: [4], layers: [dense: {units: 3}]}
      training: {epochs: 1, batch: 10, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 0.01}}}
      """, to: "names.yaml")
    let run = folder.file("run")
    #expect(try Program.run(["train", config, "--run-dir", run, "--quiet"]).code == 0)
    let commands = [
      ["predict", run, "--data", data, "--rows", "0-9"], ["evaluate", run, "--data", data],
      ["inspect", data], ["inspect", run], ["dataset", "check", data],
    ]
    for command in commands {
      for more in [[], ["--json"]] {
        let result = try Program.run(command + more)
        let shown = result.output + result.errors
        #expect(
          shown.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control },
          "\(command + more): \(shown.debugDescription)")
        if command[0] == "predict", more.isEmpty {
          #expect(
            result.output.split(separator: "\n").count == 2 + 10 * 3, "\(result.output.debugDescription)")
        }
        if !more.isEmpty {
          #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(result.output.utf8)) }
        }
      }
    }
  }
}
