internal import Networks

/// The words of the version of Keras that wrote a file, where Keras 3 means something else by them, and functions that are made
/// of several layers here.
struct KerasDialect {
  /// The version's first number; a file without a version is older than Keras 3.
  private let major: Int
  private let version: String?

  init(version: String?) {
    self.version = version
    major = version.flatMap { Int($0.prefix { $0 != "." }) } ?? 2
  }

  /// - Throws: ``InterchangeError`` for a version that uses other words.
  func check(path: String) throws {
    guard major < 2, let version else { return }
    throw InterchangeError(
      .badData,
      "\(path) was written by Keras \(version), whose layers have other options; load it in Keras 2 and write it again: "
        + "model.save(\"model.h5\")")
  }

  /// Rewrites a model in Keras 3's words.
  ///
  /// - Returns: what was changed or is in doubt, in sentences.
  func translate(_ model: inout ModelDescription) -> [String] {
    var notes: [String?] = []
    KerasOperations.rewrite(&model)
    if major < 3 { notes = [steepHardSigmoids(&model), oldBilinear(model)] }
    notes.append(Self.forgetUnusedMasks(&model))
    Self.composeFunctions(&model)
    Self.separateKeptDimensions(&model)
    Self.composeScales(&model)
    return notes.compactMap(\.self)
  }

  // MARK: - Functions

  /// Keras 2's hard sigmoid is min(max(0.2·x + 0.5, 0), 1), while Keras 3's has x / 6: they agree after a factor of 1.2.
  private func steepHardSigmoids(_ model: inout ModelDescription) -> String? {
    let found = model.layers.filter { Self.function(of: $0) == "hard_sigmoid" }
    for layer in found {
      let scaled = model.unusedName("\(layer.name)_scaled")
      let scaling = ModelDescription.Layer(
        name: scaled, className: "Rescaling", options: .object(["scale": .number(1.2), "offset": .number(0)]))
      guard layer.className != "Activation" else {
        model.insert(scaling, before: layer.name)
        continue
      }
      model.separateFunction(of: layer.name, "hard_sigmoid")
      model.insert(scaling, after: layer.name)
    }
    guard !found.isEmpty else { return nil }
    let names = found.map { "'\($0.name)'" }.joined(separator: ", ")
    return
      "hard_sigmoid of \(names) is Keras 2's, 0.2 · x + 0.5; the checkpoint has a factor of 1.2 before it"
  }

  /// SELU is a multiple of an ELU, and hard SiLU is x times its hard sigmoid.
  ///
  /// - SeeAlso: Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>; Howard et al. 2019, <https://arxiv.org/abs/1905.02244>.
  private static func composeFunctions(_ model: inout ModelDescription) {
    for layer in model.layers {
      guard let function = function(of: layer), ["selu", "hard_silu", "hard_swish"].contains(function) else {
        continue
      }
      let name =
        layer.className == "Activation" ? layer.name : model.separateFunction(of: layer.name, function)
      guard function == "selu" else {
        let source = model.layers.first { $0.name == name }?.inputs ?? []
        let product = ModelDescription.Layer(
          name: model.unusedName("\(name)_product"), className: "Multiply", options: .object([:]))
        model.setOption("activation", to: "hard_sigmoid", of: name)
        model.insert(product, after: name, with: source)
        continue
      }
      let scaling = ModelDescription.Layer(
        name: model.unusedName("\(name)_scaled"), className: "Rescaling",
        options: .object(["scale": .number(1.0507009873554805), "offset": .number(0)]))
      model.replace(name, by: "ELU", .object(["alpha": .number(1.6732632423543772)]))
      model.insert(scaling, after: name)
    }
  }

  /// The name of a layer's function, which Keras may wrap in an object.
  private static func function(of layer: ModelDescription.Layer) -> String? {
    let value = layer.options["activation"]
    return value?.string ?? value?["config"]?.string ?? value?["class_name"]?.string
  }

  // MARK: - Shapes

  /// Splits a pool over all positions that keeps its dimensions into a plain pool and a reshape.
  private static func separateKeptDimensions(_ model: inout ModelDescription) {
    for layer in model.layers where layer.className.hasPrefix("Global") && layer.options["keepdims"] == true {
      let ones = layer.className.hasSuffix("2D") ? 2 : 1
      let shape = [JSONValue](repeating: .integer(1), count: ones) + [.integer(-1)]
      let reshape = ModelDescription.Layer(
        name: model.unusedName("\(layer.name)_kept"), className: "Reshape",
        options: .object(["target_shape": .array(shape)]))
      model.setOption("keepdims", to: false, of: layer.name)
      model.insert(reshape, after: layer.name)
    }
  }

  // MARK: - Masks

  /// Layers that Keras's masks end at: they compute the same with one as without.
  private static let maskless: Set = [
    "Conv1D", "DepthwiseConv1D", "SeparableConv1D", "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D",
    "ZeroPadding1D", "Flatten", "Reshape",
  ]
  /// Layers of one input that hand a mask on and do not look at it.
  private static let passing: Set = [
    "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "Activation", "ReLU", "LeakyReLU",
    "ELU",
    "Rescaling", "Dense", "LayerNormalization",
  ]

  /// Drops `mask_zero` of embeddings whose mask no layer looks at.
  private static func forgetUnusedMasks(_ model: inout ModelDescription) -> String? {
    let unused = model.layers.filter {
      $0.className == "Embedding" && $0.options["mask_zero"] == true && !isMaskUsed(of: $0.name, in: model)
    }
    guard !unused.isEmpty else { return nil }
    for layer in unused { model.setOption("mask_zero", to: false, of: layer.name) }
    let names = unused.map { "'\($0.name)'" }.joined(separator: ", ")
    return "mask_zero of \(names) is left out: the layers behind it compute the same without a mask"
  }

  private static func isMaskUsed(of name: String, in model: ModelDescription) -> Bool {
    // A loss takes the mask of the model's result.
    guard model.output != name else { return true }
    return model.layers.filter { $0.inputs.contains(name) }.contains { layer in
      if maskless.contains(layer.className) { return false }
      return !passing.contains(layer.className) || isMaskUsed(of: layer.name, in: model)
    }
  }

  // MARK: - Factors

  /// The layers that multiply each channel by a trained factor, which ConvNeXt has in `keras.applications`.
  static func layerScales(in model: ModelDescription) -> Set<String> {
    let found = model.layers.filter { layer in
      layer.className == "LayerScale" && layer.options["projection_dim"]?.integer != nil
        && layer.options["init_values"] != nil
    }
    return Set(found.map(\.name))
  }

  /// Such a layer is a depthwise convolution of one position.
  private static func composeScales(_ model: inout ModelDescription) {
    for name in layerScales(in: model).sorted() {
      model.replace(
        name, by: "DepthwiseConv2D",
        .object(["kernel_size": .array([.integer(1), .integer(1)]), "use_bias": false]))
    }
  }

  // MARK: - Pictures

  /// Before TensorFlow 2, images were enlarged without half pixels.
  private func oldBilinear(_ model: ModelDescription) -> String? {
    guard let version, ["2.0.", "2.1.", "2.2."].contains(where: version.hasPrefix),
      model.layers.contains(where: {
        $0.className == "UpSampling2D" && $0.options["interpolation"]?.string == "bilinear"
      })
    else { return nil }
    return
      "Keras \(version) may have enlarged images by another bilinear rule (UpSampling2D), in which pixels have no centres; "
      + "compare the predictions"
  }
}

extension ModelDescription {
  /// A name that no layer has, made from another name.
  func unusedName(_ name: String) -> String {
    let names = Set(layers.map(\.name) + [Network.inputName])
    var name = name
    while names.contains(name) { name += "_" }
    return name
  }

  /// Moves a layer's function into a layer of its own behind it.
  ///
  /// - Returns: the new layer's name.
  @discardableResult
  fileprivate mutating func separateFunction(of name: String, _ function: String) -> String {
    let separate = unusedName("\(name)_\(function)")
    setOption("activation", to: "linear", of: name)
    insert(
      Layer(
        name: separate, className: "Activation", options: .object(["activation": .string(function)])),
      after: name)
    return separate
  }

  /// Makes a layer one of another class.
  mutating func replace(_ name: String, by className: String, _ options: JSONValue) {
    guard let index = layers.firstIndex(where: { $0.name == name }) else { return }
    (layers[index].className, layers[index].options) = (className, options)
  }

  /// Puts a layer behind another, with that one and `others` as its inputs; whatever used that one now uses the new layer.
  mutating func insert(_ layer: Layer, after name: String, with others: [String] = []) {
    guard let index = layers.firstIndex(where: { $0.name == name }) else { return }
    for other in layers.indices {
      layers[other].inputs = layers[other].inputs.map { $0 == name ? layer.name : $0 }
    }
    var layer = layer
    layer.inputs = others + [name]
    layers.insert(layer, at: index + 1)
    if output == name { output = layer.name }
  }

  /// Puts a layer between another and one of its inputs.
  mutating func insert(_ layer: Layer, before name: String, at input: Int = 0) {
    guard let index = layers.firstIndex(where: { $0.name == name }) else { return }
    var layer = layer
    layer.inputs = [layers[index].inputs[input]]
    layers[index].inputs[input] = layer.name
    layers.insert(layer, at: index)
  }

  fileprivate mutating func setOption(_ option: String, to value: JSONValue, of name: String) {
    guard let index = layers.firstIndex(where: { $0.name == name }) else { return }
    let options = layers[index].options.members ?? [:]
    layers[index].options = .object(options.merging([option: value]) { $1 })
  }
}
