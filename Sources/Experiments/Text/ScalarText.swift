/// Reads scalars by the type of their key, not as YAML would guess: `010` is ten, `1e-3` a number, `yes` a word.
enum ScalarText {
  /// A whole number from decimal digits with an optional sign; nil for any other text, and for a number that is too large.
  static func integer(_ text: String) -> Int? {
    let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy(isDigit) else { return nil }
    return Int(text)
  }

  /// A finite decimal number such as `0.05`, `1e-3`, or a fraction of two such as `1/255`.
  static func number(_ text: String) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    switch parts.count {
    case 1:
      return decimal(parts[0])
    case 2:
      guard let above = decimal(parts[0]), let below = decimal(parts[1]), below != 0 else { return nil }
      let value = above / below
      return value.isFinite ? value : nil
    default:
      return nil
    }
  }

  private static func decimal(_ text: Substring) -> Double? {
    var rest = text.utf8[...]
    func skipSign() { if rest.first == 0x2B || rest.first == 0x2D { rest.removeFirst() } }
    func skipDigits() -> Int {
      let count = rest.prefix(while: isDigit).count
      rest.removeFirst(count)
      return count
    }
    skipSign()
    var digits = skipDigits()
    if rest.first == 0x2E {
      rest.removeFirst()
      digits += skipDigits()
    }
    guard digits > 0 else { return nil }
    if rest.first == 0x65 || rest.first == 0x45 {
      rest.removeFirst()
      skipSign()
      guard skipDigits() > 0 else { return nil }
    }
    guard rest.isEmpty, let value = Double(text), value.isFinite else { return nil }
    return value
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  // MARK: - Byte sizes

  private static let units: [(name: String, bytes: Double)] = [
    ("B", 1), ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40),
    ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12),
  ]

  static let byteUnits = "B, KiB, MiB, GiB, TiB, kB, MB, GB, TB"

  /// The bytes of a number with a unit, `512 MiB` or `1.5GB`, rounded down.
  static func byteCount(_ text: String) -> Int? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    guard let value = decimal(number), let factor = units.first(where: { $0.name == unit })?.bytes,
      value * factor < 0x1p60
    else { return nil }
    return Int(value * factor)
  }

  /// The shortest exact text of a byte size: it has the largest binary unit that divides it.
  static func byteText(_ count: Int) -> String {
    for (name, bytes) in units[1...4].reversed() where count >= Int(bytes) && count % Int(bytes) == 0 {
      return "\(count / Int(bytes)) \(name)"
    }
    return "\(count) B"
  }
}
