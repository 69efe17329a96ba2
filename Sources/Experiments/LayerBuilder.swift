internal import Networks

/// Makes layer values of resolved ones.
enum LayerBuilder {
  /// - Parameter fields: the layer's own values, complete.
  static func spec(_ kind: String, _ fields: ResolvedValue) -> LayerSpec? {
    switch kind {
    case "conv2d": convolution(fields).map { .conv2D($0) }
    case "max_pool2d": pool(fields).map { .maxPool2D($0) }
    case "average_pool2d": pool(fields).map { .averagePool2D($0) }
    case "global_average_pool2d": .globalAveragePool2D
    case "global_max_pool2d": .globalMaxPool2D
    case "flatten": .flatten
    case "dense": dense(fields).map { .dense($0) }
    case "dropout": fields["rate"]?.number.map { .dropout(Dropout(rate: Float($0))) }
    case "batch_norm": batchNorm(fields).map { .batchNorm($0) }
    case "add": .add
    case "concat": .concat
    case "rescale": rescale(fields).map { .rescale($0) }
    case "position_bias": .positionBias
    default: Activation(rawValue: kind).map { .activation($0) }
    }
  }

  private static func size(_ value: ResolvedValue?) -> Size2D? {
    guard let sides = value?.list?.compactMap(\.integer), sides.count == 2 else { return nil }
    return Size2D(sides[0], sides[1])
  }

  private static func word<Word: RawRepresentable<String>>(_ value: ResolvedValue?) -> Word? {
    value?.text.flatMap(Word.init(rawValue:))
  }

  private static func convolution(_ fields: ResolvedValue) -> Conv2D? {
    guard let filters = fields["filters"]?.integer, let kernel = size(fields["kernel"]),
      let stride = size(fields["stride"]), let dilation = size(fields["dilation"]),
      let padding: Padding = word(fields["padding"]), let groups = fields["groups"]?.integer,
      let useBias = fields["use_bias"]?.boolean, let activation: Activation = word(fields["activation"]),
      let kernelInitializer: Initializer = word(fields["kernel_initializer"]),
      let biasInitializer: Initializer = word(fields["bias_initializer"])
    else { return nil }
    return Conv2D(
      filters: filters, kernel: kernel, stride: stride, dilation: dilation, padding: padding, groups: groups,
      useBias: useBias, activation: activation, kernelInitializer: kernelInitializer,
      biasInitializer: biasInitializer)
  }

  private static func dense(_ fields: ResolvedValue) -> Dense? {
    guard let units = fields["units"]?.integer, let useBias = fields["use_bias"]?.boolean,
      let activation: Activation = word(fields["activation"]),
      let kernelInitializer: Initializer = word(fields["kernel_initializer"]),
      let biasInitializer: Initializer = word(fields["bias_initializer"])
    else { return nil }
    return Dense(
      units: units, useBias: useBias, activation: activation, kernelInitializer: kernelInitializer,
      biasInitializer: biasInitializer)
  }

  private static func pool(_ fields: ResolvedValue) -> Pool2D? {
    guard let size = size(fields["size"]), let padding: Padding = word(fields["padding"]) else { return nil }
    return Pool2D(size: size, stride: self.size(fields["stride"]), padding: padding)
  }

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
}
