internal import Compute
internal import Datasets
internal import Digests
internal import Networks
internal import Tensors
public import Training

/// Writes the network of a checkpoint as a model of ONNX.
///
/// The model computes what the network computes, its first layers' preparation of pixels included, for any number of samples.
public struct ONNXExport: Sendable {
  /// Where images have their channels, in the model's input and output.
  public enum Layout: String, Sendable, CaseIterable {
    /// [N, C, H, W], as PyTorch and OpenCV have them.
    case channelsFirst = "nchw"
    /// [N, H, W, C], as pictures, Keras and datasets here have them.
    case channelsLast = "nhwc"
  }

  /// The numbers that the model takes.
  public enum Input: String, Sendable, CaseIterable {
    /// Floats of 32 bits.
    case float
    /// The bytes of pictures.
    case uint8
  }

  /// The versions of ONNX's operators that can be written.
  public static let opsets = 13...22

  /// The version of ONNX's operators.
  public var opset: Int
  /// Where images have their channels.
  public var layout: Layout
  /// The numbers that the model takes.
  public var input: Input
  /// Whether softmax or sigmoid follows a network that leaves it to its loss.
  public var addsProbabilities: Bool

  /// An export; without further word, of floats with their channels first, in a version that most programs read.
  public init(
    opset: Int = 17, layout: Layout = .channelsFirst, input: Input = .float, addsProbabilities: Bool = false
  ) {
    self.opset = opset
    self.layout = layout
    self.input = input
    self.addsProbabilities = addsProbabilities
  }

  /// A model as a file's bytes, and what a person should know of it.
  public struct Result: Sendable {
    /// The file's contents.
    public let bytes: [UInt8]
    /// The input in words: `float32 [N, 3, 224, 224]`.
    public let input: String
    /// The output in words.
    public let output: String
    /// What else there is to say, in sentences.
    public let notes: [String]
  }

  /// Protobuf's limit for one message.
  private static let largestByteCount = Int(Int32.max)

  /// Writes the model.
  ///
  /// - Parameters:
  ///   - checkpoint: the network with its weights.
  ///   - program: the name and version of the writing program, for the file.
  /// - Throws: ``InterchangeError`` for an input that the network does not take, and a model above the format's 2 GiB.
  public func write(_ checkpoint: Checkpoint, program: (name: String, version: String)) throws -> Result {
    let network = checkpoint.network
    precondition(Self.opsets.contains(opset), "version \(opset) of ONNX's operators cannot be written")
    guard network.parameterCount < Self.largestByteCount / 4 - 1 << 20 else {
      throw InterchangeError(
        .usage,
        "the model has \(network.parameterCount) parameters, and a file of ONNX holds less than 2 GiB")
    }
    try check(checkpoint)
    var graph = ONNXGraphBuilder(
      opset: opset, reserving: [Network.inputName, Self.endName])
    graph.layer = Network.inputName
    var source = Network.inputName
    if input == .uint8 {
      source = graph.add("Cast", [source], [.integer("to", ONNXTensor.ElementType.float.rawValue)])
    }
    var writer = ONNXLayerWriter(graph: graph, values: checkpoint.values, input: source)
    let turns = layout == .channelsLast
    if turns, network.inputShape.rank > 1 { writer.turnInput(network.inputShape) }
    var result = source
    for layer in network.layers { result = writer.write(layer) }
    writer.graph.layer = Self.endName
    let end = probabilities(of: checkpoint)
    if addsProbabilities { result = writer.activated(result, end) }
    if turns, network.outputShape.rank > 1 {
      result = writer.channelsLast(result, network.outputShape, output: Self.endName)
    } else {
      result = writer.graph.add("Identity", [result], output: Self.endName)
    }
    let inputInfo = info(Network.inputName, network.inputShape, input == .uint8 ? .uint8 : .float)
    let outputInfo = info(Self.endName, network.outputShape, .float)
    let model = ONNXModel(
      irVersion: Self.irVersion(opset), opsets: ["": opset], producer: program.name,
      producerVersion: program.version, documentation: documentation(checkpoint, inputInfo, outputInfo),
      graph: ONNXGraph(
        name: checkpoint.name, nodes: writer.graph.nodes, initializers: writer.graph.initializers,
        inputs: [inputInfo], outputs: [outputInfo]),
      metadata: try metadata(checkpoint))
    return Result(
      bytes: try model.bytes, input: inputInfo.text, output: outputInfo.text,
      notes: [pixelSentence(checkpoint), outputSentence(checkpoint)].compactMap(\.self))
  }

  /// The name of the model's output.
  private static let endName = "output"

  /// The oldest version of the format that has a version of the operators.
  private static func irVersion(_ opset: Int) -> Int {
    switch opset {
    case ...14: 7
    case 15...18: 8
    case 19...20: 9
    default: 10
    }
  }

  private func check(_ checkpoint: Checkpoint) throws {
    guard input == .uint8, let pixels = checkpoint.identity.pixels, pixels.type != .uint8 else { return }
    throw InterchangeError(
      .usage,
      "the network was trained on \(pixels), and bytes are other numbers; export it without --input uint8")
  }

  private func info(
    _ name: String, _ shape: Shape, _ type: ONNXTensor.ElementType
  ) -> ONNXValueInfo {
    let places = shape.dimensions.dropLast()
    let channels = shape.dimensions.suffix(1)
    let sizes = layout == .channelsFirst ? channels + places : places + channels
    return ONNXValueInfo(
      name: name, elementType: type.rawValue,
      shape: [.open("N")] + sizes.map(ONNXValueInfo.Dimension.size))
  }

  // MARK: - What the numbers mean

  /// The function that makes probabilities of the outputs; linear where they have it, or are none.
  private func probabilities(of checkpoint: Checkpoint) -> Activation {
    let criterion = checkpoint.identity.criterion ?? .classification
    let final = checkpoint.network.network.output.spec.finalActivation
    switch criterion.loss.finalActivation {
    case .softmax where final != .softmax: return .softmax
    case .sigmoid where final != .sigmoid: return .sigmoid
    case .softmax, .sigmoid, .none: return .linear
    }
  }

  private func pixelSentence(_ checkpoint: Checkpoint) -> String? {
    guard let pixels = checkpoint.identity.pixels else { return nil }
    return "the network was trained on \(pixels)"
      + (pixels.type == .uint8 && isColour(checkpoint) ? ", colours as red, green, blue" : "")
  }

  private func isColour(_ checkpoint: Checkpoint) -> Bool {
    let shape = checkpoint.network.inputShape
    return shape.rank == 3 && shape[2] == 3 && checkpoint.identity.pixels?.type == .uint8
  }

  private func outputSentence(_ checkpoint: Checkpoint) -> String? {
    let function = probabilities(of: checkpoint)
    guard function != .linear else { return nil }
    return addsProbabilities
      ? "the outputs are probabilities"
      : "the outputs are logits, as in the network; --probabilities adds \(function.rawValue)"
  }

  private func documentation(
    _ checkpoint: Checkpoint, _ input: ONNXValueInfo, _ output: ONNXValueInfo
  ) -> String {
    var sentences = ["'\(checkpoint.name)': \(input.text) to \(output.text)"]
    sentences += [pixelSentence(checkpoint)].compactMap(\.self)
    return sentences.joined(separator: "; ")
  }

  /// What else the file says, as text or JSON.
  private func metadata(_ checkpoint: Checkpoint) throws -> [(key: String, value: String)] {
    let identity = checkpoint.identity
    let criterion = identity.criterion ?? .classification
    var entries: [(key: String, value: String)] = []
    if !identity.classNames.isEmpty {
      entries.append(("class_names", try JSONValue.array(identity.classNames.map(JSONValue.string)).text()))
    }
    var inputFacts: [String: JSONValue] = [
      "layout": .string(layout.rawValue), "type": .string(input.rawValue),
    ]
    if let pixels = identity.pixels {
      inputFacts["low"] = .number(Double(pixels.low))
      inputFacts["high"] = .number(Double(pixels.high))
      inputFacts["pixel_type"] = .string(pixels.type.rawValue)
    }
    if isColour(checkpoint) { inputFacts["channels"] = "RGB" }
    entries.append(("input", try JSONValue.object(inputFacts).text()))
    let function = probabilities(of: checkpoint)
    let meaning =
      function == .linear || addsProbabilities
      ? "as the loss takes them" : "logits (before \(function.rawValue))"
    if identity.criterion != nil { entries.append(("loss", criterion.loss.kind.rawValue)) }
    entries.append(("output", meaning))
    entries.append(("contents_sha256", try checkpoint.contentDigest().hexadecimal))
    return entries
  }
}

extension ONNXValueInfo {
  /// `float32 [N, 3, 224, 224]`.
  var text: String {
    let sizes = (shape ?? []).map { dimension in
      switch dimension {
      case .size(let number): "\(number)"
      case .open(let name): name.isEmpty ? "?" : name
      }
    }
    let type =
      elementType.flatMap(ONNXTensor.ElementType.init).map { $0 == .float ? "float32" : "\($0)" } ?? "tensor"
    return "\(type) [\(sizes.joined(separator: ", "))]"
  }
}
