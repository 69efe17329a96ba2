/// The fields of a message of protobuf, in the order in which they stand.
///
/// - SeeAlso: <https://protobuf.dev/programming-guides/encoding/>
public struct WireFields {
  /// What a field holds, by how it is written; what it means is its message's matter.
  public enum Content: Equatable {
    /// Whole numbers and truths.
    case varint(UInt64)
    /// Doubles, by their bits.
    case fixed64(UInt64)
    /// Texts, messages, and numbers one after another.
    case bytes(ArraySlice<UInt8>)
    /// Floats, by their bits.
    case fixed32(UInt32)
  }

  /// Each field's number with what it holds.
  public private(set) var fields: [(number: Int, content: Content)] = []

  /// Nil for bytes that are no message.
  public init?(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while !rest.isEmpty {
      guard let key = Self.varint(&rest), let number = Int(exactly: key >> 3), number > 0,
        let content = Self.content(wireType: key & 7, &rest)
      else { return nil }
      fields.append((number, content))
    }
  }

  /// Takes a field's content from the front of the bytes; nil where they end before, and for the groups of old messages.
  private static func content(wireType: UInt64, _ bytes: inout ArraySlice<UInt8>) -> Content? {
    switch wireType {
    case 0: varint(&bytes).map { .varint($0) }
    case 1: take(8, from: &bytes).map { .fixed64(number($0)) }
    case 2:
      varint(&bytes).flatMap { Int(exactly: $0) }.flatMap { take($0, from: &bytes) }.map { .bytes($0) }
    case 5: take(4, from: &bytes).map { .fixed32(UInt32(truncatingIfNeeded: number($0))) }
    default: nil
    }
  }

  /// Takes a number of at most ten bytes, the lowest seven bits first.
  static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    return nil
  }

  private static func take(_ count: Int, from bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard count <= bytes.count else { return nil }
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count)
  }

  private static func number(_ littleEndian: ArraySlice<UInt8>) -> UInt64 {
    littleEndian.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

// MARK: - Repeated numbers

extension WireFields {
  /// Whole numbers of a repeated field, of which one stands alone or several one after another.
  ///
  /// - Returns: nil for content that holds no whole numbers.
  public static func integers(_ content: Content) -> [Int]? {
    switch content {
    case .varint(let number): return [Int(truncatingIfNeeded: number)]
    case .bytes(var rest):
      var numbers: [Int] = []
      while !rest.isEmpty {
        guard let number = varint(&rest) else { return nil }
        numbers.append(Int(truncatingIfNeeded: number))
      }
      return numbers
    case .fixed32, .fixed64: return nil
    }
  }

  /// Floats of a repeated field, of which one stands alone or several one after another.
  ///
  /// - Returns: nil for content that holds no floats.
  public static func floats(_ content: Content) -> [Float]? {
    switch content {
    case .fixed32(let bits): return [Float(bitPattern: bits)]
    case .bytes(let bytes): return littleEndian(bytes, as: Float.self)
    case .varint, .fixed64: return nil
    }
  }

  /// Numbers as they lie in memory here, where the lowest byte comes first.
  ///
  /// - Returns: nil for bytes that are no whole number of elements.
  public static func littleEndian<Element: BitwiseCopyable>(
    _ bytes: ArraySlice<UInt8>, as _: Element.Type
  ) -> [Element]? {
    let size = MemoryLayout<Element>.size
    guard bytes.count % size == 0 else { return nil }
    return [Element](unsafeUninitializedCapacity: bytes.count / size) { target, count in
      bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
      count = bytes.count / size
    }
  }
}
