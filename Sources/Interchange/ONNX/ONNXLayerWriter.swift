internal import Networks
internal import Tensors

/// Writes layers as nodes of ONNX, whose images have their channels first: [N, C, H, W] for [H, W, C], [N, C, T] for [T, C].
struct ONNXLayerWriter {
  var graph: ONNXGraphBuilder
  let values: CanonicalParameters
  /// The names of results by layer.
  private var results: [String: String]

  /// - Parameter input: the name of the network's input with its channels first.
  init(graph: ONNXGraphBuilder, values: CanonicalParameters, input: String) {
    self.graph = graph
    self.values = values
    results = [Network.inputName: input]
  }

  /// Puts the channels of the network's input first, where the model takes them last.
  mutating func turnInput(_ shape: Shape) {
    results[Network.inputName] = channelsFirst(results[Network.inputName] ?? Network.inputName, shape)
  }

  /// Writes a layer after its inputs.
  ///
  /// - Returns: the name of its result, which has its channels first.
  @discardableResult
  mutating func write(_ layer: ResolvedLayer) -> String {
    graph.layer = layer.name
    let sources = layer.layer.inputs.map { results[$0] ?? $0 }
    let result = result(of: layer, sources)
    results[layer.name] = result
    return result
  }

  private mutating func result(of layer: ResolvedLayer, _ sources: [String]) -> String {
    let source = sources[0]
    let input = layer.inputShapes[0]
    switch layer.spec {
    case .conv1D(let conv): return convolution(layer, conv.asImage, source)
    case .conv2D(let conv): return convolution(layer, conv, source)
    case .depthwiseConv2D(let conv):
      return convolution(layer, conv.grouped(channels: input[2]), source)
    case .separableConv2D(let conv): return separable(layer, conv, source)
    case .conv2DTranspose(let conv): return transposed(layer, conv, source)
    case .maxPool1D(let pool): return pooling("MaxPool", pool.asImage, input, source)
    case .maxPool2D(let pool): return pooling("MaxPool", pool, input, source)
    case .averagePool1D(let pool): return pooling("AveragePool", pool.asImage, input, source)
    case .averagePool2D(let pool): return pooling("AveragePool", pool, input, source)
    case .globalAveragePool1D, .globalAveragePool2D:
      return graph.add("Flatten", [graph.add("GlobalAveragePool", [source])], [.axis(1)])
    case .globalMaxPool1D, .globalMaxPool2D:
      return graph.add("Flatten", [graph.add("GlobalMaxPool", [source])], [.axis(1)])
    case .zeroPadding1D(let margins): return padding(margins.asImage, input, source)
    case .zeroPadding2D(let margins): return padding(margins, input, source)
    case .cropping1D(let margins): return cropping(margins.asImage, input, source)
    case .cropping2D(let margins): return cropping(margins, input, source)
    case .upSampling1D(let sampling):
      return enlarged(UpSampling2D(size: Size2D(1, sampling.size)), input, source)
    case .upSampling2D(let sampling): return enlarged(sampling, input, source)
    case .flatten: return flattened(source, input)
    case .reshape: return shaped(flattened(source, input), layer.outputShape)
    case .dense(let dense): return product(layer, dense, source)
    case .embedding: return embedding(layer, source)
    case .activation(let function): return activated(source, function)
    case .relu(let function):
      guard let largest = function.maxValue else { return activated(source, .relu) }
      return clipped(source, to: largest)
    case .leakyReLU(let function):
      return graph.add("LeakyRelu", [source], [.float("alpha", function.negativeSlope)])
    case .elu(let function): return graph.add("Elu", [source], [.float("alpha", function.alpha)])
    case .prelu:
      let alpha = layer.parameters[0]
      return graph.add("PRelu", [source, channelsFirst(alpha, of: layer)])
    case .dropout: return source
    case .batchNorm(let norm): return normalized(layer, norm, source)
    case .layerNorm(let norm): return normalized(layer, norm, source)
    case .groupNorm(let norm): return normalized(layer, norm, source)
    case .localResponseNorm(let norm): return responseNormalized(norm, input, source)
    case .normalization(let norm):
      let (scale, offset) = norm.affine
      return affine(source, scale, offset, rank: input.rank)
    case .rescale(let rescale):
      return affine(source, [rescale.scale], [rescale.offset], rank: input.rank)
    case .add: return sources.dropFirst().reduce(source) { graph.add("Add", [$0, $1]) }
    case .multiply: return multiplied(layer, sources)
    case .concat: return graph.add("Concat", sources, [.axis(1)])
    case .positionBias: return graph.add("Add", [source, channelsFirst(layer.parameters[0], of: layer)])
    }
  }

  // MARK: - Convolutions

  /// A kernel [KH, KW, IC / groups, OC] becomes [OC, IC / groups, KH, KW]; one of a sequence has no KH.
  private mutating func convolution(
    _ layer: ResolvedLayer, _ conv: Conv2D, _ source: String
  ) -> String {
    let kernel = parameter("kernel", of: layer)
    let isSequence = layer.outputShape.rank == 2
    let sizes = isSequence ? [conv.kernel.width] : [conv.kernel.height, conv.kernel.width]
    let inputs = layer.inputShapes[0][layer.inputShapes[0].rank - 1] / conv.groups
    let weights = weights(kernel, sizes, inputs, conv.filters, "kernel")
    let result = convolved(
      source, weights, bias(of: layer, isUsed: conv.useBias), conv, layer.inputShapes[0])
    return activated(result, conv.activation)
  }

  private mutating func separable(
    _ layer: ResolvedLayer, _ conv: SeparableConv2D, _ source: String
  ) -> String {
    let input = layer.inputShapes[0]
    let depthwise = conv.depthwise.grouped(channels: input[2])
    let first = weights(
      parameter("depthwise_kernel", of: layer), [conv.kernel.height, conv.kernel.width], 1, depthwise.filters,
      "depthwise_kernel")
    let middle = convolved(source, first, nil, depthwise, input)
    let second = weights(
      parameter("pointwise_kernel", of: layer), [1, 1], depthwise.filters, conv.filters, "pointwise_kernel")
    let result = convolved(
      middle, second, bias(of: layer, isUsed: conv.useBias), conv.pointwise, layer.outputShape)
    return activated(result, conv.activation)
  }

  private mutating func weights(
    _ kernel: UnsafeBufferPointer<Float>, _ sizes: [Int], _ inputs: Int, _ outputs: Int, _ name: String
  ) -> String {
    let (rank, shape) = (sizes.count, sizes + [inputs, outputs])
    let turned = Transposition.apply([rank + 1, rank] + Array(0..<rank), to: kernel, shape: shape)
    return graph.constant(name, [outputs, inputs] + sizes, turned)
  }

  private mutating func convolved(
    _ source: String, _ weights: String, _ bias: String?, _ conv: Conv2D, _ input: Shape
  ) -> String {
    let isSequence = input.rank == 2
    func axes(_ size: Size2D) -> [Int] { isSequence ? [size.width] : [size.height, size.width] }
    let image = input.asRows
    let geometry = WindowGeometry2D(height: image[0], width: image[1], conv: conv)
    let sides = [geometry?.height, geometry?.width].compactMap(\.self).suffix(isSequence ? 1 : 2)
    return graph.add(
      "Conv", [source, weights] + [bias].compactMap(\.self),
      [
        .integers("dilations", axes(conv.dilation)), .integer("group", conv.groups),
        .integers("kernel_shape", axes(conv.kernel)),
        .integers("pads", sides.map(\.paddingBefore) + sides.map(\.paddingAfter)),
        .integers("strides", axes(conv.stride)),
      ])
  }

  /// A kernel [KH, KW, OC, IC] becomes [IC, OC, KH, KW].
  private mutating func transposed(
    _ layer: ResolvedLayer, _ conv: Conv2DTranspose, _ source: String
  ) -> String {
    let input = layer.inputShapes[0]
    func geometry(_ input: Int, _ window: Int, _ stride: Int) -> TransposedGeometry {
      TransposedGeometry(input: input, window: window, stride: stride, padding: conv.padding)
    }
    let sides = [
      geometry(input[0], conv.kernel.height, conv.stride.height),
      geometry(input[1], conv.kernel.width, conv.stride.width),
    ]
    let shape = [conv.kernel.height, conv.kernel.width, conv.filters, input[2]]
    let kernel = graph.constant(
      "kernel", [shape[3], shape[2], shape[0], shape[1]],
      Transposition.apply([3, 2, 0, 1], to: parameter("kernel", of: layer), shape: shape))
    let result = graph.add(
      "ConvTranspose", [source, kernel] + [bias(of: layer, isUsed: conv.useBias)].compactMap(\.self),
      [
        .integers("kernel_shape", [conv.kernel.height, conv.kernel.width]),
        // Where the output goes beyond the last window, ONNX adds rows instead of taking some away.
        .integers("output_padding", sides.map { max(-$0.paddingAfter, 0) }),
        .integers("pads", sides.map(\.paddingBefore) + sides.map { max($0.paddingAfter, 0) }),
        .integers("strides", [conv.stride.height, conv.stride.width]),
      ])
    return activated(result, conv.activation)
  }

  // MARK: - Windows and sizes

  private mutating func pooling(
    _ operation: String, _ pool: Pool2D, _ input: Shape, _ source: String
  ) -> String {
    let isSequence = input.rank == 2
    func axes(_ size: Size2D) -> [Int] { isSequence ? [size.width] : [size.height, size.width] }
    let image = input.asRows
    let geometry = WindowGeometry2D(height: image[0], width: image[1], pool: pool)
    let sides = [geometry?.height, geometry?.width].compactMap(\.self).suffix(isSequence ? 1 : 2)
    // Averages leave padding out, which is ONNX's rule, too.
    return graph.add(
      operation, [source],
      [
        .integers("kernel_shape", axes(pool.size)),
        .integers("pads", sides.map(\.paddingBefore) + sides.map(\.paddingAfter)),
        .integers("strides", axes(pool.stride)),
      ])
  }

  private mutating func padding(_ margins: Margins2D, _ input: Shape, _ source: String) -> String {
    let pads =
      input.rank == 2
      ? [0, 0, margins.left, 0, 0, margins.right]
      : [0, 0, margins.top, margins.left, 0, 0, margins.bottom, margins.right]
    let zero = graph.constant("zero", 0)
    return graph.add("Pad", [source, graph.integers("pads", pads), zero], [.text("mode", "constant")])
  }

  private mutating func cropping(_ margins: Margins2D, _ input: Shape, _ source: String) -> String {
    let image = input.asRows
    let isSequence = input.rank == 2
    let starts = isSequence ? [margins.left] : [margins.top, margins.left]
    let ends =
      isSequence ? [image[1] - margins.right] : [image[0] - margins.bottom, image[1] - margins.right]
    return graph.add(
      "Slice",
      [
        source, graph.integers("starts", starts), graph.integers("ends", ends),
        graph.integers("axes", Array(2..<2 + starts.count)),
      ])
  }

  private mutating func enlarged(_ sampling: UpSampling2D, _ input: Shape, _ source: String) -> String {
    let factors = (input.rank == 2 ? [] : [Float(sampling.size.height)]) + [Float(sampling.size.width)]
    let scales = graph.constant("scales", [factors.count + 2], [1, 1] + factors)
    let isNearest = sampling.interpolation == .nearest
    return graph.add(
      "Resize", [source, "", scales],
      [
        .text("coordinate_transformation_mode", isNearest ? "asymmetric" : "half_pixel"),
        .text("mode", isNearest ? "nearest" : "linear"), .text("nearest_mode", "floor"),
      ])
  }

  // MARK: - Shapes

  /// All values as one vector, in our order: channels last.
  private mutating func flattened(_ source: String, _ shape: Shape) -> String {
    guard shape.rank > 1 else { return source }
    return graph.add("Flatten", [shape.hasOneOrder ? source : channelsLast(source, shape)], [.axis(1)])
  }

  /// A vector in our order as an image or sequence with its channels first.
  private mutating func shaped(_ vector: String, _ shape: Shape) -> String {
    guard shape.rank > 1 else { return vector }
    let channels = shape[shape.rank - 1]
    let places = Array(shape.dimensions.dropLast())
    // 0 leaves the number of samples as it is.
    let target = shape.hasOneOrder ? [0, channels] + places : [0] + shape.dimensions
    let result = graph.add("Reshape", [vector, graph.integers("shape", target)])
    return shape.hasOneOrder ? result : channelsFirst(result, shape)
  }

  /// Puts the channels of [N, C, …] last.
  mutating func channelsLast(_ source: String, _ shape: Shape, output: String? = nil) -> String {
    let order = [0] + Array(2...shape.rank) + [1]
    return graph.add("Transpose", [source], [.integers("perm", order)], output: output)
  }

  /// Puts the channels of [N, …, C] first.
  mutating func channelsFirst(_ source: String, _ shape: Shape) -> String {
    graph.add("Transpose", [source], [.integers("perm", [0, shape.rank] + Array(1..<shape.rank))])
  }

  // MARK: - Vectors and words

  private mutating func product(_ layer: ResolvedLayer, _ dense: Dense, _ source: String) -> String {
    let kernel = graph.constant(
      "kernel", [layer.inputShapes[0][0], dense.units], Array(parameter("kernel", of: layer)))
    let bias = bias(of: layer, isUsed: dense.useBias)
    return activated(graph.add("Gemm", [source, kernel] + [bias].compactMap(\.self)), dense.activation)
  }

  private mutating func embedding(_ layer: ResolvedLayer, _ source: String) -> String {
    let table = layer.parameters[0]
    let vectors = graph.constant(
      "embeddings", table.shape.dimensions, Array(parameter(table.name, of: layer)))
    let words = graph.add(
      "Cast", [source], [.integer("to", ONNXTensor.ElementType.int64.rawValue)])
    return channelsFirst(graph.add("Gather", [vectors, words], [.axis(0)]), layer.outputShape)
  }

  // MARK: - Joining

  private mutating func multiplied(_ layer: ResolvedLayer, _ sources: [String]) -> String {
    let full = layer.outputShape
    var factors: [String] = []
    for (source, shape) in zip(sources, layer.inputShapes) {
      guard shape.rank == 1, full.rank > 1 else {
        factors.append(source)
        continue
      }
      let ones = [Int](repeating: 1, count: full.rank - 1)
      factors.append(graph.add("Reshape", [source, graph.integers("factor_shape", [0, shape[0]] + ones)]))
    }
    return factors.dropFirst().reduce(factors[0]) { graph.add("Mul", [$0, $1]) }
  }

  // MARK: - Parameters

  func parameter(_ name: String, of layer: ResolvedLayer) -> UnsafeBufferPointer<Float> {
    let parameter = values.layout.parameters.first { $0.layer == layer.name && $0.spec.name == name }
    guard let parameter else { preconditionFailure("the network has no '\(layer.name)/\(name)'") }
    return UnsafeBufferPointer(values.values(of: parameter))
  }

  private mutating func bias(of layer: ResolvedLayer, isUsed: Bool) -> String? {
    guard isUsed else { return nil }
    let bias = parameter("bias", of: layer)
    return graph.constant("bias", [bias.count], Array(bias))
  }

  mutating func vector(
    _ name: String, of layer: ResolvedLayer, _ count: Int, isUsed: Bool = true, otherwise value: Float = 0
  ) -> String {
    let values = isUsed ? Array(parameter(name, of: layer)) : [Float](repeating: value, count: count)
    return graph.constant(name, [count], values)
  }

  /// A parameter of the shape [H, W, C], [T, C] or [C], with its channels first.
  private mutating func channelsFirst(_ spec: ParameterSpec, of layer: ResolvedLayer) -> String {
    let rank = spec.shape.rank
    let order = [rank - 1] + Array(0..<rank - 1)
    let turned = Transposition.apply(
      order, to: parameter(spec.name, of: layer), shape: spec.shape.dimensions)
    return graph.constant(spec.name, order.map { spec.shape[$0] }, turned)
  }
}

extension Shape {
  /// Rows, columns and channels; a sequence is one row, a vector one place.
  var asRows: Shape {
    switch rank {
    case 1: [1, 1, self[0]]
    case 2: [1, self[0], self[1]]
    default: self
    }
  }

  /// Whether values lie in the same order with channels first and last.
  fileprivate var hasOneOrder: Bool {
    let channels = self[rank - 1]
    return channels == 1 || elementCount == channels
  }
}
