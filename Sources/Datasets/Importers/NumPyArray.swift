internal import Tensors

/// An array in NumPy's file format, read from its beginning on.
///
/// - SeeAlso: `numpy.lib.format`, whose description of versions 1 to 3 this follows.
final class NumPyArray {
  /// Element types that are numbers.
  enum Element: String {
    case bool = "b1"
    case int8 = "i1"
    case uint8 = "u1"
    case int16 = "i2"
    case uint16 = "u2"
    case int32 = "i4"
    case uint32 = "u4"
    case int64 = "i8"
    case uint64 = "u8"
    case float16 = "f2"
    case float32 = "f4"
    case float64 = "f8"

    var byteCount: Int { Int(rawValue.dropFirst()) ?? 1 }
    var isInteger: Bool { !rawValue.hasPrefix("f") }
  }

  let path: String
  let shape: [Int]
  let element: Element
  private let isBigEndian: Bool
  private let source: any ByteSource
  private var remaining: Int
  private let block = ScratchMemory()

  /// Reads the header.
  init(_ source: any ByteSource) throws {
    path = source.path
    self.source = source
    let head = try Self.bytes(source, 8)
    guard head.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw DatasetError(.badData, "\(source.path) is not a NumPy file: \(Self.kind(of: head))")
    }
    guard (1...3).contains(head[6]) else {
      throw DatasetError(
        .badData, "\(source.path) has version \(head[6]) of NumPy's format; 1 to 3 are known")
    }
    let length = try Self.bytes(source, head[6] == 1 ? 2 : 4).enumerated().reduce(0) {
      $0 | Int($1.element) << (8 * $1.offset)
    }
    guard length < 1 << 20 else { throw Self.damagedHeader(source.path) }
    let header = String(decoding: try Self.bytes(source, length), as: UTF8.self)
    guard let type = Self.value("descr", header), let order = Self.value("fortran_order", header),
      let shape = Self.shape(header)
    else { throw Self.damagedHeader(source.path) }
    guard type.count == 3, let first = type.first, "<>|=".contains(first),
      let element = Element(rawValue: String(type.dropFirst()))
    else {
      throw DatasetError(
        .badData, "\(source.path) holds \(Self.noun(of: type)), but numbers are expected")
    }
    guard order == "False" else {
      throw DatasetError(
        .badData, "\(source.path) is stored column by column; save it after numpy.ascontiguousarray")
    }
    var count = element.byteCount
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow, dimension >= 0 else {
        throw DatasetError(.badData, "\(source.path): its dimensions \(shape) are larger than any file")
      }
      count = product
    }
    // A header that claims more than the file can hold gets no memory.
    guard count <= source.mostBytes else {
      throw DatasetError(
        .badData,
        "\(source.path) is truncated: its header promises \(Shape(shape)) elements, which are more than the file holds; copy it again"
      )
    }
    self.shape = shape
    self.element = element
    isBigEndian = first == ">"
    remaining = count
  }

  /// What a file is that does not begin with NumPy's bytes.
  private static func kind(of head: [UInt8]) -> String {
    if head.starts(with: [0x50, 0x4B, 3, 4]) {
      return "it is an archive; name it with --from if it is an .npz"
    }
    if head.starts(with: [0x89, 0x48, 0x44, 0x46]) { return "it is an HDF5 file" }
    if PickleReader.begins(head) {
      return "it is a Python pickle, whatever its name; load it in Python and write its array with numpy.save"
    }
    return "it does not begin with its magic number"
  }

  /// Elements in words: `|O elements, which are Python objects`.
  private static func noun(of type: String) -> String {
    if type.isEmpty { return "records of several fields" }
    let kinds: [Character: String] = [
      "O": "Python objects", "U": "texts", "S": "texts", "a": "texts", "M": "dates", "m": "times",
      "c": "complex numbers", "V": "bytes without a meaning",
    ]
    let kind = type.first { $0.isLetter }.flatMap { kinds[$0] }
    return "\(type) elements" + (kind.map { ", which are \($0)" } ?? "")
  }

  private static func damagedHeader(_ path: String) -> DatasetError {
    DatasetError(.badData, "\(path) has a damaged header; save it again")
  }

  private static func bytes(_ source: any ByteSource, _ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard try bytes.withUnsafeMutableBytes({ try source.read(into: $0) }) == count else {
      throw DatasetError(.badData, "\(source.path) is truncated: its header has no end")
    }
    return bytes
  }

  /// The value of a key in the header, a Python dictionary on one line: `'descr': '<f4'`.
  private static func value(_ key: String, _ header: String) -> String? {
    guard let range = header.firstRange(of: "'\(key)':") else { return nil }
    let rest = header[range.upperBound...].drop { $0 == " " }
    if rest.first == "'" { return String(rest.dropFirst().prefix { $0 != "'" }) }
    return String(rest.prefix { $0.isLetter })
  }

  private static func shape(_ header: String) -> [Int]? {
    guard let range = header.firstRange(of: "'shape':"),
      let open = header[range.upperBound...].firstIndex(of: "("),
      let close = header[open...].firstIndex(of: ")")
    else { return nil }
    let parts = header[header.index(after: open)..<close].split(separator: ",").map {
      $0.filter { $0 != " " && $0 != "L" }
    }.filter { !$0.isEmpty }
    let numbers = parts.compactMap { Int($0) }
    return numbers.count == parts.count ? numbers : nil
  }

  // MARK: - Elements

  /// Fills memory with the next elements as bytes; they must be bytes in the file, or truth values.
  func read(bytes target: UnsafeMutableRawBufferPointer) throws {
    precondition(element.byteCount == 1, "\(element) are not bytes")
    try fill(target)
  }

  /// Fills memory with the next elements as floats.
  ///
  /// - Throws: ``DatasetError`` where a finite one is beyond what float32 holds.
  func read(floats target: UnsafeMutableBufferPointer<Float>) throws {
    var bad: Double?
    try convert(target.count) { index, value in
      target[index] = Float(value)
      if value.isFinite, target[index].isInfinite { bad = bad ?? value }
    }
    if let bad {
      throw DatasetError(.badData, "\(path) has \(bad), which is beyond the range of float32 (3.4e38)")
    }
  }

  /// The next elements as integers.
  ///
  /// - Throws: ``DatasetError`` where one is not a whole number.
  func readIntegers(_ count: Int) throws -> [Int] {
    var result: [Int] = []
    result.reserveCapacity(count)
    var bad: Double?
    try convert(count) { _, value in
      if let number = Int(exactly: value) { result.append(number) } else { bad = bad ?? value }
    }
    if let bad { throw DatasetError(.badData, "\(path) has \(bad), but labels are whole numbers") }
    return result
  }

  /// Calls `body` with each of the next elements; whole numbers beyond 2⁵³ are rounded.
  private func convert(_ count: Int, _ body: (Int, Double) -> Void) throws {
    let size = element.byteCount
    for start in stride(from: 0, to: count, by: 4096) {
      let piece = min(4096, count - start)
      let bytes = block.bytes(piece * size)
      try fill(bytes)
      for index in 0..<piece { body(start + index, number(bytes, index * size)) }
    }
  }

  private func number(_ bytes: UnsafeMutableRawBufferPointer, _ offset: Int) -> Double {
    func load<T: FixedWidthInteger>(_: T.Type) -> T {
      let value = bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
      return isBigEndian ? T(bigEndian: value) : T(littleEndian: value)
    }
    return switch element {
    case .bool: bytes[offset] == 0 ? 0 : 1
    case .int8: Double(load(Int8.self))
    case .uint8: Double(bytes[offset])
    case .int16: Double(load(Int16.self))
    case .uint16: Double(load(UInt16.self))
    case .int32: Double(load(Int32.self))
    case .uint32: Double(load(UInt32.self))
    case .int64: Double(load(Int64.self))
    case .uint64: Double(load(UInt64.self))
    case .float16: Self.double(half: load(UInt16.self))
    case .float32: Double(Float(bitPattern: load(UInt32.self)))
    case .float64: Double(bitPattern: load(UInt64.self))
    }
  }

  /// IEEE 754's binary16.
  private static func double(half bits: UInt16) -> Double {
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
    let size: Double =
      exponent == 31
      ? (fraction == 0 ? .infinity : .nan)
      : exponent == 0
        ? fraction * 0x1p-24
        : (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    return bits >> 15 == 0 ? size : -size
  }

  private func fill(_ target: UnsafeMutableRawBufferPointer) throws {
    precondition(
      target.count <= remaining, "\(path) has \(remaining) bytes left, \(target.count) were asked for")
    guard try source.read(into: target) == target.count else {
      throw DatasetError(.badData, "\(path) is truncated: it ends before its last element; copy it again")
    }
    remaining -= target.count
    if remaining == 0 {
      var extra: UInt8 = 0
      guard try withUnsafeMutableBytes(of: &extra, { try source.read(into: $0) }) == 0 else {
        throw DatasetError(.badData, "\(path) has bytes after its last element; it is damaged")
      }
    }
  }
}
