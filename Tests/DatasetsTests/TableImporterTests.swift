import Foundation
import ImageFiles
import Tensors
import Testing

@testable import Datasets

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
