internal import OneDNN
internal import Training

/// The program's version, and the library on which its bits depend.
enum Version {
  static let number = RunEnvironment.version

  static var text: String {
    "convoy \(number) (oneDNN \(Library.version), \(Library.instructionSet))"
  }
}
