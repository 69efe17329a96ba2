public import Tensors

/// A layer with its shapes and parameters known.
public struct ResolvedLayer: Hashable, Sendable {
  /// The layer as it is described.
  public let layer: Layer
  /// Shapes of the inputs, without N.
  public let inputShapes: [Shape]
  /// Shape of the output, without N.
  public let outputShape: Shape
  /// The part of the first input that a place of the output is computed from.
  public let view: LayerView
  /// The layer's values in Keras's order: trainable ones first.
  public let parameters: [ParameterSpec]
  /// Floating-point operations of one sample's forward pass, a multiply-add counted as two.
  public let flops: Int

  /// The layer's name.
  public var name: String { layer.name }
  /// What the layer does.
  public var spec: LayerSpec { layer.spec }
  /// Elements of all parameters, trainable or not.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.elementCount } }
}

/// A network whose shapes fit, layer by layer.
public struct ResolvedNetwork: Hashable, Sendable {
  /// The network as it is described.
  public let network: Network
  /// The layers, in the network's order.
  public let layers: [ResolvedLayer]

  /// Shape of one sample, without N.
  public var inputShape: Shape { network.inputShape }
  /// Shape of the output, without N.
  public var outputShape: Shape { layers[layers.count - 1].outputShape }
  /// Elements of all parameters, trainable or not.
  public var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }
  /// Elements of the parameters that training changes; running statistics and frozen ones are left out.
  public var trainableParameterCount: Int {
    layers.reduce(0) { sum, layer in
      sum
        + layer.parameters.filter { $0.isTrainable && !$0.isFrozen }.reduce(0) { $0 + $1.shape.elementCount }
    }
  }
  /// Floating-point operations of one sample's forward pass.
  public var flops: Int { layers.reduce(0) { $0 + $1.flops } }

  /// Shape of a layer's output, or of the input by its name; nil for an unknown name.
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
          layer: layer.name, reason: "the output \(result.outputShape) is too large to be intended")
      }
      for parameter in result.parameters
      where parameter.shape.dimensions.reduce(1.0, { $0 * Double($1) }) >= 0x1p40 {
        throw NetworkError.shape(
          layer: layer.name, reason: "the \(parameter.name) \(parameter.shape) is too large to be intended")
      }
      shapes[layer.name] = result.outputShape
      resolved.append(result)
    }
    return ResolvedNetwork(network: self, layers: resolved)
  }
}
