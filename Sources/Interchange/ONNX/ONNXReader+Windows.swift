internal import Networks

// Convolutions, pools and normalisations.

extension ONNXReader {
  /// What a window has around it.
  private enum Surroundings {
    /// Keras's `same`.
    case same
    /// As many zeros before and behind each dimension.
    case explicit(before: [Int], after: [Int])
  }

  /// A window with its steps, one number for each dimension of the place.
  private struct Window {
    let sizes: [Int]
    let strides: [Int]
    let dilations: [Int]
    let surroundings: Surroundings
  }

  /// Reads the attributes that windows have, for a result of these sizes.
  ///
  /// - Parameter atEverySize: whether padding counts as `same` only if it does so for images of other sizes, too.
  private func window(
    _ options: inout ONNXAttributes, sizes: [Int], over places: [Int], atEverySize: Bool = false
  ) throws -> Window {
    let count = places.count
    let strides = try options.sizes("strides", count: count)
    let dilations = try options.sizes("dilations", count: count)
    let pads = try options.integers("pads") ?? [Int](repeating: 0, count: 2 * count)
    guard pads.count == 2 * count, pads.allSatisfy({ (0...1 << 16).contains($0) }) else {
      throw options.wrong("pads", "\(2 * count) whole numbers from 0 on")
    }
    var (before, after) = (Array(pads[..<count]), Array(pads[count...]))
    let rule = try options.text("auto_pad", default: "NOTSET")
    switch rule {
    case "NOTSET": break
    case "VALID": (before, after) = (before.map { _ in 0 }, after.map { _ in 0 })
    case "SAME_UPPER", "SAME_LOWER":
      let geometries = zip(zip(places, sizes), zip(strides, dilations)).map { place, step in
        WindowGeometry(input: place.0, window: place.1, stride: step.0, dilation: step.1, padding: .same)
      }
      if rule == "SAME_UPPER" {
        return Window(sizes: sizes, strides: strides, dilations: dilations, surroundings: .same)
      }
      // The larger half comes first.
      (before, after) = (geometries.map { $0?.paddingAfter ?? 0 }, geometries.map { $0?.paddingBefore ?? 0 })
    default: throw options.wrong("auto_pad", "NOTSET, SAME_UPPER, SAME_LOWER or VALID")
    }
    let window = Window(
      sizes: sizes, strides: strides, dilations: dilations, surroundings: .explicit(before: before, after: after))
    return isSame(window, before, after, over: places, atEverySize: atEverySize)
      ? Window(sizes: sizes, strides: strides, dilations: dilations, surroundings: .same) : window
  }

  /// Whether padding before and behind lies where Keras's `same` has it.
  private func isSame(
    _ window: Window, _ before: [Int], _ after: [Int], over places: [Int], atEverySize: Bool
  ) -> Bool {
    guard (before + after).contains(where: { $0 > 0 }) else { return false }
    return places.indices.allSatisfy { axis in
      let stride = window.strides[axis]
      guard
        let same = WindowGeometry(
          input: places[axis], window: window.sizes[axis], stride: stride, dilation: window.dilations[axis],
          padding: .same)
      else { return false }
      let extent = (window.sizes[axis] - 1) * window.dilations[axis] + 1
      let reach = places[axis] + before[axis] + after[axis] - extent
      guard reach >= 0, reach / stride + 1 == same.output, before[axis] == same.paddingBefore else { return false }
      // An even number on both sides is PyTorch's rule, which agrees for some sizes only.
      return !atEverySize || stride == 1 || extent == 1 || before[axis] != after[axis]
    }
  }

  /// The result with zeros around it.
  mutating func zeros(
    _ result: ONNXResult, before: [Int], after: [Int], _ node: ONNXNode, name: String? = nil
  ) throws -> ONNXResult {
    guard (before + after).contains(where: { $0 != 0 }) else { return result }
    let spec: LayerSpec =
      before.count == 1
      ? .zeroPadding1D(Margins1D(before: before[0], after: after[0]))
      : .zeroPadding2D(Margins2D(top: before[0], bottom: after[0], left: before[1], right: after[1]))
    return try addFresh(
      .layer(spec), [result], node, isNonNegative: result.isNonNegative, name: name.map { "\($0)_pad" })
  }

  /// The result without some of its edge.
  mutating func cropped(
    _ result: ONNXResult, before: [Int], after: [Int], _ node: ONNXNode, name: String? = nil
  ) throws -> ONNXResult {
    guard (before + after).contains(where: { $0 != 0 }) else { return result }
    let spec: LayerSpec =
      before.count == 1
      ? .cropping1D(Margins1D(before: before[0], after: after[0]))
      : .cropping2D(Margins2D(top: before[0], bottom: after[0], left: before[1], right: after[1]))
    return try addFresh(
      .layer(spec), [result], node, isNonNegative: result.isNonNegative, name: name.map { "\($0)_crop" })
  }

  // MARK: - Convolutions

  /// A kernel [OC, IC / groups, KH, KW] becomes [KH, KW, IC / groups, OC].
  mutating func convolution(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try image(try result(node), node)
    let kernel = try weights(node, 1, "kernel")
    let places = Array(source.ourShape.dropLast())
    let channels = source.ourShape.last ?? 1
    let groups = try options.integer("group", default: 1)
    guard kernel.dimensions.count == places.count + 2, kernel.count > 0 else {
      throw options.refused("a kernel of \(Self.text(kernel.dimensions)) does not fit N×\(Self.text(source.theirShape))")
    }
    let (filters, inputs, sizes) = (kernel.dimensions[0], kernel.dimensions[1], Array(kernel.dimensions[2...]))
    guard (1...channels).contains(groups), channels % groups == 0, inputs == channels / groups, filters % groups == 0 else {
      throw options.refused(
        "a kernel of \(Self.text(kernel.dimensions)) in \(groups) groups does not fit the \(channels) channels of its input")
    }
    if let said = try options.integers("kernel_shape"), said != sizes {
      throw options.refused("kernel_shape is \(said), and the kernel has \(Self.text(kernel.dimensions))")
    }
    let window = try window(&options, sizes: sizes, over: places, atEverySize: true)
    let bias = try bias(node, 2, count: filters)
    let name = Self.module(ofWeight: node.inputs[1])
    var padded = source
    var padding = Padding.valid
    switch window.surroundings {
    case .same: padding = .same
    case .explicit(let before, let after): padded = try zeros(source, before: before, after: after, node, name: name)
    }
    var parameters: [String: [Float]] = [:]
    if let bias { parameters["bias"] = bias }
    let order = Array(2..<kernel.dimensions.count) + [1, 0]
    parameters["kernel"] = kernel.transposed(order).floats
    let spec: LayerSpec
    if places.count == 1 {
      spec = .conv1D(
        Conv1D(
          filters: filters, kernel: sizes[0], stride: window.strides[0], dilation: window.dilations[0], padding: padding,
          groups: groups, useBias: bias != nil))
    } else if groups == channels, groups > 1 {
      // [KH, KW, 1, C·M] has the elements of [KH, KW, C, M] in their order.
      spec = .depthwiseConv2D(
        DepthwiseConv2D(
          kernel: Size2D(sizes), multiplier: filters / channels, stride: Size2D(window.strides),
          dilation: Size2D(window.dilations), padding: padding, useBias: bias != nil))
    } else {
      spec = .conv2D(
        Conv2D(
          filters: filters, kernel: Size2D(sizes), stride: Size2D(window.strides), dilation: Size2D(window.dilations),
          padding: padding, groups: groups, useBias: bias != nil))
    }
    set(node, try addFresh(.layer(spec), [padded], node, weights: parameters, name: name))
  }

  /// A kernel [IC, OC, KH, KW] becomes [KH, KW, OC, IC].
  mutating func transposedConvolution(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try image(try result(node), node, ranks: 3...3)
    let kernel = try weights(node, 1, "kernel")
    let channels = source.ourShape[2]
    guard kernel.dimensions.count == 4, kernel.dimensions[0] == channels, kernel.count > 0 else {
      throw options.refused("a kernel of \(Self.text(kernel.dimensions)) does not fit N×\(Self.text(source.theirShape))")
    }
    guard try options.integer("group", default: 1) == 1 else {
      throw options.refused("transposed convolutions in groups are not supported")
    }
    let (filters, sizes) = (kernel.dimensions[1], Array(kernel.dimensions[2...]))
    options.ignore("kernel_shape")
    let strides = try options.sizes("strides", count: 2)
    guard try options.sizes("dilations", count: 2) == [1, 1] else {
      throw options.refused("dilated transposed convolutions are not supported")
    }
    let rule = try options.text("auto_pad", default: "NOTSET")
    let beyond = try options.integers("output_padding") ?? [0, 0]
    let pads = try options.integers("pads") ?? [0, 0, 0, 0]
    guard rule == "NOTSET" || rule == "VALID", pads.count == 4, beyond.count == 2,
      (pads + beyond).allSatisfy({ (0...1 << 16).contains($0) })
    else { throw options.refused("its padding (\(rule)) is not supported; give pads and output_padding") }
    if try options.integers("output_shape") != nil { throw options.refused("output_shape is not supported; give pads") }
    // What the windows write, [(IH − 1)·S + K], is cut at its edges; our layer gives up to S − K zeros more behind it.
    let places = source.ourShape
    let wanted = (0..<2).map { axis -> Int in
      let written = (places[axis] - 1) * strides[axis] + sizes[axis]
      return written - pads[axis] - pads[axis + 2] + beyond[axis]
    }
    guard wanted.allSatisfy({ $0 > 0 }) else { throw options.refused("nothing is left of its output") }
    func geometry(_ axis: Int, _ padding: Padding) -> TransposedGeometry {
      TransposedGeometry(input: places[axis], window: sizes[axis], stride: strides[axis], padding: padding)
    }
    let isSame = (0..<2).allSatisfy { axis in
      let same = geometry(axis, .same)
      return same.output == wanted[axis] && same.paddingBefore == pads[axis]
    }
    let bias = try bias(node, 2, count: filters)
    let name = Self.module(ofWeight: node.inputs[1])
    let after = (0..<2).map { axis -> Int in
      isSame ? 0 : geometry(axis, .valid).output - pads[axis] - wanted[axis]
    }
    let isBeyond = after.contains { $0 < 0 }
    var parameters = ["kernel": kernel.transposed([2, 3, 1, 0]).floats]
    if let bias, !isBeyond { parameters["bias"] = bias }
    let spec = Conv2DTranspose(
      filters: filters, kernel: Size2D(sizes), stride: Size2D(strides), padding: isSame ? .same : .valid,
      useBias: bias != nil && !isBeyond)
    var result = try addFresh(.layer(.conv2DTranspose(spec)), [source], node, weights: parameters, name: name)
    if !isSame {
      result = try cropped(result, before: Array(pads[..<2]), after: after.map { Swift.max($0, 0) }, node, name: name)
    }
    if isBeyond {
      // Rows that no window writes hold the bias alone.
      result = try zeros(result, before: [0, 0], after: after.map { Swift.max(-$0, 0) }, node, name: name)
      if let bias {
        result = try addInPlace(
          .affine(scale: [Double](repeating: 1, count: filters), offset: bias.map(Double.init)), result, node)
      }
    }
    set(node, result)
  }

  /// A bias with one number for each output; nil where the node has none.
  private mutating func bias(_ node: ONNXNode, _ index: Int, count: Int) throws -> [Float]? {
    guard node.input(index) != nil else { return nil }
    let bias = try weights(node, index, "bias")
    guard bias.dimensions == [count] else {
      throw InterchangeError(
        .badData, "\(path): \(node.place): a bias of \(Self.text(bias.dimensions)) does not fit \(count) outputs")
    }
    return bias.floats
  }

  static func text(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: "×") }

  // MARK: - Pools

  mutating func maxPool(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    options.ignore("storage_order")
    guard node.outputs.count(where: { !$0.isEmpty }) == 1 else {
      throw options.refused("the places of the largest values are not supported")
    }
    var source = try image(try result(node), node)
    let places = Array(source.ourShape.dropLast())
    let sizes = try options.sizes("kernel_shape", count: places.count)
    let window = try window(&options, sizes: sizes, over: places)
    guard window.dilations.allSatisfy({ $0 == 1 }) else { throw options.refused("dilated pools are not supported") }
    let roundsUp = try options.integer("ceil_mode", default: 0) == 1
    var padding = Padding.valid
    switch window.surroundings {
    case .same: padding = .same
    case .explicit(let before, var after):
      if roundsUp { after = Self.afterRoundingUp(window, before, after, over: places) }
      if (before + after).contains(where: { $0 > 0 }) {
        // A pool leaves padding out, and zeros never win among values that are not negative.
        guard source.isNonNegative else {
          throw options.refused(
            "it has padding around values that may be negative, and the padding's place is not that of 'same'; pad explicitly before it")
        }
        source = try zeros(source, before: before, after: after, node)
      }
    }
    set(
      node,
      try pool(source, sizes, window.strides, padding, node, isNonNegative: source.isNonNegative, isMaximum: true))
  }

  mutating func averagePool(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    var source = try image(try result(node), node)
    let places = Array(source.ourShape.dropLast())
    let sizes = try options.sizes("kernel_shape", count: places.count)
    let window = try window(&options, sizes: sizes, over: places)
    guard window.dilations.allSatisfy({ $0 == 1 }) else { throw options.refused("dilated pools are not supported") }
    let roundsUp = try options.integer("ceil_mode", default: 0) == 1
    let countsPadding = try options.integer("count_include_pad", default: 0) == 1
    var padding = Padding.valid
    switch window.surroundings {
    case .same where !countsPadding: padding = .same
    case .same:
      let geometries = zip(zip(places, sizes), window.strides).map { place, stride in
        WindowGeometry(input: place.0, window: place.1, stride: stride, padding: .same)
      }
      source = try zeros(
        source, before: geometries.map { $0?.paddingBefore ?? 0 }, after: geometries.map { $0?.paddingAfter ?? 0 }, node)
    case .explicit(let before, let after):
      if roundsUp, Self.afterRoundingUp(window, before, after, over: places) != after {
        throw options.refused("windows that reach beyond the image (ceil_mode) are not supported in averages")
      }
      guard (before + after).contains(where: { $0 > 0 }) else { break }
      guard countsPadding else {
        throw options.refused("padding that does not count in averages is supported only where 'same' has it")
      }
      source = try zeros(source, before: before, after: after, node)
    }
    set(
      node,
      try pool(source, sizes, window.strides, padding, node, isNonNegative: source.isNonNegative, isMaximum: false))
  }

  /// The padding behind each dimension with which a pool that rounds down gives what one that rounds up does.
  private static func afterRoundingUp(
    _ window: Window, _ before: [Int], _ after: [Int], over places: [Int]
  ) -> [Int] {
    places.indices.map { axis in
      let (size, stride) = (window.sizes[axis], window.strides[axis])
      let span = places[axis] + before[axis] + after[axis] - size
      guard span >= 0, span % stride != 0 else { return after[axis] }
      let count = span / stride + 2
      // A window must begin within the image or its padding in front.
      guard (count - 1) * stride < places[axis] + before[axis] else { return after[axis] }
      return (count - 1) * stride + size - places[axis] - before[axis]
    }
  }

  private mutating func pool(
    _ source: ONNXResult, _ sizes: [Int], _ strides: [Int], _ padding: Padding, _ node: ONNXNode, isNonNegative: Bool,
    isMaximum: Bool
  ) throws -> ONNXResult {
    let spec: LayerSpec
    if sizes.count == 1 {
      let pool = Pool1D(size: sizes[0], stride: strides[0], padding: padding)
      spec = isMaximum ? .maxPool1D(pool) : .averagePool1D(pool)
    } else {
      let pool = Pool2D(size: Size2D(sizes), stride: Size2D(strides), padding: padding)
      spec = isMaximum ? .maxPool2D(pool) : .averagePool2D(pool)
    }
    return try addFresh(.layer(spec), [source], node, isNonNegative: isNonNegative)
  }

  /// The mean or maximum over all places; the dimensions of places stay with size 1.
  mutating func globalPool(_ node: ONNXNode, _ ofImages: LayerSpec, _ ofSequences: LayerSpec) throws {
    let source = try image(try result(node), node)
    var pooled = try addFresh(
      .layer(source.ours.count == 3 ? ofImages : ofSequences), [source], node, isNonNegative: source.isNonNegative)
    pooled.theirs += [[ONNXAxisPart]](repeating: [], count: source.theirs.count - 1)
    set(node, pooled)
  }

  /// The mean or maximum over all dimensions but one.
  mutating func reduction(
    _ node: ONNXNode, _ options: inout ONNXAttributes, _ ofImages: LayerSpec, _ ofSequences: LayerSpec
  ) throws {
    let source = try result(node)
    let rank = source.theirs.count + 1
    let keeps = try options.integer("keepdims", default: 1) == 1
    options.ignore("noop_with_empty_axes")
    let said = try constant(node, 1)?.integers ?? options.integers("axes")
    let axes = Set((said ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 })
    guard !axes.contains(0), axes.allSatisfy({ (1..<rank).contains($0) }) else {
      throw options.refused("values of several samples cannot be put together")
    }
    // Dimensions of size 1 are reduced to themselves.
    let reduced = axes.filter { !source.theirs[$0 - 1].isEmpty }
    let left = source.theirs.indices.filter { !axes.contains($0 + 1) }
    var result = source
    if !reduced.isEmpty {
      guard left.count(where: { !source.theirs[$0].isEmpty }) <= 1,
        let channel = left.first(where: { !source.theirs[$0].isEmpty }) ?? left.first,
        (2...3).contains(source.theirs.count)
      else {
        throw options.refused("only means and maxima over all places of an image or sequence are supported")
      }
      let arranged = try withChannels(channel, source, node)
      let pooled = try addFresh(
        .layer(arranged.ours.count == 3 ? ofImages : ofSequences), [arranged], node,
        isNonNegative: source.isNonNegative)
      result = pooled
      result.theirs = source.theirs.indices.map { $0 == channel ? pooled.theirs[0] : [] }
    }
    if !keeps { result.theirs = source.theirs.indices.filter { !axes.contains($0 + 1) }.map { result.theirs[$0] } }
    set(node, result)
  }

  // MARK: - Normalisations

  mutating func batchNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    options.ignore("spatial")
    guard try options.integer("training_mode", default: 0) == 0 else {
      throw options.refused("it is in training mode; export the model for inference (model.eval())")
    }
    let source = try withChannels(0, try result(node), node)
    let channels = source.theirs[0].size
    var parameters: [String: [Float]] = [:]
    for (index, name) in [(1, "gamma"), (2, "beta"), (3, "moving_mean"), (4, "moving_variance")] {
      let vector = try weights(node, index, name)
      guard vector.dimensions == [channels] else {
        throw options.refused("\(name) of \(Self.text(vector.dimensions)) does not fit \(channels) channels")
      }
      parameters[name] = inOurOrder(vector.floats, source, axis: 0)
    }
    let norm = BatchNorm(
      momentum: try options.float("momentum", default: 0.9), epsilon: try options.float("epsilon", default: 1e-5))
    set(
      node,
      try addInPlace(
        .layer(.batchNorm(norm)), source, node, weights: parameters, name: Self.module(ofWeight: node.inputs[1])))
  }

  mutating func layerNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    options.ignore("stash_type")
    let found = try result(node)
    let rank = found.theirs.count + 1
    let axis = try options.integer("axis", default: -1)
    guard axis == -1 || axis == rank - 1 else {
      throw options.refused("only the last dimension can be normalised, and its axis is \(axis) of \(rank) dimensions")
    }
    let source = try withChannels(found.theirs.count - 1, found, node)
    let channels = source.theirs[source.theirs.count - 1].size
    let scale = try weights(node, 1, "scale")
    let offset = try node.input(2).map { _ in try weights(node, 2, "bias") }
    guard scale.count == channels, offset.map({ $0.count == channels }) ?? true else {
      throw options.refused("its scale or bias does not fit \(channels) channels")
    }
    var parameters = ["gamma": inOurOrder(scale.floats, source, axis: source.theirs.count - 1)]
    if let offset { parameters["beta"] = inOurOrder(offset.floats, source, axis: source.theirs.count - 1) }
    let norm = LayerNorm(epsilon: try options.float("epsilon", default: 1e-5), scale: true, center: offset != nil)
    set(
      node,
      try addInPlace(
        .layer(.layerNorm(norm)), source, node, weights: parameters, name: Self.module(ofWeight: node.inputs[1])))
  }

  mutating func responseNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try image(try result(node), node)
    let size = try options.integer("size", default: 1)
    guard size % 2 == 1, (1...2047).contains(size) else {
      throw options.refused("\(size) channels have none in the middle")
    }
    let norm = LocalResponseNorm(
      radius: size / 2, bias: try options.float("bias", default: 1),
      alpha: try options.float("alpha", default: 1e-4) / Float(size), beta: try options.float("beta", default: 0.75))
    set(
      node,
      try addInPlace(.layer(.localResponseNorm(norm)), source, node, isNonNegative: source.isNonNegative))
  }
}

extension Size2D {
  /// Of a list of height and width.
  fileprivate init(_ sizes: [Int]) { self.init(sizes[0], sizes[1]) }
}
