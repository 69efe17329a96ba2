internal import Settings

/// Puts the values of options at their places in a configuration.
enum Flags {
  static func apply(
    _ flags: [SettingFlag], to root: ConfigurationNode, _ schema: ObjectSchema, _ errors: inout ErrorCollector
  ) -> ConfigurationNode {
    var root = root
    for flag in flags {
      let place = ConfigurationLocation.flag("\(flag.option) \(flag.text.shortened)".trimmedEnd)
      do throws(ConfigurationErrors) {
        root = try set(flag.path[...], to: flag.text, in: root, .object(schema), nil, place)
      } catch { errors.add(error) }
    }
    return root
  }

  private static func set(
    _ path: ArraySlice<String>, to text: String, in node: ConfigurationNode?, _ schema: Schema,
    _ fallback: Key.Fallback?, _ place: ConfigurationLocation
  ) throws(ConfigurationErrors) -> ConfigurationNode {
    guard let word = path.first else { return try ConfigurationNode(typed: text, schema, at: place) }
    let rest = path.dropFirst()
    switch schema {
    case .object(let object):
      guard let key = object.key(word) else { preconditionFailure("an option of the unknown key '\(word)'") }
      var entries = node?.entries ?? []
      let value = try set(rest, to: text, in: node?[word], key.schema, key.fallback, place)
      if let index = entries.firstIndex(where: { $0.key == word }) {
        entries[index].value = value
      } else {
        entries.append(ConfigurationNode.Entry(key: word, keyLocation: place, value: value))
      }
      return ConfigurationNode(.map(entries), at: node?.location ?? place)
    case .union(let union):
      guard let kind = union.kind(word), let payload = kind.payload else {
        preconditionFailure("an option of the unknown \(union.noun) '\(word)'")
      }
      if let chosen = Overrides.chosenKind(node, fallback), chosen != word {
        throw ConfigurationErrors(
          place, "belongs to the \(union.noun) \(word), and the \(union.noun) here is \(chosen)")
      }
      let value = try set(rest, to: text, in: node?[word], payload, nil, place)
      let entry = ConfigurationNode.Entry(key: word, keyLocation: place, value: value)
      return ConfigurationNode(.map([entry]), at: node?.location ?? place)
    case .optional(_, let inner):
      return try set(path, to: text, in: node, inner, fallback, place)
    default:
      preconditionFailure("an option goes into '\(word)', where there are no keys")
    }
  }
}

extension ConfigurationNode {
  /// A value that was typed after an option.
  ///
  /// A list has commas between its entries, a map has colons between its values in the order of its keys, and a union is a kind's
  /// word, or the value of its only kind with one.
  fileprivate init(
    typed text: String, _ schema: Schema, at place: ConfigurationLocation
  ) throws(ConfigurationErrors) {
    switch schema {
    case .optional(let word, let inner) where text != word:
      try self.init(typed: text, inner, at: place)
    case .list(let element, _):
      guard !text.isEmpty else {
        throw ConfigurationErrors(place, "found nothing, expected \(schema.placeholder)")
      }
      var items: [ConfigurationNode] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        guard part.contains(where: { $0 != " " }) else {
          throw ConfigurationErrors(
            place, "has nothing before or after a comma, expected \(schema.placeholder)")
        }
        items.append(try ConfigurationNode(typed: String(part).trimmedEnds, element, at: place))
      }
      self.init(.list(items), at: place)
    case .object(let object):
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= object.keys.count else {
        throw ConfigurationErrors(
          place, "found '\(text.shortened)', expected \(schema.placeholder)")
      }
      var entries: [Entry] = []
      for (key, part) in zip(object.keys, parts) {
        let value = try ConfigurationNode(typed: String(part).trimmedEnds, key.schema, at: place)
        entries.append(Entry(key: key.name, keyLocation: place, value: value))
      }
      self.init(.map(entries), at: place)
    case .union(let union) where union.kind(text) == nil && !text.isEmpty:
      let withValue = union.kinds.filter { !$0.canBeBare }
      guard let kind = withValue.first, withValue.count == 1 else {
        self = .plain(text, at: place)
        return
      }
      self.init(.map([Entry(key: kind.name, keyLocation: place, value: .plain(text, at: place))]), at: place)
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .layerNames,
      .names,
      .optional, .union, .layers, .blocks, .sweep:
      self = .plain(text, at: place)
    }
  }
}

extension String {
  fileprivate var trimmedEnd: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  fileprivate var trimmedEnds: String { String(trimmedEnd.drop { $0 == " " }) }
}
