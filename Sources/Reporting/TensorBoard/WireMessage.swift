/// A message of protobuf that is written, field by field.
///
/// - SeeAlso: <https://protobuf.dev/programming-guides/encoding/>
struct WireMessage {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ field: Int, _ number: Int) {
    key(field, wireType: 0)
    // A negative number is written as the number of 64 bits with the same pattern.
    varint(UInt64(bitPattern: Int64(number)))
  }

  mutating func add(_ field: Int, _ number: Double) {
    key(field, wireType: 1)
    append(number.bitPattern)
  }

  mutating func add(_ field: Int, _ number: Float) {
    key(field, wireType: 5)
    append(number.bitPattern)
  }

  /// Numbers one after another without keys, as repeated fields of doubles are written.
  mutating func add(_ field: Int, packed numbers: [Double]) {
    key(field, wireType: 2)
    varint(UInt64(numbers.count * 8))
    for number in numbers { append(number.bitPattern) }
  }

  mutating func add(_ field: Int, _ text: String) { add(field, bytes: Array(text.utf8)) }

  mutating func add(_ field: Int, _ message: WireMessage) { add(field, bytes: message.bytes) }

  mutating func add(_ field: Int, bytes content: [UInt8]) {
    key(field, wireType: 2)
    varint(UInt64(content.count))
    bytes += content
  }

  private mutating func key(_ field: Int, wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

  private mutating func append(_ bits: some FixedWidthInteger) {
    withUnsafeBytes(of: bits.littleEndian) { bytes += $0 }
  }

  private mutating func varint(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
