import Foundation
import ImageFiles
import Tensors
import Testing

@testable import Datasets

@Suite("Importing CIFAR")
struct CIFARImporterTests {
  /// Images of a batch: planes of red, green and blue.
  private static func planes(_ image: Int) -> [UInt8] { (0..<3072).map { noise(image * 3072 + $0) } }

  /// The same image with its colours side by side.
  private static func interleaved(_ image: Int) -> [UInt8] {
    let planes = planes(image)
    return (0..<1024).flatMap { pixel in (0..<3).map { planes[$0 * 1024 + pixel] } }
  }

  /// What Python's pickle of protocol 2 writes for such a dictionary; the opcodes stand beside their bytes.
  private static func pickle(labels: [Int], firstImage: Int) -> [UInt8] {
    func short(_ text: String) -> [UInt8] { [UInt8(ascii: "U"), UInt8(text.utf8.count)] + Array(text.utf8) }
    func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    func int(_ value: Int) -> [UInt8] {
      [UInt8(ascii: "M"), UInt8(value & 255), UInt8(value >> 8)]
    }
    let data = labels.indices.flatMap { planes(firstImage + $0) }
    var bytes: [UInt8] = [0x80, 2, UInt8(ascii: "}"), UInt8(ascii: "q"), 1, UInt8(ascii: "(")]
    bytes += short("labels") + [UInt8(ascii: "]"), UInt8(ascii: "q"), 2, UInt8(ascii: "(")]
    bytes += labels.flatMap { [UInt8(ascii: "K"), UInt8($0)] } + [UInt8(ascii: "e")]
    bytes += short("data") + global("numpy.core.multiarray", "_reconstruct") + global("numpy", "ndarray")
    bytes += [UInt8(ascii: "K"), 0, 0x85] + short("b") + [0x87, UInt8(ascii: "R")]
    bytes += [UInt8(ascii: "("), UInt8(ascii: "K"), 1] + int(labels.count) + int(3072) + [0x86]
    bytes +=
      global("numpy", "dtype") + short("u1") + [
        UInt8(ascii: "K"), 0, UInt8(ascii: "K"), 1, 0x87, UInt8(ascii: "R"),
      ]
    bytes += [UInt8(ascii: "("), UInt8(ascii: "K"), 3] + short("|")
    bytes += [UInt8(ascii: "N"), UInt8(ascii: "N"), UInt8(ascii: "N")]
    bytes += Array("J".utf8) + [255, 255, 255, 255] + Array("J".utf8) + [255, 255, 255, 255]
    bytes += [UInt8(ascii: "K"), 0, UInt8(ascii: "t"), UInt8(ascii: "b"), 0x89]
    bytes += [UInt8(ascii: "T")] + withUnsafeBytes(of: UInt32(data.count)) { Array($0) } + data
    bytes += [UInt8(ascii: "t"), UInt8(ascii: "b")]
    return bytes + [UInt8(ascii: "u"), UInt8(ascii: ".")]
  }

  private static func put(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// Five training batches of two images and a test batch of three.
  private static func write(_ folder: String, binary: Bool) throws {
    var image = 0
    for batch in 1...6 {
      let labels = (0..<(batch == 6 ? 3 : 2)).map { (batch * 3 + $0) % 10 }
      let name = batch == 6 ? "test_batch" : "data_batch_\(batch)"
      if binary {
        let records = labels.enumerated().flatMap { [UInt8($1)] + planes(image + $0) }
        try put(records, "\(folder)/\(name).bin")
      } else {
        try put(pickle(labels: labels, firstImage: image), "\(folder)/\(name)")
      }
      image += labels.count
    }
    let names = (0..<10).map { "class-\($0)" }
    if binary { try put(Array((names.joined(separator: "\n") + "\n\n").utf8), "\(folder)/batches.meta.txt") }
  }

  private func check(_ path: String, names: [String]) throws {
    let train = try contents(path)
    #expect(train.dataset.sampleShape == [32, 32, 3])
    #expect(train.labels == [3, 4, 6, 7, 9, 0, 2, 3, 5, 6])
    #expect(train.bytes == (0..<10).flatMap { Self.interleaved($0) })
    #expect(train.dataset.classNames == names)
    let test = try contents(path, "test")
    #expect(test.labels == [8, 9, 0])
    #expect(test.bytes == (10..<13).flatMap { Self.interleaved($0) })
  }

  @Test("both versions give the same samples, unpacked or as an archive", arguments: [true, false])
  func versions(binary: Bool) throws {
    try withTemporaryFolder { folder in
      let inner = "\(folder)/cifar-10-batches-\(binary ? "bin" : "py")"
      try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
      try Self.write(inner, binary: binary)
      let names = (0..<10).map { binary ? "class-\($0)" : "\($0)" }
      let tar = Process()
      tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      tar.arguments = [
        "tar", "-czf", "\(folder)/a.tar.gz", "-C", folder, "cifar-10-batches-\(binary ? "bin" : "py")",
      ]
      try tar.run()
      tar.waitUntilExit()
      try #require(tar.terminationStatus == 0)
      for (index, source) in [folder, inner, "\(folder)/a.tar.gz"].enumerated() {
        let path = "\(folder)/\(index).h5"
        let summary = try CIFARImporter(.cifar10, from: source).write(to: path)
        #expect(summary.counts.map(\.count) == [10, 3])
        try check(path, names: names)
      }
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/0.h5"))
          == Data(contentsOf: URL(fileURLWithPath: "\(folder)/2.h5")))
      let text = datasetError(.cannotCreate) {
        _ = try CIFARImporter(.cifar10, from: folder).write(to: "\(folder)/0.h5")
      }
      #expect(text.contains("exists already"))
    }
  }

  @Test("the binary version of CIFAR-100 has two labels for each image")
  func hundred() throws {
    try withTemporaryFolder { folder in
      for (name, images) in [("train", 0..<3), ("test", 3..<5)] {
        try Self.put(
          images.flatMap { [UInt8($0 + 10), UInt8($0 + 90)] + Self.planes($0) }, "\(folder)/\(name).bin")
      }
      _ = try CIFARImporter(.cifar100, from: folder).write(to: "\(folder)/fine.h5")
      _ = try CIFARImporter(.cifar100Coarse, from: folder).write(to: "\(folder)/coarse.h5")
      #expect(try contents("\(folder)/fine.h5").labels == [90, 91, 92])
      #expect(try contents("\(folder)/coarse.h5", "test").labels == [13, 14])
      #expect(try contents("\(folder)/coarse.h5").bytes == (0..<3).flatMap { Self.interleaved($0) })
    }
  }

  @Test("files that are missing, cut, of another set or wrongly labelled are named")
  func damage() throws {
    try withTemporaryFolder { folder in
      let output = "\(folder)/out.h5"
      func attempt(_ kind: DatasetError.Kind, _ from: String? = nil) -> String {
        datasetError(kind) { _ = try CIFARImporter(.cifar10, from: from ?? folder).write(to: output) }
      }
      #expect(attempt(.missingInput, "\(folder)/nowhere").contains("nowhere"))
      #expect(attempt(.missingInput).contains("data_batch_1"))
      try Self.write(folder, binary: true)
      let good = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/data_batch_3.bin"))
      try good.dropLast(5).write(to: URL(fileURLWithPath: "\(folder)/data_batch_3.bin"))
      #expect(attempt(.badData).contains("data_batch_3.bin has 6141 bytes"))
      var wrong = good
      wrong[3073] = 10
      try wrong.write(to: URL(fileURLWithPath: "\(folder)/data_batch_3.bin"))
      #expect(attempt(.badData).contains("image 1 has label 10"))
      try good.write(to: URL(fileURLWithPath: "\(folder)/data_batch_3.bin"))
      try Self.put([1, 2, 3], "\(folder)/no.tar")
      #expect(attempt(.badData, "\(folder)/no.tar").contains("truncated"))
      try Self.put([UInt8](repeating: 7, count: 2048), "\(folder)/no.tar")
      #expect(attempt(.badData, "\(folder)/no.tar").contains("not a tar archive"))
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  @Test("a pickle may build data and nothing else")
  func pickles() throws {
    func read(_ text: String) throws { try PickleReader.read(Array(text.utf8), name: "a.pkl") { _ in } }
    #expect(datasetError(.badData) { try read("cos\nsystem\n(S'ls'\ntR.") }.contains("os.system"))
    #expect(datasetError(.badData) { try read("(dp0\nS'a'\n.") }.contains("not allowed"))
    #expect(datasetError(.badData) { try read("") }.contains("ends early"))
    #expect(datasetError(.badData) { try read("a.") }.contains("stack is empty"))
    #expect(datasetError(.badData) { try read("\u{5d}K") }.contains("ends early"))
    #expect(try PickleReader.read(Array("(I1\nI-2\nl.".utf8), name: "") { $0.integers } == [1, -2])
    // Every shorter piece of a sound pickle is an error and not a crash.
    let sound = Self.pickle(labels: [1], firstImage: 0)
    for count in 0..<200 {
      datasetError(.badData) { try PickleReader.read(Array(sound[..<count]), name: "") { _ in } }
    }
    // Nor does any changed byte crash it.
    for place in 0..<150 {
      for value: UInt8 in [0, 40, 46, 82, 98, 116, 255] {
        var changed = sound
        changed[place] = value
        try? PickleReader.read(changed, name: "") { _ in }
      }
    }
  }

  @Test("a pickle's values may hold one another as deep as they like, and are as many as data files have")
  func pickleBombs() throws {
    func integers(_ text: String) throws -> [Int]? {
      try PickleReader.read(Array(text.utf8), name: "a.pkl") { $0.integers }
    }
    func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
    // A tuple in a tuple in a tuple, and a list that holds itself, are let go without a stack as deep.
    _ = try integers("]" + many("(", 200_000) + many("t", 200_000) + ".")
    _ = try integers(many("(", 200_000) + many("l", 200_000) + ".")
    _ = try integers("]q\u{0}h\u{0}a.")
    // Element by element.
    #expect(
      try integers("]" + many("K\u{1}a", 400_000) + ".") == [Int](repeating: 1, count: 400_000))
    for bomb in [
      many("]", 600_000), many("(", 600_000), many("}", 600_000), "]q\u{0}" + many("h\u{0}", 600_000),
      "]q\u{0}" + many("]h\u{0}h\u{0}eh\u{0}", 200_000), "]q\u{0}" + many("h\u{0}a", 1_100_000),
    ] {
      datasetError(.badData) { _ = try integers(bomb + ".") }
    }
    #expect(
      datasetError(.badData) { _ = try integers(many("]", 600_000)) }.contains("more than 500000 values"))
  }
}
