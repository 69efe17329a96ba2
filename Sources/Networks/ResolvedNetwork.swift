public import Tensors

/// A layer with its shapes and parameters known.
public struct ResolvedLayer: Hashable, Sendable {
  public let layer: Layer
  /// Shapes of the inputs and of the output, without N.
  public let inputShapes: [Shape]
  public let outputShape: Shape
  /// The layer's values in Keras's order: trainable ones first.
  public let parameters: [ParameterSpec]
  /// Floating-point operations of one sample's forward pass, a multiply-add counted as two.
  public let flops: Int

  public var name: String { layer.name }
  public var spec: LayerSpec { layer.spec }
  /// Elements of all parameters, trainable or not.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.elementCount } }
}

/// One tensor of values that belongs to a layer.
public struct ParameterSpec: Hashable, Sendable {
  /// Keras's word: `kernel`, `bias`, `gamma`, `beta`, `moving_mean`, `moving_variance`, `embeddings`, `alpha`.
  public let name: String
  /// Keras's layout, for instance `[KH, KW, IC / groups, OC]`.
  public let shape: Shape
  /// False for running statistics, which the optimizer leaves alone.
  public let isTrainable: Bool
  public let initializer: Initializer
  public let fans: Fans
  /// Whether the values stay as they are, although they lie among those that are trained: the gradient is zero and nothing
  /// decays.
  public let isFrozen: Bool
  /// A row of the first dimension that starts at zero and stays there.
  public let zeroRow: Int?

  public init(
    name: String, shape: Shape, isTrainable: Bool, initializer: Initializer, fans: Fans,
    isFrozen: Bool = false,
    zeroRow: Int? = nil
  ) {
    self.name = name
    self.shape = shape
    self.isTrainable = isTrainable
    self.initializer = initializer
    self.fans = fans
    self.isFrozen = isFrozen
    self.zeroRow = zeroRow
  }
}

/// A network whose shapes fit, layer by layer.
public struct ResolvedNetwork: Hashable, Sendable {
  public let network: Network
  public let layers: [ResolvedLayer]

  public var inputShape: Shape { network.inputShape }
  public var outputShape: Shape { layers[layers.count - 1].outputShape }
  public var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }
  public var trainableParameterCount: Int {
    layers.reduce(0) { sum, layer in
      sum
        + layer.parameters.filter { $0.isTrainable && !$0.isFrozen }.reduce(0) { $0 + $1.shape.elementCount }
    }
  }
  /// Floating-point operations of one sample's forward pass.
  public var flops: Int { layers.reduce(0) { $0 + $1.flops } }

  /// Shape of a layer's output, or of the input by its name.
  public func shape(of name: String) -> Shape? {
    name == Network.inputName ? inputShape : layers.first { $0.name == name }?.outputShape
  }
}

extension Network {
  /// Infers every layer's shapes and parameters.
  ///
  /// - Throws: ``NetworkError/shape(layer:reason:)`` naming the layer and the shapes that do not fit, or
  ///   ``NetworkError/parameter(layer:name:reason:)`` for a hyper-parameter outside its range.
  public func resolved() throws -> ResolvedNetwork {
    var shapes = [Network.inputName: inputShape]
    var resolved: [ResolvedLayer] = []
    for layer in layers {
      let inputs = layer.inputs.compactMap { shapes[$0] }
      let result = try LayerInference(layer: layer, inputs: inputs).resolve()
      guard result.outputShape.dimensions.allSatisfy({ $0 <= 1 << 28 }),
        result.outputShape.dimensions.reduce(1.0, { $0 * Double($1) }) < 0x1p40
      else {
        throw NetworkError.shape(
          layer: layer.name, reason: "the output \(result.outputShape) is too large to be meant")
      }
      for parameter in result.parameters
      where parameter.shape.dimensions.reduce(1.0, { $0 * Double($1) }) >= 0x1p40 {
        throw NetworkError.shape(
          layer: layer.name, reason: "the \(parameter.name) \(parameter.shape) is too large to be meant")
      }
      shapes[layer.name] = result.outputShape
      resolved.append(result)
    }
    return ResolvedNetwork(network: self, layers: resolved)
  }
}
