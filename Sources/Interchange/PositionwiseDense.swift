internal import Networks
internal import Tensors

/// Dense layers of Keras that go over images or sequences: convolutions of one position, whose kernels hold the same numbers in the
/// same order under a shape with more ones.
enum PositionwiseDense {
  /// The layers with convolutions in place of such dense layers.
  ///
  /// - Parameter inputShape: the shape of one sample.
  /// - Throws: ``NetworkError`` for a faulty layer before a dense one.
  static func convolved(_ layers: [Layer], of inputShape: Shape) throws -> [Layer] {
    var layers = layers
    // Shapes of the layers before are worked out anew for each dense layer, except behind one that is known to give vectors.
    var vectors: Set<String> = []
    for index in layers.indices {
      if keepsVectors(layers[index]), vectors.isSuperset(of: layers[index].inputs) {
        vectors.insert(layers[index].name)
        continue
      }
      guard case .dense(let dense) = layers[index].spec, let source = layers[index].inputs.first else {
        continue
      }
      let shape = try Array(layers[..<index]).shape(of: source, inputShape: inputShape)
      guard let spec = convolution(dense, rank: shape?.rank ?? 1) else {
        vectors.insert(layers[index].name)
        continue
      }
      layers[index] = Layer(name: layers[index].name, inputs: layers[index].inputs, spec: spec)
    }
    return layers
  }

  /// Whether a layer gives vectors where it is given vectors alone.
  private static func keepsVectors(_ layer: Layer) -> Bool {
    switch layer.spec {
    case .dense, .activation, .relu, .leakyReLU, .elu, .prelu, .dropout, .batchNorm, .layerNorm,
      .normalization, .rescale,
      .add, .multiply, .flatten:
      !layer.inputs.isEmpty
    default: false
    }
  }

  /// - Returns: nil for a dense layer of vectors.
  static func convolution(_ dense: Dense, rank: Int) -> LayerSpec? {
    switch rank {
    case 2:
      .conv1D(
        Conv1D(filters: dense.units, kernel: 1, useBias: dense.useBias, activation: dense.activation))
    case 3:
      .conv2D(
        Conv2D(filters: dense.units, kernel: Size2D(1), useBias: dense.useBias, activation: dense.activation))
    default: nil
    }
  }
}

extension [Layer] {
  /// The shape that one of these layers gives, or that of a sample for the network's input; nil where there is no such layer.
  func shape(of source: String, inputShape: Shape) throws -> Shape? {
    guard source != Network.inputName else { return inputShape }
    return try Network(inputShape: inputShape, layers: self).resolved().shape(of: source)
  }
}
