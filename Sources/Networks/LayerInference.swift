internal import Tensors

/// Infers one layer's output shape, parameters and work from the shapes of its inputs.
struct LayerInference {
  let layer: Layer
  let inputs: [Shape]

  private var input: Shape { inputs[0] }

  func resolve() throws -> ResolvedLayer {
    switch layer.spec {
    case .conv1D(let conv): try convolution(conv.asImage, try sequence())
    case .conv2D(let conv): try convolution(conv, try image())
    case .depthwiseConv2D(let conv): try depthwiseConvolution(conv)
    case .conv2DTranspose(let conv): try transposedConvolution(conv)
    case .maxPool1D(let pool), .averagePool1D(let pool): try pooling(pool.asImage, try sequence())
    case .maxPool2D(let pool), .averagePool2D(let pool): try pooling(pool, try image())
    case .globalAveragePool1D, .globalMaxPool1D: globalPooling(try sequence())
    case .globalAveragePool2D, .globalMaxPool2D: globalPooling(try image())
    case .zeroPadding1D(let margins): try padding(margins.asImage, try sequence())
    case .zeroPadding2D(let margins): try padding(margins, try image())
    case .cropping1D(let margins): try cropping(margins.asImage, try sequence())
    case .cropping2D(let margins): try cropping(margins, try image())
    case .upSampling1D(let sampling): try upSampling(Size2D(1, sampling.size), .nearest, try sequence())
    case .upSampling2D(let sampling): try upSampling(sampling.size, sampling.interpolation, try image())
    case .flatten: make(output: [input.elementCount], flopsPerElement: 0)
    case .reshape(let reshape): try self.reshape(reshape)
    case .dense(let dense): try fullyConnected(dense)
    case .embedding(let embedding): try self.embedding(embedding)
    case .activation: make(output: input)
    case .leakyReLU(let function): try leakyReLU(function)
    case .elu(let function): try elu(function)
    case .prelu(let function): prelu(function)
    case .dropout(let dropout): try self.dropout(dropout)
    case .batchNorm(let norm): try batchNormalization(norm)
    case .layerNorm(let norm): try layerNormalization(norm)
    case .localResponseNorm(let norm): try localResponseNormalization(norm)
    case .normalization(let norm): try normalization(norm)
    case .rescale(let rescale): try self.rescale(rescale)
    case .add: try addition()
    case .multiply: try multiplication()
    case .concat: try concatenation()
    case .positionBias: positionBias()
    }
  }

  // MARK: - Layers

  private func convolution(_ conv: Conv2D, _ grid: Grid) throws -> ResolvedLayer {
    try require(conv.filters, atLeast: 1, "filters")
    try require(conv.kernel, "kernel")
    try require(conv.stride, "stride")
    try require(conv.dilation, "dilation")
    try require(conv.groups, atLeast: 1, "groups")
    try requireImagePadding(conv.padding, grid)
    guard grid.channels % conv.groups == 0, conv.filters % conv.groups == 0 else {
      throw NetworkError.parameter(
        layer: layer.name, name: "groups",
        reason:
          "\(conv.groups) must divide both the \(grid.channels) input channels and the \(conv.filters) filters"
      )
    }
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, conv: conv) else {
      throw windowError(conv.kernel, grid)
    }
    let groupChannels = grid.channels / conv.groups
    let receptiveField = conv.kernel.height * conv.kernel.width
    let shape = [conv.kernel.height, conv.kernel.width, groupChannels, conv.filters]
    let fans = Fans(incoming: receptiveField * groupChannels, outgoing: receptiveField * conv.filters)
    return make(
      output: grid.shape(geometry.height.output, geometry.width.output, conv.filters),
      parameters: [
        kernel(Shape(Array(shape.dropFirst(grid.isSequence ? 1 : 0))), conv.kernelInitializer, fans)
      ]
        + (conv.useBias ? [bias([conv.filters], conv.biasInitializer)] : []),
      flopsPerElement: 2 * receptiveField * groupChannels + (conv.useBias ? 1 : 0))
  }

  private func depthwiseConvolution(_ conv: DepthwiseConv2D) throws -> ResolvedLayer {
    let grid = try image()
    try require(conv.kernel, "kernel")
    try require(conv.multiplier, atLeast: 1, "multiplier")
    try require(conv.stride, "stride")
    try require(conv.dilation, "dilation")
    try requireImagePadding(conv.padding, grid)
    let grouped = conv.grouped(channels: grid.channels)
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, conv: grouped) else {
      throw windowError(conv.kernel, grid)
    }
    let receptiveField = conv.kernel.height * conv.kernel.width
    // Keras counts fans from the kernel's shape, as if all channels met in each output.
    let fans = Fans(
      incoming: receptiveField * grid.channels, outgoing: receptiveField * conv.multiplier)
    let shape: Shape = [conv.kernel.height, conv.kernel.width, grid.channels, conv.multiplier]
    return make(
      output: [geometry.height.output, geometry.width.output, grouped.filters],
      parameters: [kernel(shape, conv.kernelInitializer, fans)]
        + (conv.useBias ? [bias([grouped.filters], conv.biasInitializer)] : []),
      flopsPerElement: 2 * receptiveField + (conv.useBias ? 1 : 0))
  }

  private func transposedConvolution(_ conv: Conv2DTranspose) throws -> ResolvedLayer {
    let grid = try image()
    try require(conv.filters, atLeast: 1, "filters")
    try require(conv.kernel, "kernel")
    try require(conv.stride, "stride")
    try requireImagePadding(conv.padding, grid)
    func geometry(_ input: Int, _ window: Int, _ stride: Int) -> TransposedGeometry {
      TransposedGeometry(input: input, window: window, stride: stride, padding: conv.padding)
    }
    let output: Shape = [
      geometry(grid.height, conv.kernel.height, conv.stride.height).output,
      geometry(grid.width, conv.kernel.width, conv.stride.width).output, conv.filters,
    ]
    let receptiveField = conv.kernel.height * conv.kernel.width
    // Keras counts fans from the shape [KH, KW, OC, IC] as it stands, outputs first.
    let fans = Fans(incoming: receptiveField * conv.filters, outgoing: receptiveField * grid.channels)
    let work = LayerInference.work(
      grid.height * grid.width * grid.channels, 2 * receptiveField * conv.filters)
    let parameters =
      [
        kernel(
          [conv.kernel.height, conv.kernel.width, conv.filters, grid.channels], conv.kernelInitializer, fans)
      ] + (conv.useBias ? [bias([conv.filters], conv.biasInitializer)] : [])
    return ResolvedLayer(
      layer: layer, inputShapes: inputs, outputShape: output, parameters: parameters,
      flops: min(work + (conv.useBias ? output.elementCount : 0), 1 << 48))
  }

  private func pooling(_ pool: Pool2D, _ grid: Grid) throws -> ResolvedLayer {
    try require(pool.size, "size")
    try require(pool.stride, "stride")
    guard pool.padding != .causal else {
      throw NetworkError.parameter(
        layer: layer.name, name: "padding", reason: "'causal' is for convolutions; take 'valid' or 'same'")
    }
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, pool: pool) else {
      throw windowError(pool.size, grid)
    }
    return make(
      output: grid.shape(geometry.height.output, geometry.width.output, grid.channels),
      flopsPerElement: pool.size.height * pool.size.width)
  }

  private func globalPooling(_ grid: Grid) -> ResolvedLayer {
    make(output: [grid.channels], flopsPerElement: grid.height * grid.width)
  }

  // MARK: - Moving elements

  private func padding(_ margins: Margins2D, _ grid: Grid) throws -> ResolvedLayer {
    try require(margins)
    return make(
      output: grid.shape(
        grid.height + margins.top + margins.bottom, grid.width + margins.left + margins.right, grid.channels),
      flopsPerElement: 0)
  }

  private func cropping(_ margins: Margins2D, _ grid: Grid) throws -> ResolvedLayer {
    try require(margins)
    let height = grid.height - margins.top - margins.bottom
    let width = grid.width - margins.left - margins.right
    guard height > 0, width > 0 else {
      throw NetworkError.shape(
        layer: layer.name,
        reason: "cropping leaves nothing of the \(input) that '\(layer.inputs[0])' gives; crop less")
    }
    return make(output: grid.shape(height, width, grid.channels), flopsPerElement: 0)
  }

  private func upSampling(
    _ size: Size2D, _ interpolation: Interpolation, _ grid: Grid
  ) throws -> ResolvedLayer {
    try require(size, "size")
    return make(
      output: grid.shape(grid.height * size.height, grid.width * size.width, grid.channels),
      flopsPerElement: interpolation == .nearest ? 0 : 8)
  }

  private func reshape(_ reshape: Reshape) throws -> ResolvedLayer {
    let shape = Shape(reshape.shape)
    guard (1...3).contains(shape.rank), shape.dimensions.allSatisfy({ $0 > 0 }) else {
      throw NetworkError.parameter(
        layer: layer.name, name: "shape", reason: "\(shape) must have 1 to 3 positive dimensions")
    }
    let product = shape.dimensions.reduce(1.0) { $0 * Double($1) }
    guard product == Double(input.elementCount) else {
      throw NetworkError.shape(
        layer: layer.name,
        reason: "\(shape) does not have the \(input.elementCount) elements of the \(input) that "
          + "'\(layer.inputs[0])' gives")
    }
    return make(output: shape, flopsPerElement: 0)
  }

  // MARK: - Vectors and words

  private func embedding(_ embedding: Embedding) throws -> ResolvedLayer {
    try require(embedding.vocabulary, atLeast: 1, "vocabulary")
    try require(embedding.dimension, atLeast: 1, "dimension")
    guard input.rank == 1 else {
      throw NetworkError.shape(
        layer: layer.name,
        reason: "embedding takes a row of word numbers [length] and '\(layer.inputs[0])' gives \(input)")
    }
    if let word = embedding.paddingWord, !(0..<embedding.vocabulary).contains(word) {
      throw NetworkError.parameter(
        layer: layer.name, name: "padding_word",
        reason: "\(word) must be from 0 to \(embedding.vocabulary - 1), the vocabulary's last word")
    }
    let table = ParameterSpec(
      name: "embeddings", shape: [embedding.vocabulary, embedding.dimension], isTrainable: true,
      initializer: embedding.initializer,
      fans: Fans(incoming: embedding.vocabulary, outgoing: embedding.dimension),
      isFrozen: embedding.isFrozen, zeroRow: embedding.paddingWord)
    return make(output: [input[0], embedding.dimension], parameters: [table], flopsPerElement: 0)
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
    var parameters = [kernel([input[0], dense.units], dense.kernelInitializer, fans)]
    if dense.useBias { parameters.append(bias([dense.units], dense.biasInitializer)) }
    return make(
      output: [dense.units], parameters: parameters,
      flopsPerElement: 2 * input[0] + (dense.useBias ? 1 : 0))
  }

  // MARK: - Functions of one element

  private func leakyReLU(_ function: LeakyReLU) throws -> ResolvedLayer {
    guard function.negativeSlope >= 0, function.negativeSlope.isFinite else {
      throw NetworkError.parameter(
        layer: layer.name, name: "negative_slope", reason: "\(function.negativeSlope) must be at least 0")
    }
    return make(output: input, flopsPerElement: 2)
  }

  private func elu(_ function: ELU) throws -> ResolvedLayer {
    guard function.alpha > 0, function.alpha.isFinite else {
      throw NetworkError.parameter(
        layer: layer.name, name: "alpha", reason: "\(function.alpha) must be above 0")
    }
    return make(output: input, flopsPerElement: 2)
  }

  private func prelu(_ function: PReLU) -> ResolvedLayer {
    let ones = [Int](repeating: 1, count: input.rank - 1)
    let shape = function.sharesPositions ? Shape(ones + [input[input.rank - 1]]) : input
    let alpha = ParameterSpec(
      name: "alpha", shape: shape, isTrainable: true, initializer: .zeros, fans: Fans.none)
    return make(output: input, parameters: [alpha], flopsPerElement: 2)
  }

  private func dropout(_ dropout: Dropout) throws -> ResolvedLayer {
    guard dropout.rate >= 0, dropout.rate < 1 else {
      throw NetworkError.parameter(
        layer: layer.name, name: "rate", reason: "\(dropout.rate) must be at least 0 and below 1")
    }
    return make(output: input)
  }

  // MARK: - Normalisations

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

  private func layerNormalization(_ norm: LayerNorm) throws -> ResolvedLayer {
    guard norm.epsilon > 0 else {
      throw NetworkError.parameter(
        layer: layer.name, name: "epsilon", reason: "\(norm.epsilon) must be above 0")
    }
    func values(_ name: String, _ initializer: Initializer) -> ParameterSpec {
      ParameterSpec(
        name: name, shape: [input[input.rank - 1]], isTrainable: true, initializer: initializer, fans: .none)
    }
    return make(
      output: input,
      parameters: (norm.scale ? [values("gamma", .ones)] : [])
        + (norm.center ? [values("beta", .zeros)] : []),
      flopsPerElement: 8)
  }

  private func localResponseNormalization(_ norm: LocalResponseNorm) throws -> ResolvedLayer {
    try require(norm.radius, atLeast: 0, "radius")
    for (name, value) in [("bias", norm.bias), ("alpha", norm.alpha), ("beta", norm.beta)] {
      guard value > 0, value.isFinite else {
        throw NetworkError.parameter(layer: layer.name, name: name, reason: "\(value) must be above 0")
      }
    }
    return make(output: input, flopsPerElement: 2 * (2 * norm.radius + 1) + 3)
  }

  private func normalization(_ norm: Normalization) throws -> ResolvedLayer {
    let channels = input[input.rank - 1]
    for (name, values) in [("mean", norm.mean), ("variance", norm.variance)] {
      guard values.count == 1 || values.count == channels else {
        throw NetworkError.parameter(
          layer: layer.name, name: name,
          reason: "has \(values.count) values for the \(channels) channels of the \(input) that "
            + "'\(layer.inputs[0])' gives; write one for each, or one for all")
      }
      guard values.allSatisfy(\.isFinite), name == "mean" || values.allSatisfy({ $0 >= 0 }) else {
        throw NetworkError.parameter(
          layer: layer.name, name: name,
          reason: "must hold finite numbers" + (name == "mean" ? "" : " that are not negative"))
      }
    }
    return make(output: input, flopsPerElement: 2)
  }

  // MARK: - Joining

  private func addition() throws -> ResolvedLayer {
    for (name, shape) in zip(layer.inputs, inputs) where shape != input {
      throw NetworkError.shape(
        layer: layer.name,
        reason: "add needs equal shapes, and '\(layer.inputs[0])' gives \(input) but '\(name)' gives \(shape)"
      )
    }
    return make(output: input, flopsPerElement: inputs.count - 1)
  }

  /// Equal shapes, or one full image and factors of `[1, 1, C]` or `[C]` for it.
  private func multiplication() throws -> ResolvedLayer {
    let full = inputs.max { ($0.elementCount, $0.rank) < ($1.elementCount, $1.rank) } ?? input
    for (name, shape) in zip(layer.inputs, inputs) where shape != full {
      let channels = shape[shape.rank - 1]
      guard shape.elementCount == channels, channels == full[full.rank - 1],
        shape.rank == 1 || shape.rank == full.rank
      else {
        throw NetworkError.shape(
          layer: layer.name,
          reason: "multiply takes equal shapes, or factors [channels] for an image; there is \(full), and "
            + "'\(name)' gives \(shape)")
      }
    }
    return make(output: full, flopsPerElement: inputs.count - 1)
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

  private func kernel(_ shape: Shape, _ initializer: Initializer, _ fans: Fans) -> ParameterSpec {
    ParameterSpec(name: "kernel", shape: shape, isTrainable: true, initializer: initializer, fans: fans)
  }

  /// Rows, columns and channels; a sequence has one row.
  private struct Grid {
    let height: Int
    let width: Int
    let channels: Int
    let isSequence: Bool

    func shape(_ height: Int, _ width: Int, _ channels: Int) -> Shape {
      isSequence ? [width, channels] : [height, width, channels]
    }
  }

  private func image() throws -> Grid {
    guard input.rank == 3 else {
      throw NetworkError.shape(
        layer: layer.name,
        reason:
          "\(layer.spec.kind) takes an image [height, width, channels] and '\(layer.inputs[0])' gives \(input)"
      )
    }
    return Grid(height: input[0], width: input[1], channels: input[2], isSequence: false)
  }

  private func sequence() throws -> Grid {
    guard input.rank == 2 else {
      throw NetworkError.shape(
        layer: layer.name,
        reason:
          "\(layer.spec.kind) takes a sequence [length, channels] and '\(layer.inputs[0])' gives \(input)")
    }
    return Grid(height: 1, width: input[0], channels: input[1], isSequence: true)
  }

  private func windowError(_ window: Size2D, _ grid: Grid) -> NetworkError {
    let size = grid.isSequence ? "window of \(window.width)" : "\(window.height)×\(window.width) window"
    return .shape(
      layer: layer.name,
      reason: "a \(size) does not fit into the \(input) that "
        + "'\(layer.inputs[0])' gives; use padding 'same', a smaller window or less pooling before it")
  }

  private func requireImagePadding(_ padding: Padding, _ grid: Grid) throws {
    guard padding == .causal, !grid.isSequence else { return }
    throw NetworkError.parameter(
      layer: layer.name, name: "padding", reason: "'causal' is for conv1d; take 'valid' or 'same'")
  }

  private func require(_ margins: Margins2D) throws {
    for (name, value) in [
      ("top", margins.top), ("bottom", margins.bottom), ("left", margins.left), ("right", margins.right),
    ] {
      try require(value, atLeast: 0, name)
    }
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
