internal import Datasets
internal import Foundation
internal import Paths

/// Small text files that people write, such as lists of names.
enum TextFile {
  private static let limit = 16 << 20

  /// The text of a file, in UTF-8 or, where it begins with a byte order mark, UTF-16.
  ///
  /// - Throws: ``CommandError`` that names the line where the text is invalid.
  static func read(_ path: String) throws -> String {
    let bytes: [UInt8]
    do { bytes = try WholeFile.read(path, limit: limit) } catch {
      throw error.isMissing
        ? CommandError.missing("there is no file \(path)") : .badData("cannot read \(path): \(error)")
    }
    return try TextEncoding.text(of: bytes, path: path)
  }

  /// The lines without blanks around them; empty lines at the end do not count.
  static func lines(of text: String) -> [String] {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}
