import Foundation
import HDF5
import Tensors
import Testing

@testable import Datasets

/// What h5py, PyTables and others write besides plain arrays of bytes; `make_hdf5_kinds.py` made the files.
@Suite("HDF5 as others write it")
struct HDF5KindsTests {
  private let file = fixture("kinds.h5")

  private func open(_ images: String, labels: String = "labels", file: String? = nil) throws -> ImageDataset {
    try ImageDataset(path: file ?? self.file, images: images, labels: labels)
  }

  private static let all = (0..<FixtureData.count).flatMap { FixtureData.sample($0) }

  private func pixels(_ dataset: ImageDataset) throws -> [Float] {
    try dataset.samples(Array(0..<dataset.count)).pixels
  }

  @Test(
    "truth values are 0 and 1, an enumeration of h5py's and a bit field of PyTables'",
    arguments: ["bool/images", "bool/images-gzip", "bits/images"])
  func truthValues(images: String) throws {
    let dataset = try open(images)
    #expect(dataset.pixelType == .uint8)
    #expect(dataset.storedType == "bool")
    #expect(try pixels(dataset) == Self.all.map { $0 > 100 ? 1 : 0 })
  }

  @Test("truth values are labels, targets and weights, too", arguments: ["bool", "bits"])
  func truthValuesAsTargets(group: String) throws {
    let labels = try open("images", labels: "\(group)/labels")
    #expect(labels.labels == FixtureData.labels.map { $0 > 1 ? 1 : 0 })
    #expect(labels.classNames == (group == "bool" ? ["FALSE", "TRUE"] : nil))
    #expect(labels.classCount == 2)
    let targets = try ImageDataset(path: file, images: "images", target: .values("\(group)/targets"))
    for (row, label) in FixtureData.labels.enumerated() {
      let table = try #require(targets.targets)
      #expect(Array(table[row]) == (0..<4).map { $0 == label ? 1 : 0 })
    }
    let weighted = try ImageDataset(
      path: file, images: "images", target: .labels("labels"), weights: "bool/weights")
    #expect(weighted.weights == FixtureData.labels.map { $0 > 0 ? 1 : 0 })
  }

  @Test("the names of an enumeration are those of the classes, in the order of its values")
  func enumeration() throws {
    let dataset = try open("images", labels: "enum/labels")
    #expect(dataset.labels == FixtureData.labels)
    #expect(dataset.classNames == ["ant", "bee", "cat", "dog"])
  }

  @Test("what an import can read has its command in the error: labels below 0, and images in another order")
  func importAdvice() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      do {
        let root = try File.create(path).root
        try root.makeDataset("x", type: .uint8, shape: [4, 3, 6, 5]).write([UInt8](repeating: 1, count: 360))
        try root.makeDataset("y", type: .int64, shape: [4]).write([0, 1, 0, 1] as [Int64])
        try root.makeDataset("low", type: .int64, shape: [4]).write([-1, 1, -1, 1] as [Int64])
      }
      let low = datasetError(.badData) { _ = try ImageDataset(path: path, images: "x", labels: "low") }
      #expect(
        low.contains("`convoy import hdf5 --from \(path) --images x --labels low --renumber --to NEW.h5`"),
        "\(low)")
      let dataset = try ImageDataset(path: path, images: "x", labels: "y")
      for (input, letters) in [([6, 5, 3], "NCHW"), ([5, 6, 3], "NCWH"), ([6, 3, 5], "NWHC")] {
        let advice = dataset.otherAxes(for: Shape(input))
        #expect(
          advice.contains("--images x --labels y --axes \(letters) --to NEW.h5`"), "\(input): \(advice)")
      }
      #expect(dataset.otherAxes(for: [7, 5, 3]).isEmpty && dataset.otherAxes(for: [90]).isEmpty)
    }
  }

  @Test(
    "labels beyond 64 bits with a sign are named as they are, and not taken for others, renumbered or not")
  func largeLabels() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      do {
        let root = try File.create(path).root
        try root.makeDataset("x", type: .uint8, shape: [4, 2, 2, 1]).write([UInt8](repeating: 1, count: 16))
        try root.makeDataset("y", type: .uint64, shape: [4]).write([0, 1, UInt64.max, UInt64.max - 1])
      }
      let text = datasetError(.badData) { _ = try ImageDataset(path: path, images: "x", labels: "y") }
      #expect(text.contains("sample 2 of \"y\"") && text.contains(" 18446744073709551615"), "\(text)")
      let split = HDF5Importer.Split(
        name: "train", files: [path], images: "x", target: .labels("y"), rows: nil)
      let renumbered = datasetError(.badData) {
        _ = try HDF5Importer(
          splits: [split], axes: nil, labelReading: LabelReading(renumbers: true), classNames: nil
        ).write(to: "\(folder)/b.h5")
      }
      #expect(renumbered.contains("element 2 is 18446744073709551615"), "\(renumbered)")
    }
  }

  @Test("labels may be floats that are whole, and no others")
  func floatLabels() throws {
    #expect(try open("images", labels: "float/labels").labels == FixtureData.labels)
    let text = datasetError(.badData) { _ = try open("images", labels: "float/broken") }
    #expect(text.contains("sample 0 of \"float/broken\"") && text.contains("label 0.5"), "\(text)")
    #expect(text.contains("targets: float/broken"), "\(text)")
  }

  @Test("what h5py packed by LZF is unpacked, and so are scaled labels")
  func lzf() throws {
    #expect(try pixels(open("lzf/images")) == Self.all.map { Float($0) })
    #expect(try pixels(open("lzf/floats")) == Self.all.map { Float($0) / 8 - 3 })
    #expect(try pixels(open("lzf/zeros")).allSatisfy { $0 == 0 })
    #expect(try open("images", labels: "lzf/labels").labels == FixtureData.labels)
    #expect(try open("images", labels: "scaled/labels").labels == FixtureData.labels)
    #expect(try open("lzf/images").storage == "chunks of 4×2×3×2, lzf")
  }

  @Test("a file can be opened beside a virtual dataset that shows its data, and the other way round")
  func besideVirtual() throws {
    let whole = try open("virtual/deep")
    #expect(try pixels(whole) == Self.all.map { Float($0) })
    let part = try HDF5.File.open(fixture("kinds-part.h5"))
    #expect(try part.root.dataset("second").shape.count == 4)
    #expect(try pixels(open("virtual/other")) == Self.all.map { Float($0) })
  }

  @Test(
    "virtual datasets are read, from their own file and from those beside it",
    arguments: ["virtual/own", "virtual/other", "virtual/deep"])
  func virtual(name: String) throws {
    let dataset = try open(name)
    #expect(try pixels(dataset) == Self.all.map { Float($0) })
    #expect(dataset.storage.hasPrefix("virtual, from "))
  }

  @Test(
    "a virtual dataset with a hole, or with a source that is not in its folder, is refused",
    arguments: [
      ("virtual/part", "leave 420 of its 780 elements without a value"),
      ("virtual/no-file", "nowhere.h5 is not there"),
      ("virtual/no-dataset", "\"third\" is missing in"), ("virtual/above", "is not there"),
      ("virtual/outside", "only where it is in the folder"), ("virtual/circle", "virtual datasets 4 deep"),
    ])
  func badVirtual(name: String, expected: String) {
    let text = datasetError(.badData) { _ = try open(name) }
    #expect(text.contains(expected), "\(text)")
  }

  @Test(
    "data that takes a plug-in is refused when it is opened, with the filter's name and two ways out",
    arguments: [("bitshuffle", 32008), ("blosc", 32001), ("zstandard", 32015), ("lz4", 32004)])
  func plugIns(name: String, id: Int) {
    let path = fixture("packed.h5")
    let text = datasetError(.badData) { _ = try open(name, file: path) }
    #expect(text.lowercased().contains("packed by \(name) (hdf5 filter \(id))"), "\(text)")
    for way in ["--hdf5-plugins or HDF5_PLUGIN_PATH", "h5repack -f GZIP=1 \(path)"] {
      #expect(text.contains(way), "\(text)")
    }
  }

  @Test("what cannot be trained on as it is comes with the command that makes a dataset of it")
  func advice() {
    let command = "`convoy import hdf5 --from \(file) --images"
    for (images, labels, rest) in [
      ("images", "words/variable", " images --labels words/variable --to NEW.h5`"),
      ("images", "words/fixed", " images --labels words/fixed --to NEW.h5`"),
      ("images", "one-hot/labels", " images --labels one-hot/labels --to NEW.h5`"),
      ("axes/hwcn", "labels", " axes/hwcn --labels labels --axes HWCN --to NEW.h5`"),
      ("axes/hwn", "labels", " axes/hwn --labels labels --axes HWN --to NEW.h5`"),
      ("axes/fn", "labels", " axes/fn --labels labels --axes FN --to NEW.h5`"),
    ] {
      let text = datasetError(.badData) { _ = try open(images, labels: labels) }
      #expect(text.contains(command + rest), "\(text)")
    }
  }

  @Test("a group that holds itself is gone through once")
  func circle() throws {
    let path = fixture("circle.h5")
    let file = try DatasetFile(path)
    #expect(file.splits.map(\.images) == ["images"])
    #expect(file.others == ["a/b/data"])
  }

  @Test(
    "sizes that a file cannot hold take no memory, virtual or in chunks",
    arguments: [
      ("unwritten", "labels", "more data than a file"), ("virtual", "labels", "more data than a file"),
      ("repeated", "labels", "more than once"), ("images", "unwritten", "one number per sample"),
      ("images", "chunk-labels", "its chunks of [4294967295] mean more data"),
      ("chunk", "labels", "its chunks of"),
    ])
  func bombs(images: String, labels: String, expected: String) {
    let text = datasetError(.badData) { _ = try open(images, labels: labels, file: fixture("bombs.h5")) }
    #expect(text.contains(expected), "\(text)")
  }
}
