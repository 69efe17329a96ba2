public import HDF5
internal import Networks
internal import Tensors
public import Training

/// Writes the part of a checkpoint that Keras reads, in its legacy whole-model layout.
///
/// `optimizer_weights` is left out on purpose: Keras 3 makes an optimizer over an empty list of it and then refuses to train.
/// The group `/convoy` holds the optimizer's state.
public struct KerasModelWriter: ModelWriter {
  /// A writer; it has no settings.
  public init() {}

  /// Writes what Keras opens as a model, next to the checkpoint's own groups.
  ///
  /// - Throws: ``HDF5Error`` where the file cannot be written.
  public func write(_ checkpoint: Checkpoint, to root: Group) throws {
    let model = ModelDescription(checkpoint.network, name: checkpoint.name)
    let config = KerasModelConfig(model)
    try writeVersion(to: root.attributes)
    try root.attributes.write("model_config", try config.json())
    let compilation = KerasCompilation(checkpoint.network, checkpoint.identity.criterion)
    if let training = checkpoint.optimizer.flatMap(compilation.trainingConfig) {
      try root.attributes.write("training_config", try training.textKeepingFloats())
    }
    let weights = try root.makeGroup(CheckpointFile.valuesGroup)
    try writeVersion(to: weights.attributes)
    try weights.attributes.write("layer_names", config.layerNames)
    for name in config.layerNames {
      let group = try weights.makeGroup(name)
      let own = model.layers.first { $0.name == name }?.weights ?? []
      try group.attributes.write("weight_names", own.map { "\(name)/\($0.name)" })
      for weight in own { try write(weight, of: name, from: checkpoint.values, to: group) }
    }
  }

  /// Writes the version and the backend: Keras takes a file without them for one of Keras 1, or for one with kernels to turn round.
  private func writeVersion(to attributes: Attributes) throws {
    try attributes.write("keras_version", KerasModelConfig.version)
    try attributes.write("backend", "tensorflow")
  }

  private func write(
    _ weight: ModelDescription.Weight, of layer: String, from values: CanonicalParameters, to group: Group
  ) throws {
    let dataset = try group.makeDataset(
      "\(layer)/\(weight.name)", type: .float32, shape: weight.shape.dimensions)
    try dataset.write(weight, ofLayer: layer, from: values)
  }
}

/// An identity matrix of this many rows, row by row.
func identityMatrix(_ rows: Int) -> [Float] {
  (0..<rows * rows).map { $0 % (rows + 1) == 0 ? 1 : 0 }
}
