/// The reason why a model of another program cannot be imported, in one line that says what, where, and what to do.
public struct InterchangeError: Error, CustomStringConvertible, Sendable, Equatable {
  /// The kind of error, which decides a command's exit code.
  public enum Kind: Sendable, Equatable {
    /// The call says too little, or something that does not fit the file.
    case usage
    /// The file is damaged, holds no model, or uses something that is not supported here.
    case badData
  }

  /// The kind of error.
  public let kind: Kind
  /// The message: one line.
  public let description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
