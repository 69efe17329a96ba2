internal import Networks
internal import Tensors

/// A network in the words of Keras: what makes a checkpoint a model file that `keras.models.load_model` opens.
///
/// The functional form with edges as lists, which Keras 2 and 3 both read. Only keys that differ from Keras's defaults are
/// written, since a version of Keras refuses keys that it does not know.
struct KerasModelConfig {
  private let network: ResolvedNetwork

  init(_ network: ResolvedNetwork) { self.network = network }

  /// The document of the attribute `model_config`.
  func json(name: String) throws -> String {
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

  /// All names of Keras's layers in the order of its `model.layers`, by which it gives a file's weights to layers.
  ///
  /// That is not the order in which layers are written: those furthest from the output come first, and of equal distance
  /// the one that a search from the output, inputs first to last, meets first (Keras's `map_graph`, the same in Keras 2).
  var layerNames: [String] {
    let inputsOf = Dictionary(
      uniqueKeysWithValues: network.layers.map { ($0.name, $0.layer.inputs) })
    var distance = [network.network.output.name: 0]
    for layer in network.layers.reversed() {
      guard let own = distance[layer.name] else { continue }
      for input in layer.layer.inputs { distance[input] = max(distance[input] ?? 0, own + 1) }
    }
    var met: [String: Int] = [:]
    var open = [network.network.output.name]
    while let name = open.popLast() {
      guard met[name] == nil else { continue }
      met[name] = met.count
      open += (inputsOf[name] ?? []).reversed()
    }
    let names = [Network.inputName] + network.layers.map(\.name)
    // What leads to no output is no part of Keras's model; it comes last.
    let ranks = names.map { (name: $0, distance: distance[$0] ?? -1, index: met[$0] ?? Int.max) }
    return ranks.sorted { (-$0.distance, $0.index) < (-$1.distance, $1.index) }.map {
      $0.name == Network.inputName ? uniqueInputName : $0.name
    }
  }

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
    let input = layer.inputShapes[0]
    switch layer.spec {
    case .conv1D(let conv): return ("Conv1D", config(conv))
    case .conv2D(let conv): return ("Conv2D", config(conv))
    case .depthwiseConv2D(let conv): return ("DepthwiseConv2D", config(conv))
    case .conv2DTranspose(let conv): return ("Conv2DTranspose", config(conv))
    case .maxPool1D(let pool): return ("MaxPooling1D", config(pool))
    case .averagePool1D(let pool): return ("AveragePooling1D", config(pool))
    case .maxPool2D(let pool): return ("MaxPooling2D", config(pool))
    case .averagePool2D(let pool): return ("AveragePooling2D", config(pool))
    case .globalAveragePool1D: return ("GlobalAveragePooling1D", [:])
    case .globalMaxPool1D: return ("GlobalMaxPooling1D", [:])
    case .globalAveragePool2D: return ("GlobalAveragePooling2D", [:])
    case .globalMaxPool2D: return ("GlobalMaxPooling2D", [:])
    case .zeroPadding1D(let margins): return ("ZeroPadding1D", ["padding": list(margins)])
    case .zeroPadding2D(let margins): return ("ZeroPadding2D", ["padding": list(margins)])
    case .cropping1D(let margins): return ("Cropping1D", ["cropping": list(margins)])
    case .cropping2D(let margins): return ("Cropping2D", ["cropping": list(margins)])
    case .upSampling1D(let sampling): return ("UpSampling1D", ["size": .integer(sampling.size)])
    case .upSampling2D(let sampling):
      return (
        "UpSampling2D",
        ["size": size(sampling.size), "interpolation": .string(sampling.interpolation.rawValue)]
      )
    case .flatten: return ("Flatten", [:])
    case .reshape(let reshape):
      return ("Reshape", ["target_shape": .array(reshape.shape.map(JSONValue.integer))])
    case .dense(let dense):
      var config: [String: JSONValue] = ["units": .integer(dense.units)]
      addWeights(dense.useBias, dense.activation, to: &config)
      return ("Dense", config)
    case .embedding(let embedding):
      // `mask_zero` is left out: later layers of Keras would skip the padding, and those here see its zeros.
      var config: [String: JSONValue] = [
        "input_dim": .integer(embedding.vocabulary), "output_dim": .integer(embedding.dimension),
      ]
      if embedding.isFrozen { config["trainable"] = false }
      return ("Embedding", config)
    case .activation(let activation):
      return ("Activation", ["activation": .string(activation.rawValue)])
    // Keras 3 says `negative_slope` and still understands the older word, which Keras 2 needs.
    case .leakyReLU(let function): return ("LeakyReLU", ["alpha": decimal(function.negativeSlope)])
    case .elu(let function): return ("ELU", ["alpha": decimal(function.alpha)])
    case .prelu(let function):
      guard function.sharesPositions, input.rank > 1 else { return ("PReLU", [:]) }
      return ("PReLU", ["shared_axes": .array((1..<input.rank).map(JSONValue.integer))])
    case .dropout(let dropout): return ("Dropout", ["rate": decimal(dropout.rate)])
    case .batchNorm(let norm):
      var config = ["momentum": decimal(norm.momentum), "epsilon": decimal(norm.epsilon)]
      if !norm.scale { config["scale"] = false }
      if !norm.center { config["center"] = false }
      return ("BatchNormalization", config)
    case .layerNorm(let norm):
      var config = ["epsilon": decimal(norm.epsilon)]
      if !norm.scale { config["scale"] = false }
      if !norm.center { config["center"] = false }
      return ("LayerNormalization", config)
    case .localResponseNorm(let norm):
      // Keras has no such layer: whoever loads the model gives one by `custom_objects` (Configs/README.md shows it).
      return (
        "LocalResponseNormalization",
        [
          "depth_radius": .integer(norm.radius), "bias": decimal(norm.bias), "alpha": decimal(norm.alpha),
          "beta": decimal(norm.beta),
        ]
      )
    case .normalization(let norm):
      let channels = input[input.rank - 1]
      func values(_ values: [Double]) -> JSONValue {
        .array((0..<channels).map { .number(values[$0 % values.count]) })
      }
      return (
        "Normalization", ["axis": .integer(-1), "mean": values(norm.mean), "variance": values(norm.variance)]
      )
    case .add: return ("Add", [:])
    case .multiply: return ("Multiply", [:])
    case .concat: return ("Concatenate", [:])
    case .rescale(let rescale):
      return ("Rescaling", ["scale": .number(rescale.scale), "offset": .number(rescale.offset)])
    case .positionBias: return ("EinsumDense", positionBias(layer.outputShape))
    }
  }

  private func config(_ conv: Conv1D) -> [String: JSONValue] {
    var config: [String: JSONValue] = [
      "filters": .integer(conv.filters), "kernel_size": .array([.integer(conv.kernel)]),
    ]
    if conv.stride != 1 { config["strides"] = .array([.integer(conv.stride)]) }
    if conv.dilation != 1 { config["dilation_rate"] = .array([.integer(conv.dilation)]) }
    if conv.padding != .valid { config["padding"] = .string(conv.padding.rawValue) }
    if conv.groups != 1 { config["groups"] = .integer(conv.groups) }
    addWeights(conv.useBias, conv.activation, to: &config)
    return config
  }

  private func config(_ conv: Conv2D) -> [String: JSONValue] {
    var config: [String: JSONValue] = ["filters": .integer(conv.filters), "kernel_size": size(conv.kernel)]
    if conv.stride != .one { config["strides"] = size(conv.stride) }
    if conv.dilation != .one { config["dilation_rate"] = size(conv.dilation) }
    if conv.padding != .valid { config["padding"] = .string(conv.padding.rawValue) }
    if conv.groups != 1 { config["groups"] = .integer(conv.groups) }
    addWeights(conv.useBias, conv.activation, to: &config)
    return config
  }

  private func config(_ conv: DepthwiseConv2D) -> [String: JSONValue] {
    var config: [String: JSONValue] = ["kernel_size": size(conv.kernel)]
    if conv.multiplier != 1 { config["depth_multiplier"] = .integer(conv.multiplier) }
    if conv.stride != .one { config["strides"] = size(conv.stride) }
    if conv.dilation != .one { config["dilation_rate"] = size(conv.dilation) }
    if conv.padding != .valid { config["padding"] = .string(conv.padding.rawValue) }
    addWeights(conv.useBias, conv.activation, to: &config)
    return config
  }

  private func config(_ conv: Conv2DTranspose) -> [String: JSONValue] {
    var config: [String: JSONValue] = ["filters": .integer(conv.filters), "kernel_size": size(conv.kernel)]
    if conv.stride != .one { config["strides"] = size(conv.stride) }
    if conv.padding != .valid { config["padding"] = .string(conv.padding.rawValue) }
    addWeights(conv.useBias, conv.activation, to: &config)
    return config
  }

  private func addWeights(_ useBias: Bool, _ activation: Activation, to config: inout [String: JSONValue]) {
    if !useBias { config["use_bias"] = false }
    if activation != .linear { config["activation"] = .string(activation.rawValue) }
  }

  private func config(_ pool: Pool1D) -> [String: JSONValue] {
    var config: [String: JSONValue] = ["pool_size": .integer(pool.size)]
    if pool.stride != pool.size { config["strides"] = .integer(pool.stride) }
    if pool.padding != .valid { config["padding"] = .string(pool.padding.rawValue) }
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

  private func list(_ margins: Margins1D) -> JSONValue {
    .array([.integer(margins.before), .integer(margins.after)])
  }

  private func list(_ margins: Margins2D) -> JSONValue {
    .array([
      .array([.integer(margins.top), .integer(margins.bottom)]),
      .array([.integer(margins.left), .integer(margins.right)]),
    ])
  }

  private func size(_ size: Size2D) -> JSONValue { .array([.integer(size.height), .integer(size.width)]) }

  /// A `Float` as the decimal that a person wrote: 0.1 and not 0.10000000149.
  private func decimal(_ value: Float) -> JSONValue { .number(Double("\(value)") ?? Double(value)) }
}

/// A weight of a layer as Keras lists it.
enum KerasWeight: Hashable {
  /// A parameter of the network.
  case parameter(ParameterSpec)
  /// An identity matrix of this many rows, which the layer's Keras counterpart needs and the network does not have.
  case identity(Int)

  var name: String {
    switch self {
    case .parameter(let spec): spec.name
    case .identity: "kernel"
    }
  }
}

extension ResolvedLayer {
  /// The layer's weights in the order in which Keras reads them.
  var kerasWeights: [KerasWeight] {
    let own = parameters.map(KerasWeight.parameter)
    guard case .positionBias = spec else { return own }
    return [.identity(outputShape[outputShape.rank - 1])] + own
  }
}
