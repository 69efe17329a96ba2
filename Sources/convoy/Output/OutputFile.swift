internal import Foundation
internal import Glibc
internal import Paths
internal import Reporting

/// Writes the files that commands make.
enum OutputFile {
  /// Writes a file whole or not at all; ``OverwriteOption`` says beforehand whether a file that a user names may be written.
  ///
  /// - Throws: ``CommandError`` with the system's reason.
  static func write(_ data: Data, to path: String) throws(CommandError) {
    do { try WholeFile.write(data, to: path) } catch {
      throw CommandError(
        error.step == .creating ? .cannotCreate : .inputOutput, "cannot write \(path): \(error)")
    }
  }

  static func write(_ text: String, to path: String) throws(CommandError) {
    try write(Data(text.utf8), to: path)
  }

  /// Makes a folder with all folders above it, unless it exists.
  ///
  /// - Throws: ``CommandError`` with the system's reason.
  static func makeFolder(_ path: String) throws(CommandError) {
    guard Folder.make(path) else {
      throw CommandError(.cannotCreate, "cannot make the folder \(path): \(String(cString: strerror(errno)))")
    }
  }
}
