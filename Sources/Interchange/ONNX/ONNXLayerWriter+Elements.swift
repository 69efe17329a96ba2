internal import Networks
internal import Tensors

// Nodes of functions of one element, and of normalisations.

extension ONNXLayerWriter {
  // MARK: - Functions of one element

  /// A function applied to a result whose channels are its second dimension.
  mutating func activated(_ source: String, _ function: Activation) -> String {
    switch function {
    case .linear: return source
    case .relu: return graph.add("Relu", [source])
    case .relu6: return clipped(source, to: 6)
    case .leakyReLU: return graph.add("LeakyRelu", [source], [.float("alpha", 0.2)])
    case .elu: return graph.add("Elu", [source])
    case .gelu: return gelu(source)
    case .silu: return graph.add("Mul", [source, graph.add("Sigmoid", [source])])
    case .softplus: return graph.add("Softplus", [source])
    case .sigmoid: return graph.add("Sigmoid", [source])
    case .hardSigmoid:
      return graph.add("HardSigmoid", [source], [.float("alpha", 1 / 6), .float("beta", 0.5)])
    case .tanh: return graph.add("Tanh", [source])
    case .softmax: return graph.add("Softmax", [source], [.axis(1)])
    }
  }

  mutating func clipped(_ source: String, to largest: Float) -> String {
    graph.add("Clip", [source, graph.constant("least", 0), graph.constant("largest", largest)])
  }

  /// x·Φ(x) with Φ(x) = (1 + erf(x / √2)) / 2.
  private mutating func gelu(_ source: String) -> String {
    if graph.opset >= 20 { return graph.add("Gelu", [source]) }
    let scaled = graph.add("Mul", [source, graph.constant("root_half", Float(0.5.squareRoot()))])
    let sum = graph.add("Add", [graph.add("Erf", [scaled]), graph.constant("one", 1)])
    return graph.add("Mul", [graph.add("Mul", [source, sum]), graph.constant("half", 0.5)])
  }

  // MARK: - Normalisations

  mutating func normalized(_ layer: ResolvedLayer, _ norm: BatchNorm, _ source: String) -> String {
    let channels = layer.inputShapes[0].dimensions.last ?? 1
    let scale = vector("gamma", of: layer, channels, isUsed: norm.scale, otherwise: 1)
    let offset = vector("beta", of: layer, channels, isUsed: norm.center, otherwise: 0)
    let mean = vector("moving_mean", of: layer, channels)
    let variance = vector("moving_variance", of: layer, channels)
    return graph.add(
      "BatchNormalization", [source, scale, offset, mean, variance],
      [.float("epsilon", norm.epsilon), .float("momentum", norm.momentum)])
  }

  mutating func normalized(_ layer: ResolvedLayer, _ norm: LayerNorm, _ source: String) -> String {
    let input = layer.inputShapes[0]
    let channels = input.dimensions.last ?? 1
    let scale = vector("gamma", of: layer, channels, isUsed: norm.scale, otherwise: 1)
    let offset = vector("beta", of: layer, channels, isUsed: norm.center, otherwise: 0)
    let last = input.rank == 1 ? source : channelsLast(source, input)
    let result: String
    if graph.opset >= 17 {
      result = graph.add(
        "LayerNormalization", [last, scale, offset], [.axis(-1), .float("epsilon", norm.epsilon)])
    } else {
      let difference = graph.add("Sub", [last, mean(last)])
      let variance = mean(graph.add("Mul", [difference, difference]))
      let sum = graph.add("Add", [variance, graph.constant("epsilon", norm.epsilon)])
      let quotient = graph.add("Div", [difference, graph.add("Sqrt", [sum])])
      result = graph.add("Add", [graph.add("Mul", [quotient, scale]), offset])
    }
    return input.rank == 1 ? result : channelsFirst(result, input)
  }

  /// As one operator where the version has it, or else as an instance normalisation of groups, which have scale and offset behind them.
  mutating func normalized(_ layer: ResolvedLayer, _ norm: GroupNorm, _ source: String) -> String {
    let input = layer.inputShapes[0]
    let (channels, places) = (input[input.rank - 1], Array(input.dimensions.dropLast()))
    let groups = norm.groupCount(channels: channels)
    let epsilon = ONNXAttribute.float("epsilon", norm.epsilon)
    if input.rank > 1, groups == channels || graph.opset >= 21 {
      let scale = vector("gamma", of: layer, channels, isUsed: norm.scale, otherwise: 1)
      let offset = vector("beta", of: layer, channels, isUsed: norm.center, otherwise: 0)
      return groups == channels
        ? graph.add("InstanceNormalization", [source, scale, offset], [epsilon])
        : graph.add(
          "GroupNormalization", [source, scale, offset], [epsilon, .integer("num_groups", groups)])
    }
    let ones = graph.constant("ones", [groups], [Float](repeating: 1, count: groups))
    let zeros = graph.constant("zeros", [groups], [Float](repeating: 0, count: groups))
    let rows = graph.add("Reshape", [source, graph.integers("groups", [0, groups, -1])])
    var result = graph.add("InstanceNormalization", [rows, ones, zeros], [epsilon])
    result = graph.add("Reshape", [result, graph.integers("shape", [0, channels] + places)])
    for (name, operation, isUsed) in [("gamma", "Mul", norm.scale), ("beta", "Add", norm.center)] where isUsed
    {
      let values = graph.constant(
        name, [channels] + places.map { _ in 1 }, Array(parameter(name, of: layer)))
      result = graph.add(operation, [result, values])
    }
    return result
  }

  private mutating func mean(_ source: String) -> String {
    graph.add("ReduceMean", [source], [.integers("axes", [-1]), .integer("keepdims", 1)])
  }

  mutating func responseNormalized(
    _ norm: LocalResponseNorm, _ input: Shape, _ source: String
  ) -> String {
    // ONNX divides alpha by the number of channels that count, and its runtimes want images.
    let size = 2 * norm.radius + 1
    let channels = input.dimensions.last ?? 1
    let image = input.asRows
    let isImage = input.rank == 3
    let reshaped =
      isImage
      ? source
      : graph.add("Reshape", [source, graph.integers("image", [0, channels, image[0], image[1]])])
    let result = graph.add(
      "LRN", [reshaped],
      [
        .float("alpha", norm.alpha * Float(size)), .float("beta", norm.beta), .float("bias", norm.bias),
        .integer("size", size),
      ])
    guard !isImage else { return result }
    return graph.add(
      "Reshape", [result, graph.integers("shape", [0, channels] + input.dimensions.dropLast())])
  }

  mutating func affine(
    _ source: String, _ scale: [Double], _ offset: [Double], rank: Int
  ) -> String {
    let ones = [Int](repeating: 1, count: rank - 1)
    func constant(_ name: String, _ values: [Double], _ graph: inout ONNXGraphBuilder) -> String {
      graph.constant(name, values.count == 1 ? [] : [values.count] + ones, values.map { Float($0) })
    }
    var result = source
    if scale.contains(where: { $0 != 1 }) {
      result = graph.add("Mul", [result, constant("scale", scale, &graph)])
    }
    if offset.contains(where: { $0 != 0 }) {
      result = graph.add("Add", [result, constant("offset", offset, &graph)])
    }
    return result
  }
}
