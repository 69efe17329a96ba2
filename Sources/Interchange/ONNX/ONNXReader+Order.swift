internal import Networks
internal import Tensors

// The order of values: bringing those of a layer into the one that an operator of the graph needs.
extension ONNXReader {
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
    if result.ours.count == 1, own != target, Set(own) == Set(target) {
      return try arranged(unrolled(result, to: target, node), wanted, node)
    }
    let channels = wanted.last ?? []
    let isPermutation =
      own != target && own.dropLast(channels.count) == target.dropLast(channels.count)
      && Set(own.suffix(channels.count)) == Set(channels)
    guard own == target || isPermutation else { throw moved(node, sizes) }
    if sizes != result.ourShape {
      result.layer = try add(.layer(.reshape(Reshape(sizes))), [result], node, part: "reshape").name
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

  /// A vector in another order: the dense layer that gives it does so in that order, or another layer brings it into it.
  private mutating func unrolled(
    _ result: ONNXResult, to target: [ONNXAxisPart], _ node: ONNXNode
  ) throws -> ONNXResult {
    var result = result
    if !turnsDense(behind: result, to: target) {
      let isNonNegative = result.isNonNegative
      result.layer = try picked(target.indices(in: result.ours[0]).map { $0 }, of: result, node)
      result.isNonNegative = isNonNegative
    }
    result.ours = [target]
    return result
  }

  /// Lets a dense layer that a vector comes from, directly or through functions of its single elements, give its units in another order.
  ///
  /// - Returns: false where there is none, or something else takes its units.
  private mutating func turnsDense(behind result: ONNXResult, to target: [ONNXAxisPart]) -> Bool {
    let own = result.ours[0]
    let places = Dictionary(uniqueKeysWithValues: layers.indices.map { (layers[$0].name, $0) })
    var chain: [Int] = []
    var name = result.layer
    while let place = places[name] {
      guard layers.count(where: { $0.inputs.contains(name) }) == (chain.isEmpty ? 0 : 1) else { return false }
      chain.append(place)
      if case .layer(.dense) = layers[place].work { break }
      guard layers[place].work.isOfSingleElements, layers[place].inputs.count == 1 else { return false }
      name = layers[place].inputs[0]
    }
    guard let last = chain.last, case .layer(.dense) = layers[last].work else { return false }
    let names = Set(chain.map { layers[$0].name })
    var turned: [String: Value] = [:]
    for (key, value) in values {
      switch value {
      case .partial: return false
      case .result(var other) where names.contains(other.layer):
        // A name for the vector before it was split into dimensions.
        if other.ours.count == 1, other.ours == other.theirs { (other.ours, other.theirs) = ([own], [own]) }
        guard other.ours == [own] else { return false }
        other.ours = [target]
        turned[key] = .result(other)
      case .result, .constant, .tensor: continue
      }
    }
    values.merge(turned) { $1 }
    let order = target.indices(in: own)
    for (key, numbers) in layers[last].weights {
      layers[last].weights[key] = (0..<numbers.count / order.count).flatMap { row in
        order.map { numbers[row * order.count + $0] }
      }
    }
    return true
  }

  private func moved(_ node: ONNXNode, _ sizes: [Int]) -> InterchangeError {
    InterchangeError(
      .badData,
      "\(path): \(node.place) needs values as \(Shape(sizes)) in an order that no layer here brings them into"
    )
  }

  /// Adds a layer that gives some of the channels, by their numbers; nil gives zeros.
  ///
  /// - Returns: the layer's name.
  mutating func picked(
    _ channels: [Int?], of result: ONNXResult, _ node: ONNXNode, part: String? = "order"
  ) throws -> String {
    let count = result.ours.last?.size ?? 1
    guard count * channels.count <= 1 << 24 else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place) picks \(channels.count) of \(count) values, which is too many to be supported"
      )
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
    return try add(.layer(spec), [result], node, weights: ["kernel": kernel], part: part).name
  }

  /// The result as an image or a sequence whose channels are the graph's first dimension.
  mutating func image(_ result: ONNXResult, _ node: ONNXNode, ranks: ClosedRange<Int> = 2...3) throws
    -> ONNXResult
  {
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
        .badData,
        "\(path): \(node.place) works along a dimension that N×\(Shape(result.theirShape)) does not have")
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
    try requireSmall(result, node)
    var result = result
    if result.ours.count > 1 {
      result.layer = try add(.layer(.flatten), [result], node, part: "flatten").name
      result.ours = [result.ours.flatMap(\.self)]
    }
    let (own, theirs) = (result.ours[0], result.theirs[0])
    return (result, own == theirs ? nil : theirs.indices(in: own))
  }

  /// Refuses values that are too many to list one by one.
  func requireSmall(_ result: ONNXResult, _ node: ONNXNode) throws {
    guard result.theirShape.reduce(1.0, { $0 * Double($1) }) <= 0x1p28 else {
      throw InterchangeError(
        .badData, "\(path): \(node.place): N×\(Shape(result.theirShape)) is too large to be intended")
    }
  }

  /// Numbers for the channels in the graph's order, brought into the layer's.
  ///
  /// - Parameter axis: the graph's dimension that the channels are.
  func inOurOrder(_ numbers: [Float], _ result: ONNXResult, axis: Int) -> [Float] {
    guard let last = result.ours.last, last != result.theirs[axis] else { return numbers }
    return last.indices(in: result.theirs[axis]).map { numbers[$0] }
  }
}
