internal import Networks

/// What a Keras layer becomes here.
enum KerasTranslation {
  case layer(LayerSpec)
  /// It does something in training only, or nothing at all.
  case nothing(why: String)
}

/// Keras's layers by their class names.
enum KerasLayers {
  /// Every class that can be read, for messages.
  static let supported = [
    "Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D", "Dense",
    "Dropout", "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "InputLayer", "MaxPooling2D",
    "ReLU",
    "Rescaling", "Softmax",
  ]

  /// - Parameter axes: receives the axis of a layer that works along one, to be compared with its input's rank.
  static func translate(
    _ node: KerasNode, path: String, axis: inout Int?
  ) throws -> KerasTranslation {
    var options = KerasOptions(node, path: path)
    let result = try translate(node, &options, &axis)
    if case .layer = result { try options.finish() }
    return result
  }

  private static func translate(
    _ node: KerasNode, _ options: inout KerasOptions, _ axis: inout Int?
  ) throws -> KerasTranslation {
    switch node.className {
    case "Conv2D", "Convolution2D": return .layer(.conv2D(try convolution(&options)))
    case "Dense":
      return .layer(
        .dense(
          Dense(
            units: try options.integer("units"), useBias: try options.flag("use_bias", default: true),
            activation: try options.activation())))
    case "MaxPooling2D", "MaxPool2D": return .layer(.maxPool2D(try pooling(&options)))
    case "AveragePooling2D", "AvgPool2D": return .layer(.averagePool2D(try pooling(&options)))
    case "GlobalAveragePooling2D", "GlobalMaxPooling2D":
      try options.requireChannelsLast()
      try options.require("keepdims", false)
      return .layer(node.className == "GlobalMaxPooling2D" ? .globalMaxPool2D : .globalAveragePool2D)
    case "Flatten":
      try options.requireChannelsLast()
      return .layer(.flatten)
    case "Activation":
      let activation = try options.activation()
      return activation == .linear ? .nothing(why: "it is linear") : .layer(.activation(activation))
    case "ReLU":
      try options.require("max_value", .null)
      try options.require("negative_slope", .integer(0))
      try options.require("threshold", .integer(0))
      return .layer(.activation(.relu))
    case "Softmax":
      axis = try options.integer("axis", default: -1)
      return .layer(.activation(.softmax))
    case "Dropout", "SpatialDropout2D":
      // A whole map dropped at once differs from single elements in training only.
      try options.requireChannelsLast()
      return .layer(.dropout(Dropout(rate: Float(try options.number("rate", default: 0.5)))))
    case "BatchNormalization":
      axis = try normalizedAxis(&options)
      return .layer(
        .batchNorm(
          BatchNorm(
            momentum: Float(try options.number("momentum", default: 0.99)),
            epsilon: Float(try options.number("epsilon", default: 1e-3)),
            scale: try options.flag("scale", default: true),
            center: try options.flag("center", default: true))))
    case "Add": return .layer(.add)
    case "Multiply": return .layer(.multiply)
    case "Concatenate":
      axis = try options.integer("axis", default: -1)
      return .layer(.concat)
    case "Rescaling":
      return .layer(
        .rescale(
          Rescale(
            scale: try options.number("scale", default: 1), offset: try options.number("offset", default: 0)))
      )
    case "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "RandomFlip",
      "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness":
      return .nothing(why: "it acts in training only; ask for augmentation in the config")
    default:
      if let spec = try modern(node, &options, &axis) { return .layer(spec) }
      throw InterchangeError(
        .badData,
        "\(options.place): there is no such layer here; there are \(supported.joined(separator: ", "))")
    }
  }

  private static func convolution(_ options: inout KerasOptions) throws -> Conv2D {
    try options.requireChannelsLast()
    return Conv2D(
      filters: try options.integer("filters"), kernel: try options.size("kernel_size"),
      stride: try options.size("strides", default: .one),
      dilation: try options.size("dilation_rate", default: .one), padding: try options.padding(),
      groups: try options.integer("groups", default: 1), useBias: try options.flag("use_bias", default: true),
      activation: try options.activation())
  }

  private static func pooling(_ options: inout KerasOptions) throws -> Pool2D {
    try options.requireChannelsLast()
    let size = try options.size("pool_size", default: Size2D(2))
    return Pool2D(
      size: size, stride: try options.size("strides", default: size), padding: try options.padding())
  }

  /// The axis of a batch normalisation, which Keras 2 writes as a list.
  static func normalizedAxis(_ options: inout KerasOptions) throws -> Int {
    guard let value = options.value("axis") else { return -1 }
    guard let axis = value.integer ?? (value.elements?.count == 1 ? value.elements?[0].integer : nil) else {
      throw options.unsupported("axis", value, "-1, the channels")
    }
    return axis
  }
}
