/// The parts of game records in the Smart Game Format, one after another: trees, nodes, and properties with their values.
///
/// It works on bytes, looks at each once, and never calls itself, however deep variations are nested. Outside of trees everything is
/// passed over; inside them, what is no part of the format is.
///
/// - SeeAlso: Hollosi, "SGF FF[4]", <https://www.red-bean.com/sgf/sgf4.html>.
struct SGFScanner {
  /// A part of a record.
  enum Token {
    /// `(`
    case open
    /// `)`
    case close
    /// `;`
    case node
    /// The capital letters of a property's name; small letters, which older versions allow between them, do not count.
    case property
    /// A value of the last property, without its brackets.
    case value(Range<Int>)
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
  /// The name of the last property, up to four letters, each a byte; longer names have their first four.
  private(set) var name: UInt32 = 0
  /// Whether the bytes end inside a value.
  private(set) var isCut = false
  /// Whether letters may have a second byte that looks like a bracket or a backslash.
  var hasWideLetters = false

  init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// A property's name as a number.
  static func name(_ text: StaticString) -> UInt32 {
    text.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt32($1) } }
  }

  /// The next part; nil at the end.
  mutating func next() -> Token? {
    while position < bytes.count {
      let byte = bytes[position]
      position &+= 1
      switch byte {
      case UInt8(ascii: "("): return .open
      case UInt8(ascii: ")"): return .close
      case UInt8(ascii: ";"): return .node
      case UInt8(ascii: "["): return value()
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
        if readName(from: byte) { return .property }
      default: continue
      }
    }
    return nil
  }

  /// Reads a name up to what is no letter.
  ///
  /// - Returns: false for a word without capital letters.
  private mutating func readName(from first: UInt8) -> Bool {
    var letters: UInt32 = 0
    var byte = first
    while true {
      if byte <= UInt8(ascii: "Z"), letters < 1 << 24 { letters = letters << 8 | UInt32(byte) }
      guard position < bytes.count else { break }
      byte = bytes[position]
      guard
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      else { break }
      position &+= 1
    }
    guard letters != 0 else { return false }
    name = letters
    return true
  }

  private mutating func value() -> Token? {
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "]") {
        position &+= 1
        return .value(start..<position &- 1)
      }
      // What follows a backslash, or a letter's first byte, is part of the text whatever it is.
      position &+= byte == UInt8(ascii: "\\") || (hasWideLetters && byte >= 0x81) ? 2 : 1
    }
    position = bytes.count
    isCut = true
    return nil
  }

  /// Goes behind the next `(` with a node after it, where a tree begins; false where there is none.
  ///
  /// Other text before it may hold brackets of any kind. Files that begin with a node lack the first `(`.
  mutating func skipToTree() -> Bool {
    if position == 0 {
      let start = bytes.prefix { $0 <= 32 || [0xEF, 0xBB, 0xBF].contains($0) }.count
      if start + 1 < bytes.count, bytes[start] == UInt8(ascii: ";"),
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[start + 1])
      {
        position = start
        return true
      }
    }
    while position < bytes.count {
      position &+= 1
      guard bytes[position &- 1] == UInt8(ascii: "(") else { continue }
      var place = position
      while place < bytes.count, bytes[place] <= 32 { place &+= 1 }
      if place < bytes.count, bytes[place] == UInt8(ascii: ";") { return true }
    }
    return false
  }
}
