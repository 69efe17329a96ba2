/// What somebody asked of a network that it cannot show, in one line: what, where, and what to do.
public struct InsightError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of trouble it is, which decides a command's exit code.
  public enum Kind: Sendable, Equatable {
    /// A layer, filter or class that is not there, or a setting that makes no sense.
    case usage
    /// A network or an image that cannot be used.
    case badData
  }

  public let kind: Kind
  public let description: String

  /// A request that cannot be meant.
  public static func usage(_ text: String) -> InsightError { InsightError(kind: .usage, description: text) }
  /// A file or network that does not fit the request.
  public static func badData(_ text: String) -> InsightError {
    InsightError(kind: .badData, description: text)
  }
}
