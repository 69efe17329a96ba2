internal import Networks

/// The call of a layer in a functional model: the results that it takes, and its other arguments.
struct KerasCall {
  /// A result of a layer.
  struct Source {
    let layer: String
    /// Which of the layer's results it is, from 0.
    let tensor: Int
  }

  /// The layer, or a layer that does the same where an operation combines a result with a number.
  let layer: JSONValue
  let sources: [Source]

  private enum Operand {
    case source(Source)
    case number(Double)
    /// Anything else, as the file has it.
    case constant(JSONValue)

    var source: Source? {
      if case .source(let source) = self { source } else { nil }
    }
  }

  /// Reads the call of a layer.
  ///
  /// - Parameters:
  ///   - layer: an entry of the model's `layers`.
  ///   - place: the name of the layer in messages.
  /// - Throws: ``InterchangeError`` for a layer that is called several times, or with something that has no counterpart here.
  init(_ layer: JSONValue, place: String) throws {
    guard let calls = layer["inbound_nodes"]?.elements, !calls.isEmpty else {
      (self.layer, sources) = (layer, [])
      return
    }
    guard calls.count == 1 else {
      throw InterchangeError(
        .badData, "\(place) is called \(calls.count) times; layers that share their weights are not supported"
      )
    }
    let className = layer["class_name"]?.string ?? "?"
    let operation = className == "TFOpLambda" ? layer["config"]?["function"]?.string : nil
    let operands =
      calls[0].elements != nil
      ? try Self.operands(ofList: calls[0], isOperation: operation != nil, place: place)
      : try Self.operands(ofObject: calls[0], place: place)
    let sources = operands.compactMap(\.source)
    guard let second = sources.first(where: { $0.tensor != 0 }) else {
      self.layer = try Self.layer(
        layer, operation ?? className, operands, isOperation: operation != nil, place)
      self.sources = sources
      return
    }
    throw InterchangeError(
      .badData,
      "\(place) takes the second result of '\(second.layer)'; only layers with one result are supported")
  }

  // MARK: - Keras 2: lists

  /// `["name", node, tensor, {…}]`, alone or several times; the map holds the other arguments.
  private static func operands(
    ofList value: JSONValue, isOperation: Bool, place: String
  ) throws -> [Operand] {
    guard let elements = value.elements, let first = elements.first else { return [] }
    guard let name = first.string else {
      return try elements.flatMap { try operands(ofList: $0, isOperation: isOperation, place: place) }
    }
    let result: Operand
    if name == "_CONSTANT_VALUE" {
      result = operand(elements.dropFirst(2).first ?? .null)
    } else {
      result = .source(Source(layer: name, tensor: elements.dropFirst(2).first?.integer ?? 0))
    }
    var others = elements.dropFirst(3).first?.members ?? [:]
    var found = [result]
    if isOperation, let other = others.removeValue(forKey: "y") {
      found += other.elements == nil ? [operand(other)] : tensors(other).map(Operand.source)
    }
    try check(others, place)
    return found
  }

  /// Results in the form of a list: `["name", node, tensor]`, alone or several times.
  static func tensors(_ value: JSONValue) -> [Source] {
    guard let elements = value.elements else { return [] }
    if let name = elements.first?.string {
      return [Source(layer: name, tensor: elements.dropFirst(2).first?.integer ?? 0)]
    }
    return elements.flatMap(tensors)
  }

  // MARK: - Keras 3: objects

  /// `{"args": […], "kwargs": {…}}`.
  private static func operands(ofObject value: JSONValue, place: String) throws -> [Operand] {
    try check(value["kwargs"]?.members ?? [:], place)
    return (value["args"]?.elements ?? []).flatMap(operands)
  }

  private static func operands(_ value: JSONValue) -> [Operand] {
    guard let elements = value.elements else { return value.isNull ? [] : [operand(value)] }
    return elements.flatMap(operands)
  }

  /// `{"class_name": "__keras_tensor__", "config": {"keras_history": ["name", node, tensor]}}`, or a constant.
  private static func operand(_ value: JSONValue) -> Operand {
    if value["class_name"]?.string == "__keras_tensor__",
      let history = value["config"]?["keras_history"]?.elements, let name = history.first?.string
    {
      return .source(Source(layer: name, tensor: history.dropFirst(2).first?.integer ?? 0))
    }
    return value.double.map(Operand.number) ?? .constant(value)
  }

  // MARK: - What a call may contain

  /// Refuses arguments by name that change what a layer computes.
  private static func check(_ arguments: [String: JSONValue], _ place: String) throws {
    let changing = arguments.filter { name, value in
      !value.isNull && value != false && name != "name"
    }
    guard let (name, value) = changing.min(by: { $0.key < $1.key }) else { return }
    let text = (try? value.text()) ?? "?"
    throw InterchangeError(
      .badData, "\(place) is called with \(name) = \(text.prefix(60)), which is not supported")
  }

  /// The layer for an operation: an operation with a number becomes a factor and an offset.
  private static func layer(
    _ layer: JSONValue, _ operation: String, _ operands: [Operand], isOperation: Bool, _ place: String
  ) throws -> JSONValue {
    let name: JSONValue = layer["config"]?["name"] ?? layer["name"] ?? .null
    func made(_ className: String, _ options: [String: JSONValue]) -> JSONValue {
      .object([
        "class_name": .string(className), "config": .object(options.merging(["name": name]) { $1 }),
      ])
    }
    func rescaling(_ scale: Double, _ offset: Double) -> JSONValue {
      made("Rescaling", ["scale": .number(scale), "offset": .number(offset)])
    }
    let arithmetic = Arithmetic(operation)
    if let arithmetic, operands.count == 2 {
      switch (arithmetic, operands[0], operands[1]) {
      case (.add, .source, .number(let number)), (.add, .number(let number), .source):
        return rescaling(1, number)
      case (.subtract, .source, .number(let number)): return rescaling(1, -number)
      case (.subtract, .number(let number), .source): return rescaling(-1, number)
      case (.multiply, .source, .number(let number)), (.multiply, .number(let number), .source):
        return rescaling(number, 0)
      case (.divide, .source, .number(let number)) where number != 0: return rescaling(1 / number, 0)
      case (.add, .source, .source) where isOperation: return made("Add", [:])
      case (.subtract, .source, .source) where isOperation: return made("Subtract", [:])
      case (.multiply, .source, .source) where isOperation: return made("Multiply", [:])
      case (.add, _, _), (.subtract, _, _), (.multiply, _, _), (.divide, _, _): break
      }
    }
    for operand in operands {
      let text: String
      switch operand {
      case .source: continue
      case .number(let number): text = "\(number)"
      case .constant(let value): text = (try? value.text()) ?? "?"
      }
      throw InterchangeError(
        .badData,
        "\(place) takes the constant \(text.prefix(60)); a result can only be multiplied or divided by a number, or have one added "
          + "or subtracted")
    }
    return layer
  }

  /// Arithmetic on two operands, under the names of Keras 3's and TensorFlow's operations.
  private enum Arithmetic {
    case add
    case subtract
    case multiply
    case divide

    init?(_ name: String) {
      switch name {
      case "Add", "math.add", "__operators__.add": self = .add
      case "Subtract", "math.subtract", "__operators__.subtract": self = .subtract
      case "Multiply", "math.multiply", "__operators__.multiply": self = .multiply
      case "TrueDivide", "Divide", "math.truediv", "math.divide", "__operators__.truediv": self = .divide
      default: return nil
      }
    }
  }
}
