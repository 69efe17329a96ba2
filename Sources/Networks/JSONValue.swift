/// A JSON document as a value, for the forms that other programs prescribe.
public indirect enum JSONValue: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number that is written without a fraction.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// Text, without its quotes and escapes.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Values by name; the order of names is not kept.
  case object([String: JSONValue])

  /// The text of a literal.
  public init(stringLiteral value: String) { self = .string(value) }
  /// The truth value of a literal.
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// The document on one line, keys sorted, so that equal values give equal text.
  public func text() throws -> String { try JSONWriter().text(self) }
}

extension JSONValue: Encodable {
  /// Writes the value as the JSON that it is.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let values): try container.encode(values)
    case .object(let members): try container.encode(members)
    }
  }
}
