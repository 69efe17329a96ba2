internal import Foundation
public import Settings

extension JSONValue: Decodable {
  /// Reads any JSON value; a number is an integer where it can be one.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let values = try? container.decode([JSONValue].self) {
      self = .array(values)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// Reads a document.
  ///
  /// - Throws: Foundation's `DecodingError` where the text is not JSON.
  public init(parsing text: String) throws {
    self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  /// A member of an object; nil where there is none, and for everything that is not an object.
  public subscript(key: String) -> JSONValue? { members?[key] }

  /// The members of an object; nil for everything else.
  public var members: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The elements of an array; nil for everything else.
  public var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The text; nil for everything else.
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The truth value; nil for everything else.
  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The whole number, also where it is written as 3.0; nil for everything else.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The number; nil for everything else.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Whether the value is `null`.
  public var isNull: Bool { self == .null }
}

extension JSONValue {
  /// The value of a setting; maps have their keys in order.
  public init(_ content: ResolvedValue.Content) {
    switch content {
    case .integer(let value), .byteSize(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .boolean(let value): self = .bool(value)
    case .text(let text), .path(let text): self = .string(text)
    case .list(let values): self = .array(values.map { JSONValue($0.content) })
    case .map(let members):
      self = .object(Dictionary(uniqueKeysWithValues: members.map { ($0.key, JSONValue($0.value.content)) }))
    case .kind(let name, let payload):
      self = payload.map { .object([name: JSONValue($0.content)]) } ?? .string(name)
    }
  }

  /// The value as a setting of the same form; `null` becomes an empty list.
  public var asContent: ResolvedValue.Content {
    switch self {
    case .null: .list([])
    case .bool(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .string(let value): .text(value)
    case .array(let values): .list(of: values.map(\.asContent))
    case .object(let members):
      .map(
        members.sorted { $0.key < $1.key }.map {
          ResolvedValue.Member(key: $0.key, value: ResolvedValue($0.value.asContent, .builtIn))
        })
    }
  }
}
