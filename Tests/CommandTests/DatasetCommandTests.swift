import Foundation
import HDF5
import ImageFiles
import TestSupport
import Testing

@Suite("Importing and looking after datasets")
struct DatasetCommandTests {
  private func expect(
    _ arguments: [String], code: Int32, says part: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Program.run(arguments)
    #expect(result.code == code, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
    let text = result.output + result.errors
    #expect(part.isEmpty || text.contains(part), "\(text)", sourceLocation: sourceLocation)
    if code != 0, code != 64 {
      let lines = result.errors.split(separator: "\n")
      #expect(lines.count <= 1, "\(result.errors)", sourceLocation: sourceLocation)
    }
  }

  @Test("a table is imported, checked, split, repacked and drawn")
  func journey() throws {
    let folder = try TemporaryDirectory()
    let rows = (0..<40).map { row in "\(row % 4),\(row),\(row * 2),3,\(row * row % 250)" }
    let table = try folder.write((["label,a,b,c,d"] + rows).joined(separator: "\n"), to: "a.csv")
    let data = folder.file("a.h5")
    let importing = ["import", "csv", "--from", table, "--label", "label", "--to", data]
    try expect(importing + ["--shape", "2x2"], code: 0, says: "40 train samples of 2×2×1, 4 classes")
    try expect(importing + ["--shape", "2x2"], code: 73, says: "exists already")
    try expect(importing + ["--shape", "2x2", "--overwrite"], code: 0)
    try expect(["dataset", "check", data], code: 0, says: "no problems found")
    let parts = folder.file("parts.h5")
    try expect(
      ["dataset", "split", data, "--parts", "train=0.8,test=0.2", "--to", parts], code: 0,
      says: "32 train and 8 test samples")
    let packed = folder.file("packed.h5")
    try expect(
      ["dataset", "repack", parts, "--to", packed, "--compress", "4", "--chunk", "10"], code: 0,
      says: "chunks of 10×2×2×1, deflate")
    try expect(["dataset", "check", packed, "--json"], code: 0, says: "\"findings\"")
    let sheet = folder.file("sheet.png")
    try expect(["inspect", packed, "--sheet", sheet], code: 0, says: "8 samples of train/images")
    #expect(FileManager.default.fileExists(atPath: sheet))
  }

  @Test("samples in two splits are exit code 65, doubles only where they are asked to be")
  func leak() throws {
    let folder = try TemporaryDirectory()
    let table = try folder.write("label,a,b\n0,1,2\n1,3,4\n1,3,4\n", to: "a.csv")
    let data = folder.file("a.h5")
    try expect(
      ["import", "csv", "--from", table, "--test", table, "--label", "label", "--to", data], code: 0)
    try expect(["dataset", "check", data], code: 65, says: "error: test: 3 samples in another split")
    let single = folder.file("b.h5")
    try expect(["import", "csv", "--from", table, "--label", "label", "--to", single], code: 0)
    try expect(
      ["dataset", "check", single], code: 0, says: "warning: train: 1 sample equal to an earlier one")
    try expect(["dataset", "check", single, "--strict"], code: 65)
  }

  /// A dataset file of 6 samples with labels that count through their classes.
  private func classes(_ names: [String], in folder: TemporaryDirectory, _ file: String) throws -> String {
    let rows = (0..<6).map { row in "\(names[row % names.count]),\(row),1" }
    let table = try folder.write((["label,a,b"] + rows).joined(separator: "\n"), to: "\(file).csv")
    let path = folder.file("\(file).h5")
    try expect(["import", "csv", "--from", table, "--label", "label", "--to", path], code: 0)
    return path
  }

  @Test("test samples are compared with the network by the names of their classes")
  func namesOfClasses() throws {
    let folder = try TemporaryDirectory()
    let train = try classes(["ant", "bee", "cat"], in: folder, "train")
    func config(_ test: String, _ name: String) throws -> String {
      try folder.write(
        """
        name: names
        data:
          train: {file: \(train), images: train/images, labels: train/labels}
          test: {file: \(test), images: train/images, labels: train/labels}
        network: {input: [2], layers: [dense: {units: 3}]}
        training: {epochs: 1, batch: 3, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 0.001}}}
        """, to: name)
    }
    let part = try classes(["bee", "cat"], in: folder, "part")
    let known = try config(part, "known.yaml")
    try expect(["config", "check", known], code: 0, says: "bee 0 → 1, cat 1 → 2")
    try expect(["dataset", "check", known], code: 65, says: "warning: test: \(part) counts its names")
    let run = folder.file("run")
    try expect(["train", known, "--run-dir", run, "--quiet"], code: 0, says: "bee 0 → 1, cat 1 → 2")
    let samples = ["--data", part, "--images", "train/images", "--labels", "train/labels"]
    try expect(["evaluate", run] + samples, code: 0, says: "taken by name: bee 0 → 1, cat 1 → 2")
    try expect(["predict", run, "--rows", "0,1"] + samples, code: 0, says: "row 1 (cat)")

    let other = try classes(["bee", "dog"], in: folder, "other")
    let unknown = try config(other, "unknown.yaml")
    try expect(["config", "check", unknown], code: 78, says: "data.train does not have: dog")
    try expect(["train", unknown, "--run-dir", folder.file("none")], code: 78, says: "dog")
    try expect(["dataset", "check", unknown], code: 65, says: "error: test: \(other) has classes")
    for command in [["evaluate", run], ["predict", run, "--rows", "0"]] {
      try expect(
        command + ["--data", other, "--images", "train/images", "--labels", "train/labels"], code: 65,
        says: "the network does not have: dog")
    }
  }

  @Test("names of classes are told apart, and classes without samples and images with odd axes get a word")
  func doubtfulClasses() throws {
    let folder = try TemporaryDirectory()
    let file = try HDF5.File.create(folder.file("a.h5"))
    do {
      try file.root.makeDataset("x", type: .uint8, shape: [6, 2, 2]).write((0..<24).map { UInt8($0) })
      try file.root.makeDataset("gaps", type: .int32, shape: [6]).write([0, 5, 9, 0, 5, 9] as [Int32])
      let twice = try file.root.makeDataset("twice", type: .int32, shape: [6])
      try twice.write([0, 1, 2, 0, 1, 2] as [Int32])
      try twice.attributes.write("class_names", ["a", "a", "c"])
    }
    try file.close()
    let output = folder.file("o.h5")
    func importing(_ labels: String, _ more: String...) -> [String] {
      [
        "import", "hdf5", "--from", folder.file("a.h5"), "--images", "x", "--labels", labels, "--to", output,
        "--overwrite",
      ] + more
    }
    try expect(importing("gaps"), code: 0, says: "7 of the 10 classes have no samples")
    try expect(importing("twice"), code: 65, says: "classes 0 and 1 are both called 'a'")
    try expect(
      importing("gaps", "--classes", "a,a,c"), code: 64, says: "classes 0 and 1 are both called 'a'")
    for name in [" cat", "cat"] {
      try FileManager.default.createDirectory(
        atPath: folder.file("in/\(name)"), withIntermediateDirectories: true)
      try ImageFile.write(
        Image(height: 2, width: 2, channels: .grey, pixels: [1, 2, 3, 4]), to: folder.file("in/\(name)/0.png")
      )
    }
    try expect(
      ["import", "images", "--from", folder.file("in"), "--size", "2", "--to", folder.file("p.h5")], code: 0,
      says: "the folders \" cat\" and \"cat\" look alike")
  }

  @Test("a user's mistakes are one line with the right exit code")
  func mistakes() throws {
    let folder = try TemporaryDirectory()
    let table = try folder.write("label,a\n1,x\n", to: "a.csv")
    let output = folder.file("o.h5")
    try expect(
      ["import", "csv", "--from", table, "--label", "label", "--to", output], code: 65,
      says: "line 2, column 2")
    try expect(
      ["import", "csv", "--from", "/none.csv", "--label", "1", "--to", output], code: 66, says: "/none.csv")
    try expect(["import", "cifar10", "--from", folder.path, "--to", output], code: 66, says: "data_batch_1")
    try expect(
      ["import", "images", "--from", folder.path, "--size", "8", "--to", output], code: 65, says: "each class"
    )
    try expect(
      ["import", "images", "--from", folder.path, "--size", "0", "--to", output], code: 64, says: "--size")
    try expect(
      ["import", "numpy", "--images", table, "--labels", table, "--to", output], code: 65, says: "magic")
    try expect(["dataset", "check", table], code: 65, says: "not an HDF5 file")
    try expect(["dataset", "check", "/none.h5"], code: 66, says: "/none.h5")
    try expect(
      ["dataset", "split", table, "--parts", "a=0.5,a=0.5", "--to", output], code: 64, says: "twice")
    try expect(
      ["dataset", "split", table, "--parts", "a=0.9,b=0.9", "--to", output], code: 64, says: "at most 1")
    try expect(
      ["import", "csv", "--from", table, "--label", "1", "--to", "/proc/nowhere/o.h5"], code: 73,
      says: "/proc")
    #expect(try folder.contents() == ["a.csv"])
  }
}
