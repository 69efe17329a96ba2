internal import Settings

// Groups of layers: repetitions, blocks and their uses.

extension SchemaDecoder {
  // MARK: - Repetitions and blocks

  mutating func expandRepetition(
    _ payload: ConfigurationNode, in scope: inout LayerScope, at path: String
  ) {
    let word = LayerSchema.repetitionWord
    guard payload.entries != nil else {
      fail(payload.location, "\(path): found \(payload.found), expected {times: …, layers: […]}")
      return
    }
    let mistyped = checkKeys(payload, LayerSchema.repetition.keys.map(\.name), at: path)
    let input = singleInput(payload, in: scope, at: path)
    var times = 1
    if let node = payload["times"] {
      let value = decode(node, .integer(1...1000), at: "\(path).times", in: scope.parameters)
      if let value = value?.integer { times = value } else { expansion.failed = true }
    } else if !mistyped.contains("times") {
      fail(payload.location, "\(path).times is missing; it is a whole number from 1 to 1000")
    }
    guard let layers = payload["layers"] else {
      if !mistyped.contains("layers") {
        fail(payload.location, "\(path).layers is missing; it is a list of layers")
      }
      return
    }
    let full = place(word, payload, in: &scope, at: path)
    var last = input
    for time in 1...(expansion.isChecking ? 1 : times) {
      var inner = LayerScope(
        prefix: "\(full).\(time).", input: last, parameters: scope.parameters,
        visibleBlocks: scope.visibleBlocks, use: scope.use)
      expand(layers, in: &inner, at: "\(path).layers")
      last = inner.previous
      if expansion.work > NetworkExpansion.limit { break }
    }
    finish(full, output: last, in: &scope)
  }

  mutating func expandUse(
    of block: NetworkExpansion.Block, _ payload: ConfigurationNode, in scope: inout LayerScope,
    at path: String,
    location: ConfigurationLocation
  ) {
    let parameters = block.parameters.map(\.name)
    guard payload.entries != nil else {
      let keys = (parameters + ["name", "inputs"]).joined(separator: ", ")
      fail(payload.location, "\(path): found \(payload.found), expected a map with \(keys)")
      return
    }
    let mistyped = checkKeys(payload, parameters + LayerSchema.use.keys.map(\.name), at: path)
    let input = singleInput(payload, in: scope, at: path)
    var arguments: [String: Parameters.Argument] = [:]
    for parameter in block.parameters {
      if let written = payload[parameter.name] {
        arguments[parameter.name] = resolveArgument(written, in: scope, at: "\(path).\(parameter.name)")
      } else if let fallback = parameter.fallback {
        arguments[parameter.name] = .value(fallback)
      } else {
        if !mistyped.contains(parameter.name) {
          fail(location, "\(path): the parameter '\(parameter.name)' is missing; the block requires it")
        }
        arguments[parameter.name] = .unknown
      }
    }
    let full = place(block.name, payload, in: &scope, at: path)
    guard !expansion.isChecking else { return }
    var inner = LayerScope(
      prefix: "\(full).", input: input, parameters: Parameters(arguments: arguments),
      visibleBlocks: block.index, use: scope.use ?? location)
    expand(block.layers, in: &inner, at: "network.blocks.\(block.name).layers")
    finish(full, output: inner.previous, in: &scope)
  }

  /// Makes the group's name stand for the output of its last layer.
  private func finish(_ full: String, output: String, in scope: inout LayerScope) {
    scope.names[String(full.dropFirst(scope.prefix.count))] = output
    scope.previous = output
  }

  private mutating func singleInput(
    _ payload: ConfigurationNode, in scope: LayerScope, at path: String
  ) -> String {
    guard let node = payload["inputs"] else { return scope.previous }
    guard let written = decode(node, .layerNames, at: "\(path).inputs"),
      let inputs = resolveInputs(written, in: scope, at: path)
    else {
      expansion.failed = true
      return scope.previous
    }
    if inputs.count != 1 { fail(node.location, "\(path).inputs: found \(inputs.count) names, expected one") }
    return inputs[0]
  }

  private mutating func resolveArgument(
    _ node: ConfigurationNode, in scope: LayerScope, at path: String
  ) -> Parameters.Argument {
    if node.entries != nil || node.scalarText == "" {
      fail(node.location, "\(path): found \(node.found), expected a value")
      return .unknown
    }
    guard case .scalar(let text, isPlain: true) = node.content, text.hasPrefix("$") else {
      return .value(node)
    }
    guard let outer = scope.parameters?.arguments[String(text.dropFirst())] else {
      fail(
        node.location,
        "\(path): '\(text.shortened)' is not a parameter here"
          + NearestName.hint(String(text.dropFirst()), among: scope.parameters?.arguments.keys.sorted() ?? [])
      )
      return .unknown
    }
    return outer
  }

  /// Refuses unknown keys.
  ///
  /// - Returns: the known names that unknown keys come close to.
  mutating func checkKeys(_ node: ConfigurationNode, _ known: [String], at path: String) -> Set<
    String
  > {
    var mistyped: Set<String> = []
    for entry in node.entries ?? [] where !known.contains(entry.key) {
      if let near = NearestName.of(entry.key, among: known) { mistyped.insert(near) }
      fail(
        entry.keyLocation,
        "unknown key '\(entry.key.shortened)' in \(path); known are \(known.joined(separator: ", "))"
          + NearestName.hint(entry.key, among: known))
    }
    return mistyped
  }

  // MARK: - Definitions

  /// Reads the definitions of blocks, and checks each by itself so that its errors are reported once, where they stand.
  mutating func defineBlocks(_ node: ConfigurationNode, at path: String) {
    guard let entries = node.entries else {
      fail(node.location, "\(path): found \(node.found), expected \(Schema.blocks.expectation)")
      return
    }
    expansion.definedNames = Set(entries.map(\.key))
    for entry in entries {
      let blockPath = "\(path).\(entry.key.shortened)"
      let taken =
        LayerSchema.union.kind(entry.key) != nil || [LayerSchema.repetitionWord, "input"].contains(entry.key)
      if taken || !entry.key.isConfigurationName {
        fail(
          entry.keyLocation,
          taken
            ? "\(blockPath): '\(entry.key)' already has a meaning; choose another name for the block"
            : "\(blockPath): found the name '\(entry.key.shortened)', expected \(Schema.name.expectation)")
        continue
      }
      define(entry, at: blockPath)
    }
  }

  private mutating func define(_ entry: ConfigurationNode.Entry, at path: String) {
    guard entry.value.entries != nil else {
      fail(
        entry.value.location, "\(path): found \(entry.value.found), expected a map with parameters, layers")
      return
    }
    let mistyped = checkKeys(entry.value, LayerSchema.block.keys.map(\.name), at: path)
    guard let layers = entry.value["layers"] else {
      if !mistyped.contains("layers") {
        fail(entry.value.location, "\(path).layers is missing; it is a list of layers")
      }
      return
    }
    var parameters: [(name: String, fallback: ConfigurationNode?)] = []
    if let node = entry.value["parameters"] {
      guard let written = node.entries else {
        fail(
          node.location,
          "\(path).parameters: found \(node.found), expected a map such as {filters: required, stride: 1}")
        return
      }
      for parameter in written { define(parameter, of: layers, in: &parameters, at: "\(path).parameters") }
    }
    let block = NetworkExpansion.Block(
      name: entry.key, index: expansion.blocks.count, parameters: parameters, layers: layers)
    var arguments: [String: Parameters.Argument] = [:]
    for (name, fallback) in parameters { arguments[name] = fallback.map { .value($0) } ?? .unknown }
    // Unknown values leave gaps that are not errors; only reported errors count.
    let (failedBefore, countBefore) = (expansion.failed, errors.errors.count)
    expansion.isChecking = true
    var scope = LayerScope(
      prefix: "", input: "input", parameters: Parameters(arguments: arguments), visibleBlocks: block.index,
      use: nil)
    expand(layers, in: &scope, at: "\(path).layers")
    expansion.isChecking = false
    expansion.failed = failedBefore || errors.errors.count > countBefore
    expansion.blocks.append(block)
  }

  private mutating func define(
    _ parameter: ConfigurationNode.Entry, of layers: ConfigurationNode,
    in parameters: inout [(name: String, fallback: ConfigurationNode?)], at path: String
  ) {
    let reserved = LayerSchema.use.keys.map(\.name)
    if !parameter.key.isConfigurationName || reserved.contains(parameter.key) {
      fail(
        parameter.keyLocation,
        "\(path): '\(parameter.key.shortened)' cannot name a parameter; expected a word other than "
          + reserved.joined(separator: ", "))
    } else if parameter.value.entries != nil || parameter.value.scalarText == "" {
      fail(
        parameter.value.location,
        "\(path).\(parameter.key): found \(parameter.value.found), expected a default value, or `required`")
    } else if !layers.mentions("$" + parameter.key) {
      fail(parameter.keyLocation, "\(path): the block's layers never use '$\(parameter.key)'")
    }
    let isRequired = parameter.value.scalarText == LayerSchema.requiredWord
    parameters.append((parameter.key, isRequired ? nil : parameter.value))
  }
}

extension ConfigurationNode {
  /// Whether a plain scalar in here is exactly this text.
  fileprivate func mentions(_ text: String) -> Bool {
    switch content {
    case .scalar(let own, let isPlain): isPlain && own == text
    case .list(let items): items.contains { $0.mentions(text) }
    case .map(let entries): entries.contains { $0.value.mentions(text) }
    }
  }
}
