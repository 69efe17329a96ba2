internal import Paths

extension String {
  /// The word that a POSIX shell reads back as this string; in quotes only where it needs them.
  public var shellWord: String {
    let isPlain = utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_./,:=+@%".utf8.contains(byte)
      }
    }
    guard PathText.isUnicode(self) else {
      // Bytes that no text has, as bash and its like take them.
      let signs = PathText.bytes(of: self).map { byte -> String in
        let isSafe = (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "'") && byte != UInt8(ascii: "\\")
        let digits = String(byte, radix: 16, uppercase: true)
        return isSafe
          ? String(UnicodeScalar(byte)) : "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
      }
      return "$'" + signs.joined() + "'"
    }
    return isPlain && !isEmpty ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
