internal import OneDNN

/// The program's version and what decides its bits.
enum Version {
  static let number = "0.1.0"

  static var text: String {
    "convoy \(number) (oneDNN \(Library.version), \(Library.instructionSet))"
  }
}
