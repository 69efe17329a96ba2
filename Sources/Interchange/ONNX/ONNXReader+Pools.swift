internal import Networks
internal import Tensors

// Pools: windows, whole images, and reductions that are such pools.
extension ONNXReader {
  mutating func maxPool(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    options.ignore("storage_order")
    guard node.outputs.count(where: { !$0.isEmpty }) == 1 else {
      throw options.refused("the places of the largest values are not supported")
    }
    var source = try image(try result(node), node)
    let places = Array(source.ourShape.dropLast())
    let sizes = try options.sizes("kernel_shape", count: places.count)
    let window = try window(&options, sizes: sizes, over: places)
    guard window.dilations.allSatisfy({ $0 == 1 }) else {
      throw options.refused("dilated pools are not supported")
    }
    let roundsUp = try options.integer("ceil_mode", default: 0) == 1
    var padding = Padding.valid
    switch window.surroundings {
    case .same: padding = .same
    case .explicit(let before, var after):
      if roundsUp { after = Self.afterRoundingUp(window, before, after, over: places) }
      guard (before + after).contains(where: { $0 > 0 }) else { break }
      guard source.isNonNegative else {
        let pooled = try pickedMaxima(source, window, before: before, after: after, node, options)
        return set(node, pooled)
      }
      // A pool leaves padding out, and zeros never win among values that are not negative.
      source = try zeros(source, before: before, after: after, node)
    }
    set(
      node,
      try pool(
        source, sizes, window.strides, padding, node, isNonNegative: source.isNonNegative, isMaximum: true))
  }

  /// A maximum pool with padding of any place, which no value takes part in: the maximum around every place as `same` has it, of
  /// which the windows' places are picked.
  private mutating func pickedMaxima(
    _ source: ONNXResult, _ window: Window, before: [Int], after: [Int], _ node: ONNXNode,
    _ options: ONNXAttributes
  ) throws -> ONNXResult {
    let places = Array(source.ourShape.dropLast())
    // Which place of those with steps of 1 has the first window, and how many are behind that of the last.
    var (first, behind) = ([Int](), [Int]())
    for (axis, size) in window.sizes.enumerated() {
      let span = places[axis] + before[axis] + after[axis] - size
      guard span >= 0 else { throw options.refused("its window does not fit into the image") }
      first.append((size - 1) / 2 - before[axis])
      behind.append(places[axis] - 1 - first[axis] - span / window.strides[axis] * window.strides[axis])
    }
    guard (first + behind).allSatisfy({ $0 >= 0 }) else {
      throw options.refused(
        "around values that may be negative, padding may take half of a window at most, and of an even one less before it"
      )
    }
    let every = try pool(
      source, window.sizes, window.sizes.map { _ in 1 }, .same, node, isNonNegative: false, isMaximum: true,
      part: "maxima")
    let within = try cropped(every, before: first, after: behind, node)
    guard window.strides.contains(where: { $0 > 1 }) else { return within }
    return try pool(
      within, window.sizes.map { _ in 1 }, window.strides, .valid, node, isNonNegative: false, isMaximum: true
    )
  }

  mutating func averagePool(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    var source = try image(try result(node), node)
    let places = Array(source.ourShape.dropLast())
    let sizes = try options.sizes("kernel_shape", count: places.count)
    let window = try window(&options, sizes: sizes, over: places)
    guard window.dilations.allSatisfy({ $0 == 1 }) else {
      throw options.refused("dilated pools are not supported")
    }
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
        source, before: geometries.map { $0?.paddingBefore ?? 0 },
        after: geometries.map { $0?.paddingAfter ?? 0 }, node)
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
      try pool(
        source, sizes, window.strides, padding, node, isNonNegative: source.isNonNegative, isMaximum: false))
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

  mutating func pool(
    _ source: ONNXResult, _ sizes: [Int], _ strides: [Int], _ padding: Padding, _ node: ONNXNode,
    isNonNegative: Bool, isMaximum: Bool, part: String? = nil
  ) throws -> ONNXResult {
    let spec: LayerSpec
    if sizes.count == 1 {
      let pool = Pool1D(size: sizes[0], stride: strides[0], padding: padding)
      spec = isMaximum ? .maxPool1D(pool) : .averagePool1D(pool)
    } else {
      let pool = Pool2D(size: Size2D(sizes), stride: Size2D(strides), padding: padding)
      spec = isMaximum ? .maxPool2D(pool) : .averagePool2D(pool)
    }
    return try addFresh(.layer(spec), [source], node, isNonNegative: isNonNegative, part: part)
  }

  /// The mean or maximum over all places; the dimensions of places stay with size 1.
  mutating func globalPool(_ node: ONNXNode, _ ofImages: LayerSpec, _ ofSequences: LayerSpec) throws {
    let source = try image(try result(node), node)
    var pooled = try addFresh(
      .layer(source.ours.count == 3 ? ofImages : ofSequences), [source], node,
      isNonNegative: source.isNonNegative)
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
    if !keeps {
      result.theirs = source.theirs.indices.filter { !axes.contains($0 + 1) }.map { result.theirs[$0] }
    }
    set(node, result)
  }
}
