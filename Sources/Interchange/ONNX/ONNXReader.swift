internal import Networks
internal import Tensors

/// A layer that is being read from a graph of ONNX, with its weights in Keras's order.
struct ONNXLayer {
  enum Work {
    case layer(LayerSpec)
    /// `dst = src · scale + offset`, one pair of numbers for each channel, or one for all.
    case affine(scale: [Double], offset: [Double])

    /// Whether each element of the result depends on the one in its place alone, whatever the place.
    var isOfSingleElements: Bool {
      switch self {
      case .affine(let scale, let offset): scale.count == 1 && offset.count == 1
      case .layer(.activation(let function)): function != .softmax
      case .layer(.relu), .layer(.leakyReLU), .layer(.elu): true
      case .layer: false
      }
    }
  }

  var name: String
  var inputs: [String]
  var work: Work
  /// The values of the layer's parameters by their names.
  var weights: [String: [Float]] = [:]
  /// The node that it comes from, for messages.
  let place: String
}

/// Reads the graph of a model of ONNX as layers.
///
/// Nodes are followed in order. What a name stands for is a constant, or the result of a layer in the dimensions that the graph speaks
/// of (``ONNXResult``). Each operator has a function in one of the extensions.
struct ONNXReader {
  /// What a name in the graph stands for.
  enum Value {
    case tensor(ONNXTensor)
    case constant(ONNXConstant)
    case result(ONNXResult)
    /// A part of a formula that only makes a layer as a whole.
    case partial(ONNXPartial)
  }

  let graph: ONNXGraph
  /// The operators that the file defines itself.
  private let functions: Set<ONNXOperator>
  /// The version of ONNX's own operators.
  let opset: Int
  let path: String
  var inputShape: Shape = [1]
  /// The layers so far; each stands behind its inputs.
  var layers: [ONNXLayer] = []
  /// The shape of each layer's output.
  var shapes: [String: Shape] = [:]
  var values: [String: Value] = [:]
  /// The shapes that the file says of results.
  private let saidShapes: [String: [ONNXValueInfo.Dimension]]
  /// The number of the last part of a dimension that was made.
  var lastPart = 0
  /// How the graph was understood, in sentences.
  var notes: [String] = []
  var usedNames: Set<String> = [Network.inputName]
  var namer = LayerNamer()
  /// The modules of PyTorch that have others inside.
  let parentModules: Set<String>
  /// The result of the whole graph.
  private(set) var output: ONNXResult?
  /// The number of samples that the graph was written for; nil where any number fits.
  var sampleCount: Int?

  /// The versions of ONNX's operators whose meaning is known here.
  static let opsets = 7...28

  /// As many numbers as no network has for one sample, in its input or a result.
  static let tooLarge = 0x1p40

  /// - Parameters:
  ///   - inputShape: the shape of one sample, channels last, for models that leave it open.
  ///   - outputName: the output to read; nil where there is one.
  /// - Throws: ``InterchangeError`` that names the node at fault.
  init(_ model: ONNXModel, path: String, inputShape: Shape?, outputName: String?) throws {
    self.path = path
    (graph, functions) = (model.graph, model.functions)
    opset = model.opsets[""] ?? 0
    parentModules = Set(graph.nodes.flatMap { $0.modules.dropLast() })
    saidShapes = Dictionary(
      (graph.values + graph.outputs).compactMap { info in info.shape.map { (info.name, $0) } }
    ) { $1 }
    try check(model)
    for tensor in graph.initializers {
      guard values.updateValue(.tensor(tensor), forKey: tensor.name) == nil else {
        throw InterchangeError(.badData, "\(path): two tensors are named '\(tensor.name)'")
      }
    }
    let output = try chosenOutput(outputName)
    try readInput(inputShape)
    try follow(to: output)
  }

  private func check(_ model: ONNXModel) throws {
    guard Self.opsets.contains(opset) else {
      throw InterchangeError(
        .badData,
        opset == 0
          ? "\(path) names no version of ONNX's operators"
          : "\(path) is written in version \(opset) of ONNX's operators, and versions \(Self.opsets.lowerBound) to "
            + "\(Self.opsets.upperBound) can be read; convert it (onnx.version_converter)")
    }
    guard !graph.hasSparseTensors else {
      throw InterchangeError(.badData, "\(path) has sparse tensors, which are not supported")
    }
    guard graph.nodes.count <= 1 << 20 else {
      throw InterchangeError(
        .badData, "\(path) has \(graph.nodes.count) nodes, which is no network that is meant")
    }
  }

  private func chosenOutput(_ wanted: String?) throws -> String {
    let names = graph.outputs.map(\.name)
    let list = names.prefix(20).joined(separator: ", ")
    if let wanted {
      guard names.contains(wanted) || graph.nodes.contains(where: { $0.outputs.contains(wanted) }) else {
        throw InterchangeError(.usage, "\(path) has no output '\(wanted)'; it has \(list)")
      }
      return wanted
    }
    guard names.count == 1 else {
      throw InterchangeError(
        .usage,
        names.isEmpty
          ? "\(path) has no output" : "\(path) has \(names.count) outputs; choose one with --output: \(list)")
    }
    return names[0]
  }

  // MARK: - Nodes

  private mutating func follow(to output: String) throws {
    for node in try neededNodes(for: output) {
      for name in node.inputs where !name.isEmpty && values[name] == nil {
        throw InterchangeError(
          .badData,
          "\(path): \(node.place) takes '\(name.prefix(200))', which nothing before it gives; the graph is not in order, or goes in a "
            + "circle")
      }
      guard !functions.contains(ONNXOperator(domain: node.domain, name: node.operation)) else {
        throw InterchangeError(
          .badData,
          "\(path): \(node.place): the file defines this operator itself, and functions are not read; put their nodes into the graph "
            + "(onnx.inliner.inline_local_functions)")
      }
      do { try translate(node) } catch let error as NetworkError {
        throw InterchangeError(.badData, "\(path): \(node.place): \(error)")
      }
      try checkShapes(of: node)
    }
    guard case .result(let result) = values[output] else {
      throw InterchangeError(.badData, "\(path): the output '\(output)' does not depend on the input")
    }
    self.output = try finished(result, output)
  }

  /// The graph's result as a layer gives it: an image or sequence with its channels last, or a vector in the graph's order.
  private mutating func finished(_ found: ONNXResult, _ name: String) throws -> ONNXResult {
    let node = ONNXNode(name: name, operation: "output", inputs: [], outputs: [])
    if found.theirs.count > 1, found.ours.count > 1 || found.theirs.filter({ !$0.isEmpty }).count > 1 {
      // What already lies in the graph's order stays so.
      let hasOneOrder = found.ours.flatMap(\.self) == found.theirs.flatMap(\.self)
      let result = try arranged(found, hasOneOrder ? found.theirs : found.standard, node)
      if !hasOneOrder {
        notes.append(
          "the output is \(Shape(result.ourShape)), with the model's first dimension, the channels, last")
      }
      return result
    }
    if found.theirs.count > 1 { return found }
    let (result, order) = try vector(found, node)
    guard order == nil else {
      throw InterchangeError(
        .badData,
        "\(path): the output '\(name)' is an image as one vector with its channels first, which no layer here gives; choose a result "
          + "before it with --output")
    }
    return result
  }

  /// The nodes that an output comes from, in the graph's order.
  private func neededNodes(for output: String) throws -> [ONNXNode] {
    var source: [String: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for name in node.outputs where !name.isEmpty {
        guard source.updateValue(index, forKey: name) == nil, values[name] == nil else {
          throw InterchangeError(.badData, "\(path): \(node.place): '\(name.prefix(200))' is made twice")
        }
      }
    }
    var isNeeded = [Bool](repeating: false, count: graph.nodes.count)
    var open = [output]
    while let name = open.popLast() {
      guard let index = source[name], !isNeeded[index] else { continue }
      isNeeded[index] = true
      open += graph.nodes[index].inputs
    }
    return zip(graph.nodes, isNeeded).filter(\.1).map(\.0)
  }

  private func checkShapes(of node: ONNXNode) throws {
    for name in node.outputs {
      guard case .result(let result) = values[name], let said = saidShapes[name] else { continue }
      let sizes = said.dropFirst()
      let fits =
        sizes.count == result.theirs.count
        && zip(sizes, result.theirShape).allSatisfy { dimension, size in
          if case .size(let number) = dimension { number == size } else { true }
        }
      guard fits else {
        let text = said.map { if case .size(let size) = $0 { "\(size)" } else { "any" } }.joined(
          separator: "×")
        throw InterchangeError(
          .badData,
          "\(path): \(node.place) gives N×\(Shape(result.theirShape)), and the file says \(text); export the model again"
        )
      }
    }
  }
}
