internal import Networks

// Windows and convolutions.

extension ONNXReader {
  /// What a window has around it.
  enum Surroundings {
    /// Keras's `same`.
    case same
    /// As many zeros before and behind each dimension.
    case explicit(before: [Int], after: [Int])
  }

  /// A window with its steps, one number for each dimension of the place.
  struct Window {
    let sizes: [Int]
    let strides: [Int]
    let dilations: [Int]
    let surroundings: Surroundings
  }

  /// Reads the attributes that windows have, for a result of these sizes.
  ///
  /// - Parameter atEverySize: whether padding counts as `same` only if it does so for images of other sizes, too.
  func window(
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
      sizes: sizes, strides: strides, dilations: dilations,
      surroundings: .explicit(before: before, after: after))
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
      guard reach >= 0, reach / stride + 1 == same.output, before[axis] == same.paddingBefore else {
        return false
      }
      // An even number on both sides is PyTorch's rule, which agrees for some sizes only.
      return !atEverySize || stride == 1 || extent == 1 || before[axis] != after[axis]
    }
  }

  /// The result with zeros around it.
  ///
  /// - Parameter part: a word for a layer that is a part of its node's work; nil where it is all of it.
  mutating func zeros(
    _ result: ONNXResult, before: [Int], after: [Int], _ node: ONNXNode, name: String? = nil,
    part: String? = "pad"
  ) throws -> ONNXResult {
    guard (before + after).contains(where: { $0 != 0 }) else { return result }
    let spec: LayerSpec =
      before.count == 1
      ? .zeroPadding1D(Margins1D(before: before[0], after: after[0]))
      : .zeroPadding2D(Margins2D(top: before[0], bottom: after[0], left: before[1], right: after[1]))
    return try addFresh(
      .layer(spec), [result], node, isNonNegative: result.isNonNegative, name: name, part: part)
  }

  /// The result without some of its edge.
  mutating func cropped(
    _ result: ONNXResult, before: [Int], after: [Int], _ node: ONNXNode, name: String? = nil,
    part: String? = "crop"
  ) throws -> ONNXResult {
    guard (before + after).contains(where: { $0 != 0 }) else { return result }
    let spec: LayerSpec =
      before.count == 1
      ? .cropping1D(Margins1D(before: before[0], after: after[0]))
      : .cropping2D(Margins2D(top: before[0], bottom: after[0], left: before[1], right: after[1]))
    return try addFresh(
      .layer(spec), [result], node, isNonNegative: result.isNonNegative, name: name, part: part)
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
      throw options.refused(
        "a kernel of \(Self.text(kernel.dimensions)) does not fit N×\(Self.text(source.theirShape))")
    }
    let (filters, inputs, sizes) = (
      kernel.dimensions[0], kernel.dimensions[1], Array(kernel.dimensions[2...])
    )
    guard (1...channels).contains(groups), channels % groups == 0, inputs == channels / groups,
      filters % groups == 0
    else {
      throw options.refused(
        "a kernel of \(Self.text(kernel.dimensions)) in \(groups) groups does not fit the \(channels) channels of its input"
      )
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
    case .explicit(let before, let after):
      padded = try zeros(source, before: before, after: after, node, name: name)
    }
    var parameters: [String: [Float]] = [:]
    if let bias { parameters["bias"] = bias }
    let order = Array(2..<kernel.dimensions.count) + [1, 0]
    parameters["kernel"] = kernel.transposed(order).floats
    let spec: LayerSpec
    if places.count == 1 {
      spec = .conv1D(
        Conv1D(
          filters: filters, kernel: sizes[0], stride: window.strides[0], dilation: window.dilations[0],
          padding: padding,
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
          filters: filters, kernel: Size2D(sizes), stride: Size2D(window.strides),
          dilation: Size2D(window.dilations),
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
      throw options.refused(
        "a kernel of \(Self.text(kernel.dimensions)) does not fit N×\(Self.text(source.theirShape))")
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
    if try options.integers("output_shape") != nil {
      throw options.refused("output_shape is not supported; give pads")
    }
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
      result = try cropped(
        result, before: Array(pads[..<2]), after: after.map { Swift.max($0, 0) }, node, name: name)
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
  mutating func bias(_ node: ONNXNode, _ index: Int, count: Int) throws -> [Float]? {
    guard node.input(index) != nil else { return nil }
    let bias = try weights(node, index, "bias")
    guard bias.dimensions == [count] else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): a bias of \(Self.text(bias.dimensions)) does not fit \(count) outputs")
    }
    return bias.floats
  }

  static func text(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: "×") }
}

extension Size2D {
  /// Of a list of height and width.
  init(_ sizes: [Int]) { self.init(sizes[0], sizes[1]) }
}
