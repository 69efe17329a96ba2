internal import Networks
internal import Settings
internal import Tensors

/// The counterpart of a Keras layer.
enum KerasTranslation {
  /// A layer. `axis` is the one that it works along, as Keras counts it; nil for a layer that has none.
  case layer(LayerSpec, axis: Int?)
  /// Nothing: the layer acts in training only, or not at all.
  case nothing(why: String)
}

/// Layers in Keras's words, read and written by the descriptions of their kinds.
enum KerasLayers {
  /// Layers that act in training only and are left out.
  private enum TrainingLayer: String, CaseIterable {
    case gaussianNoise = "GaussianNoise"
    case gaussianDropout = "GaussianDropout"
    case alphaDropout = "AlphaDropout"
    case activityRegularization = "ActivityRegularization"
    // Of `keras.applications`: leaves out whole branches.
    case stochasticDepth = "StochasticDepth"
    case randomFlip = "RandomFlip"
    case randomRotation = "RandomRotation"
    case randomZoom = "RandomZoom"
    case randomTranslation = "RandomTranslation"
    case randomContrast = "RandomContrast"
    case randomBrightness = "RandomBrightness"
  }

  /// Every class that can be read, for messages.
  static let supported =
    (readers.map(\.className) + TrainingLayer.allCases.map(\.rawValue) + KerasOperations.composedLayers
    + ["InputLayer"]).sorted()

  // MARK: - To Keras

  /// The class and the options that make Keras compute the same; options that are left out have Keras's defaults.
  static func options(of layer: ResolvedLayer) -> (className: String, options: [String: JSONValue]) {
    options(of: layer.spec.described, input: layer.inputShapes[0])
  }

  private static func options(
    of layer: some AnyDescribedLayer, input: Shape
  ) -> (className: String, options: [String: JSONValue]) {
    let description = layer.description
    var options: [String: JSONValue] = [:]
    for key in description.settings.keys {
      guard let option = key.keras, let content = key.content(of: layer.settings) else { continue }
      let isDefault = content == key.content(of: description.settings.prototype)
      if option.isLeftOutAtDefault, isDefault { continue }
      options[option.name] = JSONValue(option.write(content))
    }
    for option in description.keras.options {
      switch option {
      case .only: continue
      case .channelAxis(let isWritten): if isWritten { options["axis"] = .integer(-1) }
      case .made(let name, _, let write, _): options[name] = write(layer.settings, input)
      }
    }
    return (description.keras.classNames[0], options)
  }

  /// The layer's weights in the order in which Keras reads them.
  static func weights(of layer: ResolvedLayer) -> [ModelDescription.Weight] {
    identity(layer.spec.described, layer.inputShapes[0]) + layer.parameters.map { .parameter($0) }
  }

  private static func identity(
    _ layer: some AnyDescribedLayer, _ input: Shape
  ) -> [ModelDescription.Weight] {
    layer.description.keras.hasIdentity ? [.identity(input[input.rank - 1])] : []
  }

  // MARK: - From Keras

  /// A Keras class that becomes a layer of some kind.
  private struct Reader: Sendable {
    let className: String
    let read: @Sendable (inout KerasOptions) throws -> LayerSpec
  }

  private static let readers = LayerKind.allCases.flatMap { readers(of: $0.description) }

  private static func readers(of description: some AnyLayerDescription) -> [Reader] {
    let description = description.typed
    return ([description.keras] + description.alsoReads).flatMap { keras in
      keras.classNames.map { name in
        Reader(className: name) { try read(description, as: keras, &$0) }
      }
    }
  }

  private static func read<Settings>(
    _ description: LayerDescription<Settings>, as keras: KerasLayer<Settings>, _ options: inout KerasOptions
  ) throws -> LayerSpec {
    var settings = keras.start ?? description.settings.prototype
    for key in description.settings.keys {
      try options.read(key, default: description.settings.prototype, into: &settings)
    }
    for option in keras.options { try options.read(option, into: &settings) }
    return description.make(settings)
  }

  /// Translates one layer.
  ///
  /// - Throws: ``InterchangeError`` for a class that has no counterpart, and for an option that is not supported.
  static func translate(_ layer: ModelDescription.Layer, path: String) throws -> KerasTranslation {
    var options = KerasOptions(layer, path: path)
    if TrainingLayer(rawValue: layer.className) != nil {
      return .nothing(why: "it acts in training only; the config's augmentation may stand in for it")
    }
    guard let reader = readers.first(where: { $0.className == layer.className }) else {
      throw InterchangeError(
        .badData,
        "\(options.place): there is no such layer here; supported are \(supported.joined(separator: ", "))")
    }
    try options.requireChannelsLast()
    let spec = try reader.read(&options)
    if spec == .activation(.linear) { return .nothing(why: "it is linear") }
    try options.finish()
    return .layer(spec, axis: options.axis)
  }
}
