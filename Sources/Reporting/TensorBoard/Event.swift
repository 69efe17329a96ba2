internal import SwiftProtobuf

/// One record of TensorBoard's event files, as far as Convoy writes and reads them.
///
/// Its bytes are those of the message `Event` in `event.proto`, from which `event.pb.swift` is generated.
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

  // MARK: - Writing

  /// The record's message.
  ///
  /// - Throws: SwiftProtobuf's error for a message of more than 2 GiB.
  func serialized() throws -> [UInt8] {
    var message = TensorBoardEvent()
    message.wallTime = time
    message.step = Int64(step)
    switch what {
    case .fileVersion(let version): message.fileVersion = version
    case .scalars(let scalars):
      message.summary.value = scalars.map { scalar in
        var value = TensorBoardSummary.Value()
        value.tag = scalar.tag
        value.simpleValue = Float(scalar.value)
        return value
      }
    // Fields that `event.proto` does not know stay as they are.
    case .value(let bytes): message.summary.value = [try TensorBoardSummary.Value(serializedBytes: bytes)]
    case .start: message.session.status = .start
    }
    return try message.serializedBytes()
  }

  // MARK: - Reading

  /// Reads a record's message, without fields that are not known; nil for bytes that are no such message.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard let message = try? TensorBoardEvent(serializedBytes: Array(bytes)) else { return nil }
    let what: What =
      switch message.what {
      case .fileVersion(let version): .fileVersion(version)
      case .session: .start
      case .summary(let summary):
        .scalars(
          summary.value.filter { $0.value != nil }.map { EventLog.Scalar($0.tag, Double($0.simpleValue)) })
      case nil: .scalars([])
      }
    self.init(time: message.wallTime, step: Int(message.step), what)
  }
}
