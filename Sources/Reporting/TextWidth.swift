internal import Paths

/// Measures and fits text by the columns of a terminal that it takes.
///
/// A character counts as two columns where terminals draw it wide (Chinese, Japanese, Korean, emoji), as none where it only
/// joins or controls, and as one otherwise. See Unicode Standard Annex 11, <https://www.unicode.org/reports/tr11/>.
public enum TextWidth {
  /// The number of columns that a text takes.
  public static func columns(_ text: some StringProtocol) -> Int {
    text.reduce(0) { $0 + columns($1) }
  }

  static func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F ? 1 : 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control, .lineSeparator, .paragraphSeparator: return 0
    default: break
    }
    if wide.contains(where: { $0.contains(scalar.value) }) { return 2 }
    // U+FE0F asks for the coloured, wide form of a sign that is narrow by itself.
    return character.unicodeScalars.contains { $0.value == 0xFE0F } ? 2 : 1
  }

  /// Blocks of wide characters, ascending.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x25FD...0x25FE, 0x2614...0x2615,
    0x2648...0x2653, 0x26AA...0x26AB, 0x26BD...0x26BE, 0x2705...0x2705, 0x270A...0x270B, 0x2728...0x2728,
    0x274C...0x274C, 0x2753...0x2757, 0x2795...0x2797, 0x2B1B...0x2B1C, 0x2B50...0x2B50, 0x2E80...0x303E,
    0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
    0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
  ]

  /// The text with every control character replaced by U+FFFD: such characters could move a terminal's cursor or change its state.
  ///
  /// This is the one place for it: text from files goes through this before it is printed. Tables do it for their cells, and errors
  /// and warnings for their lines; JSON and HTML have rules of their own.
  ///
  /// Bytes of names that are not UTF-8 become readable, as they do everywhere.
  public static func printable(_ text: String) -> String {
    let text = PathText.readable(text)
    // Nearly all text can be printed as it is, and nothing is copied then.
    guard text.unicodeScalars.contains(where: isUnprintable) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isUnprintable($0) ? "\u{FFFD}" : $0 }))
  }

  private static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: return true
    default: return false
    }
  }

  /// At most `columns` columns of the text; the last one is an ellipsis where something was cut off.
  static func truncated(_ text: String, to columns: Int) -> String {
    if self.columns(text) <= columns { return text }
    var result = ""
    var left = columns - 1
    for character in text {
      left -= self.columns(character)
      if left < 0 { break }
      result.append(character)
    }
    return columns > 0 ? result + "…" : ""
  }

  /// The text in lines of at most `columns` columns, all but the first indented by `indent` spaces.
  ///
  /// It is broken at double spaces where there are any, which keep a figure and its name together, and otherwise at spaces. A piece
  /// that is longer than a line stays whole, so that it can be copied.
  static func wrapped(_ text: String, to columns: Int, indent: Int = 2) -> [String] {
    let separator = text.contains("  ") ? "  " : " "
    var lines: [String] = []
    var line: String?
    for piece in text.split(separator: separator, omittingEmptySubsequences: false) {
      guard let present = line else {
        line = String(piece)
        continue
      }
      let longer = present + separator + piece
      if self.columns(longer) <= columns || present.allSatisfy({ $0 == " " }) {
        line = longer
      } else {
        lines.append(present)
        line = String(repeating: " ", count: indent) + piece
      }
    }
    return lines + [line ?? ""]
  }

  static func padded(_ text: String, to columns: Int, _ alignment: Table.Alignment) -> String {
    let space = String(repeating: " ", count: max(0, columns - self.columns(text)))
    return alignment == .leading ? text + space : space + text
  }
}
