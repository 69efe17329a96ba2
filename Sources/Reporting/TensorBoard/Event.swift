/// One record of TensorBoard's event files, as far as Convoy writes and reads them.
///
/// The bytes are those of the message `Event` in protocol buffers' wire format; field numbers and types are of
/// `tensorboard/compat/proto/event.proto` and `summary.proto`.
struct Event: Hashable {
  enum What: Hashable {
    /// Of the first record only: `brain.Event:2`.
    case fileVersion(String)
    case scalars([EventLog.Scalar])
    /// A process of the run begins: readers forget what they know of this step and later ones.
    case start
  }

  /// Seconds since 1970.
  var time: Double
  var step: Int
  var what: What

  init(time: Double, step: Int = 0, _ what: What) {
    self.time = time
    self.step = step
    self.what = what
  }

  // MARK: - Writing

  var bytes: [UInt8] {
    var message = WireMessage()
    message.add(1, time)
    message.add(2, UInt64(bitPattern: Int64(step)))
    switch what {
    case .fileVersion(let version): message.add(3, Array(version.utf8))
    case .scalars(let scalars):
      var summary = WireMessage()
      for scalar in scalars {
        var value = WireMessage()
        value.add(1, Array(scalar.tag.utf8))
        value.add(2, Float(scalar.value))
        summary.add(1, value.bytes)
      }
      message.add(5, summary.bytes)
    case .start:
      var log = WireMessage()
      log.add(1, UInt64(1))
      message.add(7, log.bytes)
    }
    return message.bytes
  }

  // MARK: - Reading

  /// Nil for bytes that are no such message; fields that are not known are passed over.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard let fields = WireMessage.fields(bytes) else { return nil }
    self.init(time: 0, .scalars([]))
    for field in fields {
      switch field {
      case (1, .fixed(let bits)): time = Double(bitPattern: bits)
      case (2, .varint(let value)): step = Int(Int64(bitPattern: value))
      case (3, .bytes(let text)): what = .fileVersion(String(decoding: text, as: UTF8.self))
      case (5, .bytes(let summary)):
        guard let scalars = Self.scalars(summary) else { return nil }
        what = .scalars(scalars)
      case (7, .bytes): what = .start
      default: break
      }
    }
  }

  private static func scalars(_ summary: ArraySlice<UInt8>) -> [EventLog.Scalar]? {
    guard let values = WireMessage.fields(summary) else { return nil }
    var scalars: [EventLog.Scalar] = []
    for case (1, .bytes(let value)) in values {
      guard let parts = WireMessage.fields(value) else { return nil }
      var (tag, number) = ("", 0.0)
      for part in parts {
        switch part {
        case (1, .bytes(let text)): tag = String(decoding: text, as: UTF8.self)
        case (2, .fixed(let bits)): number = Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        default: break
        }
      }
      scalars.append(EventLog.Scalar(tag, number))
    }
    return scalars
  }
}

/// A message in protocol buffers' wire format, <https://protobuf.dev/programming-guides/encoding/>.
///
/// The library for it builds its compiler and Abseil with every build of all targets, which takes longer than all of
/// Convoy; this is what five fields need.
struct WireMessage {
  enum Value {
    case varint(UInt64)
    /// Four or eight bytes.
    case fixed(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  private(set) var bytes: [UInt8] = []

  mutating func add(_ field: UInt8, _ value: UInt64) {
    bytes.append(field << 3)
    append(varint: value)
  }

  mutating func add(_ field: UInt8, _ value: Double) {
    bytes.append(field << 3 | 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ field: UInt8, _ value: Float) {
    bytes.append(field << 3 | 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ field: UInt8, _ value: [UInt8]) {
    bytes.append(field << 3 | 2)
    append(varint: UInt64(value.count))
    bytes += value
  }

  private mutating func append(varint value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  /// The fields of a message with their numbers, in order; nil where the bytes are not one.
  static func fields(_ bytes: ArraySlice<UInt8>) -> [(number: UInt64, value: Value)]? {
    var rest = bytes
    var fields: [(number: UInt64, value: Value)] = []
    while !rest.isEmpty {
      guard let key = takeVarint(&rest) else { return nil }
      let value: Value
      switch key & 7 {
      case 0:
        guard let number = takeVarint(&rest) else { return nil }
        value = .varint(number)
      case 1, 5:
        let count = key & 7 == 1 ? 8 : 4
        guard rest.count >= count else { return nil }
        value = .fixed(rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) })
        rest = rest.dropFirst(count)
      case 2:
        guard let count = takeVarint(&rest), count <= UInt64(rest.count) else { return nil }
        value = .bytes(rest.prefix(Int(count)))
        rest = rest.dropFirst(Int(count))
      default: return nil
      }
      fields.append((key >> 3, value))
    }
    return fields
  }

  private static func takeVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}
