internal import Settings

/// A value at the end of a path of keys, as text.
struct ConfigurationLeaf {
  /// `training.optimizer.sgd.learning_rate`; layers stand by their names, `network.layers.conv2d.filters`.
  let path: String
  let text: String
  /// What a change of the value means; under a free key, every key is free.
  let change: Key.Change

  /// All values of a configuration, in the order of the schema.
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
    func add(_ text: String) { leaves.append(ConfigurationLeaf(path: path, text: text, change: change)) }
    switch schema {
    case .object(let object):
      guard case .map(let members) = value.content else { return add(value.flowText) }
      for member in members {
        let key = object.key(member.key)
        let inner = change == .free ? .free : key?.change ?? .meaning
        collect(member.value, key?.schema, join(member.key), inner, &leaves)
      }
    case .optional(_, let inner):
      guard case .map = value.content else { return add(value.flowText) }
      collect(value, inner, path, change, &leaves)
    case .union(let union):
      guard case .kind(let name, .some(let payload)) = value.content, payload.members != nil else {
        return add(value.flowText)
      }
      add(name)
      collect(payload, union.kind(name)?.payload, join(name), change, &leaves)
    case .layers:
      guard case .list(let items) = value.content else { return add(value.flowText) }
      let names = items.compactMap { $0["name"]?.text }
      add("[\(names.joined(separator: ", "))]")
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
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list,
      .layerNames, .names, .blocks, .sweep, nil:
      add(value.flowText)
    }
  }
}
