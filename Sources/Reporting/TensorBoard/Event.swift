internal import Protobuf
internal import SwiftProtobuf

/// One record of TensorBoard's event files, as far as Convoy writes and reads them.
///
/// In files it is TensorBoard's message `Event` (`Sources/Protobuf/tensorboard.proto`).
struct Event: Hashable {
  enum What: Hashable {
    /// The file version, `brain.Event:2`, in the first record only.
    case fileVersion(String)
    case scalars([EventLog.Scalar])
    /// A value that is more than a scalar; it is read back as no scalars.
    case value(TensorBoardSummary.Value)
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
  /// - Throws: an error of protobuf for more than a message may have, 2 GiB.
  func serialized() throws -> [UInt8] {
    let message = TensorBoardEvent.with {
      ($0.wallTime, $0.step) = (time, Int64(step))
      switch what {
      case .fileVersion(let version): $0.fileVersion = version
      case .scalars(let scalars): $0.summary.value = scalars.map(\.message)
      case .value(let value): $0.summary.value = [value]
      case .start: $0.sessionLog.status = .start
      }
    }
    return try message.serializedBytes()
  }

  // MARK: - Reading

  /// Reads a record's message, without fields that are not known; nil for bytes that are no such message.
  init?(_ bytes: ArraySlice<UInt8>) {
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    guard let message = try? TensorBoardEvent(serializedBytes: Array(bytes), options: options) else {
      return nil
    }
    (time, step) = (message.wallTime, Int(message.step))
    what =
      switch message.what {
      case .fileVersion(let version): .fileVersion(version)
      case .summary(let summary): .scalars(summary.value.compactMap(EventLog.Scalar.init))
      case .sessionLog: .start
      case nil: .scalars([])
      }
  }
}

extension EventLog.Scalar {
  /// Nil for a value that is more than a scalar.
  fileprivate init?(_ message: TensorBoardSummary.Value) {
    guard case .simpleValue(let number) = message.value else { return nil }
    self.init(message.tag, Double(number))
  }

  fileprivate var message: TensorBoardSummary.Value {
    .with { ($0.tag, $0.simpleValue) = (tag, Float(value)) }
  }
}
