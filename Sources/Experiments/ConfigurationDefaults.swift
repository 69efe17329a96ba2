internal import Settings

extension ResolvedValue {
  /// The value without every member, at any depth, that equals the schema's default.
  ///
  /// Entries of lists and kinds of unions stay, so that the rest keeps its meaning.
  func withoutDefaults(_ schema: Schema) -> ResolvedValue {
    switch schema {
    case .object(let object):
      guard case .map(let members) = content else { return self }
      let kept = members.compactMap { member -> Member? in
        guard let key = object.key(member.key) else { return member }
        guard key.defaultValue != member.value else { return nil }
        return Member(key: member.key, value: member.value.withoutDefaults(key.schema))
      }
      return ResolvedValue(.map(kept), origin)
    case .optional(_, let inner):
      return withoutDefaults(inner)
    case .union(let union):
      guard case .kind(let name, .some(let payload)) = content, let inner = union.kind(name)?.payload else {
        return self
      }
      return ResolvedValue(.kind(name, payload.withoutDefaults(inner)), origin)
    case .list(let element, _):
      guard case .list(let items) = content else { return self }
      return ResolvedValue(.list(items.map { $0.withoutDefaults(element) }), origin)
    case .layers:
      guard case .list(let items) = content else { return self }
      return ResolvedValue(.list(items.map { $0.withoutDefaults(.union(LayerSchema.union)) }), origin)
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .layerNames,
      .names,
      .blocks, .sweep:
      return self
    }
  }
}

extension Key {
  /// The key's value where it is left out; nil where it must be written or follows from other values.
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
  /// The value as a person would write it: one number for a square, and a kind's word alone where all its settings have their
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
