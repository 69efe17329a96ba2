internal import Settings

extension ResolvedValue {
  /// The value with every member left out, at any depth, that is as the schema fills it in.
  ///
  /// Entries of lists and kinds of unions stay, so that what is left still says what it stands for.
  func withoutDefaults(_ schema: Schema) -> ResolvedValue {
    switch (content, schema) {
    case (.map(let members), .object(let object)):
      let kept = members.compactMap { member -> Member? in
        guard let key = object.key(member.key) else { return member }
        guard key.defaultValue != member.value else { return nil }
        return Member(key: member.key, value: member.value.withoutDefaults(key.schema))
      }
      return ResolvedValue(.map(kept), origin)
    case (.map, .optional(_, let inner)), (.kind, .optional(_, let inner)), (.list, .optional(_, let inner)):
      return withoutDefaults(inner)
    case (.kind(let name, .some(let payload)), .union(let union)):
      guard let inner = union.kind(name)?.payload else { return self }
      return ResolvedValue(.kind(name, payload.withoutDefaults(inner)), origin)
    case (.list(let items), .list(let element, _)):
      return ResolvedValue(.list(items.map { $0.withoutDefaults(element) }), origin)
    case (.list(let items), .layers):
      return ResolvedValue(.list(items.map { $0.withoutDefaults(.union(LayerSchema.union)) }), origin)
    default:
      return self
    }
  }
}

extension Key {
  /// What the key is when it is left out; nil where it must be written or follows from other values.
  fileprivate var defaultValue: ResolvedValue? {
    var decoder = SchemaDecoder(workingDirectory: "/")
    switch fallback {
    case .required, .derived: return nil
    case .scalar(let text): return decoder.decode(.plain(text, at: .builtIn), schema, at: name)
    case .kind(let kind, let payload):
      let entry = ConfigurationNode.Entry(
        key: kind, keyLocation: .builtIn, value: .plain(payload, at: .builtIn))
      return decoder.decode(ConfigurationNode(.map([entry]), at: .builtIn), schema, at: name)
    case .emptyMap: return decoder.decode(.emptyMap(at: .builtIn), schema, at: name)
    case .value(let content): return ResolvedValue(content, .builtIn)
    }
  }
}

extension ResolvedValue.Content {
  /// The value as a person would write it: one number for a square, and no more than the word of a kind whose settings are the
  /// defaults.
  func shortest(_ schema: Schema) -> ResolvedValue {
    if case .size = schema, case .list(let sides) = self, let side = sides.first, Set(sides).count == 1 {
      return side
    }
    let shorter = ResolvedValue(self, .builtIn).withoutDefaults(schema)
    if case .kind(let name, .some(let payload)) = shorter.content, payload.members?.isEmpty == true {
      return ResolvedValue(.kind(name, nil), .builtIn)
    }
    return shorter
  }
}
