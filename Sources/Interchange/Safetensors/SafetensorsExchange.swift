public import Compute
internal import Digests
public import Networks
internal import Tensors
public import Training

/// Reads and writes the weights of a network as a file of tensors, in PyTorch's names and order.
public struct SafetensorsExchange: Sendable {
  /// The names of layers and parameters in the file.
  public var names: TorchNames

  /// An exchange with these names.
  public init(names: TorchNames = TorchNames()) { self.names = names }

  /// The weights of a checkpoint as a file's bytes.
  ///
  /// - Throws: ``InterchangeError`` for names that do not fit.
  public func bytes(of checkpoint: Checkpoint) throws -> [UInt8] {
    let layout = checkpoint.values.layout
    try names.check(layout)
    var used: Set<String> = []
    let tensors = try TorchParameter.all(checkpoint.network, layout).map { parameter in
      let name = names.tensor(of: parameter)
      guard used.insert(name).inserted else {
        throw InterchangeError(.usage, "two parameters would be called '\(name)'")
      }
      let values = UnsafeBufferPointer(checkpoint.values.values(of: parameter.parameter))
      return (name: name, shape: parameter.shape, values: parameter.toTorch(values))
    }
    return try SafetensorsFile.bytes(
      of: tensors,
      metadata: ["format": "pt", "contents_sha256": try checkpoint.contentDigest().hexadecimal])
  }

  /// Reads a file of weights into a network.
  ///
  /// - Parameters:
  ///   - network: the network, whose every parameter must be in the file.
  ///   - name: what the model is called.
  ///   - classNames: the names of the outputs; empty where they have none.
  ///   - loss: says what the outputs mean; nil leaves it to the last layer.
  /// - Throws: ``InterchangeError`` for tensors that are missing or have other shapes.
  public func read(
    _ path: String, into network: Network, name: String, classNames: [String], loss: Loss.Kind?
  ) throws -> ImportedModel {
    let file = try SafetensorsFile(path: path)
    let resolved = try network.resolved()
    let values = CanonicalParameters(layout: ParameterLayout(resolved))
    try names.check(values.layout)
    var used: Set<String> = []
    for parameter in TorchParameter.all(resolved, values.layout) {
      let tensor = names.tensor(of: parameter)
      used.insert(tensor)
      try fill(parameter, from: tensor, of: file, into: values)
    }
    let outputs = resolved.outputShape.elementCount
    guard classNames.isEmpty || classNames.count == outputs else {
      throw InterchangeError(
        .usage, "there are \(classNames.count) class names, and the network has \(outputs) outputs")
    }
    let criterion = try KerasCriterion(resolved, chosen: loss, compiled: nil)
    var notes = criterion.notes
    let left = file.tensors.keys.filter { !used.contains($0) && !$0.hasSuffix("num_batches_tracked") }.sorted()
    if !left.isEmpty {
      notes.append(
        "\(left.count) tensors of the file have no place in the network: " + left.prefix(8).joined(separator: ", ")
          + (left.count > 8 ? ", …" : ""))
    }
    let identity = RunIdentity(
      runID: "safetensors-file", versions: RunEnvironment.libraryVersions, classNames: classNames,
      criterion: criterion.criterion)
    return ImportedModel(
      checkpoint: Checkpoint(
        network: resolved, name: name, progress: TrainingProgress(), identity: identity, values: values, optimizer: nil,
        slots: []), notes: notes)
  }

  private func fill(
    _ parameter: TorchParameter, from name: String, of file: SafetensorsFile, into values: CanonicalParameters
  ) throws {
    let own = parameter.parameter
    guard let tensor = file.tensors[name], let numbers = file.floats(name) else {
      let near = file.tensors.keys.sorted().prefix(12).joined(separator: ", ")
      throw InterchangeError(
        .badData,
        "\(file.path) has no tensor '\(name)' for \(own.path); --names says which one it is. It has \(near)"
          + (file.tensors.count > 12 ? " and \(file.tensors.count - 12) more" : ""))
    }
    guard tensor.shape == parameter.shape else {
      throw InterchangeError(
        .badData,
        "\(file.path): '\(name)' has the shape \(Shape(tensor.shape)), where \(own.path) needs \(Shape(parameter.shape))")
    }
    if let number = numbers.first(where: { !$0.isFinite }) {
      throw InterchangeError(
        .badData, "\(file.path): '\(name)' holds \(number); a network with such weights cannot compute anything")
    }
    _ = values.values(of: own).update(from: parameter.fromTorch(numbers))
  }
}
