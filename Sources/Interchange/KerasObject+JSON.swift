internal import Networks
internal import Settings

extension KerasObject {
  /// The object as Keras's files have it: the name, or `{"class_name": …, "config": {…}}`.
  var json: JSONValue {
    guard let settings else { return .string(name) }
    return .object([
      "class_name": .string(name), "config": .object(settings.mapValues(\.kerasJSON)),
    ])
  }
}

extension ResolvedValue.Content {
  fileprivate var kerasJSON: JSONValue {
    switch self {
    case .integer(let value), .byteSize(let value): .integer(value)
    case .number(let value): .number(value)
    case .boolean(let value): .bool(value)
    case .text(let value), .path(let value): .string(value)
    case .list(let items): .array(items.map(\.content.kerasJSON))
    case .map(let members):
      .object(Dictionary(members.map { ($0.key, $0.value.content.kerasJSON) }) { first, _ in first })
    case .kind(let name, let payload): payload.map { .object([name: $0.content.kerasJSON]) } ?? .string(name)
    }
  }
}

extension JSONValue {
  /// The document on one line with sorted keys; a floating-point number stays one, as `1.0` and not `1`.
  ///
  /// Keras refuses `momentum: 0` where it expects a float.
  func textKeepingFloats() throws -> String {
    switch self {
    case .number(let value): return "\(value)"
    case .array(let values):
      return "[" + (try values.map { try $0.textKeepingFloats() }.joined(separator: ",")) + "]"
    case .object(let members):
      let pairs = try members.sorted { $0.key < $1.key }.map { key, value in
        "\(try JSONValue.string(key).text()):\(try value.textKeepingFloats())"
      }
      return "{" + pairs.joined(separator: ",") + "}"
    case .null, .bool, .integer, .string: return try text()
    }
  }
}
