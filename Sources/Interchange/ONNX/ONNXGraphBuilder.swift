/// A graph of ONNX that is being written, node by node.
struct ONNXGraphBuilder {
  /// The version of ONNX's own operators.
  let opset: Int
  private(set) var nodes: [ONNXNode] = []
  private(set) var initializers: [ONNXTensor] = []
  /// The layer whose nodes are being written; names begin with it.
  var layer = ""
  private var used: Set<String>

  /// - Parameter names: names that no node may have, because they are those of inputs and layers.
  init(opset: Int, reserving names: some Sequence<String>) {
    self.opset = opset
    used = Set(names)
  }

  /// Adds a node with one result.
  ///
  /// - Parameter output: the result's name; nil makes one of the layer's name and the operator's.
  /// - Returns: the result's name.
  mutating func add(
    _ operation: String, _ inputs: [String], _ attributes: [ONNXAttribute] = [], output: String? = nil
  ) -> String {
    let name = unused("\(layer)/\(operation)")
    let result = output ?? name
    nodes.append(
      ONNXNode(
        name: name, operation: operation, inputs: inputs, outputs: [result], attributes: attributes))
    return result
  }

  /// Adds a tensor of floats.
  ///
  /// - Returns: its name.
  mutating func constant(_ name: String, _ dimensions: [Int], _ values: [Float]) -> String {
    let unique = unused("\(layer)/\(name)")
    initializers.append(ONNXTensor(unique, dimensions, floats: values))
    return unique
  }

  /// Adds a single float.
  mutating func constant(_ name: String, _ value: Float) -> String { constant(name, [], [value]) }

  /// Adds a list of whole numbers.
  mutating func integers(_ name: String, _ values: [Int]) -> String {
    let unique = unused("\(layer)/\(name)")
    initializers.append(ONNXTensor(unique, [values.count], integers: values))
    return unique
  }

  private mutating func unused(_ name: String) -> String {
    var unique = name
    var number = 1
    while !used.insert(unique).inserted {
      unique = "\(name)_\(number)"
      number += 1
    }
    return unique
  }
}

extension ONNXAttribute {
  static func axis(_ axis: Int) -> ONNXAttribute { .integer("axis", axis) }

  static func integer(_ name: String, _ value: Int) -> ONNXAttribute {
    ONNXAttribute(name: name, value: .integer(value))
  }

  static func integers(_ name: String, _ values: [Int]) -> ONNXAttribute {
    ONNXAttribute(name: name, value: .integers(values))
  }

  static func float(_ name: String, _ value: Float) -> ONNXAttribute {
    ONNXAttribute(name: name, value: .float(value))
  }

  static func text(_ name: String, _ value: String) -> ONNXAttribute {
    ONNXAttribute(name: name, value: .text(value))
  }
}
