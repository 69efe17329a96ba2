internal import Networks
internal import Paths
internal import Tensors

/// A file of tensors by names: the length of a header, the header as JSON, and the values one tensor after another.
///
/// - SeeAlso: <https://github.com/huggingface/safetensors#format>
struct SafetensorsFile {
  /// A tensor's place in the file.
  struct Tensor {
    let type: ElementType
    let shape: [Int]
    /// Bytes, counted from the end of the header.
    let range: Range<Int>
  }

  /// The types of elements; the words are the format's.
  enum ElementType: String, CaseIterable {
    case float32 = "F32"
    case float16 = "F16"
    case brainFloat = "BF16"
    case float64 = "F64"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    var byteCount: Int {
      switch self {
      case .int8, .uint8, .bool: 1
      case .float16, .brainFloat, .int16: 2
      case .float32, .int32: 4
      case .float64, .int64: 8
      }
    }
  }

  let path: String
  let tensors: [String: Tensor]
  private let bytes: [UInt8]
  private let start: Int

  /// The format's own limit for headers.
  private static let largestHeader = 100_000_000

  /// Reads a file.
  ///
  /// - Throws: ``InterchangeError`` for a header that does not describe the file; ``FileFailure`` for a file that cannot be read.
  init(path: String) throws {
    let size = try WholeFile.beginning(of: path, byteCount: 8)
    let length = [UInt64](littleEndian: size)?.first
    guard size.count == 8, let length, let count = Int(exactly: length), count <= Self.largestHeader else {
      throw InterchangeError(
        .badData,
        "\(path) is no safetensors file: it says that its header has \(length.map { "\($0)" } ?? "no") bytes, and at most "
          + "\(Self.largestHeader) are allowed")
    }
    try self.init(try WholeFile.read(path, limit: 1 << 40), path: path)
  }

  init(_ bytes: [UInt8], path: String) throws {
    self.path = path
    self.bytes = bytes
    let length = [UInt64](littleEndian: bytes.prefix(8))?.first.flatMap { Int(exactly: $0) }
    guard bytes.count >= 8, let length, length <= Self.largestHeader, length <= bytes.count - 8 else {
      throw InterchangeError(
        .badData, "\(path) is no safetensors file, or is cut short: its header does not fit into it")
    }
    start = 8 + length
    guard let text = String(validating: bytes[8..<start], as: UTF8.self),
      let header = (try? JSONValue(parsing: text))?.members
    else {
      throw InterchangeError(
        .badData, "\(path) is no safetensors file, or is damaged: its header is not JSON")
    }
    var tensors: [String: Tensor] = [:]
    for (name, entry) in header where name != "__metadata__" {
      tensors[name] = try Self.tensor(name, entry, within: bytes.count - start, path)
    }
    self.tensors = tensors
    try checkPlaces()
  }

  private static func tensor(_ name: String, _ entry: JSONValue, within count: Int, _ path: String) throws
    -> Tensor
  {
    let place = "\(path): the tensor '\(name.prefix(200))'"
    guard let word = entry["dtype"]?.string,
      let offsets = entry["data_offsets"]?.elements?.compactMap(\.integer),
      let shape = entry["shape"]?.elements?.compactMap(\.integer), offsets.count == 2,
      shape.count == entry["shape"]?.elements?.count
    else { throw InterchangeError(.badData, "\(place) has no dtype, shape and data_offsets") }
    guard let type = ElementType(rawValue: word) else {
      let words = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw InterchangeError(.badData, "\(place) has the dtype \(word.prefix(40)); supported are \(words)")
    }
    var size = type.byteCount
    for dimension in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else {
        throw InterchangeError(.badData, "\(place) has an impossible shape")
      }
      size = product
    }
    guard 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= count else {
      throw InterchangeError(
        .badData,
        "\(place) lies at bytes \(offsets[0]) to \(offsets[1]), and the file has \(count); it is damaged or cut short"
      )
    }
    guard offsets[1] - offsets[0] == size else {
      throw InterchangeError(
        .badData,
        "\(place) of \(shape.map(String.init).joined(separator: "×")) takes \(size) bytes, and the file gives it "
          + "\(offsets[1] - offsets[0])")
    }
    return Tensor(type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// Tensors lie one after another and fill the file.
  private func checkPlaces() throws {
    var end = 0
    for (name, tensor) in tensors.sorted(by: {
      ($0.value.range.lowerBound, $0.value.range.upperBound) < (
        $1.value.range.lowerBound, $1.value.range.upperBound
      )
    }) {
      guard tensor.range.lowerBound == end else {
        throw InterchangeError(
          .badData,
          "\(path): the tensor '\(name.prefix(200))' begins at byte \(tensor.range.lowerBound), where \(end) was expected"
        )
      }
      end = tensor.range.upperBound
    }
    guard end == bytes.count - start else {
      throw InterchangeError(
        .badData, "\(path): its tensors end at byte \(end) of \(bytes.count - start); it is damaged")
    }
  }

  /// A tensor's values as floats; nil for a name that the file does not have.
  func floats(_ name: String) -> [Float]? {
    guard let tensor = tensors[name] else { return nil }
    let content = bytes[start + tensor.range.lowerBound..<start + tensor.range.upperBound]
    func read<Element: BitwiseCopyable>(_: Element.Type) -> [Element] {
      [Element](littleEndian: content) ?? []
    }
    return switch tensor.type {
    case .float32: read(Float.self)
    case .float16: read(UInt16.self).map(ONNXTensor.float(half:))
    case .brainFloat: read(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    case .float64: read(Double.self).map { Float($0) }
    case .int64: read(Int64.self).map { Float($0) }
    case .int32: read(Int32.self).map { Float($0) }
    case .int16: read(Int16.self).map { Float($0) }
    case .int8: read(Int8.self).map { Float($0) }
    case .uint8, .bool: content.map { Float($0) }
    }
  }

  // MARK: - Writing

  /// The bytes of a file of these tensors of floats, in this order.
  static func bytes(
    of tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String]
  ) throws -> [UInt8] {
    var header: [String: JSONValue] = ["__metadata__": .object(metadata.mapValues(JSONValue.string))]
    var offset = 0
    for tensor in tensors {
      let end = offset + 4 * tensor.values.count
      header[tensor.name] = .object([
        "dtype": .string(ElementType.float32.rawValue), "shape": .array(tensor.shape.map(JSONValue.integer)),
        "data_offsets": .array([.integer(offset), .integer(end)]),
      ])
      offset = end
    }
    var text = Array(try JSONValue.object(header).text().utf8)
    // Values begin at a multiple of eight bytes.
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + text.count + offset)
    withUnsafeBytes(of: UInt64(text.count).littleEndian) { bytes += $0 }
    bytes += text
    for tensor in tensors { tensor.values.withUnsafeBytes { bytes += $0 } }
    return bytes
  }
}
