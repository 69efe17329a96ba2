internal import Tensors

/// A network in the words of Keras: what makes a checkpoint a model file that `keras.models.load_model` opens.
///
/// The functional form with edges as lists, which Keras 2 and 3 both read. Only keys that differ from Keras's defaults are
/// written, since a version of Keras refuses keys that it does not know.
public struct KerasModelConfig: Sendable {
  private let network: ResolvedNetwork

  public init(_ network: ResolvedNetwork) { self.network = network }

  /// The document of the attribute `model_config`.
  public func json(name: String) throws -> String {
    let inputName = uniqueInputName
    var layers = [inputLayer(inputName)]
    for layer in network.layers { layers.append(entry(layer, inputName: inputName)) }
    let document: JSONValue = .object([
      "class_name": "Functional",
      "config": .object([
        "name": .string(name),
        "trainable": true,
        "layers": .array(layers),
        "input_layers": .array([tensor(inputName)]),
        "output_layers": .array([tensor(network.network.output.name)]),
      ]),
    ])
    return try document.text()
  }

  /// All names of Keras's layers, in the model's order; the input layer first.
  public var layerNames: [String] { [uniqueInputName] + network.layers.map(\.name) }

  /// The name of the input layer, which no other layer has.
  private var uniqueInputName: String {
    let names = Set(network.layers.map(\.name))
    var name = "\(Network.inputName)_layer"
    while names.contains(name) { name += "_" }
    return name
  }

  private func tensor(_ layer: String) -> JSONValue {
    .array([.string(layer), .integer(0), .integer(0)])
  }

  private func inputLayer(_ name: String) -> JSONValue {
    .object([
      "class_name": "InputLayer",
      "name": .string(name),
      "config": .object([
        "name": .string(name),
        "dtype": "float32",
        // Understood by Keras 2 and 3; Keras 3's own `batch_shape` is not understood by 2.
        "batch_input_shape": .array(
          [.null] + network.inputShape.dimensions.map(JSONValue.integer)),
      ]),
      "inbound_nodes": .array([]),
    ])
  }

  private func entry(_ layer: ResolvedLayer, inputName: String) -> JSONValue {
    let keras = kerasLayer(layer)
    var config = keras.config
    config["name"] = .string(layer.name)
    let inbound = layer.layer.inputs.map { input -> JSONValue in
      let source = input == Network.inputName ? inputName : input
      return .array([.string(source), .integer(0), .integer(0), .object([:])])
    }
    return .object([
      "class_name": .string(keras.className),
      "name": .string(layer.name),
      "config": .object(config),
      "inbound_nodes": .array([.array(inbound)]),
    ])
  }

  private func kerasLayer(_ layer: ResolvedLayer) -> (className: String, config: [String: JSONValue]) {
    switch layer.spec {
    case .conv2D(let conv): return ("Conv2D", config(conv))
    case .maxPool2D(let pool): return ("MaxPooling2D", config(pool))
    case .averagePool2D(let pool): return ("AveragePooling2D", config(pool))
    case .globalAveragePool2D: return ("GlobalAveragePooling2D", [:])
    case .globalMaxPool2D: return ("GlobalMaxPooling2D", [:])
    case .flatten: return ("Flatten", [:])
    case .dense(let dense):
      var config: [String: JSONValue] = ["units": .integer(dense.units)]
      if dense.activation != .linear { config["activation"] = .string(dense.activation.rawValue) }
      if !dense.useBias { config["use_bias"] = false }
      return ("Dense", config)
    case .activation(let activation):
      return ("Activation", ["activation": .string(activation.rawValue)])
    case .dropout(let dropout): return ("Dropout", ["rate": decimal(dropout.rate)])
    case .batchNorm(let norm):
      var config = ["momentum": decimal(norm.momentum), "epsilon": decimal(norm.epsilon)]
      if !norm.scale { config["scale"] = false }
      if !norm.center { config["center"] = false }
      return ("BatchNormalization", config)
    case .add: return ("Add", [:])
    case .concat: return ("Concatenate", [:])
    case .rescale(let rescale):
      return ("Rescaling", ["scale": .number(rescale.scale), "offset": .number(rescale.offset)])
    case .positionBias: return ("EinsumDense", positionBias(layer.outputShape))
    }
  }

  private func config(_ conv: Conv2D) -> [String: JSONValue] {
    var config: [String: JSONValue] = ["filters": .integer(conv.filters), "kernel_size": size(conv.kernel)]
    if conv.stride != .one { config["strides"] = size(conv.stride) }
    if conv.dilation != .one { config["dilation_rate"] = size(conv.dilation) }
    if conv.padding != .valid { config["padding"] = .string(conv.padding.rawValue) }
    if conv.groups != 1 { config["groups"] = .integer(conv.groups) }
    if !conv.useBias { config["use_bias"] = false }
    if conv.activation != .linear { config["activation"] = .string(conv.activation.rawValue) }
    return config
  }

  private func config(_ pool: Pool2D) -> [String: JSONValue] {
    var config = ["pool_size": size(pool.size)]
    if pool.stride != pool.size { config["strides"] = size(pool.stride) }
    if pool.padding != .valid { config["padding"] = .string(pool.padding.rawValue) }
    return config
  }

  /// Keras has no layer that adds a bias of its own to every position; `EinsumDense` does, after a product with the identity.
  private func positionBias(_ shape: Shape) -> [String: JSONValue] {
    let letters = Array("bcdefg").prefix(shape.rank)
    let inner = String(letters)
    let outer = String(letters.dropLast()) + "z"
    let last = letters.last.map(String.init) ?? ""
    return [
      "equation": .string("a\(inner),\(last)z->a\(outer)"),
      "output_shape": .array(shape.dimensions.map(JSONValue.integer)),
      "bias_axes": .string(outer),
    ]
  }

  private func size(_ size: Size2D) -> JSONValue { .array([.integer(size.height), .integer(size.width)]) }

  /// A `Float` as the decimal that a person wrote: 0.1 and not 0.10000000149.
  private func decimal(_ value: Float) -> JSONValue { .number(Double("\(value)") ?? Double(value)) }
}

/// A weight of a layer as Keras lists it.
public enum KerasWeight: Hashable, Sendable {
  /// A parameter of the network.
  case parameter(ParameterSpec)
  /// An identity matrix of this many rows, which the layer's Keras counterpart needs and the network does not have.
  case identity(Int)

  public var name: String {
    switch self {
    case .parameter(let spec): spec.name
    case .identity: "kernel"
    }
  }
}

extension ResolvedLayer {
  /// The layer's weights in the order in which Keras reads them.
  public var kerasWeights: [KerasWeight] {
    let own = parameters.map(KerasWeight.parameter)
    guard case .positionBias = spec else { return own }
    return [.identity(outputShape[outputShape.rank - 1])] + own
  }
}
