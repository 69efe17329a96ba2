internal import Settings

/// Applies `key.path=value` to a configuration before it is read by the schema.
enum Overrides {
  /// A place that an override can name.
  private struct Target {
    var path: [String]
    /// Positions in the path that name a kind of a union; such a word alone does not say what it is a kind of.
    var kinds: Set<Int>
    var union: UnionSchema?

    var text: String { path.joined(separator: ".") }
  }

  static func apply(
    _ overrides: [Override], to root: ConfigurationNode, schema: ObjectSchema = RunSchema.root,
    _ errors: inout ErrorCollector
  ) -> ConfigurationNode {
    var root = root
    for override in overrides {
      do {
        root = try apply(override, to: root, schema)
      } catch {
        errors.add(error)
      }
    }
    return root
  }

  private static func apply(
    _ setting: Override, to root: ConfigurationNode, _ schema: ObjectSchema
  ) throws(ConfigurationErrors) -> ConfigurationNode {
    let parsed = try Parsed(setting)
    let target = try find(parsed.pattern, among: targets(in: root, schema), parsed.place)
    return set(target[...], to: parsed.value, in: root, parsed.place)
  }

  /// The places that overrides name, in the tree in which each of them has been applied.
  ///
  /// Overrides that name no place are left out; whoever applies them reports them.
  static func paths(of overrides: [Override], in root: ConfigurationNode) -> [(
    override: Override, path: [String]
  )] {
    let targets = Self.targets(in: root, RunSchema.root)
    return overrides.compactMap { override -> (override: Override, path: [String])? in
      guard let parsed = try? Parsed(override),
        let path = try? find(parsed.pattern, among: targets, parsed.place)
      else { return nil }
      return (override, path)
    }
  }

  /// Applies overrides that belong together, so that none takes back another, whatever order they are written in: a value that holds
  /// another is set first.
  ///
  /// An optimizer comes before its learning rate, so that the rate is put into the optimizer and not replaced with it.
  /// - Returns: the result, and the place that each override names, in their order.
  /// - Throws: an error where an override names no place, or two name the same.
  static func applyTogether(
    _ overrides: [Override], to root: ConfigurationNode
  ) throws(ConfigurationErrors) -> (root: ConfigurationNode, paths: [[String]]) {
    var parsed: [Parsed] = []
    for override in overrides { parsed.append(try Parsed(override)) }
    var root = root
    var paths = parsed.map { _ in [String]() }
    var pending = Array(parsed.indices)
    while let first = pending.first {
      let targets = Self.targets(in: root, RunSchema.root)
      var next: (index: Int, path: [String])?
      for index in pending {
        // An override whose place does not exist yet waits for another to make it.
        guard let path = try? find(parsed[index].pattern, among: targets, parsed[index].place) else {
          continue
        }
        if path.count < next?.path.count ?? .max { next = (index, path) }
      }
      guard let next else {
        _ = try find(parsed[first].pattern, among: targets, parsed[first].place)
        break
      }
      if let other = paths.firstIndex(of: next.path) {
        throw ConfigurationErrors(
          parsed[max(other, next.index)].place,
          "'\(parsed[other].name)' and '\(parsed[next.index].name)' are both \(next.path.joined(separator: ".")); write it once"
        )
      }
      root = set(next.path[...], to: parsed[next.index].value, in: root, parsed[next.index].place)
      paths[next.index] = next.path
      pending.removeAll { $0 == next.index }
    }
    return (root, paths)
  }

  /// An override in its parts.
  private struct Parsed {
    /// The key as it was written.
    let pattern: [String]
    let value: ConfigurationNode
    let place: ConfigurationLocation

    var name: String { pattern.joined(separator: ".").shortened }

    init(_ setting: Override) throws(ConfigurationErrors) {
      (pattern, value, place) = try Overrides.parse(setting)
    }
  }

  private static func parse(
    _ setting: Override
  ) throws(ConfigurationErrors) -> (pattern: [String], value: ConfigurationNode, place: ConfigurationLocation)
  {
    let (override, place) = (setting.text, setting.location)
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      throw ConfigurationErrors(place, "expected key=value, such as training.epochs=3")
    }
    let path = override[..<equals].trimmed.split(separator: ".", omittingEmptySubsequences: false).map(
      String.init)
    let text = override[override.index(after: equals)...].trimmed
    guard text.utf8.count <= YAMLScreen.scalarLimit else {
      throw ConfigurationErrors(place, "the value is longer than 64 KiB")
    }
    try SourceText.checkCharacters(text) { _, _ in place }
    let value =
      text.isEmpty
      ? ConfigurationNode.plain("", at: place)
      : try YAMLReader.read(text, path: "", override: place)
    return (path, value, place)
  }

  // MARK: - Finding the place

  private static func targets(in root: ConfigurationNode, _ schema: ObjectSchema) -> [Target] {
    var targets: [Target] = []
    collect(root, .object(schema), nil, Target(path: [], kinds: []), &targets)
    return targets
  }

  private static func find(
    _ pattern: [String], among targets: [Target], _ place: ConfigurationLocation
  ) throws(ConfigurationErrors) -> [String] {
    if let exact = targets.first(where: { $0.path == pattern }) { return exact.path }
    let endings = targets.filter { matches($0, pattern) }
    let close = endings.filter { $0.path.suffix(pattern.count).elementsEqual(pattern) }
    let found = close.isEmpty ? endings : close
    if found.count == 1 { return found[0].path }
    if found.count > 1 {
      let names = found.prefix(6).map(\.text).joined(separator: ", ") + (found.count > 6 ? ", …" : "")
      throw ConfigurationErrors(
        place, "'\(pattern.joined(separator: ".").shortened)' could be \(names); write more of the path")
    }
    throw ConfigurationErrors(place, unknown(pattern, targets))
  }

  /// Whether the pattern is the path with parts of its front and middle left out.
  private static func matches(_ target: Target, _ pattern: [String]) -> Bool {
    guard let last = target.path.indices.last, pattern.last == target.path[last] else { return false }
    if target.kinds.contains(last), last > 0, pattern.dropLast().last != target.path[last - 1] {
      return false
    }
    var rest = target.path[...]
    for segment in pattern {
      guard let index = rest.firstIndex(of: segment) else { return false }
      rest = rest[(index + 1)...]
    }
    return true
  }

  private static func unknown(_ pattern: [String], _ targets: [Target]) -> String {
    let written = pattern.joined(separator: ".")
    for length in stride(from: pattern.count - 1, to: 0, by: -1) {
      guard let target = targets.first(where: { $0.path == Array(pattern[..<length]) }),
        let union = target.union,
        let kind = union.kind(pattern[length])
      else { continue }
      return "\(target.text) is not '\(kind.name)' here; set it as a whole, \(target.text)={\(kind.name): …}"
    }
    // Below a single value there are no keys, as in `training.batch.x`.
    let above = Array(pattern.dropLast())
    if !above.isEmpty, let value = targets.first(where: { $0.path.suffix(above.count).elementsEqual(above) }),
      !targets.contains(where: { $0.path.count > value.path.count && $0.path.starts(with: value.path) })
    {
      return "there is no key '\(written.shortened)': \(value.text) is one value; set \(value.text)=…"
    }
    // Places in a list have no names that could be mistyped.
    let named = targets.filter { $0.path.last.map { Int($0) == nil } ?? false }
    let near =
      NearestName.of(written, among: named.map(\.text))
      ?? NearestName.of(pattern.last ?? "", among: named.compactMap(\.path.last)).flatMap { name in
        named.first { $0.path.last == name }?.text
      }
    let hint = near.map { "; did you mean '\($0)'?" } ?? "; see Configs/README.md for all keys"
    return "there is no key '\(written.shortened)'\(hint)"
  }

  /// Lists every place under a node: values that are written, and keys that have defaults.
  private static func collect(
    _ node: ConfigurationNode?, _ schema: Schema, _ fallback: Key.Fallback?, _ at: Target,
    _ targets: inout [Target]
  ) {
    func visit(
      _ name: String, _ node: ConfigurationNode?, _ schema: Schema, _ fallback: Key.Fallback? = nil,
      isKind: Bool = false
    ) {
      var inner = Target(path: at.path + [name], kinds: at.kinds)
      if isKind { inner.kinds.insert(at.path.count) }
      if case .union(let union) = schema { inner.union = union }
      targets.append(inner)
      collect(node, schema, fallback, inner, &targets)
    }
    switch schema {
    case .object(let object):
      for key in object.keys where key.name != "extends" {
        visit(key.name, node?[key.name], key.schema, key.fallback)
      }
    case .union(let union):
      guard let kind = chosenKind(node, fallback).flatMap(union.kind), let payload = kind.payload else {
        return
      }
      visit(kind.name, node?[kind.name], payload, isKind: true)
    case .optional(_, let inner):
      if node?.entries != nil { collect(node, inner, nil, at, &targets) }
    case .list(let element, _):
      guard case .list(let items) = node?.content else { return }
      for (index, item) in items.enumerated() { visit("\(index)", item, element) }
    case .layers:
      guard case .list(let items) = node?.content else { return }
      for (index, item) in items.enumerated() {
        var inner = Target(path: at.path + ["\(index)"], kinds: at.kinds)
        targets.append(inner)
        guard let word = chosenKind(item, nil) else { continue }
        inner.kinds.insert(inner.path.count)
        inner.path.append(word)
        targets.append(inner)
        collect(item[word], layerSchema(word, item[word]), nil, inner, &targets)
      }
    case .blocks:
      for entry in node?.entries ?? [] { visit(entry.key, entry.value, .object(blockSchema(entry.value))) }
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .layerNames,
      .names,
      .sweep:
      break
    }
  }

  static func chosenKind(_ node: ConfigurationNode?, _ fallback: Key.Fallback?) -> String? {
    if let entries = node?.entries { return entries.count == 1 ? entries[0].key : nil }
    if let word = node?.scalarText { return word }
    switch fallback {
    case .scalar(let word): return word
    case .kind(let word, _), .value(.kind(let word, _)): return word
    case .required, .emptyMap, .value, .derived, nil: return nil
    }
  }

  private static func layerSchema(_ word: String, _ payload: ConfigurationNode?) -> Schema {
    if word == LayerSchema.repetitionWord { return .object(LayerSchema.repetition) }
    if let kind = LayerSchema.union.kind(word), let schema = kind.payload { return schema }
    // The use of a block: any parameter that is written there can be set.
    return .object(ObjectSchema("", (payload?.entries ?? []).map { Key($0.key, .text, .required, "") }))
  }

  private static func blockSchema(_ block: ConfigurationNode) -> ObjectSchema {
    let parameters = (block["parameters"]?.entries ?? []).map { Key($0.key, .text, .required, "") }
    return ObjectSchema(
      "",
      [
        Key("parameters", .object(ObjectSchema("", parameters)), .derived(""), ""),
        Key("layers", .layers, .required, ""),
      ])
  }

  // MARK: - Setting the value

  private static func set(
    _ path: ArraySlice<String>, to value: ConfigurationNode, in node: ConfigurationNode?,
    _ place: ConfigurationLocation
  ) -> ConfigurationNode {
    guard let segment = path.first else { return value }
    let rest = path.dropFirst()
    if case .list(var items) = node?.content, let index = Int(segment), items.indices.contains(index) {
      items[index] = set(rest, to: value, in: items[index], place)
      return ConfigurationNode(.list(items), at: node?.location ?? place)
    }
    var entries = node?.entries ?? []
    if let index = entries.firstIndex(where: { $0.key == segment }) {
      entries[index].value = set(rest, to: value, in: entries[index].value, place)
    } else {
      entries.append(
        ConfigurationNode.Entry(key: segment, keyLocation: place, value: set(rest, to: value, in: nil, place))
      )
    }
    return ConfigurationNode(.map(entries), at: node?.location ?? place)
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
