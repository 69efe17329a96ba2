internal import Synchronization

/// What happens when the system refuses memory: nothing can go on, and the process ends.
///
/// The program says how, since nothing below it prints or exits.
public enum MemoryRefusal {
  private static let handler = Mutex<(@Sendable (_ byteCount: Int) -> Never)?>(nil)

  /// Says what ends the process; the last call counts.
  ///
  /// - Parameter handler: ends the process; it may not ask for memory itself.
  public static func handle(by handler: @escaping @Sendable (_ byteCount: Int) -> Never) {
    Self.handler.withLock { $0 = handler }
  }

  /// Ends the process because the system refused this many bytes.
  public static func refused(byteCount: Int) -> Never {
    if let handler = handler.withLock({ $0 }) { handler(byteCount) }
    preconditionFailure("out of memory: \(byteCount) bytes were refused")
  }
}
