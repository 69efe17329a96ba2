internal import Networks
internal import Settings

/// Makes layer values of resolved ones.
enum LayerBuilder {
  /// - Parameter fields: the layer's own values, complete.
  static func spec(_ kind: String, _ fields: ResolvedValue) -> LayerSpec? {
    switch kind {
    case "conv1d": sequenceConvolution(fields).map { .conv1D($0) }
    case "conv2d": convolution(fields).map { .conv2D($0) }
    case "depthwise_conv2d": depthwise(fields).map { .depthwiseConv2D($0) }
    case "conv2d_transpose": transposed(fields).map { .conv2DTranspose($0) }
    case "max_pool1d": sequencePool(fields).map { .maxPool1D($0) }
    case "average_pool1d": sequencePool(fields).map { .averagePool1D($0) }
    case "max_pool2d": pool(fields).map { .maxPool2D($0) }
    case "average_pool2d": pool(fields).map { .averagePool2D($0) }
    case "global_average_pool1d": .globalAveragePool1D
    case "global_max_pool1d": .globalMaxPool1D
    case "global_average_pool2d": .globalAveragePool2D
    case "global_max_pool2d": .globalMaxPool2D
    case "zero_padding1d": margins1D(fields).map { .zeroPadding1D($0) }
    case "zero_padding2d": margins2D(fields).map { .zeroPadding2D($0) }
    case "cropping1d": margins1D(fields).map { .cropping1D($0) }
    case "cropping2d": margins2D(fields).map { .cropping2D($0) }
    case "up_sampling1d": fields["size"]?.integer.map { .upSampling1D(UpSampling1D(size: $0)) }
    case "up_sampling2d": upSampling(fields).map { .upSampling2D($0) }
    case "flatten": .flatten
    case "reshape": fields["shape"]?.list.map { .reshape(Reshape($0.compactMap(\.integer))) }
    case "dense": dense(fields).map { .dense($0) }
    case "embedding": embedding(fields).map { .embedding($0) }
    case "leaky_relu": float(fields["negative_slope"]).map { .leakyReLU(LeakyReLU(negativeSlope: $0)) }
    case "elu": float(fields["alpha"]).map { .elu(ELU(alpha: $0)) }
    case "prelu": fields["shared"]?.boolean.map { .prelu(PReLU(sharesPositions: $0)) }
    case "dropout": float(fields["rate"]).map { .dropout(Dropout(rate: $0)) }
    case "batch_norm": batchNorm(fields).map { .batchNorm($0) }
    case "layer_norm": layerNorm(fields).map { .layerNorm($0) }
    case "local_response_norm": localResponseNorm(fields).map { .localResponseNorm($0) }
    case "normalization": normalization(fields).map { .normalization($0) }
    case "rescale": rescale(fields).map { .rescale($0) }
    case "add": .add
    case "multiply": .multiply
    case "concat": .concat
    case "position_bias": .positionBias
    default: Activation(rawValue: kind).map { .activation($0) }
    }
  }

  private static func float(_ value: ResolvedValue?) -> Float? { value?.number.map { Float($0) } }

  private static func size(_ value: ResolvedValue?) -> Size2D? {
    guard let sides = value?.list?.compactMap(\.integer), sides.count == 2 else { return nil }
    return Size2D(sides[0], sides[1])
  }

  private static func word<Word: RawRepresentable<String>>(_ value: ResolvedValue?) -> Word? {
    value?.text.flatMap(Word.init(rawValue:))
  }

  /// What every layer with a kernel is told.
  private struct Weights {
    let useBias: Bool
    let activation: Activation
    let kernel: Initializer
    let bias: Initializer

    init?(_ fields: ResolvedValue) {
      guard let useBias = fields["use_bias"]?.boolean,
        let activation: Activation = word(fields["activation"]),
        let kernel: Initializer = word(fields["kernel_initializer"]),
        let bias: Initializer = word(fields["bias_initializer"])
      else { return nil }
      self.useBias = useBias
      self.activation = activation
      self.kernel = kernel
      self.bias = bias
    }
  }

  private static func convolution(_ fields: ResolvedValue) -> Conv2D? {
    guard let filters = fields["filters"]?.integer, let kernel = size(fields["kernel"]),
      let stride = size(fields["stride"]), let dilation = size(fields["dilation"]),
      let padding: Padding = word(fields["padding"]), let groups = fields["groups"]?.integer,
      let weights = Weights(fields)
    else { return nil }
    return Conv2D(
      filters: filters, kernel: kernel, stride: stride, dilation: dilation, padding: padding, groups: groups,
      useBias: weights.useBias, activation: weights.activation, kernelInitializer: weights.kernel,
      biasInitializer: weights.bias)
  }

  private static func sequenceConvolution(_ fields: ResolvedValue) -> Conv1D? {
    guard let filters = fields["filters"]?.integer, let kernel = fields["kernel"]?.integer,
      let stride = fields["stride"]?.integer, let dilation = fields["dilation"]?.integer,
      let padding: Padding = word(fields["padding"]), let groups = fields["groups"]?.integer,
      let weights = Weights(fields)
    else { return nil }
    return Conv1D(
      filters: filters, kernel: kernel, stride: stride, dilation: dilation, padding: padding, groups: groups,
      useBias: weights.useBias, activation: weights.activation, kernelInitializer: weights.kernel,
      biasInitializer: weights.bias)
  }

  private static func depthwise(_ fields: ResolvedValue) -> DepthwiseConv2D? {
    guard let kernel = size(fields["kernel"]), let multiplier = fields["multiplier"]?.integer,
      let stride = size(fields["stride"]), let dilation = size(fields["dilation"]),
      let padding: Padding = word(fields["padding"]), let weights = Weights(fields)
    else { return nil }
    return DepthwiseConv2D(
      kernel: kernel, multiplier: multiplier, stride: stride, dilation: dilation, padding: padding,
      useBias: weights.useBias, activation: weights.activation, kernelInitializer: weights.kernel,
      biasInitializer: weights.bias)
  }

  private static func transposed(_ fields: ResolvedValue) -> Conv2DTranspose? {
    guard let filters = fields["filters"]?.integer, let kernel = size(fields["kernel"]),
      let stride = size(fields["stride"]), let padding: Padding = word(fields["padding"]),
      let weights = Weights(fields)
    else { return nil }
    return Conv2DTranspose(
      filters: filters, kernel: kernel, stride: stride, padding: padding, useBias: weights.useBias,
      activation: weights.activation, kernelInitializer: weights.kernel, biasInitializer: weights.bias)
  }

  private static func dense(_ fields: ResolvedValue) -> Dense? {
    guard let units = fields["units"]?.integer, let weights = Weights(fields) else { return nil }
    return Dense(
      units: units, useBias: weights.useBias, activation: weights.activation,
      kernelInitializer: weights.kernel, biasInitializer: weights.bias)
  }

  private static func embedding(_ fields: ResolvedValue) -> Embedding? {
    guard let vocabulary = fields["vocabulary"]?.integer, let dimension = fields["dimension"]?.integer,
      let isFrozen = fields["frozen"]?.boolean, let initializer: Initializer = word(fields["initializer"])
    else { return nil }
    return Embedding(
      vocabulary: vocabulary, dimension: dimension, paddingWord: fields["padding_word"]?.integer,
      isFrozen: isFrozen, initializer: initializer)
  }

  // MARK: - Windows and shapes

  private static func sequencePool(_ fields: ResolvedValue) -> Pool1D? {
    guard let size = fields["size"]?.integer, let padding: Padding = word(fields["padding"]) else {
      return nil
    }
    return Pool1D(size: size, stride: fields["stride"]?.integer, padding: padding)
  }

  private static func margins1D(_ fields: ResolvedValue) -> Margins1D? {
    guard let all = fields["all"]?.integer else { return nil }
    return Margins1D(before: fields["before"]?.integer ?? all, after: fields["after"]?.integer ?? all)
  }

  private static func margins2D(_ fields: ResolvedValue) -> Margins2D? {
    guard let all = fields["all"]?.integer else { return nil }
    func side(_ name: String) -> Int { fields[name]?.integer ?? all }
    return Margins2D(top: side("top"), bottom: side("bottom"), left: side("left"), right: side("right"))
  }

  private static func upSampling(_ fields: ResolvedValue) -> UpSampling2D? {
    guard let size = size(fields["size"]), let interpolation: Interpolation = word(fields["interpolation"])
    else { return nil }
    return UpSampling2D(size: size, interpolation: interpolation)
  }

  private static func pool(_ fields: ResolvedValue) -> Pool2D? {
    guard let size = size(fields["size"]), let padding: Padding = word(fields["padding"]) else { return nil }
    return Pool2D(size: size, stride: self.size(fields["stride"]), padding: padding)
  }

  // MARK: - Normalisations

  private static func batchNorm(_ fields: ResolvedValue) -> BatchNorm? {
    guard let momentum = fields["momentum"]?.number, let epsilon = fields["epsilon"]?.number,
      let scale = fields["scale"]?.boolean, let center = fields["center"]?.boolean
    else { return nil }
    return BatchNorm(momentum: Float(momentum), epsilon: Float(epsilon), scale: scale, center: center)
  }

  private static func rescale(_ fields: ResolvedValue) -> Rescale? {
    guard let scale = fields["scale"]?.number, let offset = fields["offset"]?.number else { return nil }
    return Rescale(scale: scale, offset: offset)
  }

  private static func layerNorm(_ fields: ResolvedValue) -> LayerNorm? {
    guard let epsilon = float(fields["epsilon"]), let scale = fields["scale"]?.boolean,
      let center = fields["center"]?.boolean
    else { return nil }
    return LayerNorm(epsilon: epsilon, scale: scale, center: center)
  }

  private static func localResponseNorm(_ fields: ResolvedValue) -> LocalResponseNorm? {
    guard let radius = fields["radius"]?.integer, let bias = float(fields["bias"]),
      let alpha = float(fields["alpha"]), let beta = float(fields["beta"])
    else { return nil }
    return LocalResponseNorm(radius: radius, bias: bias, alpha: alpha, beta: beta)
  }

  private static func normalization(_ fields: ResolvedValue) -> Normalization? {
    guard let mean = fields["mean"]?.list, let variance = fields["variance"]?.list else { return nil }
    return Normalization(mean: mean.compactMap(\.number), variance: variance.compactMap(\.number))
  }
}
