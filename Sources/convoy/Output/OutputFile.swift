internal import Foundation
internal import Reporting

/// Writes the files that commands make.
enum OutputFile {
  /// Writes a file whole or not at all.
  ///
  /// - Throws: ``CommandError`` with the system's reason.
  static func write(_ data: Data, to path: String) throws(CommandError) {
    do { try data.write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw CommandError(.cannotCreate, "cannot write \(path): \(SystemReason.text(error))")
    }
  }

  static func write(_ text: String, to path: String) throws(CommandError) {
    try write(Data(text.utf8), to: path)
  }

  /// Makes a folder, with those around it, unless it is there.
  ///
  /// - Throws: ``CommandError`` with the system's reason.
  static func makeFolder(_ path: String) throws(CommandError) {
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw CommandError(.cannotCreate, "cannot make the folder \(path): \(SystemReason.text(error))")
    }
  }
}
