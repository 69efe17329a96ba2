internal import Networks
internal import Tensors

/// Reads the document of a Keras model: Sequential or Functional, of Keras 2 (edges as lists) or Keras 3 (edges as objects).
///
/// The layers of nested models become layers of the model itself.
struct KerasModelReader {
  private(set) var model: ModelDescription
  private var used: Set<String> = [Network.inputName]
  private let path: String
  /// The models that are being read, from the outermost on.
  private var levels: [Level] = []

  /// A model within the model, and where a file that keeps each layer's weights apart has them.
  private struct Level {
    /// The names of the models around its layers, without the outermost.
    let names: [String]
    /// The group of each layer by its name.
    let groups: [String: String]
  }

  init(_ document: JSONValue, path: String) throws {
    self.path = path
    guard let config = document["config"] else {
      throw InterchangeError(.badData, "\(path): its model_config has no 'config'")
    }
    // Keras before 2.2 wrote a Sequential's config as the bare list of layers.
    let name = config["name"]?.string ?? "model"
    model = ModelDescription(name: name, inputShape: [], layers: [], output: Network.inputName)
    model.output = try open(
      document, name: name, inputs: [Network.inputName], owner: nil, isTrainable: true)
    try sort()
  }

  // MARK: - Models

  /// Adds a model's layers.
  ///
  /// - Returns: the name of the layer that gives the model's output.
  private mutating func open(
    _ document: JSONValue, name: String, inputs: [String], owner: String?, isTrainable: Bool
  ) throws -> String {
    let className = document["class_name"]?.string ?? "?"
    let config = document["config"] ?? .null
    let layers = config["layers"]?.elements ?? config.elements
    guard let layers else {
      throw InterchangeError(.badData, "\(path): the \(className) model '\(name)' lists no layers")
    }
    guard levels.count < 64 else {
      throw InterchangeError(.badData, "\(path): models lie in models more than 64 deep")
    }
    levels.append(level(name, layers, isChain: className == "Sequential"))
    defer { levels.removeLast() }
    switch className {
    case "Sequential":
      return try openChain(layers, inputs: inputs, owner: owner, isTrainable: isTrainable)
    case "Functional", "Model":
      return try openGraph(
        layers, config, name: name, inputs: inputs, owner: owner, isTrainable: isTrainable)
    default:
      throw InterchangeError(
        .badData,
        "\(path): the model is of the class \(className), whose layers are defined in a program and not in the file; "
          + "only Sequential and Functional models can be read")
    }
  }

  private func level(_ name: String, _ layers: [JSONValue], isChain: Bool) -> Level {
    // Operations are no layers, and a Sequential does not count its input among its own.
    let counted = layers.filter { layer in
      !(layer["module"]?.string ?? "").hasPrefix("keras.src.ops")
        && !(isChain && layer["class_name"]?.string == "InputLayer")
    }
    let words = KerasStore.groups(ofClasses: counted.map { $0["class_name"]?.string ?? "?" })
    let outer = levels.last?.groups[name]
    var groups: [String: String] = [:]
    for (layer, word) in zip(counted, words) {
      guard let inner = try? layerName(layer) else { continue }
      groups[inner] = (outer.map { "\($0)/" } ?? "") + "layers/\(word)"
    }
    return Level(names: levels.isEmpty ? [] : (levels.last?.names ?? []) + [name], groups: groups)
  }

  private mutating func openChain(
    _ layers: [JSONValue], inputs: [String], owner: String?, isTrainable: Bool
  ) throws -> String {
    var current = inputs
    for layer in layers {
      noteInputShape(layer, isOutermost: owner == nil)
      if layer["class_name"]?.string == "InputLayer" { continue }
      let name = try layerName(layer)
      current = [try add(layer, name: name, inputs: current, owner: owner, isTrainable: isTrainable)]
    }
    return current[0]
  }

  private mutating func openGraph(
    _ layers: [JSONValue], _ config: JSONValue, name: String, inputs: [String], owner: String?,
    isTrainable: Bool
  ) throws -> String {
    let inputNames = KerasCall.tensors(config["input_layers"] ?? .null).map(\.layer)
    let outputNames = KerasCall.tensors(config["output_layers"] ?? .null).map(\.layer)
    guard inputNames.count == inputs.count, outputNames.count == 1 else {
      throw InterchangeError(
        .badData,
        "\(path): the model '\(name)' has \(counted(inputNames.count, "input")) and "
          + "\(counted(outputNames.count, "output")); only models with one of each can be read")
    }
    var results = Dictionary(zip(inputNames, inputs)) { first, _ in first }
    var waiting = layers
    while !waiting.isEmpty {
      var later: [JSONValue] = []
      for layer in waiting {
        noteInputShape(layer, isOutermost: owner == nil)
        let inner = try layerName(layer)
        if results[inner] != nil || layer["class_name"]?.string == "InputLayer" { continue }
        let call = try call(layer, name: inner)
        let known = call.sources.compactMap { results[$0.layer] }
        guard known.count == call.sources.count else {
          later.append(layer)
          continue
        }
        results[inner] = try add(
          call.layer, name: inner, inputs: known, owner: owner, isTrainable: isTrainable)
      }
      guard later.count < waiting.count else {
        let names = later.compactMap { $0["config"]?["name"]?.string }.joined(separator: ", ")
        throw InterchangeError(
          .badData, "\(path): the inputs of \(names) are not layers of the model '\(name)'")
      }
      waiting = later
    }
    guard let output = results[outputNames[0]] else {
      throw InterchangeError(.badData, "\(path): the output '\(outputNames[0])' is not a layer of '\(name)'")
    }
    return output
  }

  private mutating func add(
    _ layer: JSONValue, name: String, inputs: [String], owner: String?, isTrainable: Bool
  ) throws -> String {
    let className = layer["class_name"]?.string ?? "?"
    let config = layer["config"] ?? .null
    let trains = isTrainable && (config["trainable"]?.bool ?? true)
    try checkModule(layer, className: className, name: name)
    if ["Sequential", "Functional", "Model"].contains(className) {
      return try open(layer, name: name, inputs: inputs, owner: owner ?? name, isTrainable: trains)
    }
    // Two nested models may use one name, and `input` is taken here.
    var unique = name
    if used.contains(unique), let owner, owner != name { unique = "\(owner)_\(name)" }
    while used.contains(unique) { unique += "_" }
    used.insert(unique)
    model.layers.append(
      ModelDescription.Layer(
        name: unique, className: className, options: config, inputs: inputs, owner: owner ?? name,
        isTrainable: trains, weights: [],
        place: ModelDescription.Place(
          names: (levels.last?.names ?? []) + [name], group: levels.last?.groups[name])))
    return unique
  }

  /// Refuses classes of somebody's own program, which may have names of Keras's.
  private func checkModule(_ layer: JSONValue, className: String, name: String) throws {
    let module = layer["module"]?.string ?? "keras"
    let registered = layer["registered_name"]?.string ?? className
    let isKeras = ["keras", "tf_keras", "builtins"].contains { module == $0 || module.hasPrefix("\($0).") }
    guard !isKeras || registered.contains(">"), !Self.isResponseNorm(layer, className) else { return }
    throw InterchangeError(
      .badData,
      "\(path): layer '\(name)' is of the class \(registered) of another program\(isKeras ? "" : " (\(module))"), which is not in the "
        + "file and never run")
  }

  /// Whether a layer is the one that the documentation gives to Keras, which has none: of this name and these numbers, in whatever module
  /// somebody put it.
  private static func isResponseNorm(_ layer: JSONValue, _ className: String) -> Bool {
    className == "LocalResponseNormalization"
      && ["depth_radius", "bias", "alpha", "beta"].allSatisfy { layer["config"]?[$0]?.double != nil }
  }

  // MARK: - Layers and edges

  private func layerName(_ layer: JSONValue) throws -> String {
    guard let name = layer["config"]?["name"]?.string ?? layer["name"]?.string else {
      throw InterchangeError(.badData, "\(path): a layer of its model_config has no name")
    }
    return name
  }

  private mutating func noteInputShape(_ layer: JSONValue, isOutermost: Bool) {
    guard isOutermost, model.inputShape.isEmpty else { return }
    let config = layer["config"]
    // A nested model at the beginning of a Sequential carries the shape in its own first layer.
    let shape =
      config?["batch_shape"] ?? config?["batch_input_shape"]
      ?? config?["layers"]?.elements?.first?["config"].flatMap {
        $0["batch_shape"] ?? $0["batch_input_shape"]
      }
    if let dimensions = shape?.elements, dimensions.count > 1 {
      model.inputShape = dimensions.dropFirst().map(\.integer)
    }
  }

  /// The call of a layer, which must take a result.
  private func call(_ layer: JSONValue, name: String) throws -> KerasCall {
    let place = "\(path): layer '\(name)' (\(layer["class_name"]?.string ?? "?"))"
    let call = try KerasCall(layer, place: place)
    guard !call.sources.isEmpty else {
      throw InterchangeError(.badData, "\(place) takes its input from no other layer")
    }
    return call
  }

  /// Moves the output layer to the end; the others are in order already.
  private mutating func sort() throws {
    guard let index = model.layers.firstIndex(where: { $0.name == model.output }) else {
      throw InterchangeError(.badData, "\(path): the model has no layers")
    }
    let output = model.layers.remove(at: index)
    guard !model.layers.contains(where: { $0.inputs.contains(output.name) }) else {
      throw InterchangeError(
        .badData, "\(path): the output '\(output.name)' is also used inside the model, which is not supported"
      )
    }
    model.layers.append(output)
  }
}
