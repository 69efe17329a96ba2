internal import Networks
internal import Tensors

// Constants, the arithmetic of shapes, and sizes as both need them.

extension ONNXReader {
  /// Computes a node whose inputs are all constants.
  ///
  /// - Returns: false for a node with other inputs, or one that is no operation on constants.
  mutating func foldsConstants(
    _ node: ONNXNode, _ operation: String, _ options: inout ONNXAttributes
  ) throws -> Bool {
    if operation == "Constant" {
      set(node.outputs[0], .constant(try constantValue(node, &options)))
      return true
    }
    let isConstant = node.inputs.allSatisfy { name in
      switch value(name) {
      case .tensor, .constant: true
      case nil: name.isEmpty
      case .result, .partial: false
      }
    }
    guard isConstant, !node.inputs.isEmpty, let first = try constant(node, 0) else { return false }
    guard let folded = try folded(node, operation, first, &options) else {
      throw options.refused(
        "this operation on constants is not supported; fold constants when the model is exported")
    }
    guard folded.count <= 1 << 28 else {
      throw options.refused("a constant of \(folded.count) elements is too large")
    }
    set(node.outputs[0], .constant(folded))
    return true
  }

  private func constantValue(_ node: ONNXNode, _ options: inout ONNXAttributes) throws -> ONNXConstant {
    if let tensor = try options.tensor("value") { return try ONNXConstant(tensor, "\(path): \(node.place)") }
    if let attribute = node.attributes.first {
      switch (attribute.name, attribute.value) {
      case ("value_float", .float(let number)): return ONNXConstant([], .floats([number]))
      case ("value_floats", .floats(let numbers)): return ONNXConstant([numbers.count], .floats(numbers))
      case ("value_int", .integer(let number)): return ONNXConstant([], .integers([number]))
      case ("value_ints", .integers(let numbers)): return ONNXConstant([numbers.count], .integers(numbers))
      default: break
      }
    }
    throw options.refused("its value is no tensor of numbers")
  }

  /// - Returns: nil for an operation that is not done with constants, and one that these do not allow.
  private mutating func folded(
    _ node: ONNXNode, _ operation: String, _ first: ONNXConstant, _ options: inout ONNXAttributes
  ) throws -> ONNXConstant? {
    switch operation {
    case "Identity", "Dropout": return first
    case "Cast": return cast(first, to: try options.integer("to", default: 1))
    case "Mod" where try options.integer("fmod", default: 0) != 0: return nil
    case "Add", "Sub", "Mul", "Div", "Min", "Max", "Mod":
      let others = try node.inputs.indices.dropFirst().map { try constant(node, $0) }
      return others.reduce(first) { found, other in
        guard let found, let other else { return nil }
        return Self.combined(operation, found, other)
      }
    case "Clip":
      let (low, high) = try bounds(node, &options)
      func held(_ number: Double) -> Double { min(max(number, low), high) }
      return first.mapped {
        Float(held(Double($0)))
      } whole: { number in
        held(Double(number)) == Double(number) ? number : Int(exactly: held(Double(number)))
      }
    case "Sqrt": return first.mapped { $0.squareRoot() }
    case "Floor": return first.mapped { $0.rounded(.down) }
    case "Ceil": return first.mapped { $0.rounded(.up) }
    case "Neg": return first.mapped(-) { Self.whole(0.subtractingReportingOverflow($0)) }
    case "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze":
      return try reshaped(node, operation, first, &options)
    case "ReduceMean", "BatchNormalization": return try normalized(node, operation, first, &options)
    default: return try picked(node, operation, first, &options)
    }
  }

  private func cast(_ constant: ONNXConstant, to type: Int) -> ONNXConstant? {
    guard let type = ONNXTensor.ElementType(rawValue: type) else { return nil }
    guard type.isInteger else { return ONNXConstant(constant.dimensions, .floats(constant.floats)) }
    guard constant.integers == nil else { return constant }
    guard constant.floats.allSatisfy({ abs($0) < 0x1p62 }) else { return nil }
    return ONNXConstant(constant.dimensions, .integers(constant.floats.map { Int($0) }))
  }

  private static func combined(
    _ operation: String, _ first: ONNXConstant, _ second: ONNXConstant
  ) -> ONNXConstant? {
    switch operation {
    case "Add": .combined(first, second, floats: +) { whole($0.addingReportingOverflow($1)) }
    case "Sub": .combined(first, second, floats: -) { whole($0.subtractingReportingOverflow($1)) }
    case "Mul": .combined(first, second, floats: *) { whole($0.multipliedReportingOverflow(by: $1)) }
    // Whole numbers are divided towards zero.
    case "Div": .combined(first, second, floats: /) { whole($0.dividedReportingOverflow(by: $1)) }
    case "Min": .combined(first, second, floats: { min($0, $1) }, integers: { min($0, $1) })
    case "Max": .combined(first, second, floats: { max($0, $1) }, integers: { max($0, $1) })
    // Remainders have the sign of the divisor.
    case "Mod":
      first.integers == nil
        ? nil
        : .combined(first, second, floats: { _, _ in .nan }) { number, divisor in
          guard divisor != 0, divisor != -1 else { return divisor == 0 ? nil : 0 }
          let rest = number % divisor
          return rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest
        }
    default: nil
    }
  }

  /// The same elements in other dimensions.
  private mutating func reshaped(
    _ node: ONNXNode, _ operation: String, _ first: ONNXConstant, _ options: inout ONNXAttributes
  ) throws -> ONNXConstant? {
    switch operation {
    case "Transpose":
      let order = try options.integers("perm") ?? first.dimensions.indices.reversed()
      guard order.sorted() == Array(first.dimensions.indices) else { return nil }
      return first.transposed(order)
    case "Reshape":
      guard var sizes = try constant(node, 1)?.integers else { return nil }
      for index in sizes.indices where sizes[index] == 0 && index < first.dimensions.count {
        sizes[index] = first.dimensions[index]
      }
      return Self.closed(sizes, count: first.count).flatMap { first.reshaped(to: $0) }
    case "Flatten":
      let axis = try options.integer("axis", default: 1)
      guard (0...first.dimensions.count).contains(axis) else { return nil }
      return first.reshaped(to: [
        first.dimensions[..<axis].reduce(1, *), first.dimensions[axis...].reduce(1, *),
      ])
    default:
      let axes = try constant(node, 1)?.integers ?? options.integers("axes")
      return Self.resized(first.dimensions, axes, adds: operation == "Unsqueeze").flatMap {
        first.reshaped(to: $0)
      }
    }
  }

  /// Means, or elements less their mean over their deviation, as layers have them that standardise their weights.
  private mutating func normalized(
    _ node: ONNXNode, _ operation: String, _ first: ONNXConstant, _ options: inout ONNXAttributes
  ) throws -> ONNXConstant? {
    let rank = first.dimensions.count
    guard operation == "BatchNormalization" else {
      let said = try constant(node, 1)?.integers ?? options.integers("axes")
      let axes = Set((said ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 })
      let keeps = try options.integer("keepdims", default: 1) == 1
      options.ignore("noop_with_empty_axes")
      return first.means(over: axes, keepsDimensions: keeps)
    }
    let numbers = try (1...4).compactMap { try constant(node, $0)?.floats }
    let epsilon = Double(try options.float("epsilon", default: 1e-5))
    options.ignore("momentum")
    let isTraining = try options.integer("training_mode", default: 0) == 1
    guard numbers.count == 4 else { return nil }
    return first.normalized(
      scale: numbers[0], offset: numbers[1], isTraining ? nil : (numbers[2], numbers[3]), epsilon: epsilon)
  }

  /// Some of the elements, or those of several constants.
  private mutating func picked(
    _ node: ONNXNode, _ operation: String, _ first: ONNXConstant, _ options: inout ONNXAttributes
  ) throws -> ONNXConstant? {
    switch operation {
    case "Concat":
      let parts = try node.inputs.indices.compactMap { try constant(node, $0) }
      let axis = try options.integer("axis", default: 0)
      return .joined(parts, along: axis < 0 ? axis + first.dimensions.count : axis)
    case "Gather":
      let axis = try options.integer("axis", default: 0)
      guard first.dimensions.indices.contains(axis), let indices = try constant(node, 1),
        let numbers = indices.integers
      else { return nil }
      let size = first.dimensions[axis]
      let places = numbers.map { $0 < 0 ? $0 + size : $0 }
      var sizes = first.dimensions
      sizes[axis] = places.count
      guard places.allSatisfy({ (0..<size).contains($0) }), ONNXConstant.allows(sizes) else { return nil }
      var picked = first.picked(places, along: axis)
      picked.dimensions.replaceSubrange(axis...axis, with: indices.dimensions)
      return picked
    case "Slice":
      guard let cuts = try cuts(node, sizes: first.dimensions, &options) else { return nil }
      return cuts.reduce(first) { $0.picked($1.indices, along: $1.axis) }
    case "ConstantOfShape": return try filled(first, value: options.tensor("value"), node)
    default: return nil
    }
  }

  /// A constant of one number, 0 where none is given.
  private func filled(
    _ sizes: ONNXConstant, value: ONNXTensor?, _ node: ONNXNode
  ) throws -> ONNXConstant? {
    guard let sizes = sizes.integers, ONNXConstant.allows(sizes) else { return nil }
    let value = try value.map { try ONNXConstant($0, "\(path): \(node.place)") }
    let count = sizes.reduce(1, *)
    guard count <= 1 << 24 else { return nil }
    guard let integers = value?.integers else {
      return ONNXConstant(sizes, .floats([Float](repeating: value?.floats.first ?? 0, count: count)))
    }
    return ONNXConstant(sizes, .integers([Int](repeating: integers.first ?? 0, count: count)))
  }

  /// The result of arithmetic that may go beyond whole numbers of 64 bits, or divide by zero.
  private static func whole(_ result: (partialValue: Int, overflow: Bool)) -> Int? {
    result.overflow ? nil : result.partialValue
  }

  /// Sizes of which one may be −1, which then follows from the number of elements; nil where none fits.
  static func closed(_ sizes: [Int], count: Int) -> [Int]? {
    guard sizes.allSatisfy({ $0 >= -1 && $0 <= 1 << 40 }), sizes.count(where: { $0 == -1 }) <= 1 else {
      return nil
    }
    // A size of 0 must not hide what the others would be multiplied to.
    let product = sizes.filter { $0 != -1 }.reduce(1.0) { $0 * Double(Swift.max($1, 1)) }
    guard product <= Double(1 << 48) else { return nil }
    let known = sizes.filter { $0 != -1 }.reduce(1, *)
    guard sizes.contains(-1) else { return known == count ? sizes : nil }
    guard known > 0, count % known == 0 else { return nil }
    return sizes.map { $0 == -1 ? count / known : $0 }
  }

  /// Sizes with dimensions of 1 added or taken away; nil where that is not possible.
  static func resized(_ sizes: [Int], _ axes: [Int]?, adds: Bool) -> [Int]? {
    if adds {
      guard let axes else { return nil }
      let rank = sizes.count + axes.count
      let places = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
      guard places.count == axes.count, places.allSatisfy({ (0..<rank).contains($0) }) else { return nil }
      var rest = sizes[...]
      return (0..<rank).map { places.contains($0) ? 1 : rest.removeFirst() }
    }
    guard let axes else { return sizes.filter { $0 != 1 } }
    let places = Set(axes.map { $0 < 0 ? $0 + sizes.count : $0 })
    guard places.allSatisfy({ sizes.indices.contains($0) && sizes[$0] == 1 }) else { return nil }
    return sizes.indices.filter { !places.contains($0) }.map { sizes[$0] }
  }

  /// A part of a dimension that is cut out.
  struct Cut {
    let axis: Int
    let start: Int
    let step: Int
    let count: Int

    var indices: [Int] { (0..<count).map { start + $0 * step } }
    /// The part as values side by side; nil for other steps.
    var range: Range<Int>? { step == 1 ? start..<start + count : nil }
  }

  /// The cuts of a Slice, which has them as attributes or as inputs; nil for bounds that are no constants, and axes that do not exist.
  mutating func cuts(_ node: ONNXNode, sizes: [Int], _ options: inout ONNXAttributes) throws -> [Cut]? {
    var starts = try options.integers("starts")
    var ends = try options.integers("ends")
    var axes = try options.integers("axes")
    var steps: [Int]?
    if starts == nil {
      starts = try constant(node, 1)?.integers
      ends = try constant(node, 2)?.integers
      axes = try constant(node, 3)?.integers
      steps = try constant(node, 4)?.integers
    }
    guard let starts, let ends, starts.count == ends.count else { return nil }
    let places = (axes ?? Array(starts.indices)).map { $0 < 0 ? $0 + sizes.count : $0 }
    let strides = steps ?? [Int](repeating: 1, count: starts.count)
    guard places.count == starts.count, strides.count == starts.count, Set(places).count == places.count
    else {
      return nil
    }
    var cuts: [Cut] = []
    for index in starts.indices {
      guard sizes.indices.contains(places[index]), starts[index] != ONNXConstant.samples else { return nil }
      let cut = Self.cut(
        places[index], from: starts[index], to: ends[index], strides[index], of: sizes[places[index]])
      guard let cut else { return nil }
      cuts.append(cut)
    }
    return cuts
  }

  /// The values from one place to before another; negative places count from the end, and those beyond it stand for it.
  private static func cut(_ axis: Int, from start: Int, to end: Int, _ step: Int, of size: Int) -> Cut? {
    guard step != 0, abs(step) <= 1 << 40 else { return nil }
    // The smallest number stands for "from the very beginning" and must not be added to.
    func place(_ index: Int) -> Int { index < 0 ? Swift.max(index, -(1 << 50)) + size : index }
    let (lowest, highest) = step > 0 ? (0, size) : (-1, size - 1)
    let first = Swift.max(step > 0 ? 0 : -1, Swift.min(highest, place(start)))
    let last = Swift.max(lowest, Swift.min(highest, place(end)))
    let span = step > 0 ? last - first : first - last
    let count = span <= 0 ? 0 : (span + abs(step) - 1) / abs(step)
    return Cut(axis: axis, start: first, step: step, count: count)
  }

  mutating func shape(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let sizes: [Int]
    switch value(node.inputs[0]) {
    case .result(let result): sizes = [ONNXConstant.samples] + result.theirShape
    case .tensor(let tensor): sizes = tensor.dimensions
    case .constant(let constant): sizes = constant.dimensions
    case .partial, nil: throw options.refused("the shape of such a value is not supported")
    }
    func clamped(_ place: Int) -> Int {
      Swift.max(0, Swift.min(sizes.count, place < 0 ? place + sizes.count : place))
    }
    let start = clamped(try options.integer("start", default: 0))
    let end = clamped(try options.integer("end", default: sizes.count))
    let part = Array(sizes[start..<Swift.max(start, end)])
    set(node.outputs[0], .constant(ONNXConstant([part.count], .integers(part))))
  }

  mutating func cast(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let type = ONNXTensor.ElementType(rawValue: try options.integer("to", default: 1))
    options.ignore("saturate", "round_mode")
    let result = try result(node)
    guard let type, !type.isInteger || result.layer == Network.inputName else {
      throw options.refused("results cannot become whole numbers")
    }
    set(node, result)
  }
}
