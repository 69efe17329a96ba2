internal import Networks
internal import Tensors

// Adding layers, under names that are free.
extension ONNXReader {
  mutating func fresh(_ sizes: [Int]) -> [[ONNXAxisPart]] {
    sizes.map { size in
      guard size > 1 else { return [] }
      lastPart += 1
      return [ONNXAxisPart(id: lastPart, size: size)]
    }
  }

  /// Adds a layer over results.
  ///
  /// - Parameters:
  ///   - hint: a name to take if it is free; nil makes one of the node's name.
  ///   - part: a word for a layer that only prepares values for the node's own one; it stands behind the name.
  /// - Returns: the layer's name and the shape of its output.
  mutating func add(
    _ work: ONNXLayer.Work, _ inputs: [ONNXResult], _ node: ONNXNode, weights: [String: [Float]] = [:],
    name hint: String? = nil, part: String? = nil, shape known: Shape? = nil
  ) throws -> (name: String, shape: Shape) {
    let input = Shape(inputs[0].ourShape)
    let shape: Shape
    switch work {
    case .affine: shape = known ?? input
    case .layer(let spec):
      shape =
        try known
        ?? Network(
          inputShape: input, layers: [Layer(name: "layer", inputs: [Network.inputName], spec: spec)]
        ).resolved().outputShape
    }
    guard shape.dimensions.reduce(1.0, { $0 * Double($1) }) < ONNXReader.tooLarge else {
      throw InterchangeError(
        .badData, "\(path): \(node.place) gives N×\(shape), which is too large to be meant")
    }
    let whole = hint ?? name(of: node, for: work)
    let name = unused(whole.map { whole in part.map { "\(whole)_\($0)" } ?? whole }, work)
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
    isNonNegative: Bool = false, name hint: String? = nil, part: String? = nil, shape: Shape? = nil
  ) throws -> ONNXResult {
    let (name, shape) = try add(work, inputs, node, weights: weights, name: hint, part: part, shape: shape)
    let parts = fresh(shape.dimensions)
    return ONNXResult(
      layer: name, ours: parts, theirs: Array(parts.suffix(1) + parts.dropLast()),
      isNonNegative: isNonNegative)
  }

  /// A name for the layer of a node; nil where the file says nothing that tells it from others.
  ///
  /// A node that is all of a module of PyTorch has the module's name, `layer1.0.conv1`, and one among modules the kind of layer behind it,
  /// `layer1.0.add`.
  private func name(of node: ONNXNode, for work: ONNXLayer.Work) -> String? {
    let modules = node.modules
    guard !modules.isEmpty else {
      var parts = node.name.split(separator: "/").map(String.init)
      if parts.count > 1, parts.last?.hasPrefix(node.operation) ?? false { parts.removeLast() }
      // Nothing but the operator's name for a node of PyTorch that is in no module.
      let isNameless = node.name.hasPrefix("/") && parts.count == 1 && parts[0].hasPrefix(node.operation)
      return isNameless ? nil : parts.last
    }
    guard let module = modules.last, parentModules.contains(module) else { return modules.last }
    let word = if case .layer(let spec) = work { spec.word } else { LayerKind.rescale.rawValue }
    return "\(module).\(word)"
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
      character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
        ? character : "_"
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
}

extension ONNXNode {
  /// The modules of PyTorch that the node is in, outermost first, each with its whole path; none where the file does not say.
  var modules: [String] {
    // The last one is the node itself, the first one the network.
    if !scopes.isEmpty { return scopes.dropLast().filter { !$0.isEmpty } }
    // Of `/layer1/layer1.0/conv1/Conv`, `layer1.0` names the module inside of `layer1` with its name, and `conv1` without that of `layer1.0`.
    guard name.hasPrefix("/") else { return [] }
    var modules: [String] = []
    var (path, previous) = ("", "")
    for part in name.split(separator: "/").dropLast().map(String.init) {
      if !previous.isEmpty, part.hasPrefix("\(previous).") {
        path += part.dropFirst(previous.count)
      } else {
        path += path.isEmpty ? part : ".\(part)"
      }
      modules.append(path)
      previous = part
    }
    return modules
  }
}
