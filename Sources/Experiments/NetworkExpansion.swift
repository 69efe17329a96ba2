/// What is known of a network while its layers are read: blocks on one side, layers in their final order on the other.
struct NetworkExpansion {
  /// More layers than this are taken for a mistake in `times`.
  static let limit = 4096

  /// A group of layers with a name and parameters.
  struct Block {
    let name: String
    /// Its place among the blocks; a block may use those before it.
    let index: Int
    /// Parameters with their defaults, nil for `required`.
    let parameters: [(name: String, fallback: ConfigurationNode?)]
    let layers: ConfigurationNode
  }

  /// A layer after `repeat` and blocks are written out.
  struct FlatLayer {
    let name: String
    let inputs: [String]
    let kind: String
    /// The layer's own values, without name and inputs.
    let fields: ResolvedValue
    let value: ResolvedValue
    let location: ConfigurationLocation
    /// Where the outermost block or repetition around it is used.
    let use: ConfigurationLocation?
  }

  var blocks: [Block] = []
  var layers: [FlatLayer] = []
  /// Items written out so far, also those that turned out wrong.
  var work = 0
  var failed = false
  /// Names of all definitions, also of those still to be read.
  var definedNames: Set<String> = []
  /// True while a block's definition is read for its own sake.
  var isChecking = false
}

/// The names that layers can refer to, inside one list of layers.
private struct LayerScope {
  /// Stands before every name in here: `residual_1.`.
  let prefix: String
  /// Full names of what comes before the list, and of the latest layer in it.
  let input: String
  var previous: String
  let parameters: SchemaDecoder.Parameters?
  /// How many blocks are defined where the list stands.
  let visibleBlocks: Int
  let use: ConfigurationLocation?
  var names: [String: String] = [:]
  var explicit: Set<String> = []
  var counts: [String: Int] = [:]

  init(
    prefix: String, input: String, parameters: SchemaDecoder.Parameters?, visibleBlocks: Int,
    use: ConfigurationLocation?
  ) {
    self.prefix = prefix
    self.input = input
    self.previous = input
    self.parameters = parameters
    self.visibleBlocks = visibleBlocks
    self.use = use
  }

  /// The word, then the word with `_1`, `_2`, …, leaving out names that are given by hand.
  mutating func automaticName(_ word: String) -> String {
    while true {
      let count = counts[word, default: 0]
      counts[word] = count + 1
      let name = count == 0 ? word : "\(word)_\(count)"
      if !explicit.contains(name) { return name }
    }
  }
}

// MARK: - Layers

extension SchemaDecoder {
  /// Reads the network's layers, writes out `repeat` and blocks, and gives every layer its name and inputs.
  mutating func decodeLayers(_ node: ConfigurationNode, at path: String) -> ResolvedValue? {
    var scope = LayerScope(
      prefix: "", input: "input", parameters: nil, visibleBlocks: expansion.blocks.count, use: nil)
    expand(node, in: &scope, at: path)
    guard !expansion.failed else { return nil }
    return ResolvedValue(.list(expansion.layers.map(\.value)), node.location)
  }

  private mutating func expand(_ node: ConfigurationNode, in scope: inout LayerScope, at path: String) {
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

  private mutating func fail(_ location: ConfigurationLocation, _ message: String) {
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
        "\(path): an entry holds one layer; found the keys \(names); what belongs to '\(entries[0].key.shortened)' "
          + "must be indented under it")
      return
    default:
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
        name: name, inputs: inputs, kind: word, fields: own, value: whole, location: location, use: scope.use)
    )
  }

  /// Decides the name, and makes it what the next layer follows.
  ///
  /// - Returns: The full name.
  private mutating func place(
    _ word: String, _ payload: ConfigurationNode, in scope: inout LayerScope, at path: String
  ) -> String {
    var local = scope.automaticName(word)
    if let node = payload["name"], let written = node.scalarText, written.isConfigurationName {
      if written == "input" {
        fail(
          node.location, "\(path).name: 'input' is the name of what comes before the layers; choose another")
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

  private mutating func resolveInputs(
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
          "\(path).inputs: '\(name.shortened)' is no layer before this one; there are \(known.joined(separator: ", "))"
            + NearestName.hint(name, among: known))
      }
    }
    return inputs.count == items.count ? inputs : nil
  }

  // MARK: - Repetitions and blocks

  private mutating func expandRepetition(
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

  private mutating func expandUse(
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

  /// Lets the group's name stand for the output of its last layer.
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
        "\(path): '\(text.shortened)' is no parameter here"
          + NearestName.hint(String(text.dropFirst()), among: scope.parameters?.arguments.keys.sorted() ?? [])
      )
      return .unknown
    }
    return outer
  }

  /// - Returns: Known names that unknown keys come close to.
  private mutating func checkKeys(_ node: ConfigurationNode, _ known: [String], at path: String) -> Set<
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

  /// Reads definitions of blocks, and checks each by itself so that its mistakes are reported once, where they stand.
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
            ? "\(blockPath): '\(entry.key)' has a meaning already; choose another name for the block"
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
    // Unknown values leave gaps that are no mistakes; only what is reported counts.
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
