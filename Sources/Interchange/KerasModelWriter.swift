public import HDF5
internal import Networks
internal import Tensors
public import Training

/// Writes the part of a checkpoint that Keras reads: its legacy whole-model layout.
///
/// `optimizer_weights` is left out on purpose: Keras 3 builds the optimizer over an empty list from it and then refuses to
/// train. The optimizer's state is in the group `/convoy`.
public struct KerasModelWriter: ModelWriter {
  public init() {}

  /// Writes what Keras opens as a model beside what the checkpoint holds.
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

  /// Keras takes a file without a version for one of Keras 1, and one of another backend for one whose kernels must be turned.
  private func writeVersion(to attributes: Attributes) throws {
    try attributes.write("keras_version", "3.0.0")
    try attributes.write("backend", "tensorflow")
  }

  private func write(
    _ weight: ModelDescription.Weight, of layer: String, from values: CanonicalParameters, to group: Group
  ) throws {
    let dataset = try group.makeDataset(
      "\(layer)/\(weight.name)", type: .float32, shape: weight.shape.dimensions)
    switch weight {
    case .identity(let rows): try dataset.write(identityMatrix(rows))
    case .parameter(let spec):
      let parameter = values.layout.parameters.first { $0.layer == layer && $0.spec.name == spec.name }
      guard let parameter else {
        preconditionFailure("the checkpoint has no values of '\(layer)/\(spec.name)'")
      }
      try dataset.write(UnsafeBufferPointer(values.values(of: parameter)))
    }
  }
}

/// Ones on the diagonal of so many rows, and zeros.
func identityMatrix(_ rows: Int) -> [Float] {
  (0..<rows * rows).map { $0 % (rows + 1) == 0 ? 1 : 0 }
}
