internal import Networks
internal import Tensors

/// A model as a file describes it, in Keras's words: layers by their classes, options as JSON, the graph, and weights by name.
///
/// Readers of files make a model, and writers of files take one; ``KerasLayers`` translates between models and networks.
struct ModelDescription {
  /// The model's name, often that of a known architecture.
  var name: String
  /// The shape of one sample; nil stands for a dimension that the model leaves open, and the list is empty where nothing is said.
  var inputShape: [Int?]
  /// The layers, each after its inputs.
  var layers: [Layer]
  /// The layer whose result is the model's, or ``Network/inputName``.
  var output: String

  /// Where a file that keeps the weights of each layer apart has those of one.
  struct Place: Hashable {
    /// The names of the models that the layer lies in, then its own, as the file has them.
    let names: [String]
    /// The group that follows from the classes of the layers before it; nil where it is not known.
    let group: String?
  }

  struct Layer {
    /// The layer's name: unique, and not ``Network/inputName``.
    let name: String
    var className: String
    /// The options, as a JSON object.
    var options: JSONValue
    /// The names of earlier layers, or ``Network/inputName``.
    var inputs: [String]
    /// The layer whose place in the file holds the weights: the layer itself, or the model that it is nested in.
    let owner: String
    /// Whether the layer and the models around it train.
    let isTrainable: Bool
    /// The weights in Keras's order; readers leave it empty, because the network that the layers become has them.
    let weights: [Weight]
    /// Where the weights are in files that keep those of each layer apart.
    let place: Place

    /// - Parameter place: nil for a layer of the outermost model.
    init(
      name: String, className: String, options: JSONValue, inputs: [String], owner: String,
      isTrainable: Bool, weights: [Weight], place: Place? = nil
    ) {
      self.place = place ?? Place(names: [name], group: nil)
      (self.name, self.className, self.options) = (name, className, options)
      (self.inputs, self.owner, self.isTrainable, self.weights) = (inputs, owner, isTrainable, weights)
    }

    /// A layer without weights that does not come from a file, still without inputs.
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

  /// Takes a layer out; whatever used it now uses its input.
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
  /// Describes a network.
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
