internal import Networks
internal import Tensors

/// A model as a file describes it, in Keras's words: layers by their classes, options as JSON, the graph, and weights by name.
///
/// Readers of files make one, and writers of files take one; what stands between it and a ``Network`` is ``KerasLayers``.
struct ModelDescription {
  /// Often that of a known architecture.
  var name: String
  /// Without the samples; nil for a dimension that the model leaves open, and empty where nothing is said.
  var inputShape: [Int?]
  /// Each behind its inputs.
  var layers: [Layer]
  /// The layer whose result is the model's, or ``Network/inputName``.
  var output: String

  struct Layer {
    /// Unique, and not ``Network/inputName``.
    let name: String
    var className: String
    /// An object.
    var options: JSONValue
    /// Names of earlier layers, or ``Network/inputName``.
    var inputs: [String]
    /// The layer whose place in the file holds the weights: the layer itself, or the model that it is nested in.
    let owner: String
    /// Whether the layer and the models around it train.
    let isTrainable: Bool
    /// In Keras's order; readers leave them to the network that the layers become.
    let weights: [Weight]

    init(
      name: String, className: String, options: JSONValue, inputs: [String], owner: String,
      isTrainable: Bool, weights: [Weight]
    ) {
      (self.name, self.className, self.options) = (name, className, options)
      (self.inputs, self.owner, self.isTrainable, self.weights) = (inputs, owner, isTrainable, weights)
    }

    /// A layer without weights that is no part of a file, still without inputs.
    init(name: String, className: String, options: JSONValue) {
      self.init(
        name: name, className: className, options: options, inputs: [], owner: name, isTrainable: true,
        weights: [])
    }
  }

  /// A weight of a layer.
  enum Weight: Hashable {
    /// A parameter of the network.
    case parameter(ParameterSpec)
    /// An identity matrix of this many rows, which Keras's layer needs and the network does not have.
    case identity(Int)

    var name: String {
      switch self {
      case .parameter(let spec): spec.name
      case .identity: "kernel"
      }
    }

    var shape: Shape {
      switch self {
      case .parameter(let spec): spec.shape
      case .identity(let rows): [rows, rows]
      }
    }

    var isTrainable: Bool {
      switch self {
      case .parameter(let spec): spec.isTrainable
      case .identity: true
      }
    }
  }

  /// Takes a layer out; what used it uses its input.
  mutating func remove(_ name: String) {
    guard let index = layers.firstIndex(where: { $0.name == name }) else { return }
    let source = layers[index].inputs[0]
    layers.remove(at: index)
    for other in layers.indices {
      layers[other].inputs = layers[other].inputs.map { $0 == name ? source : $0 }
    }
    if output == name { output = source }
  }
}

extension ModelDescription {
  /// A network as a model.
  init(_ network: ResolvedNetwork, name: String) {
    self.name = name
    inputShape = network.inputShape.dimensions
    output = network.network.output.name
    layers = network.layers.map { layer in
      let (className, options) = KerasLayers.options(of: layer)
      return Layer(
        name: layer.name, className: className, options: .object(options), inputs: layer.layer.inputs,
        owner: layer.name, isTrainable: true, weights: KerasLayers.weights(of: layer))
    }
  }
}
