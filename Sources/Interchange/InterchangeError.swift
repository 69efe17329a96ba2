/// Why a model of another program cannot be brought in, in one line: what, where, and what to do.
public struct InterchangeError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What kind of trouble it is, which decides a command's exit code.
  public enum Kind: Sendable, Equatable {
    /// The call does not say enough, or something that does not fit the file.
    case usage
    /// The file is damaged, is no model, or uses what is not supported here.
    case badData
  }

  public let kind: Kind
  public let description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
