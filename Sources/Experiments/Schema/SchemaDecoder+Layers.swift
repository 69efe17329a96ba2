internal import Settings

extension SchemaDecoder {
  /// Reads the network's layers, writes out `repeat` and blocks, and gives every layer its name and inputs.
  mutating func decodeLayers(_ node: ConfigurationNode, at path: String) -> ResolvedValue? {
    var scope = LayerScope(
      prefix: "", input: "input", parameters: nil, visibleBlocks: expansion.blocks.count, use: nil)
    for name in expansion.source?.layers ?? [] {
      scope.names[name] = name
      scope.explicit.insert(name)
      scope.previous = name
    }
    expand(node, in: &scope, at: path)
    guard !expansion.failed else { return nil }
    return ResolvedValue(.list(expansion.layers.map(\.value)), node.location)
  }

  mutating func expand(_ node: ConfigurationNode, in scope: inout LayerScope, at path: String) {
    guard case .list(let items) = node.content, !items.isEmpty else {
      fail(node.location, "\(path): found \(node.found), expected a list of at least one layer")
      return
    }
    for item in items {
      if let name = item.entries?.first?.value["name"]?.scalarText { scope.explicit.insert(name) }
    }
    for (index, item) in items.enumerated() {
      if !expansion.isChecking {
        expansion.work += 1
        guard expansion.work <= NetworkExpansion.limit else {
          guard expansion.work == NetworkExpansion.limit + 1 else { return }
          fail(item.location, "\(path): the network grows beyond \(NetworkExpansion.limit) layers here")
          return
        }
      }
      expandItem(item, in: &scope, at: "\(path).\(index)")
    }
  }

  mutating func fail(_ location: ConfigurationLocation, _ message: String) {
    expansion.failed = true
    errors.add(location, message)
  }

  private mutating func expandItem(_ item: ConfigurationNode, in scope: inout LayerScope, at path: String) {
    let word: String
    let wordLocation: ConfigurationLocation
    let payload: ConfigurationNode
    switch item.content {
    case .scalar(let text, _) where !text.isEmpty:
      (word, wordLocation, payload) = (text, item.location, .emptyMap(at: item.location))
    case .map(let entries) where entries.count == 1:
      (word, wordLocation, payload) = (entries[0].key, entries[0].keyLocation, entries[0].value)
    case .map(let entries) where entries.count > 1:
      let names = entries.map { "'\($0.key.shortened)'" }.joined(separator: ", ")
      fail(
        entries[1].keyLocation,
        "\(path): an entry holds one layer; found the keys \(names); the settings of '\(entries[0].key.shortened)' "
          + "must be indented under it")
      return
    case .scalar, .list, .map:
      fail(
        item.location,
        "\(path): found \(item.found), expected a layer such as `flatten` or `dense: {units: 10}`")
      return
    }
    if word == LayerSchema.repetitionWord {
      expandRepetition(payload, in: &scope, at: "\(path).\(word)")
    } else if case .object(let object) = LayerSchema.union.kind(word)?.payload {
      expandLayer(word, payload, object, in: &scope, at: "\(path).\(word)", location: wordLocation)
    } else if let block = expansion.blocks.prefix(scope.visibleBlocks).first(where: { $0.name == word }) {
      expandUse(of: block, payload, in: &scope, at: "\(path).\(word)", location: wordLocation)
    } else {
      unknownLayer(word, wordLocation, scope, at: path)
    }
  }

  private mutating func unknownLayer(
    _ word: String, _ location: ConfigurationLocation, _ scope: LayerScope, at path: String
  ) {
    if expansion.definedNames.contains(word) {
      fail(location, "\(path): a block can only use blocks that are defined above it, and '\(word)' is not")
      return
    }
    let blocks = expansion.blocks.prefix(scope.visibleBlocks).map(\.name)
    let known = LayerSchema.union.kinds.map(\.name) + [LayerSchema.repetitionWord] + blocks
    let hint =
      word.hasPrefix("$")
      ? "; a parameter stands for a value, not for a layer" : NearestName.hint(word, among: known)
    fail(
      location,
      "\(path): unknown layer '\(word.shortened)'; known are \(known.joined(separator: ", "))\(hint)")
  }

  private mutating func expandLayer(
    _ word: String, _ payload: ConfigurationNode, _ object: ObjectSchema, in scope: inout LayerScope,
    at path: String, location: ConfigurationLocation
  ) {
    let value = decodeObject(payload, object, at: path, in: scope.parameters)
    let inputs = resolveInputs(value?["inputs"], in: scope, at: path)
    let name = place(word, payload, in: &scope, at: path)
    guard let fields = value?.members?.filter({ !["name", "inputs"].contains($0.key) }), let inputs else {
      expansion.failed = true
      return
    }
    guard !expansion.isChecking else { return }
    let own = ResolvedValue(.map(fields), location)
    let placement = [
      ResolvedValue.Member(
        key: "name", value: ResolvedValue(.text(name), value?["name"]?.origin ?? .builtIn)),
      ResolvedValue.Member(
        key: "inputs",
        value: ResolvedValue(
          .list(inputs.map { ResolvedValue(.text($0), value?["inputs"]?.origin ?? .builtIn) }),
          value?["inputs"]?.origin ?? .builtIn)),
    ]
    let whole = ResolvedValue(.kind(word, ResolvedValue(.map(placement + fields), location)), location)
    expansion.layers.append(
      NetworkExpansion.FlatLayer(
        name: name, inputs: inputs, word: word, fields: own, value: whole, location: location, use: scope.use)
    )
  }

  /// Decides the name of a layer or group, which becomes the one that the next layer follows.
  ///
  /// - Returns: the full name.
  mutating func place(
    _ word: String, _ payload: ConfigurationNode, in scope: inout LayerScope, at path: String
  ) -> String {
    var local = scope.automaticName(word)
    if let node = payload["name"], let written = node.scalarText, written.isConfigurationName {
      if written == "input" {
        fail(
          node.location,
          "\(path).name: 'input' is the name of whatever comes before the layers; choose another")
      } else if scope.names[written] != nil {
        fail(node.location, "\(path).name: another layer here is already named '\(written)'")
      }
      local = written
    }
    let full = scope.prefix + local
    scope.names[local] = full
    scope.previous = full
    return full
  }

  mutating func resolveInputs(
    _ written: ResolvedValue?, in scope: LayerScope, at path: String
  ) -> [String]? {
    guard let items = written?.list else { return [scope.previous] }
    var inputs: [String] = []
    for item in items {
      let name = item.text ?? ""
      if name == "input" {
        inputs.append(scope.input)
      } else if let full = scope.names[name] {
        inputs.append(full)
      } else {
        let known = ["input"] + scope.names.keys.sorted()
        fail(
          item.origin,
          "\(path).inputs: '\(name.shortened)' is not an earlier layer; known are \(known.joined(separator: ", "))"
            + NearestName.hint(name, among: known))
      }
    }
    return inputs.count == items.count ? inputs : nil
  }
}
