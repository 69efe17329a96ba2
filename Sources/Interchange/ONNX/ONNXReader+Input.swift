internal import Networks
internal import Tensors

// The input of a graph: its shape, and whether its channels come first.
extension ONNXReader {
  mutating func readInput(_ chosen: Shape?) throws {
    let inputs = graph.inputs.filter { values[$0.name] == nil }
    guard inputs.count == 1 else {
      throw InterchangeError(
        .badData,
        "\(path) has \(inputs.count) inputs (\(inputs.prefix(20).map(\.name).joined(separator: ", "))); only models with one can be read"
      )
    }
    let input = inputs[0]
    guard let shape = input.shape, (2...4).contains(shape.count) else {
      throw InterchangeError(
        .badData,
        "\(path): the input '\(input.name)' has \(input.shape.map { "\($0.count) dimensions" } ?? "no shape"), and vectors, sequences "
          + "or images with the samples in front are expected")
    }
    if case .size(let number) = shape[0] { sampleCount = number }
    let isChannelsLast = shape.count > 2 && hasChannelsLast(input.name, rank: shape.count)
    let sizes = shape.dropFirst().map { dimension -> Int? in
      if case .size(let size) = dimension { size } else { nil }
    }
    let inOurOrder = isChannelsLast || sizes.count == 1 ? sizes : Array(sizes[1...]) + [sizes[0]]
    inputShape = try shapeOfInput(inOurOrder, chosen)
    let parts = fresh(inputShape.dimensions)
    let theirs = isChannelsLast ? parts : Array(parts.suffix(1) + parts.dropLast())
    shapes[Network.inputName] = inputShape
    values[input.name] = .result(
      ONNXResult(layer: Network.inputName, ours: parts, theirs: theirs))
    if parts.count > 1 {
      let names = parts.count == 3 ? ["height", "width", "channels"] : ["length", "channels"]
      let theirNames = isChannelsLast ? names : names.suffix(1) + names.dropLast()
      notes.append(
        "the model takes [N, \(theirNames.joined(separator: ", "))], and the network [\(names.joined(separator: ", "))]: \(inputShape)"
      )
    }
  }

  /// The shape of one sample: the file's, or the call's where the file leaves sizes open.
  private func shapeOfInput(_ found: [Int?], _ chosen: Shape?) throws -> Shape {
    let text = found.map { $0.map(String.init) ?? "any" }.joined(separator: "×")
    if let chosen {
      guard chosen.rank == found.count, zip(chosen.dimensions, found).allSatisfy({ $1 == nil || $0 == $1 })
      else {
        throw InterchangeError(.usage, "\(path) takes \(text), which an input of \(chosen) does not fit")
      }
      return chosen
    }
    let known = found.compactMap(\.self)
    guard known.count == found.count else {
      throw InterchangeError(
        .usage,
        "\(path) takes inputs of \(text) (channels last); give their shape with --input, such as --input 224x224x3"
      )
    }
    guard known.allSatisfy({ (1...1 << 24).contains($0) }),
      known.reduce(1.0, { $0 * Double($1) }) < Self.tooLarge
    else {
      throw InterchangeError(
        .badData, "\(path): an input of \(Shape(known)) is empty, or too large to be meant")
    }
    return Shape(known)
  }

  /// Whether images come with their channels last: before anything that knows channels, a transposition puts them first.
  private func hasChannelsLast(_ input: String, rank: Int) -> Bool {
    let passing: Set = ["Cast", "Identity", "Add", "Sub", "Mul", "Div", "Clip", "Neg"]
    var users: [String: [Int]] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for name in node.inputs { users[name, default: []].append(index) }
    }
    var names = [input]
    var seen: Set<String> = []
    let last = [0, rank - 1] + Array(1..<rank - 1)
    while let name = names.popLast() {
      guard seen.insert(name).inserted else { continue }
      for node in (users[name] ?? []).map({ graph.nodes[$0] }) {
        if node.operation == "Transpose" {
          let order = node.attributes.first { $0.name == "perm" }?.value
          if case .integers(let order) = order, order == last { return true }
        }
        if passing.contains(node.operation) { names += node.outputs }
      }
    }
    return false
  }
}
