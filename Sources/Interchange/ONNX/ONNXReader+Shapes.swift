internal import Networks

// Operators that move values, or only speak of them otherwise.

extension ONNXReader {
  mutating func transpose(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    var result = try result(node)
    let rank = result.theirs.count + 1
    let order = try options.integers("perm") ?? (0..<rank).reversed()
    guard order.sorted() == Array(0..<rank) else {
      throw options.wrong("perm", "an order of \(rank) dimensions")
    }
    guard order[0] == 0 else { throw options.refused("samples cannot change places with other dimensions") }
    result.theirs = order.dropFirst().map { result.theirs[$0 - 1] }
    set(node, result)
  }

  mutating func flatten(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try result(node)
    let axis = try options.integer("axis", default: 1)
    let rank = source.theirs.count + 1
    guard axis == 1 || axis == 1 - rank else {
      throw options.refused("values of several samples cannot be put together (axis \(axis))")
    }
    try reshape(node, source, to: [source.elementCount])
  }

  mutating func reshape(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try result(node)
    options.ignore("allowzero")
    guard let target = try constant(node, 1)?.integers ?? options.integers("shape"), let first = target.first
    else {
      throw options.refused("the new shape is computed from the input, which is not supported")
    }
    // A graph for one sample may leave the samples' dimension out, and bring it back at once.
    if target.count == 1, sampleCount == 1, first == -1 || first == source.elementCount {
      return set(node.outputs[0], .partial(.singleSample(source)))
    }
    let isSamples = first == ONNXConstant.samples || first == 0 || first == -1 || first == sampleCount
    var sizes = Array(target.dropFirst())
    for index in sizes.indices where sizes[index] == 0 && index < source.theirs.count {
      sizes[index] = source.theirs[index].size
    }
    guard isSamples, let closed = Self.closed(sizes, count: source.elementCount) else {
      let text = target.map { $0 == ONNXConstant.samples ? "N" : "\($0)" }.joined(separator: "×")
      throw options.refused(
        "N×\(Self.text(source.theirShape)) cannot become \(text) with the samples in front")
    }
    try reshape(node, source, to: closed)
  }

  private mutating func reshape(_ node: ONNXNode, _ source: ONNXResult, to sizes: [Int]) throws {
    guard let reshaped = source.reshaped(to: sizes, nextID: &lastPart) else {
      // Values that lie in the graph's order can take any shape.
      if source.ours.flatMap(\.self) == source.theirs.flatMap(\.self), (1...3).contains(sizes.count) {
        let layer = try add(.layer(.reshape(Reshape(sizes))), [source], node).name
        let parts = fresh(sizes)
        return set(
          node, ONNXResult(layer: layer, ours: parts, theirs: parts, isNonNegative: source.isNonNegative))
      }
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): N×\(Self.text(source.theirShape)) as N×\(Self.text(sizes)) is not supported")
    }
    set(node, reshaped)
  }

  mutating func squeeze(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    try resize(node, adds: false, try constant(node, 1)?.integers ?? options.integers("axes"), options)
  }

  mutating func unsqueeze(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    try resize(node, adds: true, try constant(node, 1)?.integers ?? options.integers("axes"), options)
  }

  private mutating func resize(_ node: ONNXNode, adds: Bool, _ axes: [Int]?, _ options: ONNXAttributes) throws
  {
    let source = try result(node)
    // The number of samples stands for itself: no size of a dimension is 0.
    let sizes = Self.resized([0] + source.theirShape, axes, adds: adds)
    guard let sizes, sizes.first == 0 else {
      throw options.refused("N×\(Self.text(source.theirShape)) has no such dimensions of size 1")
    }
    try reshape(node, source, to: Array(sizes.dropFirst()))
  }

  // MARK: - Parts

  mutating func slice(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try result(node)
    guard let found = try cuts(node, sizes: [1 << 40] + source.theirShape, &options) else {
      throw options.refused("only constant bounds are supported")
    }
    var result = source
    for cut in found where cut.range != 0..<([1 << 40] + source.theirShape)[cut.axis] {
      guard cut.axis > 0, cut.count > 0 else {
        throw options.refused("only parts of each sample can be taken, and something must be left")
      }
      result = try part(cut, of: result, node, options)
    }
    set(node, result)
  }

  private mutating func part(
    _ cut: Cut, of source: ONNXResult, _ node: ONNXNode, _ options: ONNXAttributes
  ) throws -> ONNXResult {
    let dimension = cut.axis - 1
    if let range = cut.range { return try part(range, alongDimension: dimension, of: source, node) }
    if dimension == 0 || source.theirs.count == 1 {
      return try channels(cut.indices, alongDimension: dimension, of: source, node)
    }
    guard cut.step > 0 else { throw options.refused("rows and columns cannot be taken backwards") }
    // Every other row is the maximum of each second window of one row.
    let last = cut.start + (cut.count - 1) * cut.step
    let whole = try image(part(cut.start..<last + 1, alongDimension: dimension, of: source, node), node)
    var strides = [Int](repeating: 1, count: whole.ours.count - 1)
    strides[dimension - 1] = cut.step
    return try pool(
      whole, strides.map { _ in 1 }, strides, .valid, node, isNonNegative: whole.isNonNegative,
      isMaximum: true)
  }

  mutating func split(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try result(node)
    let rank = source.theirs.count + 1
    let said = try options.integer("axis", default: 0)
    let axis = said < 0 ? said + rank : said
    guard (1..<rank).contains(axis) else { throw options.refused("samples cannot be split") }
    let size = source.theirs[axis - 1].size
    let count = try options.integer("num_outputs", default: node.outputs.count)
    let said2 = try constant(node, 1)?.integers ?? options.integers("split")
    guard (1...size).contains(count), said2 != nil || count == node.outputs.count else {
      throw options.refused("\(size) cannot be split into \(count) parts")
    }
    let share = (size + count - 1) / count
    let sizes = said2 ?? (0..<count).map { Swift.min(share, size - $0 * share) }
    guard sizes.count == node.outputs.count, sizes.allSatisfy({ (1...size).contains($0) }),
      sizes.reduce(0, +) == size
    else { throw options.refused("\(sizes.prefix(20)) are no parts of \(size)") }
    var start = 0
    for (name, size) in zip(node.outputs, sizes) {
      if !name.isEmpty {
        set(name, .result(try part(start..<start + size, alongDimension: axis - 1, of: source, node)))
      }
      start += size
    }
  }

  mutating func gather(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let axis = try options.integer("axis", default: 0)
    if let table = try constant(node, 0) { return try embedding(node, table, axis: axis, options) }
    let source = try result(node)
    let rank = source.theirs.count + 1
    let dimension = (axis < 0 ? axis + rank : axis) - 1
    guard source.theirs.indices.contains(dimension), let indices = try constant(node, 1),
      let numbers = indices.integers, indices.dimensions.count <= 1
    else { throw options.refused("only constant indices along a dimension behind the samples are supported") }
    let size = source.theirs[dimension].size
    let places = numbers.map { $0 < 0 ? $0 + size : $0 }
    guard places.allSatisfy({ (0..<size).contains($0) }) else {
      throw options.refused("an index lies outside of the dimension's \(size)")
    }
    var result = try channels(places, alongDimension: dimension, of: source, node)
    if indices.dimensions.isEmpty { result.theirs.remove(at: dimension) }
    set(node, result)
  }

  /// Rows of a table by their numbers.
  private mutating func embedding(
    _ node: ONNXNode, _ table: ONNXConstant, axis: Int, _ options: ONNXAttributes
  ) throws {
    let words = try result(node, 1)
    guard axis == 0, table.dimensions.count == 2, words.theirs.count == 1, words.ours.count == 1 else {
      throw options.refused("only rows of a table by a list of numbers are supported")
    }
    let spec = Embedding(vocabulary: table.dimensions[0], dimension: table.dimensions[1])
    var result = try addFresh(
      .layer(.embedding(spec)), [words], node, weights: ["embeddings": table.floats],
      name: Self.module(ofWeight: node.inputs[0]))
    result.theirs = result.ours
    set(node, result)
  }

  /// Values side by side along one dimension.
  private mutating func part(
    _ range: Range<Int>, alongDimension dimension: Int, of source: ONNXResult, _ node: ONNXNode
  ) throws -> ONNXResult {
    let size = source.theirs[dimension].size
    if range == 0..<size { return source }
    guard dimension > 0, source.theirs.count > 1 else {
      return try channels(Array(range), alongDimension: dimension, of: source, node)
    }
    // Rows and columns are cropped.
    let places = source.theirs.count - 1
    guard let image = try? image(source, node) else {
      return try channels(Array(range), alongDimension: dimension, of: source, node)
    }
    var (before, after) = ([Int](repeating: 0, count: places), [Int](repeating: 0, count: places))
    (before[dimension - 1], after[dimension - 1]) = (range.lowerBound, size - range.upperBound)
    return try cropped(image, before: before, after: after, node, part: nil)
  }

  /// Values along the dimension that becomes the channels, by their numbers; nil gives zeros.
  private mutating func channels(
    _ numbers: [Int?], alongDimension dimension: Int, of source: ONNXResult, _ node: ONNXNode
  ) throws -> ONNXResult {
    var result = try withChannels(dimension, source, node)
    let order = result.ours.last.map { result.theirs[dimension].indices(in: $0) } ?? []
    let isNonNegative = result.isNonNegative
    let ours = numbers.map { number in number.map { order.isEmpty ? $0 : order[$0] } }
    result.layer = try picked(ours, of: result, node, part: nil)
    let parts = fresh([numbers.count])[0]
    result.ours[result.ours.count - 1] = parts
    result.theirs[dimension] = parts
    result.isNonNegative = isNonNegative
    return result
  }

  // MARK: - Sizes of images

  mutating func pad(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try result(node)
    let rank = source.theirs.count + 1
    let mode = try options.text("mode", default: "constant")
    let value: Double
    var pads: [Int]
    if opset < 11 {
      value = Double(try options.float("value", default: 0))
      pads = try options.integers("pads") ?? []
    } else {
      value = try node.input(2).map { _ in try constant(node, 2)?.number ?? .nan } ?? 0
      pads = try constant(node, 1)?.integers ?? []
      if node.input(3) != nil {
        guard let axes = try constant(node, 3)?.integers, pads.count == 2 * axes.count else {
          throw options.refused("its axes are no constants")
        }
        var all = [Int](repeating: 0, count: 2 * rank)
        for (index, axis) in axes.enumerated() {
          let place = axis < 0 ? axis + rank : axis
          guard (0..<rank).contains(place) else {
            throw options.refused("it pads axis \(axis) of \(rank) dimensions")
          }
          (all[place], all[place + rank]) = (pads[index], pads[index + axes.count])
        }
        pads = all
      }
    }
    guard pads.count == 2 * rank, pads.allSatisfy({ abs($0) <= 1 << 16 }) else {
      throw options.refused("its padding is no list of \(2 * rank) whole numbers")
    }
    guard pads.contains(where: { $0 != 0 }) else { return set(node, source) }
    guard mode == "constant", value == 0 else {
      throw options.refused(
        "only padding with zeros is supported, not '\(mode)'\(mode == "constant" ? " with \(value)" : "")")
    }
    set(node, try padded(source, Array(pads[..<rank]), Array(pads[rank...]), node, options))
  }

  private mutating func padded(
    _ source: ONNXResult, _ before: [Int], _ after: [Int], _ node: ONNXNode, _ options: ONNXAttributes
  ) throws -> ONNXResult {
    guard before[0] == 0, after[0] == 0 else { throw options.refused("samples cannot be padded") }
    var result = source
    // Zeros as further channels.
    if before[1] != 0 || after[1] != 0 {
      guard before[1] >= 0, after[1] >= 0 else { throw options.refused("channels cannot be cut by padding") }
      let zeros: (Int) -> [Int?] = { [Int?](repeating: nil, count: $0) }
      let numbers = zeros(before[1]) + (0..<source.theirs[0].size).map { $0 } + zeros(after[1])
      result = try channels(numbers, alongDimension: 0, of: result, node)
    }
    let (low, high) = (Array(before[2...]), Array(after[2...]))
    guard (low + high).contains(where: { $0 != 0 }) else { return result }
    result = try image(result, node)
    let cuts = (low.map { Swift.max(-$0, 0) }, high.map { Swift.max(-$0, 0) })
    result = try cropped(result, before: cuts.0, after: cuts.1, node, part: nil)
    return try zeros(
      result, before: low.map { Swift.max($0, 0) }, after: high.map { Swift.max($0, 0) }, node, part: nil)
  }

  mutating func resize(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try image(try result(node), node)
    let places = Array(source.ourShape.dropLast())
    options.ignore("cubic_coeff_a", "extrapolation_value", "exclude_outside", "keep_aspect_ratio_policy")
    let mode = try options.text("mode", default: "nearest")
    let usual = opset < 11 ? "asymmetric" : "half_pixel"
    let rule = try options.text("coordinate_transformation_mode", default: usual)
    let rounding = try options.text("nearest_mode", default: opset < 11 ? "floor" : "round_prefer_floor")
    guard try options.integer("antialias", default: 0) == 0 else {
      throw options.refused("antialias is not supported")
    }
    let axes = try options.integers("axes")
    let factors = try factors(node, &options, axes: axes, places: places)
    guard let factors else { throw options.refused("images can be enlarged by whole factors only") }
    guard factors.contains(where: { $0 != 1 }) else { return set(node, source) }
    let interpolation: Interpolation
    switch mode {
    case "nearest":
      guard zip(places, factors).allSatisfy({ Self.repeats($0, $1, rule, rounding) }) else {
        throw options.refused(
          "nearest with \(rule) and \(rounding) does not repeat each pixel, which is what is supported")
      }
      interpolation = .nearest
    case "linear", "bilinear":
      guard rule == "half_pixel" || rule == "pytorch_half_pixel" else {
        throw options.refused(
          "linear with \(rule) is not supported; half_pixel is (align_corners=False in PyTorch)")
      }
      interpolation = .bilinear
    default: throw options.refused("the mode '\(mode)' is not supported; nearest and linear are")
    }
    let spec: LayerSpec
    if factors.count == 1 {
      guard interpolation == .nearest else {
        throw options.refused("sequences can be enlarged by repetition only")
      }
      spec = .upSampling1D(UpSampling1D(size: factors[0]))
    } else {
      spec = .upSampling2D(UpSampling2D(size: Size2D(factors[0], factors[1]), interpolation: interpolation))
    }
    set(node, try addFresh(.layer(spec), [source], node, isNonNegative: source.isNonNegative))
  }

  /// The whole factors of height and width; nil where they are others.
  private mutating func factors(
    _ node: ONNXNode, _ options: inout ONNXAttributes, axes: [Int]?, places: [Int]
  ) throws -> [Int]? {
    let rank = places.count + 2
    let scalesAt = node.operation == "Upsample" || opset < 11 ? 1 : 2
    var scales = try options.floats("scales")?.map(Double.init)
    if scales == nil, let given = try constant(node, scalesAt), given.count > 0 {
      scales = given.floats.map(Double.init)
    }
    var sizes: [Int]?
    if scales == nil { sizes = try constant(node, 3)?.integers }
    /// The numbers of the places, of which those that are not named stay.
    func ofPlaces<Number>(_ numbers: [Number], otherwise: [Number]) -> [Number]? {
      guard let axes else { return numbers.count == rank ? Array(numbers.dropFirst(2)) : nil }
      guard axes.count == numbers.count else { return nil }
      var result = otherwise
      for (axis, number) in zip(axes, numbers) {
        let place = (axis < 0 ? axis + rank : axis) - 2
        guard result.indices.contains(place) else { return nil }
        result[place] = number
      }
      return result
    }
    if let scales {
      if axes == nil, scales.count == rank, scales[0] != 1 || scales[1] != 1 { return nil }
      let found = ofPlaces(scales, otherwise: places.map { _ in 1 }) ?? []
      let whole = found.compactMap { Int(exactly: $0) }
      return whole.count == places.count && whole.allSatisfy { (1...1024).contains($0) } ? whole : nil
    }
    guard let sizes, let found = ofPlaces(sizes, otherwise: places) else { return nil }
    let whole = zip(found, places).compactMap { $0 > 0 && $0 % $1 == 0 ? $0 / $1 : nil }
    return whole.count == places.count && whole.allSatisfy { (1...1024).contains($0) } ? whole : nil
  }

  /// Whether the rules of ONNX lead from each new pixel to the one of which it is a repetition.
  private static func repeats(_ size: Int, _ factor: Int, _ rule: String, _ rounding: String) -> Bool {
    // The pattern repeats with each pixel; edges are continued.
    let count = Swift.min(size, 4) * factor
    return (0..<count).allSatisfy { index in
      let place: Double
      switch rule {
      case "asymmetric": place = Double(index) / Double(factor)
      case "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric":
        place = (Double(index) + 0.5) / Double(factor) - 0.5
      default: return false
      }
      let rounded: Double
      switch rounding {
      case "floor": rounded = place.rounded(.down)
      case "ceil": rounded = place.rounded(.up)
      case "round_prefer_floor": rounded = (place - 0.5).rounded(.up)
      case "round_prefer_ceil": rounded = (place + 0.5).rounded(.down)
      default: return false
      }
      return Int(Swift.max(0, Swift.min(Double(size - 1), rounded))) == index / factor
    }
  }
}
