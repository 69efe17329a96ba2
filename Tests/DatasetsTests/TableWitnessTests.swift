import Foundation
import TestSupport
import Testing

@testable import Datasets

/// A drawn table beside what pandas reads of it; `Fixtures/make_tables.py` made both.
struct TableWitness: Decodable, Sendable, CustomTestStringConvertible {
  let name: String
  let file: Data
  let label: String
  let delimiter: String
  let decimal: String
  let encoding: String?
  /// Row by row; nil where pandas refuses the bytes.
  let values: [Float]?
  /// The bytes of each row's label.
  let labels: [[UInt8]]?

  var testDescription: String { name }

  static let all: [TableWitness] = {
    (try? JSONDecoder().decode(
      [TableWitness].self, from: Data(contentsOf: URL(fileURLWithPath: fixture("tables.json"))))) ?? []
  }()
}

@Suite("Tables as pandas reads them")
struct TableWitnessTests {
  @Test("there are all tables")
  func count() { #expect(TableWitness.all.count == 120 && TableWitness.all.count { $0.values == nil } == 14) }

  @Test("values and labels are the same; where pandas refuses, so is here", arguments: TableWitness.all)
  func same(_ witness: TableWitness) throws {
    try withTemporaryFolder { (folder: String) throws in
      let path = "\(folder)/t.csv"
      try witness.file.write(to: URL(fileURLWithPath: path))
      let encoding = try witness.encoding.map { try #require(TextEncoding($0)) }
      let importer = CSVImporter(
        splits: [.init(name: "train", path: path)], label: witness.label,
        format: CSVFormat(
          delimiter: Character(witness.delimiter), decimal: Character(witness.decimal), encoding: encoding))
      guard let values = witness.values, let labels = witness.labels else {
        let text = datasetError(.badData) { _ = try importer.write(to: "\(folder)/t.h5") }
        #expect(
          text.contains("is not UTF-8") && text.contains("line ") && text.contains("column "), "\(text)")
        return
      }
      _ = try importer.write(to: "\(folder)/t.h5")
      let dataset = try ImageDataset(
        path: "\(folder)/t.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.count == labels.count)
      #expect(try dataset.samples(Array(0..<dataset.count)).pixels == values)
      let names = try #require(dataset.classNames)
      #expect(dataset.labels.map { Array(names[Int($0)].utf8) } == labels)
    }
  }

  @Test("a number is what decimal digits say and nothing else")
  func numbers() {
    func number(_ text: String, mark: Character = ".") -> Double? {
      CSVReader.decimal(Array(text.utf8)[...], mark: mark.asciiValue ?? 0)
    }
    for text in [
      "", "+", "-", ".", "e5", "1e", "1e+", "0x10", "0X1p3", "inf", "nan", "1_000", "1,5", "1.2.3", "--1",
      "1 2", "٣",
      "1d5", "True", "0b1", "NaN", "1e5.0", "½",
    ] {
      #expect(number(text) == nil, "\(text)")
    }
    for (text, value) in [
      ("0", 0.0), ("-0", 0), ("+3", 3), (".5", 0.5), ("5.", 5), ("-.25e1", -2.5), ("1E+2", 100), ("007", 7),
    ] {
      #expect(number(text) == value, "\(text)")
    }
    #expect(number("1,5", mark: ",") == 1.5 && number("1.5", mark: ",") == nil)
    #expect(number("1e400") == .infinity)
    var random = SplitMix64(seed: 15)
    for _ in 0..<2000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { #expect(number("\(value)") == value) }
    }
  }

  @Test("text that its encoding does not have is named with its line")
  func wrongBytes() throws {
    try withTemporaryFolder { (folder: String) throws in
      func text(_ bytes: [UInt8], _ encoding: String?) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/t.csv"))
        let importer = CSVImporter(
          splits: [.init(name: "train", path: "\(folder)/t.csv")], label: "l",
          format: CSVFormat(encoding: try encoding.map { try #require(TextEncoding($0)) }))
        return datasetError(.badData) { _ = try importer.write(to: "\(folder)/t.h5") }
      }
      let head = Array("a,l\n1,x\n2,".utf8)
      #expect(try text(head + [0x81, 10], "windows-1252").contains("line 3: the bytes 81"))
      #expect(try text(head + [0xE4, 10], nil).contains("line 3, column 2: \"\\xE4\" is not UTF-8"))
      #expect(
        try text(Array("ä,l\n1,x\n".utf8.map { $0 == 0xC3 ? 0xE4 : $0 }), nil).contains("line 1, column 1"))
      #expect(try text([0xEF, 0xBB, 0xBF] + head + [0x61], "latin1").contains("mark of UTF-8"))
      // UTF-16 without its mark, of even and odd length.
      let wide = Array("a,l\n1,x\n".utf8).flatMap { [$0, 0] as [UInt8] }
      #expect(try text(wide, nil).contains("utf-16"))
      #expect(try text(Array(wide.dropLast()), "utf-16-le").contains("line 2"))
      #expect(TextEncoding("no-such-encoding") == nil && TextEncoding("latin1//TRANSLIT") == nil)
    }
  }

  @Test("a small file of text is UTF-8, or what its mark says; other bytes are named with their line")
  func smallTexts() throws {
    let lines = "Bär\r\n猫\n"
    #expect(try TextEncoding.text(of: Array(lines.utf8), path: "n") == lines)
    #expect(try TextEncoding.text(of: [0xEF, 0xBB, 0xBF] + Array(lines.utf8), path: "n") == lines)
    for (mark, isBig) in [([0xFF, 0xFE] as [UInt8], false), ([0xFE, 0xFF], true)] {
      let wide = lines.utf16.flatMap { unit -> [UInt8] in
        let (high, low) = (UInt8(unit >> 8), UInt8(unit & 255))
        return isBig ? [high, low] : [low, high]
      }
      #expect(try TextEncoding.text(of: mark + wide, path: "n") == lines)
      // An odd byte is no letter.
      datasetError(.badData) { _ = try TextEncoding.text(of: mark + wide.dropLast(), path: "n") }
    }
    let text = datasetError(.badData) {
      _ = try TextEncoding.text(of: Array("cat\r\nB".utf8) + [0xE4] + Array("r\n".utf8), path: "names.txt")
    }
    #expect(text.contains("names.txt, line 2: \"B\\xE4r\""), "\(text)")
  }
}
