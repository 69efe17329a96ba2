/// A request that a network cannot satisfy, in one line that says what, where, and what to do.
public struct InsightError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of error, which decides a command's exit code.
  public enum Kind: Sendable, Equatable {
    /// The request names a missing layer, filter or class, or a setting makes no sense.
    case usage
    /// A network or an image cannot be used.
    case badData
  }

  /// The kind of error.
  public let kind: Kind
  /// The message: one line.
  public let description: String

  /// An error in the request.
  public static func usage(_ text: String) -> InsightError { InsightError(kind: .usage, description: text) }
  /// An error in a file or network, which does not fit the request.
  public static func badData(_ text: String) -> InsightError {
    InsightError(kind: .badData, description: text)
  }
}
