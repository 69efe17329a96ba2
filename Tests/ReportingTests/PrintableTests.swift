import Foundation
import Reporting
import Testing

@Suite("Text of other people's")
struct PrintableTests {
  /// Names with anything in them, as files may have.
  private static func names(_ count: Int) -> [String] {
    var state: UInt32 = 7
    func next(_ bound: UInt32) -> UInt32 {
      state = state &* 1_664_525 &+ 1_013_904_223
      return (state >> 8) % bound
    }
    return (0..<count).map { _ in
      var text = ""
      for _ in 0..<next(12) {
        let ranges: [ClosedRange<UInt32>] = [
          0...0x1F, 0x20...0x7E, 0x7F...0x9F, 0x200B...0x202E, 0x4E00...0x4FFF,
        ]
        let range = ranges[Int(next(5))]
        if let scalar = Unicode.Scalar(range.lowerBound + next(UInt32(range.count))) {
          text.unicodeScalars.append(scalar)
        }
      }
      return text
    }
  }

  @Test("nothing in a cell of a table steers a terminal or breaks a row")
  func tables() {
    let names = Self.names(500) + ["a\n\u{1B}[31mred", "\u{9B}2J", "a\tb", "\u{202E}gpj.exe"]
    var table = Table([Table.Column("name"), Table.Column("\u{1B}[1mtitle", .trailing)])
    for name in names { table.add([name, "1"]) }
    table.addTotal(["\r", "\u{7}"])
    let text = table.text()
    #expect(text.split(separator: "\n").count == names.count + 4)
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
  }

  @Test("letters of any script stay as they are")
  func letters() {
    for text in ["", "shirt", "Bär", "日本", "naïve ☃", "a b", "𝒳"] {
      #expect(TextWidth.printable(text) == text)
    }
  }

  @Test("a table that is too wide for a terminal stands on its side")
  func turned() {
    var table = Table([Table.Column(""), Table.Column("epoch", .trailing), Table.Column("loss", .trailing)])
    table.add(["last", "10", "0.1859"])
    table.add(["best", "8", "0.2099"])
    #expect(table.width == 4 + 2 + 5 + 2 + 6)
    #expect(
      table.turned.text(unicode: false) == """
                 last    best
        -----  ------  ------
        epoch      10       8
        loss   0.1859  0.2099

        """)
  }

  @Test("another program's output comes whole, and its failure as a reason")
  func subprocess() throws {
    #expect(try Subprocess.output(of: "/bin/sh", ["-c", "head -c 300000 /dev/zero"]).count == 300_000)
    #expect(throws: Subprocess.Failure.self) { try Subprocess.output(of: "/bin/sh", ["-c", "exit 3"]) }
    #expect(throws: Subprocess.Failure.self) { try Subprocess.output(of: "/no/such/program", []) }
    let start = Date()
    #expect(throws: Subprocess.Failure.self) {
      try Subprocess.output(of: "/bin/sh", ["-c", "exec sleep 30"], seconds: 0.2)
    }
    #expect(Date().timeIntervalSince(start) < 10)
  }

  @Test("the system's reasons are words and no codes")
  func reasons() {
    let full = CocoaError(.fileWriteOutOfSpace)
    #expect(SystemReason.text(full) == "No space left on device")
    #expect(SystemReason.text(POSIXError(.EMFILE)) == "Too many open files")
  }
}
