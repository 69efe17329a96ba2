import Foundation
import HDF5
import Tensors
import Testing
import Texts

@testable import Datasets

@Suite("Importing texts")
struct TextImporterTests {
  private func write(_ text: String, _ path: String, _ encoding: String.Encoding = .utf8) throws {
    try #require(text.data(using: encoding)).write(to: URL(fileURLWithPath: path))
  }

  /// The samples of a split as words, its labels, and the vocabulary.
  private func samples(_ path: String, _ split: String = "train") throws -> (
    texts: [[String]], labels: [Int32], handling: TextHandling, names: [String]
  ) {
    let dataset = try ImageDataset(path: path, images: "\(split)/images", labels: "\(split)/labels")
    let handling = try #require(dataset.origin?.texts)
    let minibatch = try dataset.samples(Array(0..<dataset.count))
    let texts = (0..<dataset.count).map { index in
      minibatch.withSample(index) { bytes in
        bytes.assumingMemoryBound(to: Float.self).map { handling.vocabulary.words[Int($0)] }
      }
    }
    return (texts, dataset.labels, handling, dataset.classNames ?? [])
  }

  private func words(_ seed: Int, _ count: Int) -> [String] {
    var random = RandomStream(seed: UInt64(seed), purpose: .synthetic)
    // Some words are frequent, others rare.
    return (0..<count).map { _ in "w\(random.nextInteger(below: 1 + random.nextInteger(below: 40)))" }
  }

  private func drawnTexts(_ count: Int, seed: Int = 1) -> [String] {
    (0..<count).map { words(seed &* 1000 &+ $0, 1 + $0 % 7).joined(separator: " ") }
  }

  @Test("texts of any length keep their words, whatever page they stand on", arguments: TokenRule.allCases)
  func pages(rule: TokenRule) throws {
    var random = RandomStream(seed: 7, purpose: .synthetic)
    var tokenized = TokenizedTexts(rule, lowersCase: true)
    var wanted: [[String]] = []
    // Three of these fill a page and more, one after another and between short ones.
    for count in [3, 1, 90_000, 2, 400_000, 5, 150_000, 260_000, 1, 7] {
      // Letters that take one to three bytes, and one that becomes two in small letters.
      let words = (0..<count).map { _ in "w\(["a", "é", "字", "İ"][random.nextInteger(below: 4)])" }
      let text = words.joined(separator: " ")
      try tokenized.add(text, label: [1], isTest: false, place: "here")
      wanted.append(rule.tokens(of: TextHandling.composed(text), lowersCase: true))
    }
    #expect(tokenized.count == wanted.count)
    for (index, words) in wanted.enumerated() {
      #expect(tokenized.ids(ofText: index).map { tokenized.words[Int($0)] } == words, "text \(index)")
    }
  }

  @Test("lines, tables, JSON lines and folders of the same texts give the same samples")
  func formsAgree() throws {
    try withTemporaryFolder { folder in
      let texts = drawnTexts(23).map { $0 + ", \"so\" he said" }
      let isGood = texts.indices.map { $0 < 11 }
      func lines(_ good: Bool) -> String {
        texts.indices.filter { isGood[$0] == good }.map { texts[$0] + "\n" }.joined()
      }
      try write(lines(false), "\(folder)/bad.txt")
      try write(lines(true), "\(folder)/good.txt")
      // The other forms list the bad ones first, as the classes of lines are listed.
      let order = texts.indices.filter { !isGood[$0] } + texts.indices.filter { isGood[$0] }
      func name(_ index: Int) -> String { isGood[index] ? "good" : "bad" }
      try write(
        "kind,text\n"
          + order.map { "\(name($0)),\"\(texts[$0].replacingOccurrences(of: "\"", with: "\"\""))\"\n" }
          .joined(),
        "\(folder)/t.csv")
      try write(
        order.map {
          "{\"kind\": \"\(name($0))\", \"text\": \"\(texts[$0].replacingOccurrences(of: "\"", with: "\\\""))\"}\n"
        }.joined(), "\(folder)/t.jsonl")
      for (place, index) in order.enumerated() {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/dirs/\(name(index))", withIntermediateDirectories: true)
        try write(texts[index], "\(folder)/dirs/\(name(index))/\(1000 + place).txt")
      }
      let forms: [(String, [TextSource])] = [
        (
          "lines",
          [
            TextSource("\(folder)/bad.txt", .lines(className: "bad")),
            TextSource("\(folder)/good.txt", .lines(className: "good")),
          ]
        ),
        ("table", [TextSource("\(folder)/t.csv", .table(texts: ["text"], label: "kind", CSVFormat()))]),
        (
          "places",
          [TextSource("\(folder)/t.csv", .table(texts: ["2"], label: "1", CSVFormat(hasHeader: true)))]
        ),
        ("json", [TextSource("\(folder)/t.jsonl", .jsonLines(texts: ["text"], label: "kind"))]),
        ("folders", [TextSource("\(folder)/dirs", .folders)]),
      ]
      var contents: [Data] = []
      for (name, sources) in forms {
        let path = "\(folder)/\(name).h5"
        let summary = try TextImporter(sources, tokens: .kim, testing: .fold(Fold(2, of: 5))).write(to: path)
        #expect(summary.classNames == ["bad", "good"])
        contents.append(try Data(contentsOf: URL(fileURLWithPath: path)))
      }
      for content in contents.dropFirst() { #expect(content == contents[0]) }
      let (found, labels, handling, _) = try samples("\(folder)/lines.h5")
      let (tested, testLabels, _, _) = try samples("\(folder)/lines.h5", "test")
      #expect(found.count + tested.count == texts.count)
      // Every text is there once, in the order of the sources, but for words that only the test has.
      let expected = order.map { index in
        (TokenRule.kim.tokens(of: texts[index], lowersCase: true), Int32(isGood[index] ? 1 : 0))
      }
      let padded = expected.map { $0.0 + [String](repeating: "", count: handling.length - $0.0.count) }
      var (train, test) = (0, 0)
      for (row, text) in padded.enumerated() {
        let known = text.map { $0.isEmpty || handling.vocabulary.contains($0) ? $0 : "[UNK]" }
        if train < found.count, found[train] == text, labels[train] == expected[row].1 {
          train += 1
        } else {
          #expect(test < tested.count && tested[test] == known && testLabels[test] == expected[row].1)
          test += 1
        }
      }
      #expect(train == found.count && test == tested.count)
    }
  }

  @Test("a line ends at a line feed alone, and bytes that are not the encoding are refused with their line")
  func lineEnds() throws {
    try withTemporaryFolder { folder in
      let text = "one\u{0085}two\n\nthree\u{000C}four\r\nfive\u{2028}six\rseven"
      try write(text, "\(folder)/a.txt")
      let reader = try LineReader("\(folder)/a.txt", encoding: nil)
      var lines: [String] = []
      while let line = try reader.next() { lines.append(line) }
      #expect(
        lines.map { Array($0.utf8) }
          == ["one\u{0085}two", "", "three\u{000C}four", "five\u{2028}six\rseven"]
          .map { Array($0.utf8) })
      // In windows-1252 the byte 85 is three points, and in Latin 1 the next line.
      let bytes: [UInt8] = Array("caf".utf8) + [0xE9, 0x85, 0x20] + Array("noir\nsecond\n".utf8)
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/b.txt"))
      for (name, expected) in [
        ("windows-1252", "caf\u{E9}\u{2026} noir"), ("latin1", "caf\u{E9}\u{0085} noir"),
      ] {
        let reader = try LineReader("\(folder)/b.txt", encoding: TextEncoding(name))
        #expect(try reader.next() == expected)
        #expect(try reader.next() == "second")
        #expect(try reader.next() == nil)
      }
      try Data(Array("fine\nalso\n".utf8) + bytes).write(to: URL(fileURLWithPath: "\(folder)/c.txt"))
      let message = datasetError(.badData) {
        let reader = try LineReader("\(folder)/c.txt", encoding: nil)
        while try reader.next() != nil {}
      }
      #expect(message.contains("line 3") && message.contains("--encoding"))
      try Data([0x61, 0, 0x62, 0]).write(to: URL(fileURLWithPath: "\(folder)/d.txt"))
      #expect(
        datasetError(.badData) { _ = try LineReader("\(folder)/d.txt", encoding: nil).next() }.contains(
          "utf-16"))
      // A block's end falls inside of a line, and lines are longer than blocks.
      let long = (0..<5).map { String(repeating: "\($0)é", count: 40_000 + $0) }
      try write(long.joined(separator: "\n"), "\(folder)/e.txt")
      let longReader = try LineReader("\(folder)/e.txt", encoding: nil)
      for line in long { #expect(try longReader.next() == line) }
      #expect(try longReader.next() == nil)
    }
  }

  @Test(
    "parts of a cross-validation are disjoint, together everything, and have an equal share of each class")
  func folds() {
    for (count, seed) in [(2, 0), (3, 1), (10, 7)] {
      let labels: [Int32] = (0..<97).map { (row: Int) -> Int32 in row % 3 == 0 ? 0 : Int32(1 + row % 2) }
      var seen = [Int](repeating: 0, count: labels.count)
      for number in 1...count {
        let fold = Fold(number, of: count, seed: UInt64(seed))
        let tested = fold.isTested(labels)
        #expect(tested == fold.isTested(labels))
        for row in labels.indices where tested[row] { seen[row] += 1 }
        for label in Set(labels) {
          let all = Double(labels.filter { $0 == label }.count)
          let part = Double(labels.indices.filter { tested[$0] && labels[$0] == label }.count)
          #expect(abs(part - all / Double(count)) <= 1)
        }
      }
      #expect(seen.allSatisfy { $0 == 1 })
    }
  }

  @Test("the vocabulary is that of the training texts; others are numbered by it where it is given")
  func vocabularies() throws {
    try withTemporaryFolder { folder in
      try write("a a a b b c\nb d\n", "\(folder)/x.txt")
      try write("c c only\n", "\(folder)/y.txt")
      try write("a test e e e\n", "\(folder)/t.txt")
      let sources = [
        TextSource("\(folder)/x.txt", .lines(className: "x")),
        TextSource("\(folder)/y.txt", .lines(className: "y")),
        TextSource("\(folder)/t.txt", .lines(className: "y"), isTest: true),
      ]
      let summary = try TextImporter(sources, tokens: .space).write(to: "\(folder)/all.h5")
      #expect(summary.counts.map(\.count) == [3, 1])
      let all = try samples("\(folder)/all.h5")
      #expect(all.handling.vocabulary.words == ["", "[UNK]", "a", "b", "c", "d", "only"])
      #expect(
        try samples("\(folder)/all.h5", "test").texts == [["a", "[UNK]", "[UNK]", "[UNK]", "[UNK]", ""]])
      _ = try TextImporter(sources, tokens: .space, words: .frequent(minimum: 2, most: 4)).write(
        to: "\(folder)/few.h5")
      #expect(try samples("\(folder)/few.h5").handling.vocabulary.words == ["", "[UNK]", "a", "b"])
      _ = try TextImporter(
        [
          TextSource("\(folder)/t.txt", .lines(className: "x")),
          TextSource("\(folder)/t.txt", .lines(className: "y")),
        ], tokens: .space, length: 3, words: .known(all.handling.vocabulary)
      ).write(to: "\(folder)/new.h5")
      #expect(try samples("\(folder)/new.h5").texts[0] == ["a", "[UNK]", "[UNK]"])
      // A dataset that is cut or repacked keeps its words.
      let file = try DatasetFile("\(folder)/all.h5")
      try file.repack(to: DatasetOutput("\(folder)/repacked.h5"))
      #expect(try samples("\(folder)/repacked.h5").handling == all.handling)
      let own = try ImageDataset(path: "\(folder)/all.h5", images: "train/images", labels: "train/labels")
      let other = try ImageDataset(path: "\(folder)/few.h5", images: "train/images", labels: "train/labels")
      try own.checkOrigin(own.origin)
      let message = datasetError(.badData) { try other.checkOrigin(own.origin, role: "data.test") }
      #expect(message.contains("vocabulary") && message.contains("data.test"))
    }
  }

  @Test("vectors of word2vec and GloVe reach the rows of their words, and no others")
  func vectors() throws {
    try withTemporaryFolder { folder in
      try write("a b b c\n", "\(folder)/x.txt")
      try write("caf\u{E9} a\n", "\(folder)/y.txt")
      let rows = ["b 1 2.5 -3e-2", "other 9 9 9", "cafe\u{301} 4 5 6", "two words 7 7 7", "b 0 0 0"]
      try write((["5 3"] + rows).joined(separator: "\n") + "\n", "\(folder)/word2vec.txt")
      try write(rows.joined(separator: "\n"), "\(folder)/glove.txt")
      for name in ["word2vec", "glove"] {
        var importer = TextImporter(
          [
            TextSource("\(folder)/x.txt", .lines(className: "x")),
            TextSource("\(folder)/y.txt", .lines(className: "y")),
          ], tokens: .space)
        importer.vectors = "\(folder)/\(name).txt"
        let summary = try importer.write(to: "\(folder)/\(name).h5")
        #expect(summary.details.joined().contains("2 of 4 words have one, of 3 numbers"))
        let dataset = try ImageDataset(
          path: "\(folder)/\(name).h5", images: "train/images", labels: "train/labels")
        let words = try #require(dataset.origin?.texts).vocabulary
        let (values, width) = try #require(try dataset.wordVectors())
        #expect(width == 3 && values.count == 3 * words.count)
        for (number, word) in words.words.enumerated() {
          let row = Array(values[number * 3..<number * 3 + 3])
          switch word {
          case "": #expect(row == [0, 0, 0])
          case "b": #expect(row == [1, 2.5, -0.03])
          case "caf\u{E9}": #expect(row == [4, 5, 6])
          default:
            let isMissing = row.allSatisfy { $0.isNaN }
            #expect(isMissing, "\(word)")
          }
        }
      }
      for (text, place) in [
        ("b 1 2\na 1\n", "line 2"), ("b 1 x\n", "line 1"), ("zzz 1 2\n", "none"), ("2 3\n", "no words"),
        ("3 2\nb 1 2\na 1 2\n", "promises 3 words, and 2 follow"),
      ] {
        try write(text, "\(folder)/bad.txt")
        var importer = TextImporter([
          TextSource("\(folder)/x.txt", .lines(className: "x")),
          TextSource("\(folder)/y.txt", .lines(className: "y")),
        ])
        importer.vectors = "\(folder)/bad.txt"
        let message = datasetError(.badData) { _ = try importer.write(to: "\(folder)/bad.h5") }
        #expect(message.contains(place), "\(message)")
      }
    }
  }

  @Test("what is odd about texts is said")
  func remarks() throws {
    try withTemporaryFolder { folder in
      try write("good film\n\n  \n!?. -\nlong long long film\n", "\(folder)/x.txt")
      try write("bad film\n", "\(folder)/y.txt")
      try write("good film\n", "\(folder)/t.txt")
      let summary = try TextImporter(
        [
          TextSource("\(folder)/x.txt", .lines(className: "x")),
          TextSource("\(folder)/y.txt", .lines(className: "y")),
          TextSource("\(folder)/t.txt", .lines(className: "x"), isTest: true),
        ], tokens: .words, length: 3
      ).write(to: "\(folder)/a.h5")
      let notes = summary.notes.joined(separator: "\n")
      #expect(notes.contains("2 blank texts were left out"))
      #expect(notes.contains("1 text has no words"))
      #expect(notes.contains("1 text has more than 3 words"))
      #expect(notes.contains("1 test text is among the training texts"))
    }
  }

  @Test("what cannot be read ends the import with its place, and leaves no file")
  func refusals() throws {
    try withTemporaryFolder { folder in
      try write("kind,text\ngood,fine\n,none\n", "\(folder)/t.csv")
      try write("kind,text\ngood,fine\ngood\n", "\(folder)/u.csv")
      try write("{\"kind\": 1, \"text\": \"a\"}\n[1]\n", "\(folder)/a.jsonl")
      try write("{\"kind\": 1.5, \"text\": \"a\"}\n", "\(folder)/b.jsonl")
      try write("{\"kind\": 1, \"words\": \"a\"}\n", "\(folder)/c.jsonl")
      try write("{\"kind\": 1, \"text\": 3}\n", "\(folder)/d.jsonl")
      func table(_ name: String, _ text: String = "text") -> TextSource {
        TextSource("\(folder)/\(name)", .table(texts: [text], label: "kind", CSVFormat()))
      }
      func json(_ name: String) -> TextSource {
        TextSource("\(folder)/\(name)", .jsonLines(texts: ["text"], label: "kind"))
      }
      for (source, words) in [
        (table("t.csv"), "line 3"), (table("u.csv"), "line 3"),
        (table("t.csv", "title"), "no column \"title\""),
        (json("a.jsonl"), "line 2"), (json("b.jsonl"), "line 1"), (json("c.jsonl"), "\"words\""),
        (json("d.jsonl"), "not a text"),
      ] {
        let message = datasetError(.badData) { _ = try TextImporter([source]).write(to: "\(folder)/x.h5") }
        #expect(message.contains(words), "\(message)")
      }
      datasetError(.missingInput) { _ = try TextImporter([json("no.jsonl")]).write(to: "\(folder)/x.h5") }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/x.h5"))
    }
  }
}
