internal import Paths
internal import Settings

/// Reads the bytes of a configuration file and makes sure that they are plain text.
enum SourceText {
  static let sizeLimit = 1 << 20
  private static let tooLarge = "larger than 1 MiB, which no configuration needs to be"

  static func read(_ path: String) throws(ConfigurationErrors) -> String {
    let place = ConfigurationLocation.wholeFile(path: path)
    guard let status = FileStatus(path) else {
      throw ConfigurationErrors(
        [ConfigurationError(place, "no such file; give the path of a YAML configuration")],
        isMissingFile: true)
    }
    switch status.kind {
    case .file: break
    case .folder:
      throw ConfigurationErrors(place, "this is a folder; give the path of a YAML configuration in it")
    case .other: throw ConfigurationErrors(place, "this is not a regular file")
    }
    let bytes: [UInt8]
    do { bytes = try WholeFile.read(path, limit: sizeLimit) } catch {
      throw ConfigurationErrors(place, error.step == .tooLarge ? tooLarge : "cannot be read: \(error)")
    }
    return try decode(bytes, path: path)
  }

  /// Checks size and encoding: the text must be UTF-8 without a byte-order mark or control characters.
  static func decode(_ bytes: [UInt8], path: String) throws(ConfigurationErrors) -> String {
    let whole = ConfigurationLocation.wholeFile(path: path)
    if let kind = binaryKind(bytes) {
      throw ConfigurationErrors(
        whole,
        "this is \(kind), not a configuration, which is YAML text such as Configs/fashion-mnist.yaml")
    }
    guard bytes.count <= sizeLimit else {
      throw ConfigurationErrors(whole, tooLarge)
    }
    let start = ConfigurationLocation.file(path: path, line: 1, column: 1)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw ConfigurationErrors(start, "starts with a byte-order mark; save it as UTF-8 without one")
    }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw ConfigurationErrors(start, "is UTF-16; save it as UTF-8")
    }
    if let zero = bytes.firstIndex(of: 0) {
      throw ConfigurationErrors(
        place(bytes[..<zero], path), "found a zero byte; this is not a text file, or it is UTF-16")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let repaired = Array(String(decoding: bytes, as: UTF8.self).utf8)
      let first = zip(bytes, repaired).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
      throw ConfigurationErrors(
        place(bytes[..<first], path),
        "the byte 0x\(String(bytes[first], radix: 16, uppercase: true)) is not UTF-8; save the file as UTF-8")
    }
    try checkCharacters(text) { line, column in .file(path: path, line: line, column: column) }
    return text
  }

  /// The kind of a file that somebody may have taken for a configuration, recognised by its first bytes.
  private static func binaryKind(_ bytes: [UInt8]) -> String? {
    let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    let kinds: [(beginning: [UInt8], name: String)] = [
      (hdf5, "an HDF5 file (`convoy inspect` shows what it holds)"),
      ([0x89, 0x50, 0x4E, 0x47], "a PNG picture"),
      ([0xFF, 0xD8, 0xFF], "a JPEG picture"), ([0x1F, 0x8B], "a gzip file"),
      ([0x50, 0x4B, 3, 4], "a ZIP archive"),
      ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "a NumPy array"),
    ]
    // The HDF5 part of a checkpoint follows 512 bytes of its own.
    if bytes.dropFirst(512).starts(with: hdf5) {
      return "a checkpoint (`convoy inspect` shows what it holds)"
    }
    return kinds.first { bytes.starts(with: $0.beginning) }?.name
  }

  /// Refuses control characters, and line ends that only some programs show as such.
  static func checkCharacters(
    _ text: String, location: (Int, Int) -> ConfigurationLocation
  ) throws(ConfigurationErrors) {
    var (line, column) = (1, 1)
    var previous: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      let value = scalar.value
      if (value < 32 && ![9, 10, 13].contains(value)) || (127...159).contains(value)
        || [0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF].contains(value)
      {
        throw ConfigurationErrors(
          location(line, column),
          "the invisible character U+\(String(value, radix: 16, uppercase: true)) cannot stand here")
      }
      if scalar == "\n" || scalar == "\r" {
        if !(scalar == "\n" && previous == "\r") { line += 1 }
        column = 1
      } else {
        column += 1
      }
      previous = scalar
    }
  }

  private static func place(_ before: ArraySlice<UInt8>, _ path: String) -> ConfigurationLocation {
    let lines = before.split(separator: 10, omittingEmptySubsequences: false)
    let column = String(decoding: lines.last ?? [], as: UTF8.self).unicodeScalars.count + 1
    return .file(path: path, line: max(lines.count, 1), column: column)
  }
}
