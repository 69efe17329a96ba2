internal import Networks
internal import Tensors

// Functions of one element, arithmetic, and several results in one.

extension ONNXReader {
  // MARK: - Functions

  mutating func function(_ node: ONNXNode, _ spec: LayerSpec, isNonNegative: Bool = false) throws {
    set(node, try addInPlace(.layer(spec), try result(node), node, isNonNegative: isNonNegative))
  }

  mutating func affine(_ node: ONNXNode, _ source: ONNXResult, scale: Double, offset: Double) throws {
    guard scale != 1 || offset != 0 else { return set(node, source) }
    set(
      node,
      try addInPlace(
        .affine(scale: [scale], offset: [offset]), source, node,
        isNonNegative: source.isNonNegative && scale >= 0 && offset >= 0))
  }

  mutating func elu(_ node: ONNXNode, alpha: Float) throws {
    try function(node, alpha == 1 ? .activation(.elu) : .elu(ELU(alpha: alpha)))
  }

  /// A multiple of an ELU.
  ///
  /// - SeeAlso: Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>.
  mutating func selu(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let alpha = try options.float("alpha", default: 1.6732632)
    let gamma = try options.float("gamma", default: 1.050701)
    let inner = try addInPlace(.layer(.elu(ELU(alpha: alpha))), try result(node), node)
    try affine(node, inner, scale: Double(gamma), offset: 0)
  }

  /// Slopes [C, 1, 1], one for all, or one for each place and channel.
  mutating func prelu(_ node: ONNXNode) throws {
    let found = try result(node)
    let source = found.theirs.count > 1 ? try image(found, node) : try vector(found, node).result
    let slope = try weights(node, 1, "slope")
    let sizes = [1] + source.theirShape
    guard ONNXConstant.common(sizes, slope.dimensions) == sizes else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): slopes of \(Self.text(slope.dimensions)) do not fit N×\(Self.text(source.theirShape))"
      )
    }
    try requireSmall(source, node)
    let slopes = slope.floats
    let alpha = slope.expanded(to: sizes).map { slopes[$0] }
    let places = sizes.dropFirst(2).reduce(1, *)
    // One for each channel, if all places have the same.
    let isShared =
      places == 1 || slope.count == 1
      || slope.dimensions.suffix(source.theirs.count - 1).allSatisfy { $0 == 1 }
    let kept = isShared ? stride(from: 0, to: alpha.count, by: places).map { alpha[$0] } : alpha
    let order =
      isShared
      ? inOurOrder(kept, source, axis: 0)
      : source.ours.flatMap(\.self).indices(in: source.theirs.flatMap(\.self)).map { kept[$0] }
    set(
      node,
      try addInPlace(
        .layer(.prelu(PReLU(sharesPositions: isShared))), source, node, weights: ["alpha": order]))
  }

  mutating func clip(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let (low, high) = try bounds(node, &options)
    try held(node, try result(node), from: low, to: high)
  }

  /// The bounds of a Clip.
  mutating func bounds(_ node: ONNXNode, _ options: inout ONNXAttributes) throws -> (
    low: Double, high: Double
  ) {
    guard opset >= 11 else {
      return (
        Double(try options.float("min", default: -.greatestFiniteMagnitude)),
        Double(try options.float("max", default: .greatestFiniteMagnitude))
      )
    }
    guard let low = try number(node, 1, otherwise: -.infinity),
      let high = try number(node, 2, otherwise: .infinity)
    else { throw options.refused("its bounds are no single numbers") }
    return (low, high)
  }

  /// A single constant number; nil where it is none.
  private mutating func number(_ node: ONNXNode, _ index: Int, otherwise: Double) throws -> Double? {
    guard node.input(index) != nil else { return otherwise }
    return try constant(node, index)?.number
  }

  /// min(max(x, low), high) by ReLUs.
  private mutating func held(_ node: ONNXNode, _ source: ONNXResult, from low: Double, to high: Double) throws
  {
    let largest = Double(Float.greatestFiniteMagnitude)
    guard low < high else {
      throw InterchangeError(
        .badData, "\(path): \(node.place) holds values between \(low) and \(high), which leaves none")
    }
    switch (low > -largest, high < largest) {
    case (false, false): set(node, source)
    case (true, true):
      let spec: LayerSpec = high - low == 6 ? .activation(.relu6) : .relu(ReLU(maxValue: Float(high - low)))
      try held(node, source, spec, sign: 1, bound: low)
    case (true, false): try held(node, source, .activation(.relu), sign: 1, bound: low)
    case (false, true): try held(node, source, .activation(.relu), sign: -1, bound: high)
    }
  }

  /// `sign · (function(sign · (x − bound)) + sign · bound)`.
  private mutating func held(
    _ node: ONNXNode, _ source: ONNXResult, _ function: LayerSpec, sign: Double, bound: Double
  ) throws {
    var result = source
    if sign != 1 || bound != 0 {
      result = try addInPlace(.affine(scale: [sign], offset: [-sign * bound]), result, node)
    }
    result = try addInPlace(.layer(function), result, node, isNonNegative: true)
    if sign != 1 || bound != 0 {
      result = try addInPlace(
        .affine(scale: [sign], offset: [bound]), result, node, isNonNegative: sign == 1 && bound >= 0)
    }
    set(node, result)
  }

  /// The larger or smaller of a result and a number.
  mutating func extremum(_ node: ONNXNode) throws {
    let (first, second) = (try constant(node, 0), try constant(node, 1))
    guard node.inputs.count == 2, let bound = (first ?? second)?.number else {
      throw InterchangeError(
        .badData, "\(path): \(node.place): only the extremum of a result and a number is supported")
    }
    let source = try result(node, first == nil ? 0 : 1)
    let isMaximum = node.operation == "Max"
    try held(node, source, from: isMaximum ? bound : -.infinity, to: isMaximum ? .infinity : bound)
  }

  /// min(max(α·x + β, 0), 1); ours has α = 1/6 and β = 1/2.
  mutating func hardSigmoid(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let alpha = try options.float("alpha", default: 0.2)
    let beta = try options.float("beta", default: 0.5)
    set(node, try hardSigmoid(of: try result(node), node, alpha: Double(alpha), beta: Double(beta)))
  }

  private mutating func hardSigmoid(
    of source: ONNXResult, _ node: ONNXNode, alpha: Double, beta: Double
  ) throws -> ONNXResult {
    var result = source
    // Exporters write a sixth with few digits.
    if abs(6 * alpha - 1) > 1e-5 || beta != 0.5 {
      result = try addInPlace(.affine(scale: [6 * alpha], offset: [6 * (beta - 0.5)]), result, node)
    }
    return try addInPlace(.layer(.activation(.hardSigmoid)), result, node, isNonNegative: true)
  }

  /// x times its hard sigmoid.
  ///
  /// - SeeAlso: Howard et al. 2019, <https://arxiv.org/abs/1905.02244>.
  mutating func hardSwish(_ node: ONNXNode) throws {
    let source = try result(node)
    let gate = try hardSigmoid(of: source, node, alpha: 1 / 6, beta: 0.5)
    set(node, try joined(.multiply, [source, gate], node))
  }

  mutating func swish(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    guard try options.float("alpha", default: 1) == 1 else {
      throw options.refused("only alpha 1 is supported")
    }
    try function(node, .activation(.silu))
  }

  /// x·tanh(softplus(x)); Misra 2019, <https://arxiv.org/abs/1908.08681>.
  mutating func mish(_ node: ONNXNode) throws {
    let source = try result(node)
    let inner = try addInPlace(.layer(.activation(.softplus)), source, node)
    let gate = try addInPlace(.layer(.activation(.tanh)), inner, node)
    set(node, try joined(.multiply, [source, gate], node))
  }

  mutating func gelu(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let rule = try options.text("approximate", default: "none")
    guard rule == "none" else { throw options.refused("the approximation by '\(rule)' is not supported") }
    try function(node, .activation(.gelu))
  }

  mutating func softmax(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let found = try result(node)
    let rank = found.theirs.count + 1
    let said = try options.integer("axis", default: opset < 13 ? 1 : -1)
    var axis = said < 0 ? said + rank : said
    guard (1..<rank).contains(axis) else {
      throw options.refused("its axis is \(said) of \(rank) dimensions")
    }
    if opset < 13 {
      // Earlier versions took all dimensions from the axis on together.
      let large = (axis - 1..<rank - 1).filter { !found.theirs[$0].isEmpty }
      guard large.count <= 1 else {
        throw options.refused("a softmax over several dimensions is not supported")
      }
      axis = large.first.map { $0 + 1 } ?? axis
    }
    let source = try withChannels(axis - 1, found, node)
    set(node, try addInPlace(.layer(.activation(.softmax)), source, node, isNonNegative: true))
  }

  /// Squares and cubes.
  mutating func power(_ node: ONNXNode) throws {
    guard let exponent = try constant(node, 1)?.number, let count = Int(exactly: exponent),
      (1...4).contains(count)
    else {
      throw InterchangeError(.badData, "\(path): \(node.place): only powers of 1 to 4 are supported")
    }
    let source = try result(node)
    guard count > 1 else { return set(node, source) }
    let product = try joined(.multiply, [ONNXResult](repeating: source, count: count), node)
    set(node, product)
  }

  // MARK: - Arithmetic

  mutating func arithmetic(_ node: ONNXNode) throws {
    guard node.inputs.count == 2 else {
      throw InterchangeError(.badData, "\(path): \(node.place) has \(node.inputs.count) inputs instead of 2")
    }
    let (first, second) = (try constant(node, 0), try constant(node, 1))
    if let number = first ?? second {
      return try arithmetic(node, try result(node, first == nil ? 0 : 1), number, isFirst: first != nil)
    }
    let (left, right) = (try result(node, 0), try result(node, 1))
    switch node.operation {
    case "Add": set(node, try joined(.add, [left, right], node))
    case "Mul": set(node, try joined(.multiply, [left, right], node))
    case "Sub":
      let negated = try addInPlace(.affine(scale: [-1], offset: [0]), right, node)
      set(node, try joined(.add, [left, negated], node))
    default:
      throw InterchangeError(.badData, "\(path): \(node.place): a result can be divided by constants only")
    }
  }

  /// A result combined with constants that come before it (`isFirst`) or after it.
  private mutating func arithmetic(
    _ node: ONNXNode, _ source: ONNXResult, _ constant: ONNXConstant, isFirst: Bool
  ) throws {
    guard constant.floats.allSatisfy(\.isFinite) else {
      throw InterchangeError(.badData, "\(path): \(node.place) takes constants that are not finite")
    }
    let count = constant.dimensions.filter { $0 != 1 }.count
    let numbers = constant.floats.map(Double.init)
    let pairs: [(scale: Double, offset: Double)] = try numbers.map { number in
      switch node.operation {
      case "Add": return (1, number)
      case "Sub": return isFirst ? (-1, number) : (1, -number)
      case "Mul": return (number, 0)
      default:
        guard !isFirst, number != 0 else {
          throw InterchangeError(
            .badData, "\(path): \(node.place): a result can be divided by constants other than 0 only")
        }
        return (1 / number, 0)
      }
    }
    guard count > 0 else { return try affine(node, source, scale: pairs[0].scale, offset: pairs[0].offset) }
    let sizes = [1] + source.theirShape
    guard ONNXConstant.common(sizes, constant.dimensions) == sizes else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): constants of \(Self.text(constant.dimensions)) do not fit N×\(Self.text(source.theirShape))"
      )
    }
    let own = [Int](repeating: 1, count: sizes.count - constant.dimensions.count) + constant.dimensions
    let varying = own.indices.filter { own[$0] > 1 }
    if varying.count == 1, let arranged = try? withChannels(varying[0] - 1, source, node) {
      let axis = varying[0] - 1
      let order = arranged.ours.last.map { $0.indices(in: arranged.theirs[axis]) } ?? []
      return set(
        node,
        try addInPlace(
          .affine(scale: order.map { pairs[$0].scale }, offset: order.map { pairs[$0].offset }), arranged,
          node))
    }
    guard node.operation == "Add" || node.operation == "Sub", !(isFirst && node.operation == "Sub") else {
      throw InterchangeError(
        .badData, "\(path): \(node.place): factors are supported as one for each channel, or one for all")
    }
    try addPositions(node, source, constant, pairs.map { Float($0.offset) })
  }

  /// A number added to each place and channel.
  private mutating func addPositions(
    _ node: ONNXNode, _ source: ONNXResult, _ constant: ONNXConstant, _ offsets: [Float]
  ) throws {
    try requireSmall(source, node)
    let places = constant.expanded(to: [1] + source.theirShape)
    let order = source.ours.flatMap(\.self).indices(in: source.theirs.flatMap(\.self))
    guard source.ours.count <= 3 else {
      throw InterchangeError(.badData, "\(path): \(node.place): these constants are not supported")
    }
    set(
      node,
      try addInPlace(
        .layer(.positionBias), source, node, weights: ["bias": order.map { offsets[places[$0]] }]))
  }

  // MARK: - Several results

  mutating func sum(_ node: ONNXNode) throws {
    let sources = try node.inputs.indices.map { try self.result(node, $0) }
    set(node, sources.count == 1 ? sources[0] : try joined(.add, sources, node))
  }

  /// A sum or product of results of the same dimensions, or a product with factors for the channels.
  private mutating func joined(
    _ spec: LayerSpec, _ sources: [ONNXResult], _ node: ONNXNode
  ) throws -> ONNXResult {
    var sources = sources
    let full = sources.max { $0.elementCount < $1.elementCount } ?? sources[0]
    if sources.contains(where: { $0.theirShape != full.theirShape }) {
      guard spec == .multiply else { throw unequal(node, sources) }
      return try scaled(sources, full, node)
    }
    if sources.contains(where: { !$0.isLike(full) }) {
      sources = try sources.map { try arranged($0, $0.standard, node) }
      guard sources.allSatisfy({ $0.isLike(sources[0]) }) else { throw unequal(node, sources) }
    }
    let isNonNegative = sources.allSatisfy(\.isNonNegative)
    var result = sources[0]
    result.layer = try add(.layer(spec), sources, node, shape: Shape(result.ourShape)).name
    result.isNonNegative = isNonNegative
    return result
  }

  /// A product of an image with factors for its channels, [C, 1, 1].
  private mutating func scaled(_ sources: [ONNXResult], _ full: ONNXResult, _ node: ONNXNode) throws
    -> ONNXResult
  {
    let full = try arranged(full, full.theirs.count > 1 ? full.standard : full.theirs, node)
    var inputs: [ONNXResult] = []
    for source in sources {
      let isFactor =
        source.theirs.count == full.theirs.count && source.theirs[0].size == full.theirs[0].size
        && source.theirs.dropFirst().allSatisfy(\.isEmpty)
      if source.theirShape == full.theirShape {
        inputs.append(try arranged(source, source.standard, node))
      } else if isFactor {
        inputs.append(source.ours.count == 1 ? source : try arranged(source, source.standard, node))
      } else {
        throw unequal(node, sources)
      }
    }
    var result = full
    result.layer = try add(.layer(.multiply), inputs, node, shape: Shape(full.ourShape)).name
    result.isNonNegative = sources.allSatisfy(\.isNonNegative)
    return result
  }

  private func unequal(_ node: ONNXNode, _ sources: [ONNXResult]) -> InterchangeError {
    InterchangeError(
      .badData,
      "\(path): \(node.place) joins "
        + sources.map { "N×\(Self.text($0.theirShape))" }.joined(separator: " and ")
        + "; results of equal shapes can be joined, and images can be multiplied by factors for their channels"
    )
  }

  mutating func concat(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let found = try node.inputs.indices.map { try self.result(node, $0) }
    let rank = found[0].theirs.count + 1
    let said = try options.integer("axis", default: 1)
    let axis = said < 0 ? said + rank : said
    guard (1..<rank).contains(axis), found.allSatisfy({ $0.theirs.count == rank - 1 }) else {
      throw options.refused("results of \(rank) dimensions cannot be joined along axis \(said)")
    }
    guard found.count > 1 else { return set(node, found[0]) }
    let sources = try found.map { source -> ONNXResult in
      let others = source.theirs.indices.filter { $0 != axis - 1 }.map { source.theirs[$0] }
      return try arranged(source, others + [source.theirs[axis - 1]], node)
    }
    let places = sources[0].ourShape.dropLast()
    guard sources.allSatisfy({ $0.ourShape.dropLast() == places }) else { throw unequal(node, sources) }
    let channels = sources.reduce(0) { $0 + ($1.ourShape.last ?? 1) }
    let shape = Shape(Array(places) + [channels])
    var result = sources[0]
    result.layer = try add(.layer(.concat), sources, node, shape: shape).name
    let parts = fresh([channels])[0]
    result.ours[result.ours.count - 1] = parts
    result.theirs[axis - 1] = parts
    result.isNonNegative = sources.allSatisfy(\.isNonNegative)
    set(node, result)
  }
}
