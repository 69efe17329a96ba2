internal import Networks

/// A model as Keras's document `model_config`, which makes a file one that `keras.models.load_model` opens.
///
/// It is the functional form with edges as lists, which Keras 2 and 3 both read. Only options that differ from Keras's defaults
/// are written, since a version of Keras refuses options that it does not know.
struct KerasModelConfig {
  private let model: ModelDescription

  init(_ model: ModelDescription) { self.model = model }

  /// The version of Keras whose words are written.
  static let version = "3.0.0"

  /// The document `config.json` of Keras 3's archives, where each class has its module.
  ///
  /// - Parameter compileConfig: how Keras goes on training; nil leaves the model uncompiled.
  func archiveDocument(compileConfig: JSONValue?) -> JSONValue {
    var input = inputLayer.members ?? [:]
    var options = input["config"]?.members ?? [:]
    options["batch_shape"] = options.removeValue(forKey: "batch_input_shape")
    input["config"] = .object(options)
    let layers = [.object(input)] + model.layers.map(entry)
    var members = document(layers: layers.map(Self.withModule)).members ?? [:]
    members["module"] = "keras.src.models.functional"
    members["registered_name"] = "Functional"
    if let compileConfig { members["compile_config"] = compileConfig }
    return .object(members)
  }

  /// A layer with the module of its class; a class that Keras does not have is left to whoever loads the model.
  private static func withModule(_ layer: JSONValue) -> JSONValue {
    var members = layer.members ?? [:]
    let isForeign = layer["class_name"] == "LocalResponseNormalization"
    members["module"] = isForeign ? .null : "keras.layers"
    members["registered_name"] = isForeign ? layer["class_name"] ?? .null : .null
    return .object(members)
  }

  func json() throws -> String {
    try document(layers: [inputLayer] + model.layers.map(entry)).textKeepingFloats()
  }

  private func document(layers: [JSONValue]) -> JSONValue {
    .object([
      "class_name": "Functional",
      "config": .object([
        "name": .string(model.name),
        "trainable": true,
        "layers": .array(layers),
        "input_layers": .array([tensor(inputName)]),
        "output_layers": .array([tensor(model.output)]),
      ]),
    ])
  }

  /// The names of all Keras layers in the order of its `model.layers`, in which it assigns a file's weights to layers.
  ///
  /// Layers are written in another order. In this one, those furthest from the output come first; among layers at equal distance,
  /// the one comes first that a search from the output, through inputs from first to last, meets first (Keras's `map_graph`, which
  /// is the same in Keras 2 and 3).
  var layerNames: [String] {
    let inputsOf = Dictionary(uniqueKeysWithValues: model.layers.map { ($0.name, $0.inputs) })
    var distance = [model.output: 0]
    for layer in model.layers.reversed() {
      guard let own = distance[layer.name] else { continue }
      for input in layer.inputs { distance[input] = max(distance[input] ?? 0, own + 1) }
    }
    var met: [String: Int] = [:]
    var open = [model.output]
    while let name = open.popLast() {
      guard met[name] == nil else { continue }
      met[name] = met.count
      open += (inputsOf[name] ?? []).reversed()
    }
    let names = [Network.inputName] + model.layers.map(\.name)
    // A layer that leads to no output is no part of Keras's model; it comes last.
    let ranks = names.map { (name: $0, distance: distance[$0] ?? -1, index: met[$0] ?? Int.max) }
    return ranks.sorted { (-$0.distance, $0.index) < (-$1.distance, $1.index) }.map { name($0.name) }
  }

  /// A name for the input layer that no other layer has.
  private var inputName: String {
    let names = Set(model.layers.map(\.name))
    var name = "\(Network.inputName)_layer"
    while names.contains(name) { name += "_" }
    return name
  }

  private func name(_ layer: String) -> String { layer == Network.inputName ? inputName : layer }

  private func tensor(_ layer: String) -> JSONValue {
    .array([.string(layer), .integer(0), .integer(0)])
  }

  private var inputLayer: JSONValue {
    .object([
      "class_name": "InputLayer",
      "name": .string(inputName),
      "config": .object([
        "name": .string(inputName),
        "dtype": "float32",
        // Keras 2 and 3 understand this key; Keras 2 does not know `batch_shape`.
        "batch_input_shape": .array(
          [.null] + model.inputShape.map { $0.map(JSONValue.integer) ?? .null }),
      ]),
      "inbound_nodes": .array([]),
    ])
  }

  private func entry(_ layer: ModelDescription.Layer) -> JSONValue {
    var options = layer.options.members ?? [:]
    options["name"] = .string(layer.name)
    let inbound = layer.inputs.map { input in
      JSONValue.array([.string(name(input)), .integer(0), .integer(0), .object([:])])
    }
    return .object([
      "class_name": .string(layer.className),
      "name": .string(layer.name),
      "config": .object(options),
      "inbound_nodes": .array([.array(inbound)]),
    ])
  }
}
