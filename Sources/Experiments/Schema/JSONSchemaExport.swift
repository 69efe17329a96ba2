internal import Settings

extension ConfigurationFile {
  /// The schema of configurations as JSON Schema, draft 2020-12, by which editors complete and check.
  public static var jsonSchema: String {
    JSONSchemaExport(root: RunSchema.root, title: "Convoy run").document.text(isPretty: true) + "\n"
  }
}

extension LookConfiguration {
  /// The schema of looks as JSON Schema, draft 2020-12.
  public static var jsonSchema: String {
    JSONSchemaExport(root: LookSchema.root, title: "Convoy look").document.text(isPretty: true) + "\n"
  }
}

/// Translates the schema into JSON Schema.
struct JSONSchemaExport {
  let root: ObjectSchema
  let title: String

  private static let parameterReference = JSONValue.map([
    "type": .text("string"), "pattern": .text("^\\$[A-Za-z]"),
    "description": .text("A parameter of the surrounding block."),
  ])

  var document: JSONValue {
    var root = object(self.root, inLayers: false)
    // A file that extends another may leave everything to that one.
    let extends = JSONValue.map(["required": .list([.text("extends")])])
    root["anyOf"] = .list([extends, .map(requirements(.object(self.root)))])
    root["$schema"] = .text("https://json-schema.org/draft/2020-12/schema")
    root["title"] = .text(title)
    root["$defs"] = .map(["layers": .map(layers), "block": .map(object(LayerSchema.block, inLayers: true))])
    return .map(root)
  }

  private typealias Members = [String: JSONValue]

  private func type(_ name: String, _ more: Members = [:]) -> Members {
    more.merging(["type": .text(name)]) { first, _ in first }
  }

  /// - Parameter inLayers: whether a block's parameter may stand for a value here.
  private func members(_ schema: Schema, inLayers: Bool) -> Members {
    switch schema {
    case .integer(let range):
      return parameterized(
        type("integer", ["minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]),
        inLayers)
    case .number(let range): return parameterized(number(range), inLayers)
    case .boolean: return parameterized(type("boolean"), inLayers)
    case .text, .formatted, .path: return type("string", ["minLength": .integer(1)])
    case .name:
      return type("string", ["pattern": .text("^[A-Za-z][A-Za-z0-9_.-]*$"), "maxLength": .integer(200)])
    case .choice(let choices):
      return parameterized(["enum": .list(choices.map { .text($0.word) })], inLayers)
    case .byteSize:
      return type("string", ["pattern": .text("^[0-9]+(\\.[0-9]*)? *(B|[KMGT]iB|[kMGT]B)$")])
    case .size(let range):
      let side = members(.integer(range), inLayers: inLayers)
      let pair = type(
        "array", ["items": .map(side), "minItems": .integer(2), "maxItems": .integer(2)])
      return ["anyOf": .list([.map(side), .map(pair)])]
    case .list(let element, let count):
      return type(
        "array",
        [
          "items": .map(members(element, inLayers: inLayers)), "minItems": .integer(count.lowerBound),
          "maxItems": .integer(count.upperBound),
        ])
    case .layerNames:
      let name = JSONValue.map(members(.name, inLayers: false))
      return ["anyOf": .list([name, .map(type("array", ["items": name, "minItems": .integer(1)]))])]
    case .names:
      return type("object", ["additionalProperties": .map(type("string", ["minLength": .integer(1)]))])
    case .object(let object): return self.object(object, inLayers: inLayers)
    case .union(let union): return self.union(union, inLayers: inLayers)
    case .optional(let word, let inner):
      return ["anyOf": .list([.map(["const": .text(word)]), .map(members(inner, inLayers: inLayers))])]
    case .layers: return ["$ref": .text("#/$defs/layers")]
    case .blocks: return type("object", ["additionalProperties": .map(["$ref": .text("#/$defs/block")])])
    case .sweep: return sweep
    }
  }

  /// One of grid, random and list; it does not say which keys can be varied, and to what.
  private var sweep: Members {
    let choices = type("object", ["additionalProperties": .map(type("array", ["minItems": .integer(1)]))])
    let random = type(
      "object",
      [
        "properties": .map([
          "runs": .map(members(.integer(1...SweepDefinition.limit), inLayers: false)),
          "seed": .map(members(.integer(0...Int.max), inLayers: false)), "keys": .map(type("object")),
        ]), "required": .list([.text("runs"), .text("keys")]), "additionalProperties": .boolean(false),
      ])
    let list = type("array", ["items": .map(type("object")), "minItems": .integer(1)])
    return type(
      "object",
      [
        "properties": .map(["grid": .map(choices), "random": .map(random), "list": .map(list)]),
        "additionalProperties": .boolean(false), "minProperties": .integer(1), "maxProperties": .integer(1),
      ])
  }

  private func parameterized(_ members: Members, _ inLayers: Bool) -> Members {
    inLayers ? ["anyOf": .list([.map(members), JSONSchemaExport.parameterReference])] : members
  }

  /// A JSON number, or the text of a fraction such as `1/255` (editors read `1e-3` as text, too).
  private func number(_ range: NumberRange) -> Members {
    var own = type("number")
    if range.minimum > NumberRange.any.minimum {
      own[range.minimumIsAllowed ? "minimum" : "exclusiveMinimum"] = .number(range.minimum)
    }
    if range.maximum < NumberRange.any.maximum {
      own[range.maximumIsAllowed ? "maximum" : "exclusiveMaximum"] = .number(range.maximum)
    }
    let fraction = type("string", ["pattern": .text("^[-+0-9.eE]+(/[-+0-9.eE]+)?$")])
    return ["anyOf": .list([.map(own), .map(fraction)])]
  }

  /// The requirements on a file that extends no other, and nothing else.
  private func requirements(_ schema: Schema) -> Members {
    var properties: Members = [:]
    var required: [JSONValue] = []
    func inner(_ name: String, _ schema: Schema) {
      let own = requirements(schema)
      if !own.isEmpty { properties[name] = .map(own) }
    }
    switch schema {
    case .object(let object):
      for key in object.keys {
        // A network that begins with layers of another one has its input, and may have all of its layers, from there.
        if case .required = key.fallback, object.key("from") == nil { required.append(.text(key.name)) }
        inner(key.name, key.schema)
      }
    case .union(let union):
      for kind in union.kinds { if let payload = kind.payload { inner(kind.name, payload) } }
    case .optional(_, let optional):
      return requirements(optional)
    case .integer, .number, .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list,
      .layerNames, .names, .layers, .blocks, .sweep:
      break
    }
    var result: Members = [:]
    if !properties.isEmpty { result["properties"] = .map(properties) }
    if !required.isEmpty { result["required"] = .list(required) }
    return result
  }

  /// Names required keys only inside layers, which no other file completes.
  private func object(_ object: ObjectSchema, inLayers: Bool) -> Members {
    var properties: Members = [:]
    var required: [JSONValue] = []
    for key in object.keys {
      var own = key.name == "parameters" ? type("object") : members(key.schema, inLayers: inLayers)
      own["description"] = .text(key.summary)
      switch key.fallback {
      case .required: required.append(.text(key.name))
      case .scalar(let text): own["default"] = fallback(text, key.schema)
      case .kind(let name, let text): own["default"] = .map([name: fallback(text, .number(.any))])
      case .emptyMap: own["default"] = .map([:])
      case .value(let content): own["default"] = content.shortest(key.schema).json
      case .derived: break
      }
      properties[key.name] = .map(own)
    }
    var result = type(
      "object",
      [
        "properties": .map(properties), "additionalProperties": .boolean(false),
        "description": .text(object.summary),
      ])
    if inLayers, !required.isEmpty { result["required"] = .list(required) }
    return result
  }

  private func fallback(_ text: String, _ schema: Schema) -> JSONValue {
    switch schema {
    case .integer, .size: ScalarText.integer(text).map { .integer($0) } ?? .text(text)
    case .number: ScalarText.number(text).map { .number($0) } ?? .text(text)
    case .boolean: .boolean(text == "true")
    case .text, .formatted, .name, .choice, .byteSize, .path, .list, .layerNames, .names, .object, .union,
      .optional,
      .layers, .blocks, .sweep:
      .text(text)
    }
  }

  private func union(_ union: UnionSchema, inLayers: Bool) -> Members {
    var forms: [JSONValue] = []
    let bare = union.kinds.filter(\.canBeBare)
    if !bare.isEmpty { forms.append(.map(["enum": .list(bare.map { Self.word($0.name) })])) }
    let withPayload = union.kinds.filter { $0.payload != nil }
    if !withPayload.isEmpty { forms.append(.map(oneKey(kinds(withPayload, inLayers: inLayers)))) }
    return ["anyOf": .list(forms)]
  }

  /// A kind's word as YAML's readers take it.
  private static func word(_ name: String) -> JSONValue {
    ["true", "false"].contains(name) ? .boolean(name == "true") : .text(name)
  }

  private func kinds(_ kinds: [UnionSchema.Kind], inLayers: Bool) -> Members {
    var properties: Members = [:]
    for kind in kinds {
      guard let payload = kind.payload else { continue }
      var own = members(payload, inLayers: inLayers)
      own["description"] = .text(kind.summary)
      properties[kind.name] = .map(own)
    }
    return properties
  }

  private func oneKey(_ properties: Members, others: JSONValue = .boolean(false)) -> Members {
    type(
      "object",
      [
        "properties": .map(properties), "additionalProperties": others, "minProperties": .integer(1),
        "maxProperties": .integer(1),
      ])
  }

  /// Layers, repetitions, and uses of blocks, whose names only the file knows.
  private var layers: Members {
    var properties = kinds(LayerSchema.union.kinds, inLayers: true)
    properties[LayerSchema.repetitionWord] = .map(object(LayerSchema.repetition, inLayers: true))
    let use = JSONValue.map(type("object", ["description": .text("A use of a block, with its parameters.")]))
    let bare = type("string", ["description": .text("A layer or block with all its defaults.")])
    return type(
      "array",
      [
        "minItems": .integer(1),
        "items": .map(["anyOf": .list([.map(bare), .map(oneKey(properties, others: use))])]),
      ])
  }
}
