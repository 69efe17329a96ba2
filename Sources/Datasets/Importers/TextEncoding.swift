internal import Glibc
internal import Paths

/// How the bytes of a text file stand for letters.
public struct TextEncoding: Sendable, Hashable {
  /// The name as a person writes it: `windows-1252`.
  public let name: String
  /// The name that the system's converter knows.
  let systemName: String

  /// UTF-8.
  public static let utf8 = TextEncoding(name: "utf-8", systemName: "UTF-8")

  private init(name: String, systemName: String) {
    self.name = name
    self.systemName = systemName
  }

  /// An encoding by its usual names, those of Python's codecs among them.
  ///
  /// - Returns: nil where the system knows no such encoding.
  public init?(_ name: String) {
    let plain = name.lowercased().filter { $0.isLetter || $0.isNumber }
    let known = [
      "utf8": "UTF-8", "utf8sig": "UTF-8", "latin1": "ISO-8859-1", "latin": "ISO-8859-1", "l1": "ISO-8859-1",
      "latin2": "ISO-8859-2", "latin9": "ISO-8859-15", "ansi": "CP1252", "windows1252": "CP1252",
      "utf16": "UTF-16", "utf16le": "UTF-16LE", "utf16be": "UTF-16BE", "macroman": "MACINTOSH",
    ]
    let systemName = known[plain] ?? name
    // A slash would begin instructions to the converter.
    guard !systemName.isEmpty, systemName.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") }),
      let converter = TextConverter(systemName)
    else { return nil }
    converter.close()
    self.init(name: name, systemName: systemName)
  }

  /// The encoding that a file's first bytes name, and how many bytes say so.
  static func byMark(_ bytes: some Collection<UInt8>) -> (encoding: TextEncoding, count: Int)? {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
    if bytes.starts(with: [0xFF, 0xFE, 0, 0]) {
      return (TextEncoding(name: "utf-32", systemName: "UTF-32LE"), 4)
    }
    if bytes.starts(with: [0xFF, 0xFE]) { return (TextEncoding(name: "utf-16", systemName: "UTF-16LE"), 2) }
    if bytes.starts(with: [0xFE, 0xFF]) { return (TextEncoding(name: "utf-16", systemName: "UTF-16BE"), 2) }
    return nil
  }

  /// The text of a small file: UTF-8, or what its byte order mark says.
  ///
  /// - Throws: ``DatasetError`` where it is not text; in UTF-8 it names the line of the first such byte.
  public static func text(of bytes: [UInt8], path: String) throws -> String {
    var plain = bytes[...]
    if let mark = byMark(bytes) {
      plain = bytes[mark.count...]
      if mark.encoding != .utf8 { plain = try converted(plain, from: mark.encoding, path: path)[...] }
    }
    if let text = String(validating: plain, as: UTF8.self) { return text }
    let readable = PathText.text(of: plain)
    let lines = readable.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let line = lines.firstIndex { !PathText.isUnicode(String($0)) } ?? 0
    throw DatasetError(
      .badData,
      "\(path), line \(line + 1): \"\(PathText.readable(String(lines[line].prefix(80))))\" is not UTF-8; save the file as UTF-8"
    )
  }

  private static func converted(
    _ bytes: ArraySlice<UInt8>, from encoding: TextEncoding, path: String
  ) throws -> [UInt8] {
    guard let converter = TextConverter(encoding.systemName) else {
      throw DatasetError(
        .badData, "\(path) is \(encoding.name), which this system cannot read; save it as UTF-8")
    }
    defer { converter.close() }
    var result: [UInt8] = []
    var rest = Array(bytes)
    while !rest.isEmpty {
      let (used, text) = converter.convert(rest)
      guard used > 0 else {
        throw DatasetError(.badData, "\(path) is damaged: it is not valid \(encoding.name); save it as UTF-8")
      }
      result += text
      rest.removeFirst(used)
    }
    return result
  }
}

/// The system's converter from one encoding to UTF-8.
struct TextConverter {
  private let handle: iconv_t

  /// - Returns: nil where there is no such encoding.
  init?(_ systemName: String) {
    guard let handle = iconv_open("UTF-8", systemName), Int(bitPattern: handle) != -1 else { return nil }
    self.handle = handle
  }

  func close() { iconv_close(handle) }

  /// Converts bytes up to the first that cannot be converted, or need more bytes after them.
  ///
  /// - Returns: how many bytes were used, and the text in UTF-8.
  func convert(_ bytes: [UInt8]) -> (used: Int, text: [UInt8]) {
    var source = bytes.map { CChar(bitPattern: $0) }
    // Four bytes for a character, and there are no more characters than bytes.
    var target = [CChar](repeating: 0, count: 4 * bytes.count + 16)
    var (left, room) = (source.count, target.count)
    source.withUnsafeMutableBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        var (from, to) = (source.baseAddress, target.baseAddress)
        // What is left shows whether anything stopped it.
        _ = iconv(handle, &from, &left, &to, &room)
      }
    }
    return (bytes.count - left, target.prefix(target.count - room).map { UInt8(bitPattern: $0) })
  }
}

/// A text file's bytes in UTF-8 from its beginning on, inflated where it is gzip.
///
/// UTF-8 itself is handed on unchecked; those who read words check them.
final class TextStream {
  /// A place that is not text of the encoding.
  struct Failure: Error {
    /// The first bytes that cannot be read.
    let bytes: [UInt8]
    let encoding: TextEncoding
  }

  let path: String
  let encoding: TextEncoding
  private let stream: ByteStream
  private let converter: TextConverter?
  /// Bytes that are read and not yet converted.
  private var waiting: [UInt8] = []
  /// Text that is converted and not yet handed on.
  private var ready: ArraySlice<UInt8> = []
  private var isAtEnd = false
  private var block = [UInt8](repeating: 0, count: 1 << 16)

  /// - Parameter encoding: nil for UTF-8, or what the file's byte order mark says.
  init(_ path: String, encoding: TextEncoding?) throws {
    let stream = try ByteStream(path)
    var head = [UInt8](repeating: 0, count: 4)
    let count = try head.withUnsafeMutableBytes { try stream.read(into: $0) }
    let first = head[..<count]
    let mark = TextEncoding.byMark(first)
    let utf8 = TextEncoding.utf8.systemName
    if let encoding, mark?.encoding == .utf8, encoding.systemName != utf8 {
      throw DatasetError(
        .badData, "\(path) begins with the mark of UTF-8, so it is not \(encoding.name); leave out --encoding"
      )
    }
    let chosen = encoding ?? mark?.encoding ?? .utf8
    // A mark that the encoding itself expects is the converter's to read.
    let text = chosen.systemName == "UTF-16" ? first : first.dropFirst(mark?.count ?? 0)
    var converter: TextConverter?
    if chosen.systemName != utf8 {
      converter = TextConverter(chosen.systemName)
      guard converter != nil else {
        throw DatasetError(
          .badData, "\(path) is \(chosen.name), which this system cannot read; save it as UTF-8")
      }
      waiting = Array(text)
    } else {
      ready = text
    }
    self.path = path
    self.stream = stream
    self.converter = converter
    self.encoding = chosen
  }

  deinit { converter?.close() }

  /// The share of the file that has been read.
  var progress: Double { Double(stream.storedPosition) / Double(max(1, stream.storedByteCount)) }

  /// Reads some of the next bytes, none at the end.
  ///
  /// - Throws: ``Failure``, once all text before the place has been handed on.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while ready.isEmpty {
      guard let converter else { return try stream.read(into: buffer) }
      if !isAtEnd, waiting.count < block.count {
        let count = try block.withUnsafeMutableBytes { try stream.read(into: $0) }
        isAtEnd = count == 0
        waiting += block[..<count]
      }
      if waiting.isEmpty { return 0 }
      let (used, text) = converter.convert(waiting)
      guard used > 0 || !isAtEnd && waiting.count < 16 else {
        throw Failure(bytes: Array(waiting.prefix(2)), encoding: encoding)
      }
      waiting.removeFirst(used)
      ready = text[...]
    }
    let count = min(buffer.count, ready.count)
    buffer.copyBytes(from: ready.prefix(count))
    ready = ready.dropFirst(count)
    return count
  }
}
