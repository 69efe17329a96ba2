import Datasets
import Foundation
import Tensors
import Testing

@Suite("Image datasets of any storage")
struct ImageDatasetTests {
  static let common = ["contiguous", "chunked-rows", "chunked-single", "gzip-odd", "gzip-shuffle"]
  static let bytes =
    common + ["chunked-odd", "chunked-channels", "chunked-larger", "gzip", "checksum"]
  static let floats = [
    "float32", "float32-gzip-shuffle", "float32-gzip-shuffle-odd", "float32-big", "float64", "float16",
  ]

  func open(_ name: String, in file: String = "layouts.h5") throws -> ImageDataset {
    try ImageDataset(path: fixture(file), images: "\(name)/images", labels: "\(name)/labels")
  }

  /// Orders that take every way of reading: whole, backwards, repeated, few, one.
  static let orders: [[Int]] = [
    Array(0..<13), (0..<13).reversed(), [3, 3, 12, 0, 3], [11, 2], [12], [0, 2, 4, 5, 6, 7],
  ]

  func check(_ dataset: ImageDataset, channels: Int = 3, _ value: (Int) -> Float) throws {
    for order in Self.orders {
      for threads in [1, 3] {
        let samples = try dataset.samples(order, threads: threads)
        let expected = order.flatMap { FixtureData.sample($0, channels: channels).map(value) }
        #expect(samples.pixels == expected, "\(dataset.imagesName), samples \(order)")
        #expect(samples.labels == order.map { FixtureData.labels[$0] })
      }
    }
  }

  @Test("uint8 pixels are those in the file, however it stores them", arguments: bytes)
  func uint8(name: String) throws {
    let dataset = try open(name)
    #expect(dataset.pixelType == .uint8)
    #expect(dataset.sampleShape == FixtureData.shape)
    #expect(dataset.labels == FixtureData.labels)
    #expect(dataset.classCount == 4)
    #expect(dataset.classNames == nil)
    #expect(dataset.classCounts() == [4, 3, 3, 3])
    try check(dataset) { Float($0) }
  }

  @Test("files of the older format and with a user block read the same", arguments: common)
  func otherFormats(name: String) throws {
    for file in ["layouts-old-format.h5", "layouts-user-block.h5"] {
      try check(open(name, in: file)) { Float($0) }
    }
  }

  @Test("float pixels of any width and order become float32", arguments: floats)
  func float(name: String) throws {
    let dataset = try open(name)
    #expect(dataset.pixelType == .float32)
    try check(dataset) { Float($0) / 8 - 3 }
  }

  @Test("other integers become float32", arguments: [("int16", -100), ("uint16-big", 0), ("int64", -100)])
  func integers(name: String, shift: Int) throws {
    let dataset = try open(name)
    #expect(dataset.pixelType == .float32)
    try check(dataset) { Float($0 + shift) }
  }

  @Test(
    "images without a channel dimension have one channel, labels may be a column",
    arguments: ["rank3", "rank3-gzip"])
  func rank3(name: String) throws {
    let dataset = try open(name)
    #expect(dataset.sampleShape == [4, 5, 1])
    try check(dataset, channels: 1) { Float($0) }
  }

  @Test("samples that were never written have the fill value")
  func fillValue() throws {
    let samples = try open("partial").samples([7, 12, 9])
    let size = FixtureData.shape.elementCount
    #expect(
      samples.pixels == FixtureData.sample(7).map { Float($0) } + [Float](repeating: 9, count: 2 * size))
  }

  @Test("what a dataset is can be said in words")
  func description() throws {
    #expect(try open("contiguous").storage == "contiguous")
    #expect(try open("gzip-shuffle").storage == "chunks of 6×4×5×3, shuffle, deflate")
    #expect(try open("uint16-big").storedType == "uint16 big-endian")
  }

  @Test("class names are found on labels, images, group or file, in this order")
  func classNames() throws {
    let names = ["zero", "one", "zwei", "три"]
    #expect(try open("on-labels", in: "class-names.h5").classNames == names)
    #expect(try open("on-images", in: "class-names.h5").classNames == ["a", "bb", "ccc", "d"])
    #expect(try open("on-group", in: "class-names.h5").classNames == names)
    #expect(try open("on-file", in: "class-names.h5").classNames == names.reversed())
  }

  @Test("links inside the file are followed")
  func softLinks() throws {
    try check(open("soft", in: "class-names.h5")) { Float($0) }
  }

  @Test("fingerprints: equal for equal data, different after any change; contents do not depend on storage")
  func fingerprints() throws {
    func sample(_ dataset: ImageDataset) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try dataset.feedSample { bytes += $0 }
      return bytes
    }
    func stored(_ dataset: ImageDataset) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try dataset.feedStoredSample { bytes += $0 }
      return bytes
    }
    func contents(_ dataset: ImageDataset) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try dataset.feedContents { bytes += $0 }
      return bytes
    }
    #expect(try stored(open("gzip")) == stored(open("gzip")))
    #expect(try stored(open("gzip")) != stored(open("contiguous")))
    #expect(try stored(open("float32")) != stored(open("contiguous")))
    #expect(try sample(open("gzip")) == sample(open("contiguous")))
    #expect(try sample(open("float32")) == sample(open("float32-gzip-shuffle-odd")))
    #expect(try sample(open("float32")) != sample(open("contiguous")))
    // Where samples are in memory, from there.
    var resident: [UInt8] = []
    try SampleStore(open("gzip"), memoryLimitByteCount: 1 << 30).feedContents { resident += $0 }
    #expect(try resident == contents(open("gzip")))
    #expect(try contents(open("gzip")) == contents(open("contiguous")))
    #expect(try contents(open("float32")) == contents(open("float32-gzip-shuffle-odd")))
    #expect(try contents(open("float32")) != contents(open("contiguous")))
    let labels = FixtureData.labels.count * 4
    let pixels = FixtureData.count * FixtureData.shape.elementCount
    #expect(try contents(open("gzip")).count == "13×4×5×3 uint8\n".utf8.count + labels + pixels)
  }

  @Test("targets are moved to the columns that have their names, and unknown names are refused")
  func namedColumns() throws {
    try withTemporaryFolder { folder in
      let writer = try DatasetWriter(path: "\(folder)/a.h5")
      try writer.writeSplit(
        "test", sampleShape: [1], targets: .values([1, 2, 3, 4, 5, 6], width: 3, names: ["x", "y", "z"])
      ) { _, memory in memory.initializeMemory(as: UInt8.self, repeating: 7) }
      try writer.finish()
      let dataset = try ImageDataset(
        path: "\(folder)/a.h5", images: "test/images", target: .values("test/targets"))
      let (moved, note) = try dataset.matched(to: ["z", "x", "y"])
      let targets = try #require(moved.targets)
      #expect(Array(targets[0]) == [3, 1, 2] && Array(targets[1]) == [6, 4, 5])
      #expect(moved.classNames == ["z", "x", "y"])
      #expect(note?.hasSuffix("taken by name: x 0 → 1, y 1 → 2, z 2 → 0") == true)
      #expect(try dataset.matched(to: ["x", "y", "z"]).note == nil)
      let text = datasetError(.badData) { _ = try dataset.matched(to: ["x", "y", "w"]) }
      #expect(text.contains("the network does not have: z"))
    }
  }
}
