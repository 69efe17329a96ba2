internal import Protobuf

/// One record of TensorBoard's event files, as far as Convoy writes and reads them.
///
/// Its bytes are those of TensorBoard's message `Event`, with the field numbers of its `event.proto` and `summary.proto`.
struct Event: Hashable {
  enum What: Hashable {
    /// The file version, `brain.Event:2`, in the first record only.
    case fileVersion(String)
    case scalars([EventLog.Scalar])
    /// The bytes of a message `Summary.Value` that is more than a scalar; it is read back as no scalars.
    case value([UInt8])
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

  /// Numbers of fields.
  private enum Field {
    static let time = 1
    static let step = 2
    static let fileVersion = 3
    static let summary = 5
    static let session = 7
    /// In a summary.
    static let value = 1
    /// In a value.
    static let tag = 1
    static let scalar = 2
    /// In a session.
    static let status = 1
  }

  /// A session's status: a process begins.
  private static let started = 1

  // MARK: - Writing

  /// The record's message.
  func serialized() -> [UInt8] {
    var message = WireMessage()
    message.add(Field.time, time)
    if step != 0 { message.add(Field.step, step) }
    switch what {
    case .fileVersion(let version): message.add(Field.fileVersion, version)
    case .scalars(let scalars):
      var summary = WireMessage()
      for scalar in scalars { summary.add(Field.value, Self.message(of: scalar)) }
      message.add(Field.summary, summary)
    case .value(let bytes):
      var summary = WireMessage()
      summary.add(Field.value, bytes: bytes)
      message.add(Field.summary, summary)
    case .start:
      var session = WireMessage()
      session.add(Field.status, Self.started)
      message.add(Field.session, session)
    }
    return message.bytes
  }

  private static func message(of scalar: EventLog.Scalar) -> WireMessage {
    var value = WireMessage()
    value.add(Field.tag, scalar.tag)
    value.add(Field.scalar, Float(scalar.value))
    return value
  }

  // MARK: - Reading

  /// Reads a record's message, without fields that are not known; nil for bytes that are no such message.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard let message = WireFields(bytes) else { return nil }
    self.init(time: 0, .scalars([]))
    for field in message.fields {
      switch (field.number, field.content) {
      case (Field.time, .fixed64(let bits)): time = Double(bitPattern: bits)
      case (Field.step, .varint(let number)): step = Int(Int64(bitPattern: number))
      case (Field.fileVersion, .bytes(let bytes)):
        guard let version = String(validating: bytes, as: UTF8.self) else { return nil }
        what = .fileVersion(version)
      case (Field.summary, .bytes(let bytes)):
        guard let scalars = Self.scalars(ofSummary: bytes) else { return nil }
        what = .scalars(scalars)
      case (Field.session, .bytes): what = .start
      default: continue
      }
    }
  }

  /// The scalars among a summary's values; nil for bytes that are no summary.
  private static func scalars(ofSummary bytes: ArraySlice<UInt8>) -> [EventLog.Scalar]? {
    guard let summary = WireFields(bytes) else { return nil }
    var scalars: [EventLog.Scalar] = []
    for case (Field.value, .bytes(let bytes)) in summary.fields {
      guard let value = WireFields(bytes) else { return nil }
      var tag = ""
      var scalar: Float?
      for field in value.fields {
        switch (field.number, field.content) {
        case (Field.tag, .bytes(let bytes)):
          guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
          tag = text
        case (Field.scalar, .fixed32(let bits)): scalar = Float(bitPattern: bits)
        default: continue
        }
      }
      if let scalar { scalars.append(EventLog.Scalar(tag, Double(scalar))) }
    }
    return scalars
  }
}
