internal import Compute
internal import Interchange
internal import Networks
internal import Tensors
internal import Training

/// A model that was imported, for machines.
struct ModelResult: Encodable {
  let path: String
  let name: String
  let layers: Int
  let parameters: Int
  let inputShape: [Int]
  let outputShape: [Int]
  /// What the network counts as trained on; `null` where that is not known.
  @NullIfMissing var loss: String?
  let classNames: [String]
  /// What else a person should know.
  let notes: [String]

  init(_ path: String, _ result: ImportedModel) {
    let (checkpoint, network) = (result.checkpoint, result.checkpoint.network)
    (self.path, name, notes) = (path, checkpoint.name, result.notes)
    (layers, parameters) = (network.layers.count, network.parameterCount)
    (inputShape, outputShape) = (network.inputShape.dimensions, network.outputShape.dimensions)
    loss = checkpoint.identity.criterion?.loss.kind.rawValue
    classNames = checkpoint.identity.classNames
  }
}
