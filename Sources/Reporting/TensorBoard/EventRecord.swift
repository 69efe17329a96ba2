/// The framing of messages in TensorBoard's event files: length, checksum of the length, message, checksum of the message.
///
/// All numbers are little-endian.
enum EventRecord {
  static func frame(_ message: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(CRC32C.masked(length)) + message + littleEndian(CRC32C.masked(message))
  }

  /// The message that starts at an offset, and the offset behind it; nil where the bytes end or a checksum is wrong.
  static func read(_ bytes: [UInt8], at offset: Int) -> (message: ArraySlice<UInt8>, end: Int)? {
    let headerEnd = offset + 12
    guard headerEnd <= bytes.count,
      number(bytes[offset + 8..<headerEnd]) == UInt64(CRC32C.masked(bytes[offset..<offset + 8])),
      let length = Int(exactly: number(bytes[offset..<offset + 8])), length <= bytes.count - headerEnd - 4
    else { return nil }
    let message = bytes[headerEnd..<headerEnd + length]
    let end = headerEnd + length + 4
    guard number(bytes[end - 4..<end]) == UInt64(CRC32C.masked(message)) else { return nil }
    return (message, end)
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
