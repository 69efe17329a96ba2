/// What is wrong with a sound file, in one line.
public struct SoundError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What kind of trouble it is.
  public enum Kind: Sendable, Equatable {
    /// The file is not there or may not be read.
    case missingInput
    /// It is no sound file, or a damaged one.
    case badData
  }

  /// The kind of trouble.
  public let kind: Kind
  /// The message, one line without `error:`.
  public let description: String

  init(_ kind: Kind, _ description: String) { (self.kind, self.description) = (kind, description) }
}
