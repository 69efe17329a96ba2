internal import Networks

extension KerasLayers {
  /// Layers beyond those of the classical networks.
  ///
  /// - Returns: nil for a class that is not known.
  static func modern(
    _ node: KerasNode, _ options: inout KerasOptions, _ axis: inout Int?
  ) throws -> LayerSpec? {
    switch node.className {
    case "Conv1D", "Convolution1D": return .conv1D(try convolution1D(&options))
    case "DepthwiseConv2D":
      try options.requireChannelsLast()
      try options.require("groups", .integer(1))
      return .depthwiseConv2D(
        DepthwiseConv2D(
          kernel: try options.size("kernel_size"),
          multiplier: try options.integer("depth_multiplier", default: 1),
          stride: try options.size("strides", default: .one),
          dilation: try options.size("dilation_rate", default: .one), padding: try options.padding(),
          useBias: try options.flag("use_bias", default: true), activation: try options.activation()))
    case "Conv2DTranspose", "Convolution2DTranspose":
      try options.requireChannelsLast()
      try options.require("groups", .integer(1))
      try options.require("dilation_rate", .array([.integer(1), .integer(1)]), or: .integer(1))
      return .conv2DTranspose(
        Conv2DTranspose(
          filters: try options.integer("filters"), kernel: try options.size("kernel_size"),
          stride: try options.size("strides", default: .one), padding: try options.padding(),
          useBias: try options.flag("use_bias", default: true), activation: try options.activation()))
    case "MaxPooling1D", "MaxPool1D": return .maxPool1D(try pooling1D(&options))
    case "AveragePooling1D", "AvgPool1D": return .averagePool1D(try pooling1D(&options))
    case "GlobalAveragePooling1D", "GlobalMaxPooling1D":
      try options.requireChannelsLast()
      try options.require("keepdims", false)
      return node.className == "GlobalMaxPooling1D" ? .globalMaxPool1D : .globalAveragePool1D
    case "ZeroPadding1D": return .zeroPadding1D(try margins1D("padding", &options))
    case "Cropping1D": return .cropping1D(try margins1D("cropping", &options))
    case "ZeroPadding2D": return .zeroPadding2D(try margins2D("padding", &options))
    case "Cropping2D": return .cropping2D(try margins2D("cropping", &options))
    case "UpSampling1D": return .upSampling1D(UpSampling1D(size: try options.integer("size", default: 2)))
    case "UpSampling2D":
      try options.requireChannelsLast()
      let size = try options.size("size", default: Size2D(2))
      let value = options.value("interpolation") ?? "nearest"
      guard let interpolation = value.string.flatMap(Interpolation.init(rawValue:)) else {
        throw options.unsupported("interpolation", value, "nearest, bilinear")
      }
      return .upSampling2D(UpSampling2D(size: size, interpolation: interpolation))
    case "Reshape":
      let value = options.value("target_shape") ?? .null
      guard let shape = value.elements?.compactMap(\.integer), shape.count == value.elements?.count else {
        throw options.unsupported("target_shape", value, "whole numbers")
      }
      return .reshape(Reshape(shape))
    case "LeakyReLU":
      // Keras 2 calls it alpha.
      let slope = try options.number("alpha", default: 0.3)
      return .leakyReLU(LeakyReLU(negativeSlope: Float(try options.number("negative_slope", default: slope))))
    case "ELU": return .elu(ELU(alpha: Float(try options.number("alpha", default: 1))))
    case "PReLU":
      let axes = options.value("shared_axes")
      let shared = axes?.elements?.compactMap(\.integer).sorted()
      guard axes == nil || shared == [1, 2] || shared == [1] || shared?.isEmpty == true else {
        throw options.unsupported("shared_axes", axes ?? .null, "none, or all but the channels")
      }
      return .prelu(PReLU(sharesPositions: shared?.isEmpty == false))
    case "LayerNormalization":
      axis = try normalizedAxis(&options)
      try options.require("rms_scaling", false)
      return .layerNorm(
        LayerNorm(
          epsilon: Float(try options.number("epsilon", default: 1e-3)),
          scale: try options.flag("scale", default: true), center: try options.flag("center", default: true)))
    case "Normalization": return .normalization(try normalization(&options, &axis))
    default: return nil
    }
  }

  private static func convolution1D(_ options: inout KerasOptions) throws -> Conv1D {
    try options.requireChannelsLast()
    return Conv1D(
      filters: try options.integer("filters"), kernel: try length("kernel_size", nil, &options),
      stride: try length("strides", 1, &options), dilation: try length("dilation_rate", 1, &options),
      padding: try options.padding(), groups: try options.integer("groups", default: 1),
      useBias: try options.flag("use_bias", default: true), activation: try options.activation())
  }

  private static func pooling1D(_ options: inout KerasOptions) throws -> Pool1D {
    try options.requireChannelsLast()
    let size = try length("pool_size", 2, &options)
    return Pool1D(size: size, stride: try length("strides", size, &options), padding: try options.padding())
  }

  /// A number, also written as a list of one.
  private static func length(
    _ key: String, _ fallback: Int?, _ options: inout KerasOptions
  ) throws -> Int {
    guard let value = options.value(key) else {
      guard let fallback else { throw options.unsupported(key, .null, "a whole number") }
      return fallback
    }
    let single = value.elements?.count == 1 ? value.elements?[0].integer : nil
    guard let length = value.integer ?? single else {
      throw options.unsupported(key, value, "a whole number")
    }
    return length
  }

  /// `n` or `[before, after]`.
  private static func margins1D(_ key: String, _ options: inout KerasOptions) throws -> Margins1D {
    try options.requireChannelsLast()
    guard let value = options.value(key) else { return Margins1D(before: 1, after: 1) }
    if let both = value.integer { return Margins1D(before: both, after: both) }
    guard let sides = value.elements?.compactMap(\.integer), sides.count == 2 else {
      throw options.unsupported(key, value, "one or two whole numbers")
    }
    return Margins1D(before: sides[0], after: sides[1])
  }

  /// `n`, `[rows, columns]` or `[[top, bottom], [left, right]]`.
  private static func margins2D(_ key: String, _ options: inout KerasOptions) throws -> Margins2D {
    try options.requireChannelsLast()
    guard let value = options.value(key) else { return Margins2D(key == "padding" ? 1 : 0) }
    if let all = value.integer { return Margins2D(all) }
    let sides = (value.elements ?? []).map { side in
      side.integer.map { [$0, $0] } ?? side.elements?.compactMap(\.integer) ?? []
    }
    guard sides.count == 2, sides.allSatisfy({ $0.count == 2 }) else {
      throw options.unsupported(key, value, "a number, [rows, columns] or [[top, bottom], [left, right]]")
    }
    return Margins2D(top: sides[0][0], bottom: sides[0][1], left: sides[1][0], right: sides[1][1])
  }

  private static func normalization(
    _ options: inout KerasOptions, _ axis: inout Int?
  ) throws -> Normalization {
    axis = try normalizedAxis(&options)
    try options.require("invert", false)
    func values(_ key: String) throws -> [Double] {
      let value = options.value(key) ?? .null
      func flat(_ value: JSONValue) -> [Double] {
        value.double.map { [$0] } ?? value.elements?.flatMap(flat) ?? []
      }
      let numbers = flat(value)
      guard !numbers.isEmpty else {
        // An adapted layer keeps them among its weights, where this network has a place for constants only.
        throw options.unsupported(key, value, "numbers given when the layer is made")
      }
      return numbers
    }
    return Normalization(mean: try values("mean"), variance: try values("variance"))
  }
}
