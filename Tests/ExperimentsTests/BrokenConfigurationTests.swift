import Foundation
import Settings
import TestSupport
import Testing
import Training

@testable import Experiments

/// One case of `Fixtures/broken.txt`.
struct BrokenConfiguration: Sendable, CustomTestStringConvertible {
  var title: String
  var text: String
  var overrides: [String] = []
  var expected: [String] = []

  var testDescription: String { title }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Fixtures")

  static func base() throws -> String {
    try String(contentsOf: folder.appendingPathComponent("base.yaml"), encoding: .utf8)
  }

  /// Lists that grow with the schema, so that a new word does not change every message in the table.
  private static var known: [(String, String)] {
    [
      ("keys of data", DataConfiguration.settings.object.keys.map(\.name).joined(separator: ", ")),
      ("keys of training", TrainingConfiguration.settings.object.keys.map(\.name).joined(separator: ", ")),
      (
        "layers",
        (LayerSchema.union.kinds.map(\.name) + [LayerSchema.repetitionWord]).joined(separator: ", ")
      ), ("schedules", ScheduleConfiguration.settings.schema.forms),
      ("optimizers", OptimizerConfiguration.settings.schema.forms),
      ("losses", TrainingObjective.settings.schema.forms),
    ]
  }

  /// Reads the table; a case that does not fit the base is reported as one whose text is empty.
  static func all() throws -> [BrokenConfiguration] {
    let base = try base()
    var table = try String(contentsOf: folder.appendingPathComponent("broken.txt"), encoding: .utf8)
    for (name, text) in known { table = table.replacing("{\(name)}", with: text) }
    var cases: [BrokenConfiguration] = []
    for part in ("\n" + table).components(separatedBy: "\n== ").dropFirst() {
      let lines = part.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
      var broken = BrokenConfiguration(title: lines[0], text: base)
      var index = 1
      func take(_ mark: Character) -> [String] {
        var taken: [String] = []
        while index < lines.count, lines[index].first == mark {
          taken.append(String(lines[index].dropFirst()))
          index += 1
        }
        return taken
      }
      while index < lines.count {
        let whole = take("|")
        if !whole.isEmpty { broken.text = whole.joined(separator: "\n") + "\n" }
        let old = take("-").joined(separator: "\n")
        let new = take("+").joined(separator: "\n")
        if !old.isEmpty {
          let parts = ("\n" + broken.text).components(separatedBy: "\n\(old)\n")
          broken.text = parts.count == 2 ? String((parts[0] + "\n\(new)\n" + parts[1]).dropFirst()) : ""
        }
        broken.overrides += take("$")
        let expected = take(">")
        broken.expected += expected.map { String($0.dropFirst()) }
        if whole.isEmpty, old.isEmpty, expected.isEmpty, index < lines.count, lines[index].first != "$" {
          index += 1
        }
      }
      cases.append(broken)
    }
    return cases
  }
}

@Suite struct BrokenConfigurationTests {
  @Test("the base that the broken ones are made from is correct")
  func base() throws {
    _ = try ConfigurationFile.load(text: BrokenConfiguration.base(), path: "c.yaml")
  }

  @Test("there are at least a hundred broken configurations")
  func count() throws {
    #expect(try BrokenConfiguration.all().count >= 100)
  }

  @Test(
    "every mistake is reported with line, column and what is allowed",
    arguments: try BrokenConfiguration.all())
  func message(_ broken: BrokenConfiguration) throws {
    try #require(!broken.text.isEmpty && !broken.expected.isEmpty, "the case does not fit the base")
    do {
      _ = try ConfigurationFile.load(
        text: broken.text, path: "c.yaml", overrides: broken.overrides.map { Override($0) })
      Issue.record("no error")
    } catch {
      let lines = error.errors.map { line in
        let text = line.description
        return text.hasPrefix("c.yaml:") ? String(text.dropFirst("c.yaml:".count)) : text
      }
      let expected = broken.expected.map { $0.hasPrefix(" ") ? String($0.dropFirst()) : $0 }
      #expect(lines.map { $0.hasPrefix(" ") ? String($0.dropFirst()) : $0 } == expected)
      #expect(error.description.split(separator: "\n").count == error.errors.count)
    }
  }
}

@Suite struct SourceTextTests {
  private func message(_ bytes: [UInt8]) -> String? {
    do {
      _ = try SourceText.decode(bytes, path: "c.yaml")
      return nil
    } catch {
      return error.description
    }
  }

  @Test("bytes that are not plain UTF-8 text are refused with their place")
  func bytes() throws {
    let base = Array(try BrokenConfiguration.base().utf8)
    #expect(message(base) == nil)
    #expect(
      message([0xEF, 0xBB, 0xBF] + base)
        == "c.yaml:1:1: starts with a byte-order mark; save it as UTF-8 without one")
    #expect(message([0xFF, 0xFE, 0x61, 0]) == "c.yaml:1:1: is UTF-16; save it as UTF-8")
    #expect(message([0xFE, 0xFF, 0, 0x61]) == "c.yaml:1:1: is UTF-16; save it as UTF-8")
    #expect(
      message(Array("a\nbc".utf8) + [0])
        == "c.yaml:2:3: found a zero byte; this is not a text file, or it is UTF-16")
    #expect(
      message(Array("name: M".utf8) + [0xFC] + Array("ller".utf8))
        == "c.yaml:1:8: the byte 0xFC is not UTF-8; save the file as UTF-8")
    #expect(
      message(Array("a\nb\u{7}".utf8)) == "c.yaml:2:2: the invisible character U+7 cannot stand here")
    #expect(
      message(Array("a: \u{2028}".utf8)) == "c.yaml:1:4: the invisible character U+2028 cannot stand here")
    #expect(
      message([UInt8](repeating: 0x20, count: SourceText.sizeLimit + 1))
        == "c.yaml: larger than 1 MiB, which no configuration needs to be")
  }

  @Test("line ends may be those of other systems")
  func lineEnds() throws {
    let base = try BrokenConfiguration.base()
    let run = try ConfigurationFile.load(text: base, path: "c.yaml").run
    #expect(try ConfigurationFile.load(text: base.replacing("\n", with: "\r\n"), path: "c.yaml").run == run)
    do {
      let text = base.replacing("epochs: 10", with: "epochs: x").replacing("\n", with: "\r\n")
      _ = try ConfigurationFile.load(text: text, path: "c.yaml")
      Issue.record("no error")
    } catch {
      #expect(error.errors.map(\.location) == [.file(path: "c.yaml", line: 16, column: 11)])
    }
  }

  @Test("a file that cannot be read is said to be missing, a folder, or no file")
  func files() throws {
    let directory = try TemporaryDirectory()
    for (path, isMissing) in [
      (directory.file("none.yaml"), true), (directory.path, false), ("/dev/null", false),
    ] {
      do {
        _ = try ConfigurationFile.load(path: path)
        Issue.record("no error")
      } catch {
        #expect(error.isMissingFile == isMissing)
        #expect(error.errors.map(\.location) == [.wholeFile(path: path)])
      }
    }
  }

  @Test("text that would expand without end is refused before it is parsed")
  func expansion() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<30 {
      let item = "*a\(level - 1)"
      text += "a\(level): &a\(level) [\([String](repeating: item, count: 9).joined(separator: ", "))]\n"
    }
    text += "? *a29\n: key\n"
    let start = ContinuousClock.now
    let error = #expect(throws: ConfigurationErrors.self) {
      try ConfigurationFile.load(text: text, path: "c.yaml")
    }
    #expect(ContinuousClock.now - start < .seconds(2))
    #expect(error?.description.hasPrefix("c.yaml:1:5: anchors ('&') are not used") == true)
  }

  @Test("of a file that is nothing but errors the first are told and all are counted")
  func manyErrors() throws {
    func errors(_ count: Int) throws -> [ConfigurationError] {
      let text = (0..<count).map { "k\($0): 1\n" }.joined()
      let error = #expect(throws: ConfigurationErrors.self) {
        try ConfigurationFile.load(text: text, path: "c.yaml")
      }
      return try #require(error).errors
    }
    let others = try errors(1).count - 1
    let many = try errors(20_000)
    #expect(many.count == ErrorCollector.limit + 1)
    #expect(many.last?.message == "… and \(20_000 + others - ErrorCollector.limit) more errors")
  }

  @Test("a scalar of more than 64 KiB is refused")
  func longScalar() throws {
    let text = "name: " + String(repeating: "x", count: 65 << 10) + "\n"
    do {
      _ = try ConfigurationFile.load(text: text, path: "c.yaml")
      Issue.record("no error")
    } catch {
      #expect(error.description == "c.yaml:1:7: text longer than 64 KiB")
    }
  }
}
