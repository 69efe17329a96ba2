internal import HDF5
internal import Networks
internal import Tensors
public import Training

/// Writes a network in the formats of Keras 3: an archive of the whole model (`.keras`), or its store of weights (`.weights.h5`).
public struct KerasExport: Sendable {
  /// The formats, by the endings of their files' names.
  public enum Format: String, Sendable, CaseIterable {
    /// The architecture and the weights; `keras.models.load_model` opens it.
    case archive = ".keras"
    /// The weights alone; `load_weights` of a model of the same architecture takes them.
    case weights = ".weights.h5"

    /// The format of a file of this name; nil for another ending.
    public init?(path: String) {
      guard let format = Self.allCases.first(where: { path.hasSuffix($0.rawValue) }) else { return nil }
      self = format
    }
  }

  /// The format.
  public let format: Format

  /// An export in a format.
  public init(_ format: Format) { self.format = format }

  /// The file's bytes.
  ///
  /// - Throws: ``InterchangeError`` for a model that the format cannot hold; ``HDF5Error`` where the weights cannot be built.
  public func bytes(of checkpoint: Checkpoint) throws -> [UInt8] {
    let model = ModelDescription(checkpoint.network, name: checkpoint.name)
    let config = KerasModelConfig(model)
    let weights = try self.weights(model, config, checkpoint.values)
    guard format == .archive else { return weights }
    let compilation = KerasCompilation(checkpoint.network, checkpoint.identity.criterion)
    let compiled = checkpoint.optimizer.flatMap(compilation.trainingConfig).map(compileConfig)
    return try KerasArchive.bytes(
      configuration: try config.archiveDocument(compileConfig: compiled).textKeepingFloats(),
      metadata: try JSONValue.object(["keras_version": .string(KerasModelConfig.version)]).text(), weights: weights)
  }

  /// Keras's `training_config` as `compile_config`: the optimizer has another name and its class's module.
  private func compileConfig(_ training: JSONValue) -> JSONValue {
    var members = training.members ?? [:]
    if let optimizer = members.removeValue(forKey: "optimizer_config") {
      members["optimizer"] = Self.object(optimizer, module: "keras.optimizers")
    }
    members["loss"] = members["loss"].map { Self.object($0, module: "keras.losses") }
    members["metrics"] = (members["metrics"]?.elements).map { .array($0.map { Self.object($0, module: "keras.metrics") }) }
    return .object(members)
  }

  private static func object(_ value: JSONValue, module: String) -> JSONValue {
    guard var members = value.members, members["class_name"] != nil else { return value }
    members["module"] = .string(module)
    members["registered_name"] = .null
    return .object(members)
  }

  // MARK: - Weights

  private func weights(
    _ model: ModelDescription, _ config: KerasModelConfig, _ values: CanonicalParameters
  ) throws -> [UInt8] {
    let file = try File.createInMemory()
    try makeVariables(in: file.root, name: model.name)
    let layers = try file.root.makeGroup("layers")
    // Groups are numbered in the order that the model has once Keras has read it.
    let names = config.layerNames
    let byName = Dictionary(uniqueKeysWithValues: model.layers.map { ($0.name, $0) })
    let groups = KerasStore.groups(ofClasses: names.map { byName[$0]?.className ?? "InputLayer" })
    for (name, group) in zip(names, groups) {
      let variables = try makeVariables(in: try layers.makeGroup(group), name: name)
      for (number, weight) in (byName[name]?.weights ?? []).enumerated() {
        let dataset = try variables.makeDataset("\(number)", type: .float32, shape: weight.shape.dimensions)
        try dataset.write(weight, ofLayer: name, from: values)
      }
    }
    return try file.image()
  }

  @discardableResult
  private func makeVariables(in group: Group, name: String) throws -> Group {
    let variables = try group.makeGroup("vars")
    try variables.attributes.write("name", name)
    return variables
  }
}

extension Dataset {
  /// Writes the values of a layer's weight.
  func write(_ weight: ModelDescription.Weight, ofLayer layer: String, from values: CanonicalParameters) throws {
    switch weight {
    case .identity(let rows): try write(identityMatrix(rows))
    case .parameter(let spec):
      let parameter = values.layout.parameters.first { $0.layer == layer && $0.spec.name == spec.name }
      guard let parameter else {
        preconditionFailure("the checkpoint has no values of '\(layer)/\(spec.name)'")
      }
      try write(UnsafeBufferPointer(values.values(of: parameter)))
    }
  }
}
