/// The attributes of one node, read strictly: one that is neither read nor known to change nothing is an error.
struct ONNXAttributes {
  let node: ONNXNode
  /// `path: node 'name' (Operator)`, for messages.
  let place: String
  private var unread: Set<String>

  init(_ node: ONNXNode, path: String) {
    self.node = node
    place = "\(path): \(node.place)"
    unread = Set(node.attributes.map(\.name))
  }

  private mutating func value(_ name: String) -> ONNXAttribute.Value? {
    unread.remove(name)
    return node.attributes.first { $0.name == name }?.value
  }

  mutating func integer(_ name: String, default fallback: Int) throws -> Int {
    guard let value = value(name) else { return fallback }
    guard case .integer(let number) = value else { throw wrong(name, "a whole number") }
    return number
  }

  mutating func float(_ name: String, default fallback: Float) throws -> Float {
    guard let value = value(name) else { return fallback }
    guard case .float(let number) = value, number.isFinite else { throw wrong(name, "a finite number") }
    return number
  }

  mutating func text(_ name: String, default fallback: String) throws -> String {
    guard let value = value(name) else { return fallback }
    guard case .text(let text) = value else { throw wrong(name, "a word") }
    return text
  }

  mutating func integers(_ name: String) throws -> [Int]? {
    guard let value = value(name) else { return nil }
    guard case .integers(let numbers) = value else { throw wrong(name, "whole numbers") }
    return numbers
  }

  /// A size for each dimension of a window, each from 1 to 2²⁰.
  mutating func sizes(_ name: String, count: Int) throws -> [Int] {
    let sizes = try integers(name) ?? [Int](repeating: 1, count: count)
    guard sizes.count == count, sizes.allSatisfy({ (1...1 << 20).contains($0) }) else {
      throw wrong(name, "\(count) whole numbers from 1 on")
    }
    return sizes
  }

  mutating func floats(_ name: String) throws -> [Float]? {
    guard let value = value(name) else { return nil }
    guard case .floats(let numbers) = value else { throw wrong(name, "numbers") }
    return numbers
  }

  mutating func tensor(_ name: String) throws -> ONNXTensor? {
    guard let value = value(name) else { return nil }
    guard case .tensor(let tensor) = value else { throw wrong(name, "a tensor") }
    return tensor
  }

  /// Leaves an attribute out of account, because it changes nothing here.
  mutating func ignore(_ names: String...) { unread.subtract(names) }

  /// Refuses attributes that nothing read.
  func finish() throws {
    guard let name = unread.min() else { return }
    throw InterchangeError(.badData, "\(place): the attribute \(name) is not supported")
  }

  func wrong(_ name: String, _ wanted: String) -> InterchangeError {
    InterchangeError(.badData, "\(place): the attribute \(name) is not \(wanted)")
  }

  /// An error at the node.
  func refused(_ reason: String) -> InterchangeError { InterchangeError(.badData, "\(place): \(reason)") }
}

extension ONNXNode {
  /// `node 'name' (Operator)`, for messages; a node without a name is called after its result.
  var place: String {
    let name = name.isEmpty ? outputs.first ?? "" : name
    return "node '\(name.prefix(200))' (\((domain.isEmpty ? "" : "\(domain).") + operation))"
  }

  /// The name of an input; nil where it is left out.
  func input(_ index: Int) -> String? {
    index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
  }
}
