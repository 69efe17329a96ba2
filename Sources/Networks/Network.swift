public import Tensors

/// A layer in its place in a network: a unique name, what it does, and where its inputs come from.
public struct Layer: Hashable, Sendable {
  /// The layer's name, unique in its network.
  public let name: String
  /// Names of earlier layers, or ``Network/inputName``.
  public let inputs: [String]
  /// What the layer does.
  public let spec: LayerSpec

  /// A layer; a network checks its name and inputs.
  public init(name: String, inputs: [String], spec: LayerSpec) {
    self.name = name
    self.inputs = inputs
    self.spec = spec
  }
}

/// A graph of named layers over one input image; pure description, no memory, no kernels.
///
/// Layers stand in an order in which every layer follows its inputs; the last one is the output.
public struct Network: Hashable, Sendable {
  /// The name by which layers refer to the network's input.
  public static let inputName = "input"

  /// Shape of one sample, `[H, W, C]` or `[C]`.
  public let inputShape: Shape
  /// The layers; each stands behind its inputs.
  public let layers: [Layer]

  /// Checks names and edges; shapes are checked by ``resolved()``.
  ///
  /// - Throws: ``NetworkError`` for no layers, a name used twice, or an input that is not an earlier layer.
  public init(inputShape: Shape, layers: [Layer]) throws {
    guard !layers.isEmpty else { throw NetworkError.noLayers }
    guard (1...3).contains(inputShape.rank), inputShape.dimensions.allSatisfy({ $0 > 0 }) else {
      throw NetworkError.inputShape(inputShape)
    }
    var known: Set<String> = [Network.inputName]
    for layer in layers {
      for input in layer.inputs where !known.contains(input) {
        throw NetworkError.unknownInput(layer: layer.name, input: input, known: known.sorted())
      }
      guard known.insert(layer.name).inserted else { throw NetworkError.duplicateName(layer.name) }
      guard layer.spec.inputCount.contains(layer.inputs.count) else {
        throw NetworkError.inputCount(
          layer: layer.name, found: layer.inputs.count, allowed: layer.spec.inputCount)
      }
    }
    self.inputShape = inputShape
    self.layers = layers
  }

  /// A chain: each layer takes the output of the one before; names are Keras's (`conv2d`, `conv2d_1`, …).
  public init(inputShape: Shape, chain specs: [LayerSpec]) throws {
    var namer = LayerNamer()
    var layers: [Layer] = []
    for spec in specs {
      let previous = layers.last?.name ?? Network.inputName
      layers.append(Layer(name: namer.name(for: spec), inputs: [previous], spec: spec))
    }
    try self.init(inputShape: inputShape, layers: layers)
  }

  /// The layer whose output is the network's.
  public var output: Layer { layers[layers.count - 1] }
}

/// Gives unnamed layers Keras's names: the layer's word, then the word with `_1`, `_2`, ….
public struct LayerNamer: Sendable {
  private var used: [String: Int] = [:]

  /// No name is taken yet.
  public init() {}

  /// A name for one more layer: its word, with a number from the second on.
  public mutating func name(for spec: LayerSpec) -> String {
    let count = used[spec.word, default: 0]
    used[spec.word] = count + 1
    return count == 0 ? spec.word : "\(spec.word)_\(count)"
  }
}
