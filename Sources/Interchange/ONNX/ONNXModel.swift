internal import Protobuf

/// A file of ONNX: a graph, and the sets of operators that it is written in.
///
/// Only those parts of ONNX's messages are here that convolutional networks need; the numbers of fields are those of
/// `onnx.proto`.
/// - SeeAlso: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>
struct ONNXModel {
  /// The version of the file format.
  var irVersion: Int
  /// The versions of the sets of operators by domain; the empty domain is ONNX's own.
  var opsets: [String: Int]
  /// The program that wrote the file.
  var producer: String
  var producerVersion: String
  /// What the model is, for people.
  var documentation = ""
  var graph: ONNXGraph
  /// What else the file says, in order.
  var metadata: [(key: String, value: String)] = []
  /// Whether the file defines operators of its own.
  var hasFunctions = false
}

/// Nodes between inputs and outputs, with the tensors that they take besides.
struct ONNXGraph {
  var name = ""
  var nodes: [ONNXNode] = []
  var initializers: [ONNXTensor] = []
  var inputs: [ONNXValueInfo] = []
  var outputs: [ONNXValueInfo] = []
  /// What is said of results inside.
  var values: [ONNXValueInfo] = []
  /// Whether some tensors are stored by their elements that are not zero.
  var hasSparseTensors = false
}

/// A use of an operator.
struct ONNXNode {
  var name = ""
  var operation: String
  /// The set that the operator belongs to; empty for ONNX's own.
  var domain = ""
  /// The names of results and tensors that it takes; an empty name leaves an input out.
  var inputs: [String]
  var outputs: [String]
  var attributes: [ONNXAttribute] = []
}

/// A setting of a node.
struct ONNXAttribute {
  enum Value {
    case float(Float)
    case integer(Int)
    case text(String)
    case tensor(ONNXTensor)
    case floats([Float])
    case integers([Int])
    case texts([String])
    /// A graph, or something else that no operator of a convolutional network has.
    case other
  }

  let name: String
  let value: Value
}

/// What is said of an input, an output or a result: its name, the type of its elements and its shape.
struct ONNXValueInfo {
  enum Dimension: Hashable {
    case size(Int)
    /// A size that is only known when the model is used, under this name.
    case open(String)
  }

  let name: String
  /// The number of the elements' type; nil where it is not a tensor.
  let elementType: Int?
  /// The shape; nil where nothing is said of it.
  let shape: [Dimension]?
}

// MARK: - Reading

/// Messages with the place that errors name.
struct ONNXFields {
  let fields: WireFields
  let place: String

  /// - Throws: ``InterchangeError`` for bytes that are no message.
  init(_ bytes: ArraySlice<UInt8>, _ place: String) throws {
    guard let fields = WireFields(bytes) else { throw Self.damaged(place) }
    self.fields = fields
    self.place = place
  }

  static func damaged(_ place: String) -> InterchangeError {
    InterchangeError(.badData, "\(place) is damaged or cut short; export or copy the model again")
  }

  func bytes(_ content: WireFields.Content) throws -> ArraySlice<UInt8> {
    guard case .bytes(let bytes) = content else { throw Self.damaged(place) }
    return bytes
  }

  func text(_ content: WireFields.Content) throws -> String {
    guard let text = String(validating: try bytes(content), as: UTF8.self) else {
      throw InterchangeError(.badData, "\(place) has a name that is not UTF-8; export the model again")
    }
    return text
  }

  func integer(_ content: WireFields.Content) throws -> Int {
    guard case .varint(let number) = content else { throw Self.damaged(place) }
    return Int(truncatingIfNeeded: number)
  }

  func integers(_ content: WireFields.Content) throws -> [Int] {
    guard let numbers = WireFields.integers(content) else { throw Self.damaged(place) }
    return numbers
  }

  func floats(_ content: WireFields.Content) throws -> [Float] {
    guard let numbers = WireFields.floats(content) else { throw Self.damaged(place) }
    return numbers
  }

  func message(_ content: WireFields.Content) throws -> ONNXFields {
    try ONNXFields(try bytes(content), place)
  }
}

extension ONNXModel {
  /// Reads a file's bytes.
  ///
  /// - Throws: ``InterchangeError`` for bytes that are no model of ONNX.
  init(_ content: [UInt8], path: String) throws {
    // Anything that protobuf can read might be a model; one without a graph and operators is not.
    guard let fields = WireFields(content[...]) else {
      throw InterchangeError(
        .badData, "\(path) is no ONNX model, or it is damaged or cut short; export or copy it again")
    }
    (irVersion, opsets, producer, producerVersion) = (0, [:], "", "")
    graph = ONNXGraph()
    var hasGraph = false
    let model = try ONNXFields(content[...], path)
    for (number, content) in fields.fields {
      switch number {
      case 1: irVersion = try model.integer(content)
      case 2: producer = try model.text(content)
      case 3: producerVersion = try model.text(content)
      case 6: documentation = try model.text(content)
      case 7:
        graph = try ONNXGraph(model.message(content))
        hasGraph = true
      case 8:
        let (domain, version) = try Self.opset(model.message(content))
        opsets[domain] = version
      case 14: metadata.append(try Self.entry(model.message(content)))
      case 25: hasFunctions = true
      default: continue
      }
    }
    guard hasGraph, !opsets.isEmpty else {
      throw InterchangeError(
        .badData, "\(path) is no ONNX model: it has no graph or names no operators; export the model again")
    }
  }

  private static func opset(_ message: ONNXFields) throws -> (domain: String, version: Int) {
    var (domain, version) = ("", 0)
    for (number, content) in message.fields.fields {
      if number == 1 { domain = try message.text(content) }
      if number == 2 { version = try message.integer(content) }
    }
    return (domain == "ai.onnx" ? "" : domain, version)
  }

  private static func entry(_ message: ONNXFields) throws -> (key: String, value: String) {
    var (key, value) = ("", "")
    for (number, content) in message.fields.fields {
      if number == 1 { key = try message.text(content) }
      if number == 2 { value = try message.text(content) }
    }
    return (key, value)
  }
}

extension ONNXGraph {
  init(_ message: ONNXFields) throws {
    for (number, content) in message.fields.fields {
      switch number {
      case 1: nodes.append(try ONNXNode(message.message(content)))
      case 2: name = try message.text(content)
      case 5: initializers.append(try ONNXTensor(message.message(content)))
      case 11: inputs.append(try ONNXValueInfo(message.message(content)))
      case 12: outputs.append(try ONNXValueInfo(message.message(content)))
      case 13: values.append(try ONNXValueInfo(message.message(content)))
      case 15: hasSparseTensors = true
      default: continue
      }
    }
  }
}

extension ONNXNode {
  init(_ message: ONNXFields) throws {
    (operation, inputs, outputs) = ("", [], [])
    for (number, content) in message.fields.fields {
      switch number {
      case 1: inputs.append(try message.text(content))
      case 2: outputs.append(try message.text(content))
      case 3: name = try message.text(content)
      case 4: operation = try message.text(content)
      case 5: attributes.append(try ONNXAttribute(message.message(content)))
      case 7:
        let text = try message.text(content)
        domain = text == "ai.onnx" ? "" : text
      default: continue
      }
    }
  }
}

extension ONNXAttribute {
  init(_ message: ONNXFields) throws {
    var name = ""
    var type = 0
    var (float, integer, text): (Float, Int, String) = (0, 0, "")
    var tensor: ONNXTensor?
    var (floats, integers, texts): ([Float], [Int], [String]) = ([], [], [])
    for (number, content) in message.fields.fields {
      switch number {
      case 1: name = try message.text(content)
      case 2: float = try message.floats(content).first ?? 0
      case 3: integer = try message.integer(content)
      // Texts are bytes in ONNX; those of operators are words.
      case 4: text = String(decoding: try message.bytes(content), as: UTF8.self)
      case 5: tensor = try ONNXTensor(message.message(content))
      case 7: floats += try message.floats(content)
      case 8: integers += try message.integers(content)
      case 9: texts.append(String(decoding: try message.bytes(content), as: UTF8.self))
      case 20: type = try message.integer(content)
      default: continue
      }
    }
    self.name = name
    value =
      switch type {
      case 1: .float(float)
      case 2: .integer(integer)
      case 3: .text(text)
      case 4: tensor.map(Value.tensor) ?? .other
      case 6: .floats(floats)
      case 7: .integers(integers)
      case 8: .texts(texts)
      default: .other
      }
  }
}

extension ONNXValueInfo {
  init(_ message: ONNXFields) throws {
    var name = ""
    var elementType: Int?
    var shape: [Dimension]?
    for (number, content) in message.fields.fields {
      if number == 1 { name = try message.text(content) }
      guard number == 2 else { continue }
      let type = try message.message(content)
      for (number, content) in type.fields.fields where number == 1 {
        let tensor = try type.message(content)
        for (number, content) in tensor.fields.fields {
          if number == 1 { elementType = try tensor.integer(content) }
          if number == 2 { shape = try Self.shape(tensor.message(content)) }
        }
      }
    }
    (self.name, self.elementType, self.shape) = (name, elementType, shape)
  }

  private static func shape(_ message: ONNXFields) throws -> [Dimension] {
    var dimensions: [Dimension] = []
    for (number, content) in message.fields.fields where number == 1 {
      let dimension = try message.message(content)
      var size = Dimension.open("")
      for (number, content) in dimension.fields.fields {
        if number == 1 { size = .size(try dimension.integer(content)) }
        if number == 2 { size = .open(try dimension.text(content)) }
      }
      // Some programs write an open size as 0 or −1.
      if case .size(let number) = size, number <= 0 { size = .open("") }
      dimensions.append(size)
    }
    return dimensions
  }
}

// MARK: - Writing

extension ONNXModel {
  /// The file's bytes.
  var bytes: [UInt8] {
    var message = WireMessage()
    message.add(1, irVersion)
    message.add(2, producer)
    message.add(3, producerVersion)
    if !documentation.isEmpty { message.add(6, documentation) }
    message.add(7, graph.message)
    for (domain, version) in opsets.sorted(by: { $0.key < $1.key }) {
      var opset = WireMessage()
      opset.add(1, domain)
      opset.add(2, version)
      message.add(8, opset)
    }
    for (key, value) in metadata {
      var entry = WireMessage()
      entry.add(1, key)
      entry.add(2, value)
      message.add(14, entry)
    }
    return message.bytes
  }
}

extension ONNXGraph {
  fileprivate var message: WireMessage {
    var message = WireMessage()
    for node in nodes { message.add(1, node.message) }
    message.add(2, name)
    for tensor in initializers { message.add(5, tensor.message) }
    for input in inputs { message.add(11, input.message) }
    for output in outputs { message.add(12, output.message) }
    return message
  }
}

extension ONNXNode {
  fileprivate var message: WireMessage {
    var message = WireMessage()
    for input in inputs { message.add(1, input) }
    for output in outputs { message.add(2, output) }
    message.add(3, name)
    message.add(4, operation)
    for attribute in attributes { message.add(5, attribute.message) }
    if !domain.isEmpty { message.add(7, domain) }
    return message
  }
}

extension ONNXAttribute {
  fileprivate var message: WireMessage {
    var message = WireMessage()
    message.add(1, name)
    switch value {
    case .float(let number):
      message.add(2, number)
      message.add(20, 1)
    case .integer(let number):
      message.add(3, number)
      message.add(20, 2)
    case .text(let text):
      message.add(4, text)
      message.add(20, 3)
    case .tensor(let tensor):
      message.add(5, tensor.message)
      message.add(20, 4)
    case .floats(let numbers):
      for number in numbers { message.add(7, number) }
      message.add(20, 6)
    case .integers(let numbers):
      message.add(8, packed: numbers)
      message.add(20, 7)
    case .texts(let texts):
      for text in texts { message.add(9, text) }
      message.add(20, 8)
    case .other: preconditionFailure("the attribute \(name) cannot be written")
    }
    return message
  }
}

extension ONNXValueInfo {
  fileprivate var message: WireMessage {
    var dimensions = WireMessage()
    for dimension in shape ?? [] {
      var size = WireMessage()
      switch dimension {
      case .size(let number): size.add(1, number)
      case .open(let name): size.add(2, name)
      }
      dimensions.add(1, size)
    }
    var tensor = WireMessage()
    if let elementType { tensor.add(1, elementType) }
    if shape != nil { tensor.add(2, dimensions) }
    var type = WireMessage()
    type.add(1, tensor)
    var message = WireMessage()
    message.add(1, name)
    message.add(2, type)
    return message
  }
}
