/// Why ranks cannot be joined by MPI.
public struct MPIError: Error, CustomStringConvertible, Sendable {
  /// What is wrong, for exit codes.
  public enum Kind: Sendable {
    /// There is no plug-in, or it cannot be opened or built.
    case missing
    /// The launcher and the library of the plug-in do not go together, or the library refuses.
    case mismatch
  }

  /// What is wrong.
  public let kind: Kind
  /// One line: what, and what to do.
  public let description: String

  static let advice = "`convoy mpi build` makes it with the mpicc of this machine's MPI"

  /// Takes what is wrong, as one line.
  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
