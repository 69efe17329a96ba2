internal import Networks
internal import Tensors

/// A parameter of a network as PyTorch has it: its name behind the module's, and its dimensions in another order.
struct TorchParameter {
  let parameter: Parameter
  /// The name behind the module's: `weight`, `running_mean`.
  let ending: String
  /// The parameter's sizes here, split where PyTorch's order needs that.
  private let sizes: [Int]
  /// For each of PyTorch's dimensions, before any are put together, the one of `sizes` that it is.
  private let order: [Int]
  /// PyTorch's shape.
  let shape: [Int]

  /// All parameters of a network.
  static func all(_ network: ResolvedNetwork, _ layout: ParameterLayout) -> [TorchParameter] {
    let layers = Dictionary(uniqueKeysWithValues: network.layers.map { ($0.name, $0) })
    let images = flattenedImages(network)
    return layout.parameters.compactMap { parameter in
      layers[parameter.layer].map { TorchParameter(parameter, of: $0, flattened: images[$0.layer.inputs[0]]) }
    }
  }

  /// - Parameter flattened: the shape of the image that the layer's input is as one vector; nil where it is none.
  private init(_ parameter: Parameter, of layer: ResolvedLayer, flattened: Shape?) {
    self.parameter = parameter
    let own = parameter.spec.shape.dimensions
    let (sizes, order): ([Int], [Int])
    /// Channels before places.
    func channelsFirst(_ rank: Int) -> [Int] { [rank - 1] + Array(0..<rank - 1) }
    switch (layer.spec, parameter.spec.name) {
    case (.conv2D, "kernel"), (.conv2DTranspose, "kernel"), (.separableConv2D, "pointwise_kernel"):
      (sizes, order) = (own, [3, 2, 0, 1])
    case (.depthwiseConv2D, "kernel"), (.separableConv2D, "depthwise_kernel"):
      (sizes, order) = ([own[0], own[1], 1, own[2] * own[3]], [3, 2, 0, 1])
    case (.conv1D, "kernel"): (sizes, order) = (own, [2, 1, 0])
    case (.dense, "kernel"):
      // PyTorch flattens images with their channels first.
      let image = flattened?.dimensions ?? [own[0]]
      (sizes, order) = (image + [own[1]], [image.count] + channelsFirst(image.count))
    case (.prelu, _), (.positionBias, _):
      let places = own.contains { $0 != 1 } ? own : [1]
      let isShared = own.dropLast().allSatisfy { $0 == 1 }
      (sizes, order) = isShared ? ([own[own.count - 1]], [0]) : (places, channelsFirst(places.count))
    case (.embedding, _): (sizes, order) = (own, Array(own.indices))
    default:
      let isOfVector = layer.inputShapes[0].rank == 1 && layer.outputShape == layer.inputShapes[0]
      let image = isOfVector ? flattened?.dimensions ?? own : own
      (sizes, order) = (image, image.count == own.count ? Array(own.indices) : channelsFirst(image.count))
    }
    (self.sizes, self.order) = (sizes, order)
    let turned = order.map { sizes[$0] }
    switch (layer.spec, parameter.spec.name) {
    case (.dense, "kernel"): shape = [turned[0], turned[1...].reduce(1, *)]
    case (.dense, _), (.batchNorm, _), (.layerNorm, _), (.groupNorm, _): shape = [turned.reduce(1, *)]
    default: shape = turned
    }
    ending = Self.ending(layer.spec, parameter.spec.name)
  }

  private static func ending(_ spec: LayerSpec, _ name: String) -> String {
    switch (spec, name) {
    case (.separableConv2D, "depthwise_kernel"): "depthwise.weight"
    case (.separableConv2D, "pointwise_kernel"): "pointwise.weight"
    case (.separableConv2D, "bias"): "pointwise.bias"
    case (_, "kernel"), (_, "gamma"), (_, "alpha"), (_, "embeddings"): "weight"
    case (_, "beta"): "bias"
    case (_, "moving_mean"): "running_mean"
    case (_, "moving_variance"): "running_var"
    default: name
    }
  }

  /// Values in our order, in PyTorch's.
  func toTorch(_ values: UnsafeBufferPointer<Float>) -> [Float] {
    Transposition.apply(order, to: values, shape: sizes)
  }

  /// Values in PyTorch's order, in ours.
  func fromTorch(_ values: [Float]) -> [Float] {
    var inverse = [Int](repeating: 0, count: order.count)
    for (place, axis) in order.enumerated() { inverse[axis] = place }
    return Transposition.apply(inverse, to: values, shape: order.map { sizes[$0] })
  }

  /// The shapes of the images and sequences that results are as one vector, by the layers that give these.
  private static func flattenedImages(_ network: ResolvedNetwork) -> [String: Shape] {
    var images: [String: Shape] = [:]
    for layer in network.layers {
      let (input, output) = (layer.inputShapes[0], layer.outputShape)
      guard output.rank == 1 else { continue }
      switch layer.spec {
      case .flatten where input.rank > 1 && input.elementCount > input[input.rank - 1]:
        images[layer.name] = input
      case .activation, .relu, .leakyReLU, .elu, .prelu, .dropout, .batchNorm, .layerNorm, .groupNorm,
        .rescale,
        .normalization,
        .positionBias, .add, .multiply:
        images[layer.name] = images[layer.layer.inputs[0]]
      default: continue
      }
    }
    return images
  }
}
