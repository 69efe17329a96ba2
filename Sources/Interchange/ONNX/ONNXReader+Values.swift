// What names in a graph stand for.
extension ONNXReader {
  mutating func set(_ name: String, _ value: Value) { values[name] = value }

  mutating func set(_ node: ONNXNode, _ result: ONNXResult) { values[node.outputs[0]] = .result(result) }

  func value(_ name: String) -> Value? { values[name] }

  /// A constant input; nil where the input is left out or is a result.
  mutating func constant(_ node: ONNXNode, _ index: Int) throws -> ONNXConstant? {
    guard let name = node.input(index), let value = values[name] else { return nil }
    switch value {
    case .constant(let constant): return constant
    case .tensor(let tensor): return try ONNXConstant(tensor, "\(path): the tensor '\(name.prefix(200))'")
    case .result, .partial: return nil
    }
  }

  /// An input that must be a result of layers.
  func result(_ node: ONNXNode, _ index: Int = 0) throws -> ONNXResult {
    guard let name = node.input(index), let value = values[name] else {
      throw InterchangeError(.badData, "\(path): \(node.place) has no input \(index)")
    }
    switch value {
    case .result(let result): return result
    case .tensor, .constant:
      throw InterchangeError(
        .badData, "\(path): \(node.place) takes the constant '\(name.prefix(200))' where a result is expected"
      )
    case .partial(let partial):
      throw InterchangeError(
        .badData, "\(path): \(node.place) takes a part of a formula: \(partial.explanation)")
    }
  }

  /// What a node has noted under a name.
  func result(named name: String, _ node: ONNXNode) throws -> ONNXResult {
    guard case .result(let result) = values[name] else {
      throw InterchangeError(.badData, "\(path): \(node.place) gives no values")
    }
    return result
  }

  /// An input that must be a constant.
  mutating func weights(_ node: ONNXNode, _ index: Int, _ noun: String) throws -> ONNXConstant {
    guard let constant = try constant(node, index) else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): its \(noun) is missing, or computed from the input, which is not supported")
    }
    return constant
  }
}
