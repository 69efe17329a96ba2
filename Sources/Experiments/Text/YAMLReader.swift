internal import Settings
internal import Yams

/// Turns text into nodes; it is the only place that knows the YAML library.
enum YAMLReader {
  /// - Parameter override: the place of an override whose value is read; places then name the override instead of a line.
  static func read(
    _ text: String, path: String, override: ConfigurationLocation? = nil
  ) throws(ConfigurationErrors) -> ConfigurationNode {
    func location(_ line: Int, _ column: Int) -> ConfigurationLocation {
      if let override { override } else { .file(path: path, line: line, column: column) }
    }
    try YAMLScreen.check(text, location: location)
    let root: Node?
    let parser: Parser
    do {
      parser = try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8)
      root = try parser.singleRoot()
    } catch {
      throw translate(error, location)
    }
    guard let root else {
      throw ConfigurationErrors(
        override ?? .wholeFile(path: path), "the configuration is empty")
    }
    // Nodes hold their anchors weakly; the parser has to outlive the walk that looks for them.
    return try withExtendedLifetime(parser) { () throws(ConfigurationErrors) in
      try convert(root, depth: 1, location)
    }
  }

  private typealias Locate = (Int, Int) -> ConfigurationLocation

  private static func convert(
    _ node: Node, depth: Int, _ location: Locate
  ) throws(ConfigurationErrors) -> ConfigurationNode {
    let place = location(node.mark?.line ?? 1, node.mark?.column ?? 1)
    guard depth <= YAMLScreen.depthLimit else {
      throw ConfigurationErrors(place, "nested more than \(YAMLScreen.depthLimit) levels deep")
    }
    guard node.anchor == nil else {
      throw ConfigurationErrors(place, "anchors are not used in configurations")
    }
    switch node {
    case .scalar(let scalar):
      return ConfigurationNode(.scalar(scalar.string, isPlain: scalar.style == .plain), at: place)
    case .sequence(let items):
      var list: [ConfigurationNode] = []
      for item in items { list.append(try convert(item, depth: depth + 1, location)) }
      return ConfigurationNode(.list(list), at: place)
    case .mapping(let mapping):
      var entries: [ConfigurationNode.Entry] = []
      for (key, value) in mapping {
        let keyPlace = location(key.mark?.line ?? 1, key.mark?.column ?? 1)
        guard case .scalar(let name) = key else {
          throw ConfigurationErrors(keyPlace, "a key must be a word; found a list or a map")
        }
        entries.append(
          ConfigurationNode.Entry(
            key: name.string, keyLocation: keyPlace, value: try convert(value, depth: depth + 1, location)))
      }
      return ConfigurationNode(.map(entries), at: place)
    case .alias:
      throw ConfigurationErrors(place, "aliases are not used in configurations")
    }
  }

  // MARK: - Errors of the library

  private static func translate(_ error: any Error, _ location: Locate) -> ConfigurationErrors {
    guard let error = error as? YamlError else {
      return ConfigurationErrors(location(1, 1), "not readable as YAML: \(error)")
    }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      if let key = context?.mark, problem.contains("could not find expected ':'") {
        return ConfigurationErrors(
          location(key.line, key.column),
          "not YAML: a ':' is missing; write 'key: value', with a space after the colon")
      }
      let start = context.map { " (\($0.text) from line \($0.mark.line))" } ?? ""
      return ConfigurationErrors(
        location(mark.line, mark.column), "not YAML: \(problem)\(start)\(advice(problem))")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.sorted().map { "'\($0.shortened)'" }.joined(separator: ", ")
      return ConfigurationErrors(
        location(context.mark.line, context.mark.column), "the key \(names) appears twice here")
    case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem),
      .representer(let problem):
      return ConfigurationErrors(location(1, 1), "not readable as YAML: \(problem)")
    case .no, .memory, .dataCouldNotBeDecoded:
      return ConfigurationErrors(location(1, 1), "not readable as YAML")
    }
  }

  /// What usually causes the library's message.
  private static func advice(_ problem: String) -> String {
    if problem.contains("mapping values are not allowed") {
      "; put text that holds ': ' in quotes, or check the indentation"
    } else if problem.contains("cannot start any token") {
      "; indent with spaces, not tabs, and put text that starts with @, ` or % in quotes"
    } else if problem.contains("did not find expected key") || problem.contains("did not find expected '-'") {
      "; check the indentation of this line"
    } else {
      ""
    }
  }
}
