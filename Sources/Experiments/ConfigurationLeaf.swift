internal import Settings

/// A value at the end of a path of keys, as text.
struct ConfigurationLeaf {
  /// `training.optimizer.sgd.learning_rate`; layers stand by their names, `network.layers.conv2d.filters`.
  let path: String
  let text: String
  /// What a change of it means; under a key that is free, all are.
  let change: Key.Change

  /// All of a configuration, in the order of the schema.
  static func all(of values: ResolvedValue, _ schema: ObjectSchema) -> [ConfigurationLeaf] {
    var result: [ConfigurationLeaf] = []
    collect(values, .object(schema), "", .meaning, &result)
    return result
  }

  private static func collect(
    _ value: ResolvedValue, _ schema: Schema?, _ path: String, _ change: Key.Change,
    _ leaves: inout [ConfigurationLeaf]
  ) {
    func join(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    switch (value.content, schema) {
    case (.map(let members), .object(let object)):
      for member in members {
        let key = object.key(member.key)
        let inner = change == .free ? .free : key?.change ?? .meaning
        collect(member.value, key?.schema, join(member.key), inner, &leaves)
      }
    case (.map, .optional(_, let inner)):
      collect(value, inner, path, change, &leaves)
    case (.kind(let name, .some(let payload)), .union(let union)) where payload.members != nil:
      leaves.append(ConfigurationLeaf(path: path, text: name, change: change))
      collect(payload, union.kind(name)?.payload, join(name), change, &leaves)
    case (.list(let items), .layers):
      let names = items.compactMap { $0["name"]?.text }
      leaves.append(
        ConfigurationLeaf(path: path, text: "[\(names.joined(separator: ", "))]", change: change))
      for item in items {
        guard case .kind(let kind, let payload) = item.content, let name = item["name"]?.text else {
          continue
        }
        let fields = payload?.members?.filter { $0.key != "name" } ?? []
        leaves.append(ConfigurationLeaf(path: join(name), text: kind, change: change))
        for field in fields {
          leaves.append(
            ConfigurationLeaf(
              path: join("\(name).\(field.key)"), text: field.value.flowText, change: change))
        }
      }
    default:
      leaves.append(ConfigurationLeaf(path: path, text: value.flowText, change: change))
    }
  }
}
