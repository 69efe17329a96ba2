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

  @Test("numbers for each point of an image become a row in the order of its pixels")
  func points() throws {
    try withTemporaryFolder { folder in
      let values = (0..<24).map { Float($0) }
      let images = npy("|u1", "(2, 3, 2, 2)", bytes((0..<24).map { UInt8($0) }))
      for (shape, channelsFirst) in [("(2, 3, 2, 2)", true), ("(2, 3, 2, 2)", false), ("(2, 6, 2)", false)] {
        let path = "\(folder)/\(shape.count)\(channelsFirst).h5"
        _ = try importer(
          folder, images, npy("<f4", shape, bytes(values)), channelsFirst: channelsFirst
        ).write(to: path)
        let file = try DatasetFile(path)
        let table = try #require(try file.open(file.splits[0]).targets)
        let wanted =
          channelsFirst
          ? (0..<2).flatMap { n in (0..<4).flatMap { p in (0..<3).map { values[n * 12 + $0 * 4 + p] } } }
          : values
        #expect((0..<table.count).flatMap { Array(table[$0]) } == wanted && table.width == 12)
      }
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
      // Headers whose claims would take terabytes of memory.
      let claims = [
        "(1000000000000,)", "(1000000000000, 1)", "(2, 1000000000000)", "(1000000000000, 28, 28)",
      ]
      for claim in claims {
        let much = npy("<f8", claim, Data(count: 64))
        #expect(try text(much, much).contains("truncated"), "\(claim)")
        #expect(try text(good, much).contains("truncated"), "\(claim)")
      }
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
      #expect(try text("label,a\n1,2\n1,x\n").contains("line 3, column 2 (\"a\"): \"x\" is no"))
      #expect(try text("label,a\n1,nan\n").contains("line 2, column 2"))
      #expect(try text("label,a\n,3\n").contains("label is empty"))
      #expect(try text("a,b\n1,2\n").contains("no column \"label\""))
      #expect(try text("label;a\n1;2\n").contains("delimiter"))
      #expect(try text("label,a\n1,\"2\n").contains("quoted field has no end"))
      #expect(
        try text("label,a\npos,\"1\nneg,2\npos,\"3\" it\n").contains(
          "line 4: text after the quote that ends a field"))
      #expect(try text("label,a,b\n1,2,3\n", shape: [3, 3, 1]).contains("9"))
    }
  }

  /// What an import of tables says: its notes, or its error.
  private func outcome(
    _ tables: [String], label: String = "label", dropped: [String] = [], format: CSVFormat = CSVFormat()
  ) throws -> (values: [Float], labels: [String], test: [Float], notes: [String], error: String) {
    try withTemporaryFolder { (folder: String) throws in
      var splits: [CSVImporter.Split] = []
      for (name, table) in zip(["train", "test"], tables) {
        try Data(table.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).csv"))
        splits.append(.init(name: name, path: "\(folder)/\(name).csv"))
      }
      let importer = CSVImporter(splits: splits, label: label, dropped: dropped, format: format)
      do {
        let summary = try importer.write(to: "\(folder)/t.h5")
        let found = try contents("\(folder)/t.h5")
        let test = try tables.count > 1 ? contents("\(folder)/t.h5", "test") : nil
        return (
          try found.dataset.samples(Array(0..<found.labels.count)).pixels,
          found.labels.map { summary.classNames[Int($0)] },
          try test.map { try $0.dataset.samples(Array(0..<$0.labels.count)).pixels } ?? [], summary.notes, ""
        )
      } catch let error as DatasetError {
        #expect(error.kind == .badData)
        return ([], [], [], [], error.description)
      }
    }
  }

  @Test("a number beyond float32, a hexadecimal one and an empty cell are named, each with what to do")
  func unfitNumbers() throws {
    for (cell, words) in [
      ("1e39", "beyond the range of float32"), ("-3.5e38", "beyond the range of float32"),
      ("1e400", "beyond the range of float32"),
      ("0x10", "not a decimal number"), ("", "empty"), ("NA", "missing"), ("nan", "missing"),
      ("inf", "not a finite number"),
      ("\"1,5\"", "--decimal \",\""), ("\"1,234,567\"", "thousands"), ("1'234", "thousands"),
      ("True", "--drop"),
    ] {
      let error = try outcome(["age,b,label\n1,2,x\n3,\(cell),y\n"]).error
      #expect(error.contains("line 3, column 2 (\"b\")") && error.contains(words), "\(cell): \(error)")
    }
    // The largest that there is, and what rounds to it.
    #expect(try outcome(["a,label\n3.4028235e38,x\n"]).values == [.greatestFiniteMagnitude])
    #expect(try outcome(["a,label\n1e-60,x\n"]).values == [0])
  }

  @Test(
    "the index that pandas writes is left out with a word; a named one stays with a word; --drop leaves out others"
  )
  func indexColumns() throws {
    for head in ["", "\"\"", "Unnamed: 0"] {
      let found = try outcome(["\(head),a,label\n7,1,x\n3,2,y\n"])
      #expect(
        found.values == [1, 2] && found.notes.count == 1 && found.notes[0].contains("index"), "\(found)")
    }
    #expect(try outcome(["Unnamed: 0.1,Unnamed: 0,a,label\n0,0,1,x\n1,1,2,y\n"]).values == [1, 2])
    let rows = (0..<12).map { "\($0),\($0 * 5 % 7),x" }.joined(separator: "\n")
    let named = try outcome(["id,a,label\n\(rows)\n"])
    #expect(named.values.count == 24 && named.notes.contains { $0.contains("--drop id") }, "\(named.notes)")
    let dropped = try outcome(["id,a,label\n\(rows)\n"], dropped: ["id"])
    #expect(dropped.values.count == 12 && dropped.notes.isEmpty)
    #expect(try outcome(["name,a,label\nann,1,x\n"], dropped: ["name"]).values == [1])
    #expect(try outcome(["a,label\n1,x\n"], dropped: ["label"]).error.contains("two roles"))
  }

  @Test("a table without names keeps its first row, whatever numbers stand in it")
  func headerless() throws {
    // The label's place is also a number in the first row.
    #expect(try outcome(["5,3,7,0\n1,2,3,1\n"], label: "3").values == [5, 3, 0, 1, 2, 1])
    #expect(try outcome(["0,1,2,3\n1,2,3,1\n"], label: "3").error.contains("--no-header"))
    #expect(
      try outcome(["0,1,2,3\n1,2,3,1\n"], label: "3", format: CSVFormat(hasHeader: true)).labels == ["1"])
    #expect(
      try outcome(["0,1,2,3\n1,2,3,1\n"], label: "3", format: CSVFormat(hasHeader: false)).labels == [
        "2", "3",
      ])
    #expect(try outcome(["x,1,2,3\ny,2,3,1\n"], label: "1").error.contains("--no-header"))
    #expect(try outcome(["x,1,5,3\ny,2,3,1\n"], label: "1").labels == ["x", "y"])
  }

  @Test("names that are there twice are refused, and a name that is also a place is said to be the name")
  func doubtfulNames() throws {
    #expect(try outcome(["label,a,label\n1,2,3\n"]).error.contains("2 columns \"label\": 1, 3"))
    #expect(try outcome(["a,a,label\n1,2,x\n"]).values == [1, 2])
    let found = try outcome(["label,0,1\n5,2,3\n"], label: "1")
    #expect(found.labels == ["3"] && found.notes.contains { $0.contains("not as its place") })
  }

  @Test("a second table follows the first by the names of its columns")
  func columnOrder() throws {
    let train = "a,b,label\n1,2,x\n"
    let moved = try outcome([train, "b,label,a\n3,x,4\n"])
    #expect(moved.test == [4, 3] && moved.notes.contains { $0.contains("a different order") })
    let renamed = try outcome([train, "A,B,label\n3,4,x\n"])
    #expect(renamed.test == [3, 4] && renamed.notes.contains { $0.contains("differently") })
    #expect(try outcome([train, "a,b,c,label\n1,2,3,x\n"]).error.contains("3 columns of values"))
    #expect(try outcome([train, "a,b,label\n5,6,x\n"]).notes.isEmpty)
  }

  @Test("labels are told apart by their bytes, and what looks alike or stands for nothing gets a word")
  func labels() throws {
    let alike = try outcome(["a,label\n1,B\u{e4}r\n2,Ba\u{308}r\n3,cat\n4,Cat\n5,NA\n"])
    #expect(Set(alike.labels.map { Array($0.utf8) }).count == 5)
    #expect(alike.notes.count == 3, "\(alike.notes)")
    #expect(try outcome(["a,label\n1,1\n2,2\n"]).notes.contains { $0.contains("count from 1") })
    #expect(try outcome(["a,label\n1,0\n2,2.0\n3,02\n"]).labels == ["0", "2", "2"])
    #expect(try outcome(["a,label\n1,0\n2,0.5\n"]).labels == ["0", "0.5"])
    #expect(try outcome(["a,label\n1,0\n2,1\n"]).notes.isEmpty)
  }

  @Test("a quote inside a field, lines of blanks and the ends of lines are what they are elsewhere")
  func spelling() throws {
    #expect(try outcome(["a,label\n1,5\" disk\n2,\"two\nlines\"\n"]).labels == ["5\" disk", "two\nlines"])
    #expect(try outcome(["a,label\r1,x\r\r2,y\r"]).values == [1, 2])
    #expect(try outcome(["a,label\r\n  \r\n1,x\r\n\t\r\n2,y"]).values == [1, 2])
    #expect(try outcome(["a,label\n1, \"x, y\" \n"]).labels == ["x, y"])
    let broken = try outcome(["a,label\n1,\"cat\n3,dog\n5,cow\"\n7,pig\n"])
    #expect(broken.notes.contains { $0.contains("begins with \"cat\" contains a line break") })
    let semicolons = CSVFormat(delimiter: ";", decimal: ",")
    #expect(try outcome(["a;label\n1,5;x\n-0,25;y\n"], format: semicolons).values == [1.5, -0.25])
    #expect(try outcome(["a;label\n1.5;x\n"], format: semicolons).error.contains("--decimal"))
    #expect(try outcome(["a;label\n1.234,5;x\n"], format: semicolons).error.contains("thousands"))
  }

  @Test("another program's file under the name of an array is called what it is")
  func otherFiles() throws {
    try withTemporaryFolder { (folder: String) throws in
      let labels = npy("|u1", "(2,)", Data([0, 1]))
      let good = npy("|u1", "(2, 2)", Data([1, 2, 3, 4]))
      func text(_ images: Data) throws -> String {
        let importer = try importer(folder, images, labels)
        return datasetError(.badData) { _ = try importer.write(to: "\(folder)/o.h5") }
      }
      #expect(try text(Data([0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0])).contains("Python pickle"))
      #expect(try text(Data("PK\u{3}\u{4}abcdefgh".utf8)).contains("--from"))
      #expect(try text(npy("|O", "(2, 2)", Data())).contains("Python objects"))
      #expect(
        try text(npy("<f8", "(2, 1)", bytes([1e39, 1]))).contains(
          "1e+39, which is beyond the range of float32"))
      for (name, data) in [("p.npz", Data([0x80, 4, 0x95, 0, 0, 0, 0])), ("a.npz", good)] {
        try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
      func archive(_ name: String) -> String {
        datasetError(.badData) {
          _ = try NumPyImporter(
            archive: "\(folder)/\(name)", splits: [.init(name: "train", images: "x", labels: "y")]
          ).write(to: "\(folder)/o.h5")
        }
      }
      #expect(archive("p.npz").contains("Python pickle") && archive("a.npz").contains("without --from"))
    }
  }
}
