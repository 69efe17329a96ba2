internal import Foundation
internal import Protobuf
internal import SwiftProtobuf
internal import Tensors

/// A tensor of a file of ONNX: a weight, or a number of a node.
struct ONNXTensor {
  /// The types of elements that are read; the numbers are ONNX's.
  enum ElementType: Int {
    case float = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case bool = 9
    case float16 = 10
    case double = 11
    case uint32 = 12
    case uint64 = 13
    case bfloat16 = 16

    var byteCount: Int {
      switch self {
      case .uint8, .int8, .bool: 1
      case .uint16, .int16, .float16, .bfloat16: 2
      case .float, .int32, .uint32: 4
      case .int64, .double, .uint64: 8
      }
    }

    var isInteger: Bool {
      switch self {
      case .float, .float16, .double, .bfloat16: false
      case .uint8, .int8, .uint16, .int16, .int32, .int64, .bool, .uint32, .uint64: true
      }
    }
  }

  var name = ""
  /// The sizes, outermost first.
  var dimensions: [Int]
  /// The number of the type, which may be none of ``ElementType``.
  var type: Int
  private var storage = Storage.none

  private enum Storage {
    case none
    /// The elements as they lie in memory.
    case raw(Data)
    case floats([Float])
    case doubles([Double])
    case integers([Int])
    /// In another file.
    case external(ONNXExternalValues)
  }

  /// Whether the elements are in another file.
  var isExternal: Bool { if case .external = storage { true } else { false } }

  /// The type of the elements; nil for one that is not read here.
  var elementType: ElementType? { ElementType(rawValue: type) }
}

// MARK: - Reading

extension ONNXTensor {
  /// - Parameter folder: that of the model, in which other files may be.
  init(_ message: ONNXTensorProto, folder: String) {
    name = message.name
    dimensions = message.dims.map { Int($0) }
    type = Int(message.dataType)
    if message.dataLocation == .external {
      let said = Dictionary(message.externalData.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
      storage = .external(ONNXExternalValues(said, folder: folder))
    } else {
      storage = message.hasRawData ? .raw(message.rawData) : Self.listed(message)
    }
  }

  /// Elements in the field of their type.
  private static func listed(_ message: ONNXTensorProto) -> Storage {
    let integers =
      message.int32Data.map { Int($0) } + message.int64Data.map { Int($0) }
      + message.uint64Data.map { Int(truncatingIfNeeded: $0) }
    return if !message.doubleData.isEmpty {
      .doubles(message.doubleData)
    } else if !integers.isEmpty {
      .integers(integers)
    } else {
      message.floatData.isEmpty ? .none : .floats(message.floatData)
    }
  }

  /// The type of the elements and the number that the sizes give.
  ///
  /// - Parameter place: names the tensor in messages.
  /// - Throws: ``InterchangeError`` for an unknown type, and sizes that no tensor has.
  private func said(_ place: String) throws -> (count: Int, type: ElementType) {
    guard let elementType else {
      throw InterchangeError(.badData, "\(place) has elements of ONNX's type \(type), which is not supported")
    }
    var count = 1
    for size in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { throw Self.lying(place, dimensions, holding: "no such number") }
      count = product
    }
    return (count, elementType)
  }

  /// The elements and their type, checked against what the tensor says of them.
  ///
  /// - Throws: ``InterchangeError`` for an unknown type, sizes that do not fit, and another file that cannot be read.
  private func loaded(_ place: String) throws -> (storage: Storage, type: ElementType) {
    let (count, elementType) = try said(place)
    let found: Int
    switch storage {
    case .none: found = 0
    case .raw(let bytes):
      guard bytes.count % elementType.byteCount == 0 else {
        throw Self.lying(place, dimensions, holding: "\(bytes.count) bytes")
      }
      found = bytes.count / elementType.byteCount
    case .floats(let numbers): found = numbers.count
    case .doubles(let numbers): found = numbers.count
    case .integers(let numbers): found = numbers.count
    case .external:
      guard let (values, byteCount) = try externalPart(place) else { return (.none, elementType) }
      return (.raw(try values.bytes(byteCount, place)), elementType)
    }
    guard found == count, found > 0 || ONNXConstant.allows(dimensions) else {
      throw Self.lying(place, dimensions, holding: "\(found)")
    }
    return (storage, elementType)
  }

  /// Where the elements are in another file, and how many bytes they take; nil where they are not, or there are none.
  ///
  /// - Throws: ``InterchangeError`` for an unknown type, and sizes that no tensor has.
  func externalPart(_ place: String) throws -> (values: ONNXExternalValues, byteCount: Int)? {
    guard case .external(let values) = storage else { return nil }
    let (count, type) = try said(place)
    guard ONNXConstant.allows(dimensions) else {
      throw Self.lying(place, dimensions, holding: "no such number")
    }
    return count == 0 ? nil : (values, count * type.byteCount)
  }

  private static func lying(_ place: String, _ dimensions: [Int], holding found: String) -> InterchangeError {
    let shape = dimensions.map(String.init).joined(separator: "×")
    return InterchangeError(
      .badData,
      "\(place) says that it has \(shape.isEmpty ? "1" : shape) elements and holds \(found); export or copy the model again"
    )
  }

  /// The elements as floats, rounded where they have more digits.
  func floats(_ place: String) throws -> [Float] {
    let (storage, type) = try loaded(place)
    switch storage {
    case .none, .external: return []
    case .floats(let numbers): return numbers
    case .doubles(let numbers): return numbers.map { Float($0) }
    case .integers(let numbers):
      // Narrow floats stand among the integers by their bits.
      switch type {
      case .float16: return numbers.map { Self.float(half: UInt16(truncatingIfNeeded: $0)) }
      case .bfloat16: return numbers.map { Float(bitPattern: UInt32(UInt16(truncatingIfNeeded: $0)) << 16) }
      default: return numbers.map { Float($0) }
      }
    case .raw(let bytes):
      func read<Element: BitwiseCopyable>(_: Element.Type) -> [Element] {
        [Element](littleEndian: bytes) ?? []
      }
      switch type {
      case .float: return read(Float.self)
      case .double: return read(Double.self).map { Float($0) }
      case .float16: return read(UInt16.self).map(Self.float(half:))
      case .bfloat16: return read(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
      case .uint8, .int8, .uint16, .int16, .int32, .int64, .bool, .uint32, .uint64:
        return try integers(place).map { Float($0) }
      }
    }
  }

  /// The elements as whole numbers.
  func integers(_ place: String) throws -> [Int] {
    let (storage, type) = try loaded(place)
    guard type.isInteger else {
      throw InterchangeError(.badData, "\(place) holds no whole numbers, where some are expected")
    }
    switch storage {
    case .none, .floats, .doubles, .external: return []
    case .integers(let numbers): return numbers
    case .raw(let bytes):
      func read<Element: FixedWidthInteger & BitwiseCopyable>(_: Element.Type) -> [Int] {
        ([Element](littleEndian: bytes) ?? []).map { Int(truncatingIfNeeded: $0) }
      }
      switch type {
      case .uint8, .bool: return read(UInt8.self)
      case .int8: return read(Int8.self)
      case .uint16: return read(UInt16.self)
      case .int16: return read(Int16.self)
      case .int32: return read(Int32.self)
      case .uint32: return read(UInt32.self)
      case .int64: return read(Int64.self)
      case .uint64: return read(UInt64.self)
      case .float, .float16, .double, .bfloat16: return []
      }
    }
  }

  /// A number of 16 bits: 1 for the sign, 5 for the exponent, 10 for digits (IEEE 754 binary16).
  static func float(half bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let digits = Float(bits & 0x3FF)
    switch exponent {
    case 0: return sign * digits * 0x1p-24
    case 31: return digits == 0 ? sign * .infinity : .nan
    default:
      return sign * (1 + digits * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}

// MARK: - Writing

extension ONNXTensor {
  /// A tensor of floats.
  init(_ name: String, _ dimensions: [Int], floats: [Float]) {
    self.init(name, dimensions, .float, floats.withUnsafeBytes { Data($0) })
  }

  /// A tensor of whole numbers of 64 bits.
  init(_ name: String, _ dimensions: [Int], integers: [Int]) {
    self.init(name, dimensions, .int64, integers.withUnsafeBytes { Data($0) })
  }

  private init(_ name: String, _ dimensions: [Int], _ type: ElementType, _ bytes: Data) {
    self.name = name
    self.dimensions = dimensions
    self.type = type.rawValue
    storage = .raw(bytes)
  }

  var message: ONNXTensorProto {
    guard case .raw(let bytes) = storage else { preconditionFailure("tensors are written by their bytes") }
    return .with {
      ($0.name, $0.dims) = (name, dimensions.map { Int64($0) })
      ($0.dataType, $0.rawData) = (Int32(type), bytes)
    }
  }
}
