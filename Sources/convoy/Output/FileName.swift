internal import Digests

/// The name of a file in a folder of results, which may contain names of layers and classes.
///
/// Networks come from anywhere, and a layer may have the name `x/../../y`. Literals are the program's own and stay as they
/// are, slashes included; every interpolated value is made safe, so that it names no folder, and different values give
/// different names.
struct FileName: Hashable, Sendable {
  let text: String

  private init(text: String) { self.text = text }

  /// The largest number of bytes of a value; file systems allow 255 for a name.
  private static let limit = 120

  /// A value as a part of a name.
  ///
  /// Letters, digits and most signs stay. Characters that could lead elsewhere, end a line or hide become `%` and two hexadecimal
  /// digits for each byte, as in web addresses. A value that is too long ends in a digest of the whole.
  static func safe(_ value: String) -> String {
    var name = ""
    for (index, scalar) in value.unicodeScalars.enumerated() {
      let isHidden = index == 0 && (scalar == "." || scalar == "-" || scalar == "~")
      if isHidden || !isPlain(scalar) {
        name += String(scalar).utf8.map { byte in
          let digits = String(byte, radix: 16, uppercase: true)
          return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
      } else {
        name.unicodeScalars.append(scalar)
      }
    }
    if name.isEmpty { return "%" }
    guard name.utf8.count > limit else { return name }
    var start = ""
    for character in name {
      guard start.utf8.count + character.utf8.count <= limit - 17 else { break }
      start.append(character)
    }
    return start + "%" + SHA256.digest(of: value).hexadecimal.prefix(16)
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      return scalar.value > 0x20 && scalar.value != 0x7F
        && !"%/\\:*?\"<>|'`$&;!#".unicodeScalars.contains(scalar)
    }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .nonspacingMark, .spacingMark:
      true
    default: false
    }
  }
}

extension FileName: ExpressibleByStringInterpolation {
  init(stringLiteral value: String) { text = value }

  init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) { text += literal }

    mutating func appendInterpolation(_ value: String) { text += FileName.safe(value) }

    mutating func appendInterpolation(_ name: FileName) { text += name.text }
  }
}
