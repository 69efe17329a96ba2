internal import Tensors

/// Infers one layer's output shape, parameters and work from the shapes of its inputs.
struct LayerInference {
  let layer: Layer
  let inputs: [Shape]

  private var input: Shape { inputs[0] }

  func resolve() throws -> ResolvedLayer {
    switch layer.spec {
    case .conv2D(let conv): try convolution(conv)
    case .maxPool2D(let pool), .averagePool2D(let pool): try pooling(pool)
    case .globalAveragePool2D, .globalMaxPool2D: try globalPooling()
    case .flatten: make(output: [input.elementCount], flopsPerElement: 0)
    case .dense(let dense): try fullyConnected(dense)
    case .activation: make(output: input)
    case .dropout(let dropout): try self.dropout(dropout)
    case .batchNorm(let norm): try batchNormalization(norm)
    case .add: try addition()
    case .concat: try concatenation()
    case .rescale(let rescale): try self.rescale(rescale)
    case .positionBias: positionBias()
    }
  }

  // MARK: - Layers

  private func convolution(_ conv: Conv2D) throws -> ResolvedLayer {
    let (height, width, channels) = try image()
    try require(conv.filters, atLeast: 1, "filters")
    try require(conv.kernel, "kernel")
    try require(conv.stride, "stride")
    try require(conv.dilation, "dilation")
    try require(conv.groups, atLeast: 1, "groups")
    guard channels % conv.groups == 0, conv.filters % conv.groups == 0 else {
      throw NetworkError.parameter(
        layer: layer.name, name: "groups",
        reason:
          "\(conv.groups) must divide both the \(channels) input channels and the \(conv.filters) filters")
    }
    guard let geometry = WindowGeometry2D(height: height, width: width, conv: conv) else {
      throw windowError(conv.kernel)
    }
    let groupChannels = channels / conv.groups
    let kernelShape: Shape = [conv.kernel.height, conv.kernel.width, groupChannels, conv.filters]
    let receptiveField = conv.kernel.height * conv.kernel.width
    let fans = Fans(incoming: receptiveField * groupChannels, outgoing: receptiveField * conv.filters)
    var parameters = [
      ParameterSpec(
        name: "kernel", shape: kernelShape, isTrainable: true, initializer: conv.kernelInitializer, fans: fans
      )
    ]
    if conv.useBias {
      parameters.append(bias([conv.filters], conv.biasInitializer))
    }
    let output: Shape = [geometry.height.output, geometry.width.output, conv.filters]
    return make(
      output: output, parameters: parameters,
      flopsPerElement: 2 * receptiveField * groupChannels + (conv.useBias ? 1 : 0))
  }

  private func pooling(_ pool: Pool2D) throws -> ResolvedLayer {
    let (height, width, channels) = try image()
    try require(pool.size, "size")
    try require(pool.stride, "stride")
    guard let geometry = WindowGeometry2D(height: height, width: width, pool: pool) else {
      throw windowError(pool.size)
    }
    return make(
      output: [geometry.height.output, geometry.width.output, channels],
      flopsPerElement: pool.size.height * pool.size.width)
  }

  private func globalPooling() throws -> ResolvedLayer {
    let (height, width, channels) = try image()
    return make(output: [channels], flopsPerElement: height * width)
  }

  private func fullyConnected(_ dense: Dense) throws -> ResolvedLayer {
    try require(dense.units, atLeast: 1, "units")
    guard input.rank == 1 else {
      throw NetworkError.shape(
        layer: layer.name,
        reason: "dense takes a flat input and '\(layer.inputs[0])' gives \(input); put flatten or "
          + "global_average_pool2d before it")
    }
    let fans = Fans(incoming: input[0], outgoing: dense.units)
    var parameters = [
      ParameterSpec(
        name: "kernel", shape: [input[0], dense.units], isTrainable: true,
        initializer: dense.kernelInitializer, fans: fans)
    ]
    if dense.useBias { parameters.append(bias([dense.units], dense.biasInitializer)) }
    return make(
      output: [dense.units], parameters: parameters,
      flopsPerElement: 2 * input[0] + (dense.useBias ? 1 : 0))
  }

  private func dropout(_ dropout: Dropout) throws -> ResolvedLayer {
    guard dropout.rate >= 0, dropout.rate < 1 else {
      throw NetworkError.parameter(
        layer: layer.name, name: "rate", reason: "\(dropout.rate) must be at least 0 and below 1")
    }
    return make(output: input)
  }

  private func batchNormalization(_ norm: BatchNorm) throws -> ResolvedLayer {
    guard norm.momentum >= 0, norm.momentum < 1 else {
      throw NetworkError.parameter(
        layer: layer.name, name: "momentum", reason: "\(norm.momentum) must be at least 0 and below 1")
    }
    guard norm.epsilon > 0 else {
      throw NetworkError.parameter(
        layer: layer.name, name: "epsilon", reason: "\(norm.epsilon) must be above 0")
    }
    let channels: Shape = [input[input.rank - 1]]
    func values(_ name: String, _ initializer: Initializer, trainable: Bool) -> ParameterSpec {
      ParameterSpec(
        name: name, shape: channels, isTrainable: trainable, initializer: initializer, fans: Fans.none)
    }
    var parameters: [ParameterSpec] = []
    if norm.scale { parameters.append(values("gamma", .ones, trainable: true)) }
    if norm.center { parameters.append(values("beta", .zeros, trainable: true)) }
    parameters.append(values("moving_mean", .zeros, trainable: false))
    parameters.append(values("moving_variance", .ones, trainable: false))
    return make(output: input, parameters: parameters, flopsPerElement: 2)
  }

  private func addition() throws -> ResolvedLayer {
    for (name, shape) in zip(layer.inputs, inputs) where shape != input {
      throw NetworkError.shape(
        layer: layer.name,
        reason: "add needs equal shapes, and '\(layer.inputs[0])' gives \(input) but '\(name)' gives \(shape)"
      )
    }
    return make(output: input, flopsPerElement: inputs.count - 1)
  }

  private func concatenation() throws -> ResolvedLayer {
    let leading = input.dimensions.dropLast()
    for (name, shape) in zip(layer.inputs, inputs) where shape.dimensions.dropLast() != leading {
      throw NetworkError.shape(
        layer: layer.name,
        reason: "concat joins channels of equal images, and '\(layer.inputs[0])' gives \(input) but "
          + "'\(name)' gives \(shape)")
    }
    let channels = inputs.reduce(0) { $0 + $1[$1.rank - 1] }
    return make(output: Shape(Array(leading) + [channels]), flopsPerElement: 0)
  }

  private func rescale(_ rescale: Rescale) throws -> ResolvedLayer {
    guard rescale.scale.isFinite, rescale.offset.isFinite else {
      throw NetworkError.parameter(
        layer: layer.name, name: "scale", reason: "and offset must be finite numbers")
    }
    return make(output: input, flopsPerElement: 2)
  }

  private func positionBias() -> ResolvedLayer {
    make(output: input, parameters: [bias(input, .zeros)])
  }

  // MARK: - Parts

  private func make(
    output: Shape, parameters: [ParameterSpec] = [], flopsPerElement: Int = 1
  ) -> ResolvedLayer {
    ResolvedLayer(
      layer: layer, inputShapes: inputs, outputShape: output, parameters: parameters,
      flops: LayerInference.work(output.elementCount, flopsPerElement))
  }

  /// The product, held below what a sum over any number of layers could overflow.
  private static func work(_ elements: Int, _ flopsPerElement: Int) -> Int {
    let (product, overflow) = elements.multipliedReportingOverflow(by: flopsPerElement)
    return overflow ? 1 << 48 : min(product, 1 << 48)
  }

  private func bias(_ shape: Shape, _ initializer: Initializer) -> ParameterSpec {
    ParameterSpec(name: "bias", shape: shape, isTrainable: true, initializer: initializer, fans: Fans.none)
  }

  private func image() throws -> (height: Int, width: Int, channels: Int) {
    guard input.rank == 3 else {
      throw NetworkError.shape(
        layer: layer.name,
        reason:
          "\(layer.spec.kind) takes an image [height, width, channels] and '\(layer.inputs[0])' gives \(input)"
      )
    }
    return (input[0], input[1], input[2])
  }

  private func windowError(_ window: Size2D) -> NetworkError {
    .shape(
      layer: layer.name,
      reason: "a \(window.height)×\(window.width) window does not fit into the \(input) that "
        + "'\(layer.inputs[0])' gives; use padding 'same', a smaller window or less pooling before it")
  }

  private func require(_ value: Int, atLeast minimum: Int, _ name: String) throws {
    guard (minimum...1 << 24).contains(value) else {
      throw NetworkError.parameter(
        layer: layer.name, name: name, reason: "\(value) must be from \(minimum) to \(1 << 24)")
    }
  }

  private func require(_ size: Size2D, _ name: String) throws {
    try require(size.height, atLeast: 1, name)
    try require(size.width, atLeast: 1, name)
  }
}
