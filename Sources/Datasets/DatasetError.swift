internal import Glibc
internal import HDF5

/// What is wrong with a dataset or an importer's input, in one line: what, where, and what to do.
public struct DatasetError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What kind of trouble it is, which decides a command's exit code.
  public enum Kind: Sendable, Equatable {
    /// A file is not there or may not be read.
    case missingInput
    /// A file is there, but its contents are not what they must be.
    case badData
    /// The output exists already, or cannot be made in its folder.
    case cannotCreate
    /// The operating system failed to read or write: a full disk, a broken device.
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

  /// The error of a system call that just failed, from `errno`.
  init(_ kind: Kind, system action: String, code: Int32 = errno) {
    self.init(kind, "\(action): \(String(cString: strerror(code)))")
  }

  /// The trouble that libhdf5 reported.
  init(_ error: HDF5Error, otherwise kind: Kind = .badData) {
    let known: Kind =
      switch error.kind {
      case .missingFile, .notPermitted: .missingInput
      case .exists: .cannotCreate
      case .notHDF5, .noSuchName, .refusedLink, .mismatch, .missingFilter, .harmful, .tooLarge: .badData
      case .library: kind
      }
    if error.isOutOfSpace {
      self.init(.inputOutput, "\(error.context): no space is left; free some and start again")
    } else if error.isOutOfResources {
      self.init(.inputOutput, error.description)
    } else {
      self.init(error.systemRefusal == nil ? known : .inputOutput, error.description)
    }
  }
}

/// Runs `body` and turns libhdf5's errors into ``DatasetError``.
func translatingErrors<Result>(
  otherwise kind: DatasetError.Kind = .badData, _ body: () throws -> Result
) throws -> Result {
  do { return try body() } catch let error as HDF5Error { throw DatasetError(error, otherwise: kind) }
}
