internal import Foundation
internal import Paths
internal import Protobuf
internal import SwiftProtobuf

// Models as the messages of their files (`Sources/Protobuf/onnx.proto`), in both directions.

extension ONNXModel {
  /// Reads a file's bytes.
  ///
  /// - Parameter path: the file's, which stands for it in messages; values in other files are looked for beside it.
  /// - Throws: ``InterchangeError`` for bytes that are no model of ONNX.
  init(_ content: [UInt8], path: String) throws {
    let message = try Self.message(content, path)
    // Anything that protobuf can read might be a model; one without a graph and operators is not.
    guard message.hasGraph, !message.opsetImport.isEmpty else {
      throw InterchangeError(
        .badData, "\(path) is no ONNX model: it has no graph or names no operators; export the model again")
    }
    irVersion = Int(message.irVersion)
    opsets = Dictionary(
      message.opsetImport.map { (ONNXNode.domain($0.domain), Int($0.version)) }, uniquingKeysWith: { $1 })
    (producer, producerVersion) = (message.producerName, message.producerVersion)
    documentation = message.docString
    graph = ONNXGraph(message.graph, folder: Folder.parent(of: path))
    metadata = message.metadataProps.map { ($0.key, $0.value) }
    functions = Set(message.functions.map { ONNXOperator(domain: ONNXNode.domain($0.domain), name: $0.name) })
  }

  private static func message(_ content: [UInt8], _ path: String) throws -> ONNXModelProto {
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    do { return try ONNXModelProto(serializedBytes: content, options: options) } catch {
      throw InterchangeError(
        .badData,
        error as? BinaryDecodingError == .invalidUTF8
          ? "\(path) has a name that is not UTF-8; export the model again"
          : "\(path) is no ONNX model, or it is damaged or cut short; export or copy it again")
    }
  }

  /// The file's bytes.
  ///
  /// - Throws: ``InterchangeError`` for more than a message may have, 2 GiB.
  var bytes: [UInt8] {
    get throws {
      let message = ONNXModelProto.with {
        $0.irVersion = Int64(irVersion)
        ($0.producerName, $0.producerVersion) = (producer, producerVersion)
        if !documentation.isEmpty { $0.docString = documentation }
        $0.graph = graph.message
        $0.opsetImport = opsets.sorted { $0.key < $1.key }.map { domain, version in
          .with { ($0.domain, $0.version) = (domain, Int64(version)) }
        }
        $0.metadataProps = metadata.map { key, value in .with { ($0.key, $0.value) = (key, value) } }
        $0.functions = functions.map { function in
          .with { ($0.name, $0.domain) = (function.name, function.domain) }
        }
      }
      do { return try message.serializedBytes() } catch {
        throw InterchangeError(.usage, "the model is too large: a file of ONNX holds less than 2 GiB")
      }
    }
  }
}

extension ONNXGraph {
  fileprivate init(_ message: ONNXGraphProto, folder: String) {
    name = message.name
    nodes = message.node.map { ONNXNode($0, folder: folder) }
    initializers = message.initializer.map { ONNXTensor($0, folder: folder) }
    inputs = message.input.map(ONNXValueInfo.init)
    outputs = message.output.map(ONNXValueInfo.init)
    values = message.valueInfo.map(ONNXValueInfo.init)
    hasSparseTensors = !message.sparseInitializer.isEmpty
  }

  fileprivate var message: ONNXGraphProto {
    .with {
      $0.name = name
      $0.node = nodes.map(\.message)
      $0.initializer = initializers.map(\.message)
      $0.input = inputs.map(\.message)
      $0.output = outputs.map(\.message)
    }
  }
}

extension ONNXNode {
  /// ONNX's own set has two names.
  fileprivate static func domain(_ text: String) -> String { text == "ai.onnx" ? "" : text }

  fileprivate init(_ message: ONNXNodeProto, folder: String) {
    self.init(
      name: message.name, operation: message.opType, domain: Self.domain(message.domain),
      inputs: message.input, outputs: message.output,
      attributes: message.attribute.map { ONNXAttribute($0, folder: folder) }, scopes: Self.scopes(message))
  }

  /// The modules of PyTorch that its exporter says a node is in.
  ///
  /// They are written as Python prints a list: `['', 'layer1', 'layer1.0', 'relu']`.
  private static func scopes(_ message: ONNXNodeProto) -> [String] {
    let text = message.metadataProps.first { $0.key == "pkg.torch.onnx.name_scopes" }?.value ?? ""
    let parts = text.split(separator: "'", omittingEmptySubsequences: false)
    // What stands between quotes is every second part.
    return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
  }

  fileprivate var message: ONNXNodeProto {
    .with {
      ($0.name, $0.opType) = (name, operation)
      ($0.input, $0.output) = (inputs, outputs)
      $0.attribute = attributes.map(\.message)
      if !domain.isEmpty { $0.domain = domain }
    }
  }
}

extension ONNXAttribute {
  fileprivate init(_ message: ONNXAttributeProto, folder: String) {
    name = message.name
    // Texts are bytes in ONNX; those of operators are words.
    func text(_ bytes: Data) -> String { String(decoding: bytes, as: UTF8.self) }
    value =
      switch message.type {
      case .float: .float(message.f)
      case .int: .integer(Int(message.i))
      case .string: .text(text(message.s))
      case .tensor: message.hasT ? .tensor(ONNXTensor(message.t, folder: folder)) : .other
      case .floats: .floats(message.floats)
      case .ints: .integers(message.ints.map { Int($0) })
      case .strings: .texts(message.strings.map(text))
      case .undefined: .other
      }
  }

  fileprivate var message: ONNXAttributeProto {
    .with {
      $0.name = name
      switch value {
      case .float(let number): ($0.type, $0.f) = (.float, number)
      case .integer(let number): ($0.type, $0.i) = (.int, Int64(number))
      case .text(let text): ($0.type, $0.s) = (.string, Data(text.utf8))
      case .tensor(let tensor): ($0.type, $0.t) = (.tensor, tensor.message)
      case .floats(let numbers): ($0.type, $0.floats) = (.floats, numbers)
      case .integers(let numbers): ($0.type, $0.ints) = (.ints, numbers.map { Int64($0) })
      case .texts(let texts): ($0.type, $0.strings) = (.strings, texts.map { Data($0.utf8) })
      case .other: preconditionFailure("the attribute \(name) cannot be written")
      }
    }
  }
}

extension ONNXValueInfo {
  fileprivate init(_ message: ONNXValueInfoProto) {
    name = message.name
    guard case .tensorType(let tensor) = message.type.value else {
      (elementType, shape) = (nil, nil)
      return
    }
    elementType = tensor.hasElemType ? Int(tensor.elemType) : nil
    shape = tensor.hasShape ? tensor.shape.dim.map(Dimension.init) : nil
  }

  fileprivate var message: ONNXValueInfoProto {
    .with {
      $0.name = name
      if let elementType { $0.type.tensorType.elemType = Int32(elementType) }
      if let shape { $0.type.tensorType.shape.dim = shape.map(\.message) }
    }
  }
}

extension ONNXValueInfo.Dimension {
  fileprivate init(_ message: ONNXTensorShapeProto.Dimension) {
    switch message.value {
    case .dimParam(let name): self = .open(name)
    // Some programs write an open size as 0 or −1.
    case .dimValue(let size): self = size > 0 ? .size(Int(size)) : .open("")
    case nil: self = .open("")
    }
  }

  fileprivate var message: ONNXTensorShapeProto.Dimension {
    .with {
      switch self {
      case .size(let number): $0.dimValue = Int64(number)
      case .open(let name): $0.dimParam = name
      }
    }
  }
}
