internal import Settings

/// Follows `extends` from file to file and merges their values.
struct Inheritance {
  static let limit = 16
  let workingDirectory: String
  var schema = RunSchema.root
  /// Gives a file's keys their present names.
  var renamed: (ConfigurationNode) -> ConfigurationNode = { $0 }

  /// Merges a file's values over those of the files that it extends.
  ///
  /// - Returns: the merged values, without the key `extends`.
  func resolve(_ node: ConfigurationNode, path: String) throws(ConfigurationErrors) -> ConfigurationNode {
    try resolve(node, path: path, chain: [identity(path)])
  }

  private func identity(_ path: String) -> String {
    SchemaDecoder.normalized(path.hasPrefix("/") ? path : workingDirectory + "/" + path)
  }

  private func resolve(
    _ node: ConfigurationNode, path: String, chain: [String]
  ) throws(ConfigurationErrors) -> ConfigurationNode {
    let node = renamed(node)
    guard var entries = node.entries, let index = entries.firstIndex(where: { $0.key == "extends" }) else {
      return node
    }
    let written = entries.remove(at: index).value
    guard let base = written.scalarText, !base.isEmpty else {
      throw ConfigurationErrors(
        written.location, "extends: found \(written.found), expected the path of a configuration")
    }
    // The path counts from the file that names it, and is shown the way that file was shown.
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
      separator: "/")
    let basePath = base.hasPrefix("/") || folder.isEmpty && !path.hasPrefix("/") ? base : "\(folder)/\(base)"
    let own = identity(basePath)
    guard !chain.contains(own) else {
      throw ConfigurationErrors(
        written.location, "extends: '\(base.shortened)' extends this configuration in turn; break the circle")
    }
    guard chain.count < Inheritance.limit else {
      throw ConfigurationErrors(
        written.location, "extends: more than \(Inheritance.limit) configurations extend one another")
    }
    let text: String
    do {
      text = try SourceText.read(basePath)
    } catch let error {
      guard error.isMissingFile else { throw error }
      throw ConfigurationErrors(written.location, "extends: no such file '\(basePath.shortened)'")
    }
    let parent = try resolve(
      try YAMLReader.read(text, path: basePath), path: basePath, chain: chain + [own])
    let child = ConfigurationNode(.map(entries), at: node.location)
    return Inheritance.merge(child, over: parent, .object(schema))
  }

  /// Merges two values: maps key by key, a union only with one of the same kind; any other value replaces the inherited one.
  static func merge(
    _ child: ConfigurationNode, over parent: ConfigurationNode, _ schema: Schema?
  ) -> ConfigurationNode {
    guard let own = child.entries, let inherited = parent.entries else { return child }
    switch schema {
    case .object(let object):
      return ConfigurationNode(
        .map(join(own, inherited) { merge($0, over: $1, object.key($2)?.schema) }), at: child.location)
    case .blocks:
      return ConfigurationNode(.map(join(own, inherited) { child, _, _ in child }), at: child.location)
    case .union(let union):
      guard own.count == 1, inherited.count == 1, own[0].key == inherited[0].key else { return child }
      return ConfigurationNode(
        .map(join(own, inherited) { merge($0, over: $1, union.kind($2)?.payload) }), at: child.location)
    case .optional(_, let inner):
      return merge(child, over: parent, inner)
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list,
      .layerNames, .names, .layers, .sweep, nil:
      return child
    }
  }

  private static func join(
    _ own: [ConfigurationNode.Entry], _ inherited: [ConfigurationNode.Entry],
    _ combine: (ConfigurationNode, ConfigurationNode, String) -> ConfigurationNode
  ) -> [ConfigurationNode.Entry] {
    var result = inherited
    for entry in own {
      if let index = result.firstIndex(where: { $0.key == entry.key }) {
        result[index] = ConfigurationNode.Entry(
          key: entry.key, keyLocation: entry.keyLocation,
          value: combine(entry.value, result[index].value, entry.key))
      } else {
        result.append(entry)
      }
    }
    return result
  }
}
