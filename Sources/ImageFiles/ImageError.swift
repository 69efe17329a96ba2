internal import Glibc

/// What is wrong with an image file, in one line: what, where, and what to do.
public struct ImageError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What kind of trouble it is.
  public enum Kind: Sendable, Equatable {
    /// The file is not there or may not be read.
    case missingInput
    /// It is no image, is damaged, or is larger than allowed.
    case badData
    /// It cannot be made where it should be.
    case cannotCreate
    /// Reading or writing failed.
    case inputOutput
  }

  /// The kind of trouble, which callers may want to tell apart.
  public let kind: Kind
  /// The message, one line without `error:`.
  public let description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// The error of a system call that just failed.
  init(_ kind: Kind, system action: String, code: Int32 = errno) {
    self.init(kind, "\(action): \(String(cString: strerror(code)))")
  }
}
