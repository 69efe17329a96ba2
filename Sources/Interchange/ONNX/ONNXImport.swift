public import Compute
internal import Datasets
internal import Networks
internal import Paths
public import Tensors
internal import Training

/// Turns a model of ONNX into a checkpoint.
public struct ONNXImport: Sendable {
  /// The shape of one sample, `[height, width, channels]`, for models that leave it open; nil takes the file's.
  public var inputShape: Shape?
  /// The result of the graph that becomes the network's output; nil takes the only output.
  public var output: String?
  /// What happens to an image first.
  public var preprocessing: PixelPreparation
  /// The names of the outputs; empty for those of the file, else one for each output.
  public var classNames: [String]
  /// The loss that says what the outputs mean; nil leaves it to the file and the names.
  public var loss: Loss.Kind?

  /// An import; what is nil or empty is left to the file.
  public init(
    inputShape: Shape? = nil, output: String? = nil, preprocessing: PixelPreparation = .known(.none),
    classNames: [String] = [], loss: Loss.Kind? = nil
  ) {
    self.inputShape = inputShape
    self.output = output
    self.preprocessing = preprocessing
    self.classNames = classNames
    self.loss = loss
  }

  /// The most bytes of a file: protobuf's limit.
  private static let largestByteCount = Int(Int32.max)

  /// Reads a model file.
  ///
  /// - Throws: ``InterchangeError`` that names the node, tensor or option at fault; ``FileFailure`` for a file that cannot be read.
  public func read(_ path: String) throws -> ImportedModel {
    // The file's bytes go before its tensors are turned into weights.
    let model = try ONNXModel(WholeFile.read(path, limit: Self.largestByteCount), path: path)
    return try read(model, path: path)
  }

  /// Reads a model.
  ///
  /// - Parameter path: stands for the file in messages.
  func read(_ model: ONNXModel, path: String) throws -> ImportedModel {
    do { return try network(of: model, path: path) } catch let error as NetworkError {
      throw InterchangeError(.badData, "\(path): \(error)")
    }
  }

  private func network(of model: ONNXModel, path: String) throws -> ImportedModel {
    try model.checkExternalValues(path)
    let reader = try ONNXReader(model, path: path, inputShape: inputShape, outputName: output)
    guard let end = reader.output else { throw InterchangeError(.badData, "\(path) has no output") }
    let simplified = ONNXSimplifier(reader.layers, output: end.layer, shapes: reader.shapes)
    guard !simplified.layers.isEmpty else {
      throw InterchangeError(.badData, "\(path): the output is the input, so that there is no network")
    }
    let prepared = PreparedLayers(preprocessing, before: simplified.layers.map(\.layer))
    try preprocessing.check(reader.inputShape)
    let network = try Network(inputShape: reader.inputShape, layers: prepared.layers).resolved()
    let values = CanonicalParameters(layout: ParameterLayout(network))
    prepared.fill(values)
    try fill(values, from: simplified.layers, path)
    let facts = ONNXFacts(model)
    let names = try names(facts, network, path)
    var notes = reader.notes
    if let sentence = preprocessing.explanation(of: network.inputShape) { notes.append(sentence) }
    let criterion = try criterion(of: network, facts, hasNames: !names.isEmpty)
    notes += criterion.notes
    let identity = RunIdentity(
      runID: "onnx-\(model.producer.isEmpty ? "file" : model.producer)",
      versions: RunEnvironment.libraryVersions,
      classNames: names, criterion: criterion.criterion,
      pixels: preprocessing.isNone ? facts.pixels : RunIdentity.picturePixels)
    let checkpoint = Checkpoint(
      network: network, name: Self.name(model, path), progress: TrainingProgress(), identity: identity,
      values: values,
      optimizer: nil, slots: [])
    return ImportedModel(checkpoint: checkpoint, notes: notes)
  }

  /// What the outputs mean: as the call says, or the file, or else names and the last layer.
  private func criterion(of network: ResolvedNetwork, _ facts: ONNXFacts, hasNames: Bool) throws
    -> KerasCriterion
  {
    if loss == nil, let said = facts.loss,
      let known = try? KerasCriterion(network, chosen: said, compiled: nil)
    {
      return known
    }
    guard loss == nil, hasNames, Self.givesLogits(network) else {
      return try KerasCriterion(network, chosen: loss, compiled: nil)
    }
    var criterion = try KerasCriterion(network, chosen: .softmaxCrossEntropy, compiled: nil)
    criterion.note(
      "its outputs have names, so they are taken to be classes (softmax_cross_entropy); see --loss")
    return criterion
  }

  /// Whether the network leaves probabilities to its loss, if its outputs are classes.
  private static func givesLogits(_ network: ResolvedNetwork) -> Bool {
    network.network.output.spec.finalActivation == .linear && network.outputShape.rank == 1
      && network.outputShape.elementCount > 1
  }

  private static func name(_ model: ONNXModel, _ path: String) -> String {
    let generic: Set = ["", "main_graph", "torch_jit", "torch-jit-export", "graph", "tf2onnx"]
    guard generic.contains(model.graph.name) else { return model.graph.name }
    let file = Folder.name(of: path)
    return String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)])
  }

  private func names(_ facts: ONNXFacts, _ network: ResolvedNetwork, _ path: String) throws -> [String] {
    let outputs = network.outputShape.elementCount
    if !classNames.isEmpty, classNames.count != outputs {
      throw InterchangeError(
        .usage, "there are \(classNames.count) class names, and the model has \(outputs) outputs")
    }
    return classNames.isEmpty && facts.classNames.count == outputs ? facts.classNames : classNames
  }

  private func fill(_ values: CanonicalParameters, from layers: [ONNXLayer], _ path: String) throws {
    let weights = Dictionary(uniqueKeysWithValues: layers.map { ($0.name, $0) })
    for parameter in values.layout.parameters {
      guard let layer = weights[parameter.layer] else { continue }
      guard let numbers = layer.weights[parameter.spec.name], numbers.count == parameter.range.count else {
        throw InterchangeError(
          .badData,
          "\(path): \(layer.place): its weights do not have the shape \(parameter.spec.shape) of \(parameter.path)"
        )
      }
      if let number = numbers.first(where: { !$0.isFinite }) {
        throw InterchangeError(
          .badData,
          "\(path): \(layer.place): its weights hold \(number); a network with such weights cannot compute anything"
        )
      }
      _ = values.values(of: parameter).update(from: numbers)
    }
  }
}

extension ONNXLayer {
  /// The layer as a network has it.
  fileprivate var layer: Layer {
    guard case .layer(let spec) = work else { preconditionFailure("'\(name)' has not become a layer") }
    return Layer(name: name, inputs: inputs, spec: spec)
  }
}

/// What a file of ONNX says besides its graph, if this program wrote it.
private struct ONNXFacts {
  private(set) var classNames: [String] = []
  private(set) var loss: Loss.Kind?
  private(set) var pixels: PixelSpan?

  init(_ model: ONNXModel) {
    for (key, value) in model.metadata {
      switch key {
      case "class_names":
        let names = (try? JSONValue(parsing: value))?.elements?.compactMap(\.string) ?? []
        if ClassNaming.problem(names) == nil { classNames = names }
      case "loss": loss = Loss.Kind(rawValue: value)
      case "input":
        guard let facts = try? JSONValue(parsing: value), let low = facts["low"]?.double,
          let high = facts["high"]?.double,
          low.isFinite, high.isFinite, low <= high
        else { continue }
        let isBytes = facts["pixel_type"]?.string == PixelType.uint8.rawValue
        pixels = PixelSpan(isBytes ? .uint8 : .float32, low: Float(low), high: Float(high))
      default: continue
      }
    }
  }
}
