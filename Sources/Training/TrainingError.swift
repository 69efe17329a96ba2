/// Why a training could not start, go on or be saved, in one line.
public struct TrainingError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What a caller may want to tell apart.
  public enum Kind: Sendable, Equatable {
    /// A file's contents are damaged, or are not what they should be.
    case badData
    /// A file that is needed does not exist.
    case missingInput
    /// A file or folder cannot be made.
    case cannotCreate
    /// Reading or writing failed: disk full, quota, device error.
    case inputOutput
    /// Loss or gradients are NaN or infinite.
    case notFinite
    /// Another process uses the run directory.
    case inUse
    /// The configuration does not fit its data, or the checkpoint it should go on from.
    case configuration
    /// A signal asked the process to stop before there was anything to save.
    case stopped
  }

  /// What kind of problem it is, which decides the exit code.
  public let kind: Kind
  /// What went wrong, where, and what to do, in one line.
  public let description: String

  /// Takes a kind and the line that a person will read.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
