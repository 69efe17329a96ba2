internal import Networks
internal import Tensors

/// A layer that is being read from a graph of ONNX, with its weights in Keras's order.
struct ONNXLayer {
  enum Work {
    case layer(LayerSpec)
    /// `dst = src · scale + offset`, one pair of numbers for each channel, or one for all.
    case affine(scale: [Double], offset: [Double])
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
  /// The version of ONNX's own operators.
  let opset: Int
  let path: String
  private(set) var inputShape: Shape = [1]
  /// The layers so far; each stands behind its inputs.
  var layers: [ONNXLayer] = []
  /// The shape of each layer's output.
  private(set) var shapes: [String: Shape] = [:]
  private var values: [String: Value] = [:]
  /// The number of the last part of a dimension that was made.
  var lastPart = 0
  /// How the graph was understood, in sentences.
  var notes: [String] = []
  private var usedNames: Set<String> = [Network.inputName]
  private var namer = LayerNamer()
  /// The result of the whole graph.
  private(set) var output: ONNXResult?
  /// The number of samples that the graph was written for; nil where any number fits.
  private(set) var sampleCount: Int?

  /// The versions of ONNX's operators whose meaning is known here.
  static let opsets = 7...28

  /// - Parameters:
  ///   - inputShape: the shape of one sample, channels last, for models that leave it open.
  ///   - outputName: the output to read; nil where there is one.
  /// - Throws: ``InterchangeError`` that names the node at fault.
  init(_ model: ONNXModel, path: String, inputShape: Shape?, outputName: String?) throws {
    self.path = path
    graph = model.graph
    opset = model.opsets[""] ?? 0
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
      throw InterchangeError(.badData, "\(path) has \(graph.nodes.count) nodes, which is no network that is meant")
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
        .usage, names.isEmpty ? "\(path) has no output" : "\(path) has \(names.count) outputs; choose one with --output: \(list)")
    }
    return names[0]
  }

  // MARK: - The input

  private mutating func readInput(_ chosen: Shape?) throws {
    let inputs = graph.inputs.filter { values[$0.name] == nil }
    guard inputs.count == 1 else {
      throw InterchangeError(
        .badData,
        "\(path) has \(inputs.count) inputs (\(inputs.prefix(20).map(\.name).joined(separator: ", "))); only models with one can be read"
      )
    }
    let input = inputs[0]
    guard let shape = input.shape, (2...4).contains(shape.count) else {
      throw InterchangeError(
        .badData,
        "\(path): the input '\(input.name)' has \(input.shape.map { "\($0.count) dimensions" } ?? "no shape"), and vectors, sequences "
          + "or images with the samples in front are expected")
    }
    if case .size(let number) = shape[0] { sampleCount = number }
    let isChannelsLast = shape.count > 2 && hasChannelsLast(input.name, rank: shape.count)
    let sizes = shape.dropFirst().map { dimension -> Int? in
      if case .size(let size) = dimension { size } else { nil }
    }
    let inOurOrder = isChannelsLast || sizes.count == 1 ? sizes : Array(sizes[1...]) + [sizes[0]]
    inputShape = try shapeOfInput(inOurOrder, chosen)
    let parts = fresh(inputShape.dimensions)
    let theirs = isChannelsLast ? parts : Array(parts.suffix(1) + parts.dropLast())
    shapes[Network.inputName] = inputShape
    values[input.name] = .result(
      ONNXResult(layer: Network.inputName, ours: parts, theirs: theirs))
    if parts.count > 1 {
      let names = parts.count == 3 ? ["height", "width", "channels"] : ["length", "channels"]
      let theirNames = isChannelsLast ? names : names.suffix(1) + names.dropLast()
      notes.append(
        "the model takes [N, \(theirNames.joined(separator: ", "))], and the network [\(names.joined(separator: ", "))]: \(inputShape)")
    }
  }

  /// The shape of one sample: the file's, or the call's where the file leaves sizes open.
  private func shapeOfInput(_ found: [Int?], _ chosen: Shape?) throws -> Shape {
    let text = found.map { $0.map(String.init) ?? "any" }.joined(separator: "×")
    if let chosen {
      guard chosen.rank == found.count, zip(chosen.dimensions, found).allSatisfy({ $1 == nil || $0 == $1 }) else {
        throw InterchangeError(.usage, "\(path) takes \(text), which an input of \(chosen) does not fit")
      }
      return chosen
    }
    let known = found.compactMap(\.self)
    guard known.count == found.count else {
      throw InterchangeError(
        .usage, "\(path) takes inputs of \(text) (channels last); give their shape with --input, such as --input 224x224x3")
    }
    guard known.allSatisfy({ (1...1 << 24).contains($0) }), known.reduce(1.0, { $0 * Double($1) }) < 0x1p40 else {
      throw InterchangeError(.badData, "\(path): an input of \(Shape(known)) is empty, or too large to be meant")
    }
    return Shape(known)
  }

  /// Whether images come with their channels last: before anything that knows channels, a transposition puts them first.
  private func hasChannelsLast(_ input: String, rank: Int) -> Bool {
    let passing: Set = ["Cast", "Identity", "Add", "Sub", "Mul", "Div", "Clip", "Neg"]
    var names = [input]
    var seen: Set<String> = []
    let last = [0, rank - 1] + Array(1..<rank - 1)
    while let name = names.popLast() {
      guard seen.insert(name).inserted else { continue }
      for node in graph.nodes where node.inputs.contains(name) {
        if node.operation == "Transpose" {
          let order = node.attributes.first { $0.name == "perm" }?.value
          if case .integers(let order) = order, order == last { return true }
        }
        if passing.contains(node.operation) { names += node.outputs }
      }
    }
    return false
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
    if found.theirs.count > 1 {
      let isTurned = found.ours != found.theirs
      let result = isTurned && found.ours.count > 1 ? try arranged(found, found.standard, node) : found
      if isTurned, result.ours.count > 1, result.ours != found.theirs {
        notes.append("the output is \(Shape(result.ourShape)), with the model's first dimension, the channels, last")
      }
      return result
    }
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
      guard case .result(let result) = values[name],
        let said = (graph.values + graph.outputs).first(where: { $0.name == name })?.shape
      else { continue }
      let sizes = said.dropFirst()
      let fits =
        sizes.count == result.theirs.count
        && zip(sizes, result.theirShape).allSatisfy { dimension, size in
          if case .size(let number) = dimension { number == size } else { true }
        }
      // The file may have been written for another size of image, which --input replaces.
      guard fits || isForAnotherSize else {
        let text = said.map { if case .size(let size) = $0 { "\(size)" } else { "any" } }.joined(separator: "×")
        throw InterchangeError(
          .badData,
          "\(path): \(node.place) gives N×\(Shape(result.theirShape)), and the file says \(text); export the model again")
      }
    }
  }

  private var isForAnotherSize: Bool { false }

  // MARK: - Values

  mutating func set(_ name: String, _ value: Value) { values[name] = value }

  mutating func set(_ node: ONNXNode, _ result: ONNXResult) { values[node.outputs[0]] = .result(result) }

  func value(_ name: String) -> Value? { values[name] }

  /// A constant input; nil where the input is left out or is a result.
  mutating func constant(_ node: ONNXNode, _ index: Int) throws -> ONNXConstant? {
    guard let name = node.input(index), let value = values[name] else { return nil }
    switch value {
    case .constant(let constant): return constant
    case .tensor(let tensor): return try ONNXConstant(tensor, "\(path): the tensor '\(name.prefix(200))'")
    case .result, .partial: return nil
    }
  }

  /// An input that must be a result of layers.
  func result(_ node: ONNXNode, _ index: Int = 0) throws -> ONNXResult {
    guard let name = node.input(index), let value = values[name] else {
      throw InterchangeError(.badData, "\(path): \(node.place) has no input \(index)")
    }
    switch value {
    case .result(let result): return result
    case .tensor, .constant:
      throw InterchangeError(
        .badData, "\(path): \(node.place) takes the constant '\(name.prefix(200))' where a result is expected")
    case .partial(let partial):
      throw InterchangeError(
        .badData, "\(path): \(node.place) takes a part of a formula: \(partial.explanation)")
    }
  }

  /// An input that must be a constant.
  mutating func weights(_ node: ONNXNode, _ index: Int, _ noun: String) throws -> ONNXConstant {
    guard let constant = try constant(node, index) else {
      throw InterchangeError(
        .badData, "\(path): \(node.place): its \(noun) is missing, or computed from the input, which is not supported")
    }
    return constant
  }

  // MARK: - Layers

  mutating func fresh(_ sizes: [Int]) -> [[ONNXAxisPart]] {
    sizes.map { size in
      guard size > 1 else { return [] }
      lastPart += 1
      return [ONNXAxisPart(id: lastPart, size: size)]
    }
  }

  /// Adds a layer over results.
  ///
  /// - Parameter hint: a name to take if it is free; nil makes one of the node's name.
  /// - Returns: the layer's name and the shape of its output.
  mutating func add(
    _ work: ONNXLayer.Work, _ inputs: [ONNXResult], _ node: ONNXNode, weights: [String: [Float]] = [:],
    name hint: String? = nil, shape known: Shape? = nil
  ) throws -> (name: String, shape: Shape) {
    let input = Shape(inputs[0].ourShape)
    let shape: Shape
    switch work {
    case .affine: shape = known ?? input
    case .layer(let spec):
      shape = try known ?? Network(
        inputShape: input, layers: [Layer(name: "layer", inputs: [Network.inputName], spec: spec)]
      ).resolved().outputShape
    }
    let name = unused(hint ?? Self.name(of: node), work)
    layers.append(
      ONNXLayer(name: name, inputs: inputs.map(\.layer), work: work, weights: weights, place: node.place))
    shapes[name] = shape
    return (name, shape)
  }

  /// A layer whose output has the dimensions of its input.
  mutating func addInPlace(
    _ work: ONNXLayer.Work, _ input: ONNXResult, _ node: ONNXNode, weights: [String: [Float]] = [:],
    isNonNegative: Bool = false, name hint: String? = nil
  ) throws -> ONNXResult {
    var result = input
    result.layer = try add(work, [input], node, weights: weights, name: hint).name
    result.isNonNegative = isNonNegative
    return result
  }

  /// A layer that gives an image, a sequence or a vector of its own dimensions, whose channels come first in the graph.
  mutating func addFresh(
    _ work: ONNXLayer.Work, _ inputs: [ONNXResult], _ node: ONNXNode, weights: [String: [Float]] = [:],
    isNonNegative: Bool = false, name hint: String? = nil, shape: Shape? = nil
  ) throws -> ONNXResult {
    let (name, shape) = try add(work, inputs, node, weights: weights, name: hint, shape: shape)
    let parts = fresh(shape.dimensions)
    return ONNXResult(
      layer: name, ours: parts, theirs: Array(parts.suffix(1) + parts.dropLast()), isNonNegative: isNonNegative)
  }

  /// A name for the layer of a node, from names such as `/layer1/layer1.0/conv1/Conv`; nil where the node has none.
  private static func name(of node: ONNXNode) -> String? {
    guard !node.name.isEmpty else { return nil }
    var parts = node.name.split(separator: "/").map(String.init)
    if parts.count > 1, parts.last?.hasPrefix(node.operation) ?? false { parts.removeLast() }
    // PyTorch repeats the module's path in each part.
    return parts.last
  }

  /// The module that a weight of PyTorch belongs to: `layer1.0.conv1` for `layer1.0.conv1.weight`; nil for other names.
  static func module(ofWeight name: String) -> String? {
    for ending in [".weight", "/kernel"] where name.hasSuffix(ending) && name.count > ending.count {
      return String(name.dropLast(ending.count))
    }
    return nil
  }

  private mutating func unused(_ hint: String?, _ work: ONNXLayer.Work) -> String {
    // Letters, digits, points and lines: what configurations, HDF5 and Keras all take.
    let cleaned = (hint ?? "").prefix(120).map { character in
      character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character)) ? character : "_"
    }
    var name = String(cleaned)
    while let first = name.first, !first.isLetter { name.removeFirst() }
    if name.isEmpty {
      switch work {
      case .layer(let spec): name = namer.name(for: spec)
      case .affine: name = namer.name(for: .rescale(Rescale(scale: 1)))
      }
    }
    var unique = name
    var number = 1
    while !usedNames.insert(unique).inserted {
      unique = "\(name)_\(number)"
      number += 1
    }
    return unique
  }

  // MARK: - The order of values

  /// The result with the layer's dimensions in this order, by a reshape or a change of channels if one is needed.
  ///
  /// - Throws: ``InterchangeError`` where values would have to move in another way.
  mutating func arranged(
    _ result: ONNXResult, _ wanted: [[ONNXAxisPart]], _ node: ONNXNode
  ) throws -> ONNXResult {
    if result.ours == wanted { return result }
    var result = result
    let (own, target) = (result.ours.flatMap(\.self), wanted.flatMap(\.self))
    let sizes = wanted.map(\.size)
    if sizes != result.ourShape {
      guard (1...3).contains(sizes.count) else { throw moved(node, sizes) }
    }
    let channels = wanted.last ?? []
    let isPermutation =
      own != target && own.dropLast(channels.count) == target.dropLast(channels.count)
      && Set(own.suffix(channels.count)) == Set(channels)
    guard own == target || isPermutation else { throw moved(node, sizes) }
    if sizes != result.ourShape {
      result.layer = try add(.layer(.reshape(Reshape(sizes))), [result], node).name
      result.ours = Array(wanted.dropLast()) + [Array(own.suffix(channels.count))]
    }
    if isPermutation {
      let order = channels.indices(in: Array(own.suffix(channels.count)))
      let isNonNegative = result.isNonNegative
      result.layer = try picked(order.map { $0 }, of: result, node)
      result.isNonNegative = isNonNegative
    }
    result.ours = wanted
    return result
  }

  private func moved(_ node: ONNXNode, _ sizes: [Int]) -> InterchangeError {
    InterchangeError(
      .badData,
      "\(path): \(node.place) needs values as \(Shape(sizes)) in an order that no layer here brings them into")
  }

  /// Adds a layer that gives some of the channels, by their numbers; nil gives zeros.
  ///
  /// - Returns: the layer's name.
  mutating func picked(_ channels: [Int?], of result: ONNXResult, _ node: ONNXNode) throws -> String {
    let count = result.ours.last?.size ?? 1
    guard count * channels.count <= 1 << 24 else {
      throw InterchangeError(
        .badData, "\(path): \(node.place) picks \(channels.count) of \(count) values, which is too many to be supported")
    }
    var kernel = [Float](repeating: 0, count: count * channels.count)
    for (place, channel) in channels.enumerated() {
      if let channel { kernel[channel * channels.count + place] = 1 }
    }
    let spec: LayerSpec =
      switch result.ours.count {
      case 1: .dense(Dense(units: channels.count, useBias: false))
      case 2: .conv1D(Conv1D(filters: channels.count, kernel: 1, useBias: false))
      default: .conv2D(Conv2D(filters: channels.count, kernel: .one, useBias: false))
      }
    return try add(.layer(spec), [result], node, weights: ["kernel": kernel]).name
  }

  /// The result as an image or a sequence whose channels are the graph's first dimension.
  mutating func image(_ result: ONNXResult, _ node: ONNXNode, ranks: ClosedRange<Int> = 2...3) throws -> ONNXResult {
    guard ranks.contains(result.theirs.count) else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place) takes N×\(Shape(result.theirShape)); only "
          + (ranks == 3...3 ? "images" : "images and sequences") + " with the samples in front are supported")
    }
    return try arranged(result, result.standard, node)
  }

  /// The result with one of the graph's dimensions as the layer's last one.
  mutating func withChannels(_ axis: Int, _ result: ONNXResult, _ node: ONNXNode) throws -> ONNXResult {
    guard result.theirs.indices.contains(axis) else {
      throw InterchangeError(
        .badData, "\(path): \(node.place) works along a dimension that N×\(Shape(result.theirShape)) does not have")
    }
    let channels = result.theirs[axis]
    if let last = result.ours.last, last == channels || (channels.isEmpty && last.isEmpty) { return result }
    let others = result.theirs.indices.filter { $0 != axis }.map { result.theirs[$0] }
    return try arranged(result, others + [channels], node)
  }

  /// The result as a vector.
  ///
  /// - Returns: also for each of the graph's values its place in ours; nil where both have one order.
  mutating func vector(_ result: ONNXResult, _ node: ONNXNode) throws -> (result: ONNXResult, order: [Int]?) {
    guard result.theirs.count == 1 else {
      throw InterchangeError(
        .badData, "\(path): \(node.place) takes N×\(Shape(result.theirShape)) where a vector is expected")
    }
    var result = result
    if result.ours.count > 1 {
      result.layer = try add(.layer(.flatten), [result], node).name
      result.ours = [result.ours.flatMap(\.self)]
    }
    let (own, theirs) = (result.ours[0], result.theirs[0])
    return (result, own == theirs ? nil : theirs.indices(in: own))
  }

  /// Numbers for the channels in the graph's order, brought into the layer's.
  ///
  /// - Parameter axis: the graph's dimension that the channels are.
  func inOurOrder(_ numbers: [Float], _ result: ONNXResult, axis: Int) -> [Float] {
    guard let last = result.ours.last, last != result.theirs[axis] else { return numbers }
    return last.indices(in: result.theirs[axis]).map { numbers[$0] }
  }
}
