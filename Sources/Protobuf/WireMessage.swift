/// A message of protobuf that is written, field by field.
///
/// - SeeAlso: <https://protobuf.dev/programming-guides/encoding/>
public struct WireMessage {
  /// The message as it is written so far.
  public private(set) var bytes: [UInt8] = []

  /// A message without fields.
  public init() {}

  /// Adds a whole number.
  public mutating func add(_ field: Int, _ number: Int) {
    key(field, wireType: 0)
    // A negative number is written as the number of 64 bits with the same pattern.
    varint(UInt64(bitPattern: Int64(number)))
  }

  /// Adds a number of 64 bits.
  public mutating func add(_ field: Int, _ number: Double) {
    key(field, wireType: 1)
    append(number.bitPattern)
  }

  /// Adds a number of 32 bits.
  public mutating func add(_ field: Int, _ number: Float) {
    key(field, wireType: 5)
    append(number.bitPattern)
  }

  /// Adds numbers one after another without keys, as repeated fields of doubles are written.
  public mutating func add(_ field: Int, packed numbers: [Double]) {
    key(field, wireType: 2)
    varint(UInt64(numbers.count * 8))
    for number in numbers { append(number.bitPattern) }
  }

  /// Adds a text.
  public mutating func add(_ field: Int, _ text: String) { add(field, bytes: Array(text.utf8)) }

  /// Adds a message.
  public mutating func add(_ field: Int, _ message: WireMessage) { add(field, bytes: message.bytes) }

  /// Adds bytes.
  public mutating func add(_ field: Int, bytes content: [UInt8]) {
    key(field, wireType: 2)
    varint(UInt64(content.count))
    bytes += content
  }

  /// Adds whole numbers one after another without keys.
  public mutating func add(_ field: Int, packed numbers: [Int]) {
    var content = WireMessage()
    for number in numbers { content.varint(UInt64(bitPattern: Int64(number))) }
    add(field, content)
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
