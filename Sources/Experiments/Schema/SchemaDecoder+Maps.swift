internal import Settings

extension SchemaDecoder {
  mutating func decodeObject(
    _ node: ConfigurationNode, _ object: ObjectSchema, at path: String, in parameters: Parameters?
  ) -> ResolvedValue? {
    guard let entries = node.entries else { return mismatch(node, .object(object), at: path) }
    let mistyped = refuseUnknownKeys(entries, of: object, at: path)
    let isNetwork = path == Self.networkPath && object.key("from") != nil
    if isNetwork { beginNetwork(node) }
    var members: [ResolvedValue.Member] = []
    var isComplete = entries.allSatisfy { object.key($0.key) != nil }
    for key in object.keys {
      let keyPath = path.isEmpty ? key.name : "\(path).\(key.name)"
      var value: ResolvedValue?
      if let written = node[key.name] {
        value = decode(written, key.schema, at: keyPath, in: parameters)
      } else {
        switch key.fallback {
        case .required:
          // Another network gives what is missing.
          if !mistyped.contains(key.name), !(isNetwork && node["from"] != nil) {
            errors.add(node.location, "\(keyPath) is missing; it is \(key.schema.expectation)")
          }
        case .scalar(let text):
          value = decode(.plain(text, at: .builtIn), key.schema, at: keyPath)
        case .kind(let kind, let payload):
          let entry = ConfigurationNode.Entry(
            key: kind, keyLocation: .builtIn, value: .plain(payload, at: .builtIn))
          value = decode(ConfigurationNode(.map([entry]), at: .builtIn), key.schema, at: keyPath)
        case .emptyMap:
          value = decode(.emptyMap(at: .builtIn), key.schema, at: keyPath)
        case .value(let content):
          value = ResolvedValue(content, .builtIn)
        case .derived:
          continue
        }
      }
      if let value {
        members.append(ResolvedValue.Member(key: key.name, value: value))
      } else if !key.schema.isDefinition {
        isComplete = false
      }
    }
    if isNetwork {
      members = withSource(members)
      isComplete = isComplete || !expansion.failed && node["from"] != nil
    }
    // The root and its sections stay readable without their faulty members, for the checks that span them.
    return isComplete || !path.contains(".")
      ? ResolvedValue(.map(members), node.location) : nil
  }

  /// Refuses unknown keys.
  ///
  /// - Returns: the known keys that unknown ones come close to, so that they are not reported as missing, too.
  private mutating func refuseUnknownKeys(
    _ entries: [ConfigurationNode.Entry], of object: ObjectSchema, at path: String
  ) -> Set<String> {
    let names = object.keys.map(\.name)
    var mistyped: Set<String> = []
    for entry in entries where object.key(entry.key) == nil {
      let refused = RefusedKey(location: entry.keyLocation, path: path, key: entry.key)
      if let near = refusedKeys[refused] {
        if let near { mistyped.insert(near) }
        continue
      }
      let homes = self.homes(of: entry.key)
      // A word that is right elsewhere is more likely misplaced than mistyped.
      let near =
        errors.isFull
        ? nil
        : ForeignWords.translation(of: entry.key, among: names) ?? Self.beginning(entry.key, among: names)
          ?? (homes.isEmpty ? NearestName.of(entry.key, among: names) : nil)
      if let near { mistyped.insert(near) }
      refusedKeys[refused] = .some(near)
      let hint = near.map { "; did you mean '\($0)'?" } ?? homeHint(of: entry.key, homes)
      errors.add(
        entry.keyLocation,
        "unknown key '\(entry.key.shortened)' in \(path.isEmpty ? "the configuration" : path); "
          + "known are \(names.joined(separator: ", "))\(hint)")
    }
    return mistyped
  }

  /// The only known key that begins with a word of at least three letters.
  private static func beginning(_ word: String, among names: [String]) -> String? {
    let longer = names.filter { $0.hasPrefix(word) }
    return word.utf8.count >= 3 && longer.count == 1 ? longer[0] : nil
  }

  /// The sections, and the kinds in them, that have a key of this name; at most three.
  private func homes(of name: String) -> [String] {
    func kinds(_ schema: Schema, _ path: String) -> [String] {
      switch schema {
      case .object(let object):
        object.keys.flatMap { kinds($0.schema, path.isEmpty ? $0.name : "\(path).\($0.name)") }
      case .optional(_, let inner): kinds(inner, path)
      case .union(let union):
        union.kinds.compactMap { kind in
          guard case .object(let object)? = kind.payload, object.key(name) != nil else { return nil }
          return "\(path).\(kind.name)"
        }
      case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list,
        .layerNames, .names, .layers, .blocks, .sweep:
        []
      }
    }
    let found = root.homes(of: name) + kinds(.object(root), "")
    return found.count > 3 ? found.prefix(3) + ["…"] : found
  }

  /// A hint at the place where a key would be right, under its own name or the one that it has here.
  private func homeHint(of key: String, _ homes: [String]) -> String {
    if !homes.isEmpty { return "; '\(key)' belongs to \(homes.joined(separator: ", "))" }
    for word in ForeignWords.translations(of: key) {
      let homes = self.homes(of: word)
      if !homes.isEmpty {
        return "; it is called '\(word)' here and belongs to \(homes.joined(separator: ", "))"
      }
    }
    return ""
  }

  mutating func decodeUnion(
    _ node: ConfigurationNode, _ union: UnionSchema, at path: String, in parameters: Parameters?
  ) -> ResolvedValue? {
    switch node.content {
    case .scalar(let word, _) where !word.isEmpty:
      guard let kind = union.kind(word) else {
        return unknownKind(word, node.location, union, at: path)
      }
      switch kind.payload {
      case nil:
        return ResolvedValue(.kind(word, nil), node.location)
      case .object(let object):
        let empty = ConfigurationNode.emptyMap(at: node.location)
        return decodeObject(empty, object, at: "\(path).\(word)", in: parameters)
          .map { ResolvedValue(.kind(word, $0), node.location) }
      case .some(let payload):
        errors.add(
          node.location, at: path,
          "found the bare word '\(word)', expected {\(word): …} with \(payload.expectation)")
        return nil
      }
    case .map(let entries) where entries.count == 1:
      guard let kind = union.kind(entries[0].key) else {
        return unknownKind(entries[0].key, entries[0].keyLocation, union, at: path)
      }
      guard let payload = kind.payload else {
        errors.add(
          entries[0].keyLocation, at: path, "'\(kind.name)' takes no values; write \(kind.name) by itself")
        return nil
      }
      return decode(entries[0].value, payload, at: "\(path).\(kind.name)", in: parameters)
        .map { ResolvedValue(.kind(kind.name, $0), node.location) }
    case .map(let entries) where entries.count > 1:
      errors.add(
        entries[1].keyLocation, at: path,
        "found the keys \(entries.map { "'\($0.key.shortened)'" }.joined(separator: ", ")), "
          + "expected one, the kind of \(union.noun)\(union.wrappingAdvice(entries.map(\.key)))")
      return nil
    case .scalar, .list, .map:
      return mismatch(node, .union(union), at: path)
    }
  }

  private mutating func unknownKind(
    _ word: String, _ location: ConfigurationLocation, _ union: UnionSchema, at path: String
  ) -> ResolvedValue? {
    errors.add(
      location, at: path,
      "unknown \(union.noun) '\(word.shortened)', expected \(union.forms)"
        + union.wrappingAdvice([word]) + NearestName.hint(word, among: union.kinds.map(\.name)))
    return nil
  }
}

extension UnionSchema {
  /// Advice for `optimizer: {learning_rate: 0.1}`: the kinds that have such keys.
  fileprivate func wrappingAdvice(_ keys: [String]) -> String {
    let owners = kinds.filter { kind in
      guard case .object(let object) = kind.payload else { return false }
      return keys.contains { object.key($0) != nil && self.kind($0) == nil }
    }
    return owners.isEmpty
      ? ""
      : "; these keys go inside it, as in {\(owners[0].name): {\(keys.first { kind($0) == nil } ?? ""): …}}"
  }
}
