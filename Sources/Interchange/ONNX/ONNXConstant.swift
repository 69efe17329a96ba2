internal import Tensors

/// Numbers that a graph knows before it sees a sample: weights, and the arithmetic of shapes.
struct ONNXConstant {
  enum Values {
    case floats([Float])
    case integers([Int])
  }

  var dimensions: [Int]
  var values: Values

  /// Stands in the arithmetic of shapes for the number of samples, which is not known.
  static let samples = Int.min

  init(_ dimensions: [Int], _ values: Values) { (self.dimensions, self.values) = (dimensions, values) }

  /// A tensor of a file.
  init(_ tensor: ONNXTensor, _ place: String) throws {
    let isInteger = tensor.elementType?.isInteger ?? false
    dimensions = tensor.dimensions
    values = isInteger ? .integers(try tensor.integers(place)) : .floats(try tensor.floats(place))
  }

  var count: Int { dimensions.reduce(1, *) }

  /// Whether a constant may have these dimensions, so that no arithmetic with them goes beyond 64 bits or takes hours.
  ///
  /// Dimensions beside one of size 0 count as well: nothing in a file pays for them.
  static func allows(_ dimensions: [Int]) -> Bool {
    let count = dimensions.reduce(1.0) { $0 * Double(Swift.max($1, 1)) }
    return dimensions.allSatisfy { $0 >= 0 } && count <= (dimensions.contains(0) ? 0x1p24 : 0x1p29)
  }

  var floats: [Float] {
    switch values {
    case .floats(let numbers): numbers
    case .integers(let numbers): numbers.map { Float($0) }
    }
  }

  /// Nil for numbers that are not whole.
  var integers: [Int]? { if case .integers(let numbers) = values { numbers } else { nil } }

  /// The only number; nil where there are several.
  var number: Double? { count == 1 ? floats.first.map(Double.init) : nil }

  // MARK: - Shapes

  func reshaped(to dimensions: [Int]) -> ONNXConstant? {
    Self.allows(dimensions) && dimensions.reduce(1, *) == count ? ONNXConstant(dimensions, values) : nil
  }

  func transposed(_ order: [Int]) -> ONNXConstant {
    let sizes = order.map { dimensions[$0] }
    return switch values {
    case .floats(let numbers):
      ONNXConstant(sizes, .floats(Transposition.apply(order, to: numbers, shape: dimensions)))
    case .integers(let numbers):
      ONNXConstant(sizes, .integers(Transposition.apply(order, to: numbers, shape: dimensions)))
    }
  }

  /// Elements along one dimension, by their indices.
  func picked(_ indices: [Int], along axis: Int) -> ONNXConstant {
    let inner = dimensions[(axis + 1)...].reduce(1, *)
    let size = dimensions[axis]
    let places = (0..<dimensions[..<axis].reduce(1, *)).flatMap { outer in
      indices.flatMap { index in (0..<inner).map { (outer * size + index) * inner + $0 } }
    }
    var sizes = dimensions
    sizes[axis] = indices.count
    return switch values {
    case .floats(let numbers): ONNXConstant(sizes, .floats(places.map { numbers[$0] }))
    case .integers(let numbers): ONNXConstant(sizes, .integers(places.map { numbers[$0] }))
    }
  }

  /// Several constants side by side along one dimension; nil where their sizes differ otherwise.
  static func joined(_ parts: [ONNXConstant], along axis: Int) -> ONNXConstant? {
    guard let first = parts.first, first.dimensions.indices.contains(axis) else { return nil }
    var sizes = first.dimensions
    sizes[axis] = 0
    for part in parts {
      guard part.dimensions.count == sizes.count else { return nil }
      for (index, size) in part.dimensions.enumerated() where index != axis && size != sizes[index] {
        return nil
      }
      // Each is at most 2²⁹, so that the sum of all cannot overflow.
      sizes[axis] += part.dimensions[axis]
    }
    guard allows(sizes), sizes.reduce(1, *) <= 1 << 24,
      sizes[..<axis].reduce(Double(parts.count), { $0 * Double($1) }) <= 0x1p28
    else {
      return nil
    }
    let outer = sizes[..<axis].reduce(1, *)
    func rows<Element>(_ lists: [[Element]]) -> [Element] {
      (0..<outer).flatMap { row in
        zip(lists, parts).flatMap { list, part in
          let length = part.dimensions[axis...].reduce(1, *)
          return Array(list[row * length..<(row + 1) * length])
        }
      }
    }
    let integers = parts.compactMap(\.integers)
    return integers.count == parts.count
      ? ONNXConstant(sizes, .integers(rows(integers)))
      : ONNXConstant(sizes, .floats(rows(parts.map(\.floats))))
  }

  // MARK: - Arithmetic

  /// The sizes of two lists of dimensions brought together as ONNX does it, from the last one on; nil where they do not fit.
  static func common(_ first: [Int], _ second: [Int]) -> [Int]? {
    let count = max(first.count, second.count)
    func padded(_ sizes: [Int]) -> [Int] { [Int](repeating: 1, count: count - sizes.count) + sizes }
    var result: [Int] = []
    for (one, other) in zip(padded(first), padded(second)) {
      guard one == other || one == 1 || other == 1 else { return nil }
      result.append(one == 1 ? other : one)
    }
    return result
  }

  /// The element for each place of larger dimensions that these were brought to.
  func expanded(to sizes: [Int]) -> [Int] {
    let own = [Int](repeating: 1, count: sizes.count - dimensions.count) + dimensions
    var strides = [Int](repeating: 0, count: sizes.count)
    var stride = 1
    for axis in sizes.indices.reversed() {
      strides[axis] = own[axis] == 1 ? 0 : stride
      stride *= own[axis]
    }
    return (0..<sizes.reduce(1, *)).map { index in
      var (rest, place) = (index, 0)
      for axis in sizes.indices.reversed() {
        place += rest % sizes[axis] * strides[axis]
        rest /= sizes[axis]
      }
      return place
    }
  }

  /// A function of each number.
  ///
  /// - Parameter whole: the function of whole numbers; nil gives nil.
  /// - Returns: nil for arithmetic with the number of samples.
  func mapped(_ function: (Float) -> Float, whole: (Int) -> Int? = { _ in nil }) -> ONNXConstant? {
    guard let integers else { return ONNXConstant(dimensions, .floats(floats.map(function))) }
    let known = integers.compactMap { $0 == Self.samples ? nil : whole($0) }
    return known.count == integers.count ? ONNXConstant(dimensions, .integers(known)) : nil
  }

  /// Two constants combined element by element.
  ///
  /// - Returns: nil for dimensions that do not fit, and for arithmetic with the number of samples.
  static func combined(
    _ first: ONNXConstant, _ second: ONNXConstant, floats: (Float, Float) -> Float,
    integers: (Int, Int) -> Int?
  ) -> ONNXConstant? {
    guard let sizes = common(first.dimensions, second.dimensions), allows(sizes),
      sizes.reduce(1, *) <= 1 << 24
    else { return nil }
    let (one, other) = (first.expanded(to: sizes), second.expanded(to: sizes))
    if let left = first.integers, let right = second.integers {
      let numbers = zip(one, other).map {
        left[$0] == samples || right[$1] == samples ? nil : integers(left[$0], right[$1])
      }
      let known = numbers.compactMap(\.self)
      return known.count == numbers.count ? ONNXConstant(sizes, .integers(known)) : nil
    }
    let (left, right) = (first.floats, second.floats)
    return ONNXConstant(sizes, .floats(zip(one, other).map { floats(left[$0], right[$1]) }))
  }
}
