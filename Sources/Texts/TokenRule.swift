/// How a text is cut into tokens: the words, or other parts, that a network knows by number.
///
/// Texts are in Unicode's composed form (NFC) before any rule, so that an accent written in two ways is one.
public enum TokenRule: String, Sendable, CaseIterable {
  /// The rule of Kim 2014 for English sentences.
  ///
  /// 1. Every character but the letters A–Z and a–z, the digits, and `( ) , ! ? ' \`` becomes a blank.
  /// 2. A blank is put before `'s`, `'ve`, `n't`, `'re`, `'d` and `'ll`, wherever they stand (in small letters).
  /// 3. `,`, `!`, `(`, `)` and `?` are tokens of their own.
  /// 4. What stands between blanks is a token.
  ///
  /// - SeeAlso: Kim 2014, <https://arxiv.org/abs/1408.5882>, and the description of its preprocessing, `clean_str`, in
  ///   <https://github.com/yoonkim/CNN_sentence>, which writes parentheses and question marks with a backslash before them.
  case kim
  /// Runs of letters, marks and digits of any script, with apostrophes between them; everything else separates.
  case words
  /// Each character (Unicode scalar value), blanks among them.
  case characters
  /// What stands between blanks, for texts that are cut into tokens already.
  case space

  /// What the word means, for help.
  public var summary: String {
    switch self {
    case .kim: "Kim 2014's rule for English"
    case .words: "runs of letters and digits"
    case .characters: "every character"
    case .space: "what stands between blanks"
    }
  }

  /// Whether capitals become small letters where nobody says otherwise.
  public var lowersCase: Bool { self == .kim || self == .words }

  /// The tokens of a text in their order.
  ///
  /// - Parameters:
  ///   - text: in NFC.
  ///   - lowersCase: whether capitals become small letters; Kim's rule does this last.
  public func tokens(of text: String, lowersCase: Bool) -> [String] {
    var tokens: [String] = []
    forEachToken(of: text, lowersCase: lowersCase) { tokens.append($0) }
    return tokens
  }

  /// Gives the tokens of a text in their order, one after another: a long text has many, each of which takes more than its characters.
  ///
  /// - Parameters:
  ///   - text: in NFC.
  ///   - lowersCase: whether capitals become small letters; Kim's rule does this last.
  public func forEachToken(of text: String, lowersCase: Bool, _ take: (String) -> Void) {
    switch self {
    case .kim: KimTokens.forEach(of: text, lowersCase: lowersCase, take)
    case .words: Self.words(lowersCase ? text.lowercased() : text, take)
    case .characters:
      for scalar in (lowersCase ? text.lowercased() : text).unicodeScalars { take(String(scalar)) }
    case .space: Self.parts(lowersCase ? text.lowercased() : text, take)
    }
  }

  private static func parts(_ text: String, _ take: (String) -> Void) {
    var part = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if !scalar.properties.isWhitespace {
        part.append(scalar)
      } else if !part.isEmpty {
        take(String(part))
        part = String.UnicodeScalarView()
      }
    }
    if !part.isEmpty { take(String(part)) }
  }

  private static func words(_ text: String, _ take: (String) -> Void) {
    var word = String.UnicodeScalarView()
    // An apostrophe belongs to a word only when the word goes on after it.
    var apostrophe: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      if isPartOfWord(scalar) {
        if let mark = apostrophe {
          word.append(mark)
          apostrophe = nil
        }
        word.append(scalar)
      } else if !word.isEmpty, apostrophe == nil, scalar == "'" || scalar == "\u{2019}" {
        apostrophe = "'"
      } else if !word.isEmpty {
        take(String(word))
        word = String.UnicodeScalarView()
        apostrophe = nil
      }
    }
    if !word.isEmpty { take(String(word)) }
  }

  private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      return switch UInt8(truncatingIfNeeded: scalar.value) {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
      .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
      true
    default: false
    }
  }
}

/// Kim's rule in one pass over the bytes: a character beyond ASCII consists of bytes that all become blanks.
private enum KimTokens {
  /// What a blank is put before; the first byte of each, and what must follow it.
  private static let breaks: [(first: UInt8, rest: [UInt8])] = ["'s", "'ve", "n't", "'re", "'d", "'ll"].map {
    let bytes = Array($0.utf8)
    return (bytes[0], Array(bytes.dropFirst()))
  }

  static func forEach(of text: String, lowersCase: Bool, _ take: (String) -> Void) {
    var text = text
    text.withUTF8 { bytes in
      var token: [UInt8] = []
      func end() {
        if !token.isEmpty { take(String(decoding: token, as: UTF8.self)) }
        token.removeAll(keepingCapacity: true)
      }
      for place in bytes.indices {
        let byte = bytes[place]
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "!"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "?"):
          end()
          token.append(byte)
          end()
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
          token.append(lowersCase ? byte | 0x20 : byte)
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "'"), UInt8(ascii: "`"):
          if breaks.contains(where: { byte == $0.first && bytes[(place + 1)...].starts(with: $0.rest) }) {
            end()
          }
          token.append(byte)
        default: end()
        }
      }
      end()
    }
  }
}
