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

  public func write(_ checkpoint: Checkpoint, to root: Group) throws {
    let model = KerasModelConfig(checkpoint.network)
    try writeVersion(to: root.attributes)
    try root.attributes.write("model_config", try model.json(name: checkpoint.name))
    let compilation = KerasCompilation(checkpoint.network, checkpoint.identity.criterion)
    if let training = checkpoint.optimizer.flatMap(compilation.trainingConfig) {
      try root.attributes.write("training_config", try training.textKeepingFloats())
    }
    let weights = try root.makeGroup(CheckpointFile.valuesGroup)
    try writeVersion(to: weights.attributes)
    try weights.attributes.write("layer_names", model.layerNames)
    for name in model.layerNames {
      let group = try weights.makeGroup(name)
      let layer = checkpoint.network.layers.first { $0.name == name }
      let own = layer?.kerasWeights ?? []
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
    _ weight: KerasWeight, of layer: String, from values: CanonicalParameters, to group: Group
  ) throws {
    let path = "\(layer)/\(weight.name)"
    switch weight {
    case .identity(let rows):
      let dataset = try group.makeDataset(path, type: .float32, shape: [rows, rows])
      try dataset.write((0..<rows * rows).map { Float($0 % (rows + 1) == 0 ? 1 : 0) })
    case .parameter(let spec):
      let parameter = values.layout.parameters.first { $0.layer == layer && $0.spec.name == spec.name }
      guard let parameter else { return }
      let dataset = try group.makeDataset(path, type: .float32, shape: spec.shape.dimensions)
      try dataset.write(UnsafeBufferPointer(values.values(of: parameter)))
    }
  }
}
