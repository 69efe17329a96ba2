internal import Foundation

/// Writes values as JSON; the one place that decides how keys, numbers and lines look.
///
/// Keys stand in alphabetical order, so that equal values give equal text. A number has as many digits as it takes to read
/// the same bits back, and slashes are not escaped.
public struct JSONWriter: Sendable {
  /// What becomes of numbers that are not finite, for which JSON has no word.
  public enum NonFinite: Sendable {
    /// They are an error.
    case refused
    /// They become `null`.
    case null
    /// They become the strings `inf`, `-inf` and `nan`, which a decoder can be told to take back.
    case text
  }

  /// Whether every member stands on a line of its own.
  public var isPretty = false
  /// Whether the keys are the properties' names in snake case: `bestEpoch` becomes `best_epoch`.
  public var hasSnakeCaseKeys = false
  /// What becomes of infinities and NaN.
  public var nonFinite = NonFinite.refused
  /// What values may ask of the encoder, by key.
  public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

  /// A writer that refuses numbers that are not finite, unless it is told otherwise.
  public init(isPretty: Bool = false, hasSnakeCaseKeys: Bool = false, nonFinite: NonFinite = .refused) {
    self.isPretty = isPretty
    self.hasSnakeCaseKeys = hasSnakeCaseKeys
    self.nonFinite = nonFinite
  }

  /// The value as a JSON document, without a newline at its end.
  ///
  /// - Throws: `EncodingError` for a number that is not finite where those are refused.
  public func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    if hasSnakeCaseKeys { encoder.keyEncodingStrategy = .convertToSnakeCase }
    encoder.userInfo = userInfo
    switch nonFinite {
    case .refused: return Self.escaped(try encoder.encode(value))
    case .text:
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      return Self.escaped(try encoder.encode(value))
    case .null:
      // The encoder can put a string in such a number's place and nothing else: one that no value contains.
      let standIn = UUID().uuidString
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: standIn, negativeInfinity: standIn, nan: standIn)
      let text = Self.escaped(try encoder.encode(value))
      return text.replacing("\"\(standIn)\"", with: "null")
    }
  }
}

extension JSONWriter {
  /// The document with U+007F to U+009F escaped, which JSON does not ask for and terminals obey, and the last plane for private
  /// use, in which names of files keep bytes that are no part of UTF-8: what prints text would make it readable, and JSON wrong.
  private static func escaped(_ document: Data) -> String {
    let text = String(decoding: document, as: UTF8.self)
    // The first bytes of U+0080 to U+009F and of that plane, with many others, and U+007F itself.
    guard document.contains(where: { $0 == 0xC2 || $0 == 0x7F || $0 == 0xF4 }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if (0x7F...0x9F).contains(scalar.value) || scalar.value >= 0x10_0000 {
        for unit in UTF16.encode(scalar) ?? .init() {
          let digits = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// Writes `null` where there is no value; a plain optional is left out with its key.
@propertyWrapper
public struct NullIfMissing<Value: Encodable>: Encodable {
  /// The value; nil is written as `null`.
  public var wrappedValue: Value?

  /// Wraps a value, or its absence.
  public init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  /// Writes the value, or `null` where there is none.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}

extension NullIfMissing: Decodable where Value: Decodable {
  /// Reads a value, or `null`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
  }
}

extension NullIfMissing: Equatable where Value: Equatable {}
extension NullIfMissing: Hashable where Value: Hashable {}
extension NullIfMissing: Sendable where Value: Sendable {}

/// A key that is known only when the program runs, such as a metric's name.
public struct NamedKey: CodingKey, ExpressibleByStringLiteral {
  /// The key.
  public let stringValue: String
  /// Always nil: keys are names here.
  public var intValue: Int? { nil }

  /// A key of this name.
  public init(_ name: String) { stringValue = name }
  /// The key that a literal spells.
  public init(stringLiteral value: String) { stringValue = value }
  /// A key of this name; never nil.
  public init?(stringValue: String) { self.stringValue = stringValue }
  /// Always nil: keys are names here.
  public init?(intValue: Int) { nil }
}
