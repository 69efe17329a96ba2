import Foundation
import HDF5
import ImageFiles
import TestSupport
import Testing

/// Looks into networks that are no classifiers of images, and samples without labels: what is shown is right, or refused by name.
@Suite("Looks into every kind of network")
struct EveryNetworkLookTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  // MARK: - Networks

  /// Samples with whatever stands beside them.
  private func dataset(
    _ shape: [Int], labels: [Int32]? = nil, names: [String]? = nil, targets: Int? = nil, to name: String
  ) throws -> String {
    let count = shape[0]
    let file = try HDF5.File.create(folder.file(name), overwrite: true)
    let elements = shape.reduce(1, *)
    for split in ["train", "test"] {
      try file.root.makeDataset("\(split)/images", type: .uint8, shape: shape)
        .write((0..<elements).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0) })
      if let labels {
        let dataset = try file.root.makeDataset("\(split)/labels", type: .int32, shape: [count])
        try dataset.write(labels)
        if let names { try dataset.attributes.write("class_names", names) }
      }
      if let targets {
        let dataset = try file.root.makeDataset("\(split)/targets", type: .float32, shape: [count, targets])
        try dataset.write((0..<count * targets).map { Float($0 % 3 == 0 ? 1 : 0) })
      }
    }
    try file.close()
    return folder.file(name)
  }

  /// A network that was trained for an epoch.
  private func trained(_ input: String, _ layers: String, _ loss: String, _ target: String, on data: String)
    throws -> String
  {
    let config = try folder.write(
      """
      name: net
      data:
        train: {file: \(data), images: train/images, \(target)}
      network:
        input: \(input)
        layers: \(layers)
      training:
        epochs: 1
        batch: 8
        loss: \(loss)
        optimizer: {sgd: {learning_rate: 0.001}}
      """, to: "net.yaml")
    let run = folder.file("run-\(UUID().uuidString.prefix(6))")
    let result = try Program.run(["train", config, "--run-dir", run, "--quiet"])
    try #require(result.code == 0, "\(result.errors)")
    return run
  }

  private static let labels = (0..<24).map { Int32($0 % 2) }
  private static let convolution =
    "rescale: {scale: 1/255}, conv2d: {filters: 6, kernel: 3, activation: relu}"

  private func json(_ arguments: [String]) throws -> [String: Any] {
    let result = try Program.run(arguments + ["--json", "--to", folder.file("out"), "--workers", "1"])
    try #require(result.code == 0, "\(arguments): \(result.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return try #require(object as? [String: Any])
  }

  private func predicted(_ run: String, _ picture: String) throws -> [Double] {
    let result = try Program.run(["predict", run, picture, "--json"])
    let list = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
    let first = try #require(list?.first)
    return try #require((first["probabilities"] ?? first["values"]) as? [Double])
  }

  // MARK: - What outputs mean

  @Test("a single yes or no is explained by its own probability and name, as predict has them")
  func yesOrNo() throws {
    let data = try dataset([24, 12, 12, 1], labels: Self.labels, names: ["cat", "dog"], to: "pair.h5")
    let run = try trained(
      "[12, 12, 1]", "[\(Self.convolution), flatten, dense: {units: 1}]", "sigmoid_cross_entropy",
      "labels: train/labels", on: data)
    let picture = folder.file("a.png")
    try LookSample.picture(picture, height: 12, width: 12, channels: .grey)
    let right = try predicted(run, picture)
    let found = try json(["explain", run, picture])
    #expect(found["class"] as? String == "dog")
    let p = try #require(found["probability"] as? Double)
    #expect(abs(p - right[0]) < 1e-5 && p < 0.9999)
    let maxima = try json(["look", "maximize", run, "--classes", "dog", "--steps", "3"])
    let target = try #require((maxima["targets"] as? [[String: Any]])?.first)
    #expect(target["label"] as? String == "dog")
    let own = try #require((target["probabilities"] as? [Double])?.first)
    #expect(own > 0 && own < 1)
    let examples = try json(["look", "examples", run, "--data", data, "--top", "2"])
    let labels = ((examples["filters"] as? [[String: Any]])?.first?["examples"] as? [[String: Any]])?
      .compactMap { $0["label"] as? String }
    #expect(try Set(#require(labels)).isSubset(of: ["cat", "dog"]))
    let page = try gallery(run, data)
    #expect(page.contains("is said to have dog ") && !page.contains("dog 100.0%"))
  }

  @Test("numbers are shown as numbers, without a softmax over them, and samples by their targets")
  func numbers() throws {
    let data = try dataset([24, 12, 12, 1], targets: 2, to: "numbers.h5")
    let run = try trained(
      "[12, 12, 1]", "[\(Self.convolution), flatten, dense: {units: 2}]", "mean_squared_error",
      "targets: train/targets", on: data)
    let picture = folder.file("a.png")
    try LookSample.picture(picture, height: 12, width: 12, channels: .grey)
    let right = try predicted(run, picture)
    let found = try json(["explain", run, picture])
    #expect(found["probability"] == nil && found["probabilities"] == nil)
    #expect(found["class"] as? String == "0")
    #expect(abs((found["value"] as? Double ?? .nan) - right[0]) <= 1e-4 * max(1, abs(right[0])))
    let maxima = try Program.run(
      ["look", "maximize", run, "--classes", "all", "--steps", "3", "--to", folder.file("out")])
    #expect(maxima.code == 0 && !maxima.output.contains("seen as"), "\(maxima.output)\(maxima.errors)")
    let examples = try json(["look", "examples", run, "--data", data, "--top", "2"])
    let label =
      ((examples["filters"] as? [[String: Any]])?.first?["examples"] as? [[String: Any]])?
      .first?["label"] as? String
    #expect(try #require(label).contains(", "), "both numbers")
    #expect(try gallery(run, data).contains("gives 0 = "))
  }

  @Test("samples without labels are shown by their rows")
  func withoutLabels() throws {
    let labelled = try dataset([24, 12, 12, 1], labels: Self.labels, to: "labels.h5")
    let bare = try dataset([24, 12, 12, 1], to: "bare.h5")
    let run = try trained(
      "[12, 12, 1]", "[\(Self.convolution), flatten, dense: {units: 2}]", "softmax_cross_entropy",
      "labels: train/labels", on: labelled)
    let examples = try json(["look", "examples", run, "--data", bare, "--top", "2"])
    let first = ((examples["filters"] as? [[String: Any]])?.first?["examples"] as? [[String: Any]])?.first
    #expect(first != nil && first?["label"] == nil)
    #expect(try gallery(run, bare).contains("row 3, is taken for"))
    // Named labels that are not there stay a mistake.
    try expectFailure(
      ["look", "examples", run, "--data", bare, "--labels", "test/labels", "--to", folder.file("out")],
      code: 65,
      says: "no dataset \"test/labels\"")
  }

  private func gallery(_ run: String, _ data: String) throws -> String {
    let result = try Program.run([
      "look", "gallery", run, "--data", data, "--steps", "2", "--attempts", "1", "--filters", "1", "--top",
      "1",
      "--to", folder.file("out"),
    ])
    try #require(result.code == 0, "\(result.errors)")
    return try String(contentsOfFile: folder.file("out/gallery.html"), encoding: .utf8)
  }

  // MARK: - What is no image

  @Test("sequences, vectors and words have examples; what needs an image says so")
  func otherInputs() throws {
    for (input, layers, shape) in [
      ("[10, 2]", "[conv1d: {filters: 3, kernel: 3}, flatten, dense: {units: 2}]", [24, 10, 2]),
      ("[5]", "[dense: {units: 4, activation: relu}, dense: {units: 2}]", [24, 5]),
      (
        "[6]", "[embedding: {vocabulary: 256, dimension: 4}, global_average_pool1d, dense: {units: 2}]",
        [24, 6]
      ),
    ] {
      let data = try dataset(shape, labels: Self.labels, to: "other.h5")
      let run = try trained(
        input, layers, "softmax_cross_entropy", "labels: train/labels", on: data)
      let examples = try json(["look", "examples", run, "--data", data, "--top", "2"])
      #expect((examples["filters"] as? [[String: Any]])?.isEmpty == false)
      let to = ["--to", folder.file("out")]
      try expectFailure(["look", "gallery", run, "--data", data] + to, code: 65, says: "which are no images")
      for command in [["evaluate", run, "--data", data], ["predict", run, "--data", data, "--rows", "0"]] {
        try expectFailure(command + ["--flips", "both"], code: 64, says: "it needs images")
        #expect(try Program.run(command).code == 0)
      }
    }
  }

  @Test("explaining a picture to a network of numbers fails for what it takes, not for a range of pixels")
  func explainVectors() throws {
    let data = folder.file("floats.h5")
    do {
      let file = try HDF5.File.create(data)
      for split in ["train", "test"] {
        try file.root.makeDataset("\(split)/images", type: .float32, shape: [24, 5])
          .write((0..<24 * 5).map { Float($0 % 7) - 3.25 })
        try file.root.makeDataset("\(split)/labels", type: .int32, shape: [24]).write(Self.labels)
      }
    }
    let run = try trained(
      "[5]", "[dense: {units: 2}]", "softmax_cross_entropy", "labels: train/labels", on: data)
    try LookSample.picture(folder.file("any.png"), height: 8, width: 8, channels: .grey)
    try expectFailure(
      ["explain", run, folder.file("any.png"), "--to", folder.file("out")], code: 65,
      says: "which are no images")
  }

  @Test("samples of another shape, or of classes that the network does not know, are refused")
  func otherData() throws {
    let data = try dataset([24, 12, 12, 1], labels: Self.labels, to: "own.h5")
    let run = try trained(
      "[12, 12, 1]", "[\(Self.convolution), flatten, dense: {units: 2}]", "softmax_cross_entropy",
      "labels: train/labels", on: data)
    let large = try dataset([24, 14, 12, 1], labels: Self.labels, to: "large.h5")
    let many = try dataset([24, 12, 12, 1], labels: (0..<24).map { Int32($0 % 5) }, to: "many.h5")
    for look in ["gallery", "examples"] {
      let command = ["look", look, run, "--to", folder.file("out"), "--data"]
      try expectFailure(command + [large], code: 65, says: "14×12×1", "12×12×1")
      try expectFailure(command + [many], code: 65, says: "has label 2, but the network knows 2 classes")
    }
  }

  // MARK: - Names

  @Test("names of layers and classes that mean something to paths, pages or terminals stay names")
  func names() throws {
    let names = ["<!--<script>", "a, b", "tab\tand\nline \u{1B}[31m", "шапка"]
    let data = try dataset(
      [24, 12, 12, 1], labels: (0..<24).map { Int32($0 % 4) }, names: names, to: "names.h5")
    let run = try trained(
      "[12, 12, 1]", "[\(Self.convolution), flatten, dense: {units: 4}]", "softmax_cross_entropy",
      "labels: train/labels", on: data)
    let page = try gallery(run, data)
    let script = try #require(
      page.components(separatedBy: "id=\"pictures\">").last?.components(separatedBy: "</script>").first)
    #expect(!script.contains("<"))
    let object = try JSONSerialization.jsonObject(with: Data(script.utf8)) as? [String: Any]
    #expect((object?["verdicts"] as? [String])?.contains { $0.contains("<!--<script>") } == true)
    for (list, count) in [("a, b", 1), ("a,b", 1), ("шапка,a, b", 2), ("1,шапка", 2)] {
      let found = try json(["look", "maximize", run, "--classes", list, "--steps", "1"])
      #expect((found["targets"] as? [Any])?.count == count, "\(list)")
    }
    let maximize = ["look", "maximize", run, "--to", folder.file("out"), "--steps", "1", "--classes"]
    for list in ["", ",", "1,", "a, b,,2"] {
      try expectFailure(maximize + [list], code: 64, says: "--classes")
    }
    try expectFailure(maximize + ["a"], code: 64, says: "no class 'a'")
    let shown = try Program.run(maximize + ["all"])
    #expect(shown.code == 0 && !shown.output.contains("\u{1B}") && !shown.output.contains("\t"))
    // Units asked for twice are shown once.
    let twice = try json(["look", "maximize", run, "--layer", "conv2d", "--filters", "1,1", "--steps", "1"])
    #expect((twice["targets"] as? [Any])?.count == 1)
  }

  @Test("a layer whose name is a path leads nowhere else")
  func escapes() throws {
    let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/layer-named-as-path.h5").path
    let network = folder.file("net.h5")
    try #require(try Program.run(["import", "keras", model, "--to", network]).code == 0)
    let out = folder.file("inner/deep/out")
    try LookSample.picture(folder.file("a.png"), height: 12, width: 12, channels: .grey)
    for command in [
      ["look", "filters", network], ["look", "maps", network, folder.file("a.png")],
      ["look", "maximize", network, "--layer", "x/../../../esc", "--steps", "1"],
    ] {
      let result = try Program.run(command + ["--to", out])
      #expect(result.code == 0, "\(result.errors)")
    }
    for place in ["", "inner", "inner/deep"] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.file(place))
      #expect(!names.contains { $0.hasPrefix("esc") }, "\(place): \(names)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: out)
    #expect(names.contains("filters-x%2F..%2F..%2F..%2Fesc.png"), "\(names)")
  }
}
