import Foundation
import ImageFiles
import Tensors
import Testing

@testable import Datasets

/// A number that looks like noise, the same for the same place.
private func noise(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: (place &* 2_654_435_761) >> 11) }

/// Pixels of an imported split, sample after sample, with its labels.
private func contents(_ path: String, _ split: String = "train") throws -> (
  dataset: ImageDataset, bytes: [UInt8], labels: [Int32]
) {
  let dataset = try ImageDataset(path: path, images: "\(split)/images", labels: "\(split)/labels")
  return (dataset, try dataset.samples(Array(0..<dataset.count)).bytes, dataset.labels)
}

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
    func read(_ text: String) throws { _ = try PickleReader.read(Array(text.utf8), name: "a.pkl") }
    #expect(datasetError(.badData) { try read("cos\nsystem\n(S'ls'\ntR.") }.contains("os.system"))
    #expect(datasetError(.badData) { try read("(dp0\nS'a'\n.") }.contains("not allowed"))
    #expect(datasetError(.badData) { try read("") }.contains("ends early"))
    #expect(datasetError(.badData) { try read("a.") }.contains("stack is empty"))
    #expect(datasetError(.badData) { try read("\u{5d}K") }.contains("ends early"))
    #expect(try PickleReader.read(Array("(I1\nI-2\nl.".utf8), name: "").integers == [1, -2])
    // Every shorter piece of a sound pickle is an error and not a crash.
    let sound = Self.pickle(labels: [1], firstImage: 0)
    for count in 0..<200 {
      datasetError(.badData) { _ = try PickleReader.read(Array(sound[..<count]), name: "") }
    }
    // Nor does any changed byte crash it.
    for place in 0..<150 {
      for value: UInt8 in [0, 40, 46, 82, 98, 116, 255] {
        var changed = sound
        changed[place] = value
        _ = try? PickleReader.read(changed, name: "")
      }
    }
  }
}

@Suite("Importing a folder of images")
struct ImageFolderImporterTests {
  private func write(_ image: Image, _ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try ImageFile.write(image, to: path)
  }

  private func image(_ salt: Int, height: Int = 6, width: Int = 5, channels: Image.Channels = .rgb) -> Image {
    Image(
      height: height, width: width, channels: channels,
      pixels: (0..<height * width * channels.rawValue).map { noise($0 + salt * 1000) })
  }

  @Test("samples come by class and file name, whatever the number of threads")
  func order() throws {
    try withTemporaryFolder { folder in
      let files = [("dog/2.png", 2), ("dog/10.png", 1), ("Cat/a.png", 0), ("dog/more/0.png", 3)]
      for (name, salt) in files { try write(image(salt), "\(folder)/in/\(name)") }
      try Data().write(to: URL(fileURLWithPath: "\(folder)/in/dog/notes.txt"))
      var all: [Data] = []
      for threads in [1, 3] {
        let path = "\(folder)/\(threads).h5"
        let summary = try ImageFolderImporter("\(folder)/in", height: 6, width: 5).write(
          to: path, threads: threads)
        #expect(summary.classNames == ["Cat", "dog"])
        #expect(summary.notes.count == 1)
        let found = try contents(path)
        #expect(found.labels == [0, 1, 1, 1])
        // "10" before "2" before "more".
        #expect(found.bytes == [0, 1, 2, 3].flatMap { image($0).pixels })
        all.append(try Data(contentsOf: URL(fileURLWithPath: path)))
      }
      #expect(all[0] == all[1])
    }
  }

  @Test("train and test folders become splits, and a class that only the test has is an error")
  func splits() throws {
    try withTemporaryFolder { folder in
      try write(image(0), "\(folder)/in/train/a/1.png")
      try write(image(1), "\(folder)/in/train/b/1.png")
      try write(image(2), "\(folder)/in/test/b/1.png")
      _ = try ImageFolderImporter("\(folder)/in", height: 6, width: 5).write(to: "\(folder)/out.h5")
      #expect(try contents("\(folder)/out.h5").labels == [0, 1])
      #expect(try contents("\(folder)/out.h5", "test").labels == [1])
      try write(image(2), "\(folder)/in/test/c/1.png")
      let text = datasetError(.badData) {
        _ = try ImageFolderImporter("\(folder)/in", height: 6, width: 5).write(to: "\(folder)/no.h5")
      }
      #expect(text.contains("test/c"))
    }
  }

  @Test("an unreadable file stops the import by name, or is left out with a note")
  func unreadable() throws {
    try withTemporaryFolder { folder in
      for index in 0..<7 where index != 3 { try write(image(index), "\(folder)/in/a/\(index).png") }
      try Data("no image".utf8).write(to: URL(fileURLWithPath: "\(folder)/in/a/3.png"))
      var importer = ImageFolderImporter("\(folder)/in", height: 6, width: 5)
      let text = datasetError(.badData) { _ = try importer.write(to: "\(folder)/no.h5") }
      #expect(text.contains("a/3.png"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/no.h5"))
      importer.unreadable = .skip
      let summary = try importer.write(to: "\(folder)/out.h5")
      #expect(summary.notes.count == 1 && summary.notes[0].contains("a/3.png"))
      #expect(summary.counts[0].count == 6)
      let found = try contents("\(folder)/out.h5")
      #expect(found.bytes == [0, 1, 2, 4, 5, 6].flatMap { image($0).pixels })
      #expect(try found.dataset.samples([5]).bytes == image(6).pixels)
    }
  }

  @Test("proportions are met by cutting, stretching or padding")
  func fit() {
    let wide = Image(
      height: 2, width: 6, channels: .grey, pixels: [0, 50, 100, 150, 200, 250, 0, 50, 100, 150, 200, 250])
    func sample(_ fit: ImageFolderImporter.Fit) -> [UInt8] {
      ImageFolderImporter("", height: 2, width: 2, channels: .grey, fit: fit).sample(wide)
    }
    #expect(sample(.crop) == [100, 150, 100, 150])
    #expect(sample(.stretch) == [50, 200, 50, 200])
    #expect(sample(.pad) == [50, 200, 0, 0])
    let tall = ImageFolderImporter("", height: 3, width: 6, channels: .grey, fit: .pad)
      .sample(Image(height: 3, width: 2, channels: .grey, pixels: [1, 2, 3, 4, 5, 6]))
    #expect(tall == [0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0])
  }

  @Test("folders without classes or images are named")
  func empty() throws {
    try withTemporaryFolder { folder in
      let importer = ImageFolderImporter("\(folder)/in", height: 6, width: 5)
      #expect(datasetError(.missingInput) { _ = try importer.write(to: "\(folder)/o.h5") }.contains("/in"))
      try FileManager.default.createDirectory(atPath: "\(folder)/in", withIntermediateDirectories: true)
      #expect(datasetError(.badData) { _ = try importer.write(to: "\(folder)/o.h5") }.contains("each class"))
      try FileManager.default.createDirectory(atPath: "\(folder)/in/a", withIntermediateDirectories: true)
      #expect(datasetError(.badData) { _ = try importer.write(to: "\(folder)/o.h5") }.contains("no PNG"))
    }
  }
}

@Suite("Importing NumPy arrays and tables")
struct TableImporterTests {
  /// A `.npy` file of version 1.
  private func npy(_ type: String, _ shape: String, _ data: Data, order: String = "False") -> Data {
    var header = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    return Data(
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
      + Data(header.utf8) + data
  }

  private func bytes<T>(_ values: [T]) -> Data { values.withUnsafeBytes { Data($0) } }

  private func importer(
    _ folder: String, _ images: Data, _ labels: Data, channelsFirst: Bool = false
  ) throws -> NumPyImporter {
    try images.write(to: URL(fileURLWithPath: "\(folder)/x.npy"))
    try labels.write(to: URL(fileURLWithPath: "\(folder)/y.npy"))
    return NumPyImporter(
      splits: [.init(name: "train", images: "\(folder)/x.npy", labels: "\(folder)/y.npy")],
      channelsFirst: channelsFirst)
  }

  @Test("bytes stay bytes, and channels that come first are put last")
  func byteArrays() throws {
    try withTemporaryFolder { folder in
      let values = (0..<36).map { noise($0) }
      let labels = npy("<i8", "(3,)", bytes([2, 0, 1]))
      _ = try importer(folder, npy("|u1", "(3, 2, 2, 3)", bytes(values)), labels).write(to: "\(folder)/a.h5")
      let last = try contents("\(folder)/a.h5")
      #expect(last.bytes == values && last.labels == [2, 0, 1] && last.dataset.sampleShape == [2, 2, 3])
      _ = try importer(folder, npy("|u1", "(3, 3, 2, 2)", bytes(values)), labels, channelsFirst: true)
        .write(to: "\(folder)/b.h5")
      let first = try contents("\(folder)/b.h5")
      #expect(first.dataset.sampleShape == [2, 2, 3])
      var expected: [UInt8] = []
      for sample in 0..<3 {
        for pixel in 0..<4 { expected += (0..<3).map { values[sample * 12 + $0 * 4 + pixel] } }
      }
      #expect(first.bytes == expected)
    }
  }

  @Test(
    "every type of number becomes the same float32",
    arguments: ["<f4", ">f4", "<f8", ">f8", "<i2", ">i2", "<i4", "<i8", ">u2", "<f2", "|i1"])
  func types(type: String) throws {
    let values: [Double] = [0, 1, -2, 100, 3, 7, -128, 5]
    let big = type.hasPrefix(">")
    let kind = String(type.dropFirst())
    func encode(_ value: Double) -> Data {
      func integer<T: FixedWidthInteger>(_ value: T) -> Data {
        bytes([big ? value.bigEndian : value.littleEndian])
      }
      switch kind {
      case "f4": return integer(Float(value).bitPattern)
      case "f8": return integer(value.bitPattern)
      case "f2":
        // These are exact in 11 bits.
        let exponent = value == 0 ? 0 : Int(value.magnitude.exponent) + 15
        let fraction = value == 0 ? 0 : Int((value.magnitude.significand - 1) * 1024)
        return integer(UInt16((value < 0 ? 0x8000 : 0) | exponent << 10 | fraction))
      case "i1": return integer(Int8(value))
      case "i2": return integer(Int16(value))
      case "u2": return integer(UInt16(value.magnitude))
      case "i4": return integer(Int32(value))
      default: return integer(Int64(value))
      }
    }
    try withTemporaryFolder { folder in
      let data = values.reduce(Data()) { $0 + encode($1) }
      _ = try importer(folder, npy(type, "(4, 2)", data), npy("|u1", "(4, 1)", Data([0, 1, 0, 1])))
        .write(to: "\(folder)/a.h5")
      let dataset = try ImageDataset(path: "\(folder)/a.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.sampleShape == [2] && dataset.pixelType == .float32)
      #expect(
        try dataset.samples([0, 1, 2, 3]).pixels == values.map { Float(kind == "u2" ? $0.magnitude : $0) })
    }
  }

  @Test("an archive's arrays are found by name, stored or deflated, as numpy.savez writes them")
  func archive() throws {
    try withTemporaryFolder { folder in
      let archive = fixture("arrays.npz")
      for path in [archive, fixture("arrays-deflated.npz")] {
        let importer = NumPyImporter(
          archive: path,
          splits: [
            .init(name: "train", images: "x_train", labels: "y_train"),
            .init(name: "test", images: "x_test", labels: "y_test"),
          ])
        let output = "\(folder)/\(URL(fileURLWithPath: path).lastPathComponent).h5"
        #expect(try importer.write(to: output).counts.map(\.count) == [7, 2])
        let train = try contents(output)
        #expect(train.dataset.sampleShape == [3, 4, 1])
        #expect(train.bytes == (0..<84).map { UInt8($0 * 3 % 251) })
        #expect(train.labels == [0, 1, 2, 3, 0, 1, 2])
        #expect(try contents(output, "test").bytes == (0..<24).map { UInt8(255 - $0) })
      }
      let missing = NumPyImporter(
        archive: archive, splits: [.init(name: "train", images: "x", labels: "y_train")])
      #expect(datasetError(.badData) { _ = try missing.write(to: "\(folder)/no.h5") }.contains("x_train"))
      // One changed byte of the data is found by the checksum.
      var damaged = try Data(contentsOf: URL(fileURLWithPath: archive))
      let place = try #require(damaged.range(of: Data([0, 3, 6, 9, 12])))
      damaged[place.lowerBound + 1] = 4
      try damaged.write(to: URL(fileURLWithPath: "\(folder)/damaged.npz"))
      let importer = NumPyImporter(
        archive: "\(folder)/damaged.npz", splits: [.init(name: "train", images: "x_train", labels: "y_train")]
      )
      #expect(datasetError(.badData) { _ = try importer.write(to: "\(folder)/no.h5") }.contains("checksum"))
      for count in stride(from: 0, to: damaged.count, by: 61) {
        try damaged.prefix(count).write(to: URL(fileURLWithPath: "\(folder)/cut.npz"))
        datasetError(.badData) { _ = try ZipArchive(RawFile("\(folder)/cut.npz")) }
      }
    }
  }

  @Test("floats and rows of numbers become targets, with weights beside them")
  func arraysOfTargets() throws {
    try withTemporaryFolder { (folder: String) throws in
      let images = npy("|u1", "(2, 2)", Data([1, 2, 3, 4]))
      let inputs: [(Data, Int, [Float])] = [
        (npy("<f4", "(2,)", bytes([Float(0.5), -2])), 1, [0.5, -2]),
        (npy("|u1", "(2, 3)", Data([1, 0, 1, 0, 0, 1])), 3, [1, 0, 1, 0, 0, 1]),
      ]
      for (index, (labels, width, values)) in inputs.enumerated() {
        let files = ["x", "y", "w"].map { "\(folder)/\(index)\($0).npy" }
        let weights = npy("<f8", "(2,)", bytes([0.25, 2]))
        for (file, data) in zip(files, [images, labels, weights]) {
          try data.write(to: URL(fileURLWithPath: file))
        }
        let path = "\(folder)/\(index).h5"
        let split = NumPyImporter.Split(name: "train", images: files[0], labels: files[1], weights: files[2])
        let summary = try NumPyImporter(splits: [split]).write(to: path)
        #expect(summary.hasTargets && summary.classNames.count == width)
        let dataset = try ImageDataset(
          path: path, images: "train/images", target: .values("train/targets"), weights: "train/weights")
        #expect(dataset.targets?.width == width)
        #expect(dataset.targets?.values.array() == values)
        #expect(dataset.weights == [0.25, 2])
      }
    }
  }

  @Test("columns of a table become targets with their names, and one the weights")
  func tableOfTargets() throws {
    try withTemporaryFolder { (folder: String) throws in
      let path = "\(folder)/t.csv"
      try Data("price,a,trust,b,rent\n1.5,1,0.5,2,-3\n2.5,3,1,4,1e2\n".utf8).write(
        to: URL(fileURLWithPath: path))
      let importer = CSVImporter(
        splits: [.init(name: "train", path: path)], targets: ["rent", "price"], weight: "trust")
      try importer.write(to: "\(folder)/t.h5")
      let dataset = try ImageDataset(
        path: "\(folder)/t.h5", images: "train/images", target: .values("train/targets"),
        weights: "train/weights")
      #expect(dataset.classNames == ["rent", "price"])
      #expect(dataset.targets?.values.array() == [-3, 1.5, 100, 2.5])
      #expect(dataset.weights == [0.5, 1] && dataset.sampleShape == [2])
      let twice = CSVImporter(splits: importer.splits, targets: ["rent", "rent"])
      #expect(datasetError(.badData) { _ = try twice.write(to: "\(folder)/u.h5") }.contains("twice"))
      let bad = CSVImporter(splits: importer.splits, label: "price", weight: "rent")
      #expect(datasetError(.badData) { _ = try bad.write(to: "\(folder)/u.h5") }.contains("line 2, column 5"))
    }
  }

  @Test("arrays that do not fit are named with their shapes")
  func misfits() throws {
    try withTemporaryFolder { (folder: String) throws in
      let labels = npy("|u1", "(2,)", Data([0, 1]))
      func text(_ images: Data, _ labels: Data) throws -> String {
        let importer = try importer(folder, images, labels)
        return datasetError(.badData) { _ = try importer.write(to: "\(folder)/o.h5") }
      }
      let good = npy("|u1", "(2, 2)", Data([1, 2, 3, 4]))
      #expect(try text(Data("hello, world".utf8), labels).contains("magic"))
      #expect(try text(npy("|u1", "(2, 2)", Data([1, 2, 3])), labels).contains("truncated"))
      #expect(try text(npy("|u1", "(2, 2)", Data([1, 2, 3, 4, 5])), labels).contains("after its last"))
      #expect(try text(npy("|O", "(2, 2)", Data()), labels).contains("|O"))
      #expect(
        try text(npy("|u1", "(2, 2)", Data([1, 2, 3, 4]), order: "True"), labels).contains("column by column")
      )
      #expect(try text(npy("|u1", "(4,)", Data([1, 2, 3, 4])), labels).contains("shape 4"))
      #expect(try text(good, npy("|u1", "(3,)", Data([0, 1, 2]))).contains("2 samples need 2 labels"))
      #expect(try text(good, npy("<f4", "(2,)", bytes([Float(0), .infinity]))).contains("inf"))
      #expect(try text(good, npy("<f4", "(1, 2)", bytes([Float(0), 1.5]))).contains("rows of targets"))
      #expect(try text(good, npy("<i4", "(2,)", bytes([Int32(0), -1]))).contains("label -1"))
      #expect(try text(npy("<f4", "(2, 1)", bytes([Float(0), .nan])), labels).contains("sample 1"))
      #expect(
        try text(npy("|u1", "(999999999, 999999999, 99999)", Data()), labels).contains("larger than any file")
      )
    }
  }

  private func csv(_ text: String, label: String = "label", shape: Shape? = nil, _ folder: String) throws
    -> CSVImporter
  {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/a.csv"))
    return CSVImporter(
      splits: [.init(name: "train", path: "\(folder)/a.csv")], label: label, sampleShape: shape)
  }

  @Test("a table of whole numbers becomes bytes, one with fractions float32; labels may be words")
  func tables() throws {
    try withTemporaryFolder { folder in
      let table = "\u{feff}label,p1,p2,p3,p4\r\n1,0,255,3,4\r\n\r\n0, 9 ,8,7,6\r\n"
      _ = try csv(table, shape: [2, 2, 1], folder).write(to: "\(folder)/a.h5")
      let found = try contents("\(folder)/a.h5")
      #expect(found.bytes == [0, 255, 3, 4, 9, 8, 7, 6] && found.labels == [1, 0])
      #expect(found.dataset.sampleShape == [2, 2, 1])
      let words = "0.5,\"a \"\"big\"\" cat, dog\",-1e3\n2,ant,7\n1,ant,256"
      _ = try csv(words, label: "2", folder).write(to: "\(folder)/b.h5")
      let dataset = try ImageDataset(path: "\(folder)/b.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.classNames == ["a \"big\" cat, dog", "ant"])
      #expect(dataset.labels == [0, 1, 1])
      #expect(try dataset.samples([0, 1, 2]).pixels == [0.5, -1000, 2, 7, 1, 256])
      try ImportTests.put(Data(table.utf8), "\(folder)/c.csv.gz")
      _ = try CSVImporter(
        splits: [.init(name: "train", path: "\(folder)/c.csv.gz")], label: "label", sampleShape: [2, 2, 1]
      )
      .write(to: "\(folder)/c.h5")
      #expect(try contents("\(folder)/c.h5").bytes == found.bytes)
    }
  }

  @Test("what is wrong in a table is named with its line and column")
  func brokenTables() throws {
    try withTemporaryFolder { (folder: String) throws in
      func text(_ table: String, label: String = "label", shape: Shape? = nil) throws -> String {
        let importer = try csv(table, label: label, shape: shape, folder)
        return datasetError(.badData) { _ = try importer.write(to: "\(folder)/o.h5") }
      }
      #expect(try text("").contains("empty"))
      #expect(try text("label,a\n").contains("no rows"))
      #expect(try text("label,a\n1,2\n1,2,3\n").contains("line 3: it has 3 columns"))
      #expect(try text("label,a\n1,2\n1,x\n").contains("line 3, column 2: \"x\""))
      #expect(try text("label,a\n1,nan\n").contains("line 2, column 2"))
      #expect(try text("label,a\n,3\n").contains("label is empty"))
      #expect(try text("a,b\n1,2\n").contains("no column \"label\""))
      #expect(try text("label;a\n1;2\n").contains("delimiter"))
      #expect(try text("label,a\n1,\"2\n").contains("quoted field has no end"))
      #expect(try text("label,a,b\n1,2,3\n", shape: [3, 3, 1]).contains("9"))
    }
  }
}
