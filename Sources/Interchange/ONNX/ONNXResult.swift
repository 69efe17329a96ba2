/// A part of a dimension: dimensions are split into such parts, so that reshapes and transpositions can be followed.
struct ONNXAxisPart: Hashable {
  /// Tells parts apart.
  let id: Int
  /// At least 2: a dimension of size 1 has no parts.
  let size: Int
}

/// The result of a node as a layer gives it: the dimensions of the layer, and those that the graph of ONNX speaks of.
///
/// Both are lists of the same parts, outermost first, without the samples' dimension. A reshape or a transposition only changes
/// how the graph speaks of the values; layers follow where an operator needs the values in another order.
struct ONNXResult {
  /// The name of the layer, or of the network's input.
  var layer: String
  /// The dimensions of the layer's output, channels last.
  var ours: [[ONNXAxisPart]]
  /// The dimensions in the graph.
  var theirs: [[ONNXAxisPart]]
  /// Whether no value is below 0.
  var isNonNegative = false

  var ourShape: [Int] { ours.map(\.size) }
  var theirShape: [Int] { theirs.map(\.size) }
  var elementCount: Int { theirShape.reduce(1, *) }

  /// The dimensions of the graph in the order of layers: the first one, the channels, comes last.
  var standard: [[ONNXAxisPart]] { Array(theirs.dropFirst()) + theirs.prefix(1) }

  /// Whether another result has the same dimensions in both forms, in the same order.
  func isLike(_ other: ONNXResult) -> Bool { ourShape == other.ourShape && pattern == other.pattern }

  /// For each dimension of ours its parts, joined where they stand together in both forms, by place among theirs and size.
  private var pattern: [[Int]] {
    let flat = theirs.flatMap(\.self)
    let places = Dictionary(uniqueKeysWithValues: flat.enumerated().map { ($1.id, $0) })
    return [theirShape] + ours.map { parts in
      var list: [Int] = []
      var previous: Int?
      for part in parts {
        let place = places[part.id] ?? -1
        if let previous, previous + 1 == place, isInOneDimension(flat[previous], part) {
          list[list.count - 1] *= part.size
        } else {
          // The place among the values, not among parts, which may be split differently.
          list += [flat[..<place].reduce(1) { $0 * $1.size }, part.size]
        }
        previous = place
      }
      return list
    }
  }

  private func isInOneDimension(_ first: ONNXAxisPart, _ second: ONNXAxisPart) -> Bool {
    theirs.contains { $0.contains(first) && $0.contains(second) }
  }

  /// The same values with the graph's dimensions of other sizes.
  ///
  /// - Parameter nextID: the number of the next new part.
  /// - Returns: nil where the sizes cut through dimensions in a way that parts cannot follow.
  func reshaped(to sizes: [Int], nextID: inout Int) -> ONNXResult? {
    guard sizes.reduce(1, *) == elementCount else { return nil }
    var result = self
    var waiting = theirs.flatMap(\.self)
    result.theirs = []
    for size in sizes {
      var parts: [ONNXAxisPart] = []
      var left = size
      while left > 1 {
        guard let part = waiting.first else { return nil }
        if left % part.size == 0 {
          parts.append(part)
          waiting.removeFirst()
          left /= part.size
        } else if part.size % left == 0 {
          let pieces = [left, part.size / left].map { size in
            nextID += 1
            return ONNXAxisPart(id: nextID, size: size)
          }
          result.ours = result.ours.map { $0.flatMap { $0 == part ? pieces : [$0] } }
          waiting.replaceSubrange(0..<1, with: pieces)
        } else {
          return nil
        }
      }
      result.theirs.append(parts)
    }
    return result
  }
}

extension [ONNXAxisPart] {
  /// The size of the dimension.
  var size: Int { reduce(1) { $0 * $1.size } }

  /// For each index along these parts, the index along the same parts in another order.
  func indices(in other: [ONNXAxisPart]) -> [Int] {
    var strides: [Int: Int] = [:]
    var stride = 1
    for part in other.reversed() {
      strides[part.id] = stride
      stride *= part.size
    }
    return (0..<size).map { index in
      var (rest, result) = (index, 0)
      for part in reversed() {
        result += rest % part.size * (strides[part.id] ?? 0)
        rest /= part.size
      }
      return result
    }
  }
}
