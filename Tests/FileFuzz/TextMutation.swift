import TestSupport

/// What damage does to text: nesting without end, numbers of no size, marks of other encodings, words that mean something.
enum TextMutation {
  /// A file of this name outside of its folder was not asked for.
  static let escape = "fuzz-escape"

  static func change(_ bytes: inout [UInt8], _ dice: inout SplitMix64) {
    let place = dice.next(below: bytes.count + 1)
    switch dice.next(below: 9) {
    case 0: nest(&bytes, place, &dice)
    case 1:
      let count = [100, 10_000, 1_000_000][dice.next(below: 3)]
      let byte = Array("a \t0\n\"'#,-[".utf8)[dice.next(below: 11)]
      bytes.insert(contentsOf: repeatElement(byte, count: count), at: place)
    case 2, 3: replaceNumber(&bytes, place, &dice)
    case 4, 5: bytes.insert(contentsOf: word(&dice), at: place)
    case 6: moveLine(&bytes, &dice)
    case 7:
      let lines = line(at: place, in: bytes)
      // A line may be long by now.
      let most = (1 << 20) / (lines.count + 1)
      let again = (0..<min([2, 50, 3000][dice.next(below: 3)], most)).flatMap { _ in Array(bytes[lines]) }
      bytes.insert(contentsOf: again, at: lines.lowerBound)
    default: bytes.removeSubrange(line(at: place, in: bytes))
    }
  }

  /// A word that may be taken for more than text.
  static func word(_ dice: inout SplitMix64) -> [UInt8] {
    let words: [String] = [
      "../../../../" + escape, "/../" + escape, "..", "/", "~/" + escape, "$HOME", "\u{0}", "\u{feff}",
      "\u{1b}[2J\u{7}", "\u{202e}",
      "<script>", "&amp;", "\"", "'", "\\", "\r", "{", "}", "[", "]", "null", "{{{", "}}", "true", "-1",
      "nan", "inf", "1e999", "%s%n",
      "&a [*a, *a]", "*a", "&a", "<<: *a", "!!binary", "!!python/object:os.system", "---\n", "...\n", "? ",
      "%YAML 9.9\n", "|9\n",
      "=1+1", "é", "\u{10ffff}",
    ]
    let bytes: [[UInt8]] = [[0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80], [0xf8, 0x88]]
    let index = dice.next(below: words.count + bytes.count)
    return index < words.count ? Array(words[index].utf8) : bytes[index - words.count]
  }

  /// One thing in another in another.
  private static func nest(_ bytes: inout [UInt8], _ place: Int, _ dice: inout SplitMix64) {
    let openings = ["[", "{a: ", "- ", "(", "{\"a\":[", "? ", "> ", "&a [", "\"a\": {"]
    let depth = [3, 70, 1000, 60_000][dice.next(below: 4)]
    let opening = Array(openings[dice.next(below: openings.count)].utf8)
    bytes.insert(contentsOf: (0..<depth).flatMap { _ in opening }, at: place)
  }

  private static func replaceNumber(_ bytes: inout [UInt8], _ place: Int, _ dice: inout SplitMix64) {
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || byte == 0x2e }
    guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    let numbers = [
      "0", "-1", "1", "1.5", "1e999", "-1e999", "1e-999", "nan", ".nan", ".inf", "0x10", "010", "1_000",
      "9223372036854775807",
      "9223372036854775808", "-9223372036854775808", "18446744073709551616", "4611686018427387904",
      "2147483648", "1000000000000", "1/0", "",
      String(repeating: "9", count: 400), "0." + String(repeating: "3", count: 4000), "1e10", "1 GiB",
      "99999999 TiB",
    ]
    bytes.replaceSubrange(start..<end, with: Array(numbers[dice.next(below: numbers.count)].utf8))
  }

  private static func moveLine(_ bytes: inout [UInt8], _ dice: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let lines = line(at: dice.next(below: bytes.count), in: bytes)
    let moved = Array(bytes[lines])
    bytes.removeSubrange(lines)
    let target = line(at: dice.next(below: bytes.count + 1), in: bytes)
    bytes.insert(contentsOf: moved, at: target.lowerBound)
  }

  private static func line(at place: Int, in bytes: [UInt8]) -> Range<Int> {
    let newline = UInt8(ascii: "\n")
    let start = bytes[..<place].lastIndex(of: newline).map { $0 + 1 } ?? 0
    let end = bytes[place...].firstIndex(of: newline).map { $0 + 1 } ?? bytes.count
    return start..<end
  }
}
