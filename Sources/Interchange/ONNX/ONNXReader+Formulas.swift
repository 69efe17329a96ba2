internal import Networks

/// A part of a formula that only makes a layer as a whole.
enum ONNXPartial {
  /// GELU, x·(1 + erf(x / √2)) / 2: the factor of `1 + erf`, or of `erf` alone, and the result x / √2.
  case errorFunction(of: ONNXResult, plusOne: Bool, factor: Double)
  /// A layer normalisation, (x − mean) / √(variance + ε): the mean along a dimension of the graph.
  case mean(of: ONNXResult, axis: Int)
  /// x − mean.
  case difference(ONNXResult, axis: Int)
  /// (x − mean)².
  case square(ONNXResult, axis: Int)
  /// The mean of the squares, plus ε.
  case variance(ONNXResult, axis: Int, epsilon: Double)
  /// √(variance + ε), or what it divides by.
  case deviation(ONNXResult, axis: Int, epsilon: Double, isInverse: Bool)
  /// Whether x is so large that softplus(x) is x.
  case comparison(ONNXResult)
  /// All values of the only sample, without the samples' dimension.
  case singleSample(ONNXResult)

  /// For messages.
  var explanation: String {
    switch self {
    case .errorFunction: "Erf is supported in GELU, x * (1 + erf(x / sqrt(2))) / 2, only"
    case .mean, .difference, .square, .variance, .deviation:
      "means along one dimension are supported in a layer normalisation, (x - mean) / sqrt(variance + epsilon), only"
    case .comparison: "comparisons are supported in softplus only"
    case .singleSample: "values of several samples cannot be put together"
    }
  }
}

extension ONNXReader {
  /// Follows a formula through its arithmetic.
  ///
  /// - Returns: whether the node is a part of one; its results are noted then.
  mutating func followsFormula(_ node: ONNXNode, _ options: inout ONNXAttributes) throws -> Bool {
    if node.operation == "ReduceMean", try followsMean(node, &options) { return true }
    for (index, name) in node.inputs.enumerated() {
      guard case .partial(let partial) = value(name) else { continue }
      let number = node.inputs.count == 2 ? try constant(node, 1 - index)?.number : nil
      switch partial {
      case .errorFunction(let inner, let plusOne, let factor):
        try followErrorFunction(node, index, inner, plusOne: plusOne, factor, number)
      case .mean, .difference, .square, .variance, .deviation:
        try followNormalization(node, partial, number)
      case .comparison(let result): try finishSoftplus(node, result)
      case .singleSample(let result): try restoreSample(node, result)
      }
      return true
    }
    return false
  }

  private func broken(_ node: ONNXNode, _ partial: ONNXPartial) -> InterchangeError {
    InterchangeError(.badData, "\(path): \(node.place): \(partial.explanation)")
  }

  /// PyTorch's softplus: x where x is above 20, and log(1 + eˣ), which is the same number there, elsewhere.
  mutating func comparison(_ node: ONNXNode) throws {
    let source = try result(node)
    guard let bound = try constant(node, 1)?.number, bound >= 18 else {
      throw broken(node, .comparison(source))
    }
    set(node.outputs[0], .partial(.comparison(source)))
  }

  private mutating func finishSoftplus(_ node: ONNXNode, _ source: ONNXResult) throws {
    guard node.operation == "Where", node.inputs.count == 3, case .result(let large) = value(node.inputs[1]),
      case .result(let small) = value(node.inputs[2]), large.layer == source.layer,
      let layer = layers.first(where: { $0.name == small.layer }), layer.inputs == [source.layer],
      case .layer(.activation(.softplus)) = layer.work
    else { throw broken(node, .comparison(source)) }
    set(node, small)
  }

  /// The samples' dimension in front again: by a reshape, or by picking all values in their order.
  private mutating func restoreSample(_ node: ONNXNode, _ source: ONNXResult) throws {
    let target: [Int]?
    switch node.operation {
    case "Reshape": target = try constant(node, 1)?.integers
    case "Gather":
      let indices = try constant(node, 1)
      target = indices?.integers == Array(0..<source.elementCount) ? indices?.dimensions : nil
    default: target = nil
    }
    guard let target, target.first == 1,
      let sizes = Self.closed(Array(target.dropFirst()), count: source.elementCount),
      let result = source.reshaped(to: sizes, nextID: &lastPart)
    else { throw broken(node, .singleSample(source)) }
    set(node, result)
  }

  // MARK: - GELU

  private mutating func followErrorFunction(
    _ node: ONNXNode, _ index: Int, _ inner: ONNXResult, plusOne: Bool, _ factor: Double, _ number: Double?
  ) throws {
    let output = node.outputs[0]
    switch (node.operation, number) {
    case ("Add", 1?) where !plusOne:
      set(output, .partial(.errorFunction(of: inner, plusOne: true, factor: factor)))
    case ("Mul", let number?) where plusOne:
      set(output, .partial(.errorFunction(of: inner, plusOne: true, factor: factor * number)))
    case ("Div", let number?) where plusOne && index == 0 && number != 0:
      set(output, .partial(.errorFunction(of: inner, plusOne: true, factor: factor / number)))
    case ("Mul", nil) where plusOne: try finishGELU(node, inner, factor, try result(node, 1 - index))
    default: throw broken(node, .errorFunction(of: inner, plusOne: plusOne, factor: factor))
    }
  }

  private mutating func finishGELU(
    _ node: ONNXNode, _ inner: ONNXResult, _ factor: Double, _ outer: ONNXResult
  ) throws {
    // Both are multiples of the same x.
    let (base, innerScale) = multiple(inner)
    let (other, outerScale) = multiple(outer)
    guard base == other, abs(innerScale * 2.0.squareRoot() - 1) < 1e-4 else {
      throw broken(node, .errorFunction(of: inner, plusOne: true, factor: factor))
    }
    var source = outer
    source.layer = base
    let gelu = try addInPlace(.layer(.activation(.gelu)), source, node)
    let scale = 2 * factor * outerScale
    try affine(node, gelu, scale: abs(scale - 1) < 1e-6 ? 1 : scale, offset: 0)
  }

  /// The layer that a result is a multiple of, with the factor.
  private func multiple(_ result: ONNXResult) -> (layer: String, scale: Double) {
    guard let layer = layers.first(where: { $0.name == result.layer }),
      case .affine(let scale, let offset) = layer.work, scale.count == 1, offset == [0]
    else { return (result.layer, 1) }
    return (layer.inputs[0], scale[0])
  }

  // MARK: - Layer normalisation

  /// A mean along one dimension of several.
  private mutating func followsMean(_ node: ONNXNode, _ options: inout ONNXAttributes) throws -> Bool {
    guard let name = node.input(0), let value = value(name) else { return false }
    let rank: Int
    switch value {
    case .result(let result): rank = result.theirs.count + 1
    case .partial(.square(let result, _)): rank = result.theirs.count + 1
    case .tensor, .constant, .partial: return false
    }
    let said = try constant(node, 1)?.integers ?? options.integers("axes") ?? []
    let keeps = try options.integer("keepdims", default: 1) == 1
    let axes = said.map { $0 < 0 ? $0 + rank : $0 }
    guard axes.count == 1, keeps, (1..<rank).contains(axes[0]) else { return false }
    let axis = axes[0] - 1
    switch value {
    case .result(let result):
      guard isCentred(name, in: node) else { return false }
      set(node.outputs[0], .partial(.mean(of: result, axis: axis)))
    case .partial(.square(let result, let squared)) where squared == axis:
      set(node.outputs[0], .partial(.variance(result, axis: axis, epsilon: 0)))
    case .tensor, .constant, .partial: return false
    }
    return true
  }

  /// Whether the mean is subtracted from what it is the mean of.
  private func isCentred(_ name: String, in node: ONNXNode) -> Bool {
    graph.nodes.contains { $0.operation == "Sub" && $0.inputs == [name, node.outputs[0]] }
  }

  private mutating func followNormalization(_ node: ONNXNode, _ partial: ONNXPartial, _ number: Double?) throws {
    let output = node.outputs[0]
    switch (node.operation, partial) {
    case ("Sub", .mean(let result, let axis)):
      guard case .result(let source) = value(node.inputs[0]), source.layer == result.layer else {
        throw broken(node, partial)
      }
      set(output, .partial(.difference(result, axis: axis)))
    case ("Pow", .difference(let result, let axis)) where number == 2,
      ("Mul", .difference(let result, let axis)) where node.inputs[0] == node.inputs[1]:
      set(output, .partial(.square(result, axis: axis)))
    case ("Add", .variance(let result, let axis, let epsilon)):
      guard let number, number > 0 else { throw broken(node, partial) }
      set(output, .partial(.variance(result, axis: axis, epsilon: epsilon + number)))
    case ("Sqrt", .variance(let result, let axis, let epsilon)) where epsilon > 0:
      set(output, .partial(.deviation(result, axis: axis, epsilon: epsilon, isInverse: false)))
    case ("Reciprocal", .deviation(let result, let axis, let epsilon, isInverse: false)):
      set(output, .partial(.deviation(result, axis: axis, epsilon: epsilon, isInverse: true)))
    case ("Div", .difference), ("Mul", .difference): try finishNormalization(node, partial)
    default: throw broken(node, partial)
    }
  }

  private mutating func finishNormalization(_ node: ONNXNode, _ partial: ONNXPartial) throws {
    let parts = node.inputs.compactMap { name -> ONNXPartial? in
      if case .partial(let partial) = value(name) { partial } else { nil }
    }
    guard parts.count == 2,
      case .difference(let result, let axis) = parts[node.operation == "Div" ? 0 : parts[0].isDifference ? 0 : 1],
      case .deviation(let other, let otherAxis, let epsilon, let isInverse) = parts[
        node.operation == "Div" ? 1 : parts[0].isDifference ? 1 : 0],
      result.layer == other.layer, axis == otherAxis, isInverse == (node.operation == "Mul")
    else { throw broken(node, partial) }
    let source = try withChannels(axis, result, node)
    let norm = LayerNorm(epsilon: Float(epsilon), scale: false, center: false)
    set(node, try addInPlace(.layer(.layerNorm(norm)), source, node))
  }
}

extension ONNXPartial {
  fileprivate var isDifference: Bool { if case .difference = self { true } else { false } }
}
