internal import Paths

/// The lines of a text file, plain or gzip, one after another.
///
/// A line ends with a line feed, or with a carriage return and a line feed, and with nothing else: not with the "next line" (NEL,
/// U+0085), "line separator" and "form feed" at which some programs break lines, and which texts have inside of sentences.
public final class LineReader {
  /// The file.
  public let path: String
  /// The present line's number, from 1.
  public private(set) var line = 0
  private let stream: TextStream
  private var block = [UInt8](repeating: 0, count: 1 << 16)
  private var position = 0
  private var end = 0
  /// The present line's bytes.
  private(set) var bytes: [UInt8] = []

  private static let longestLine = 1 << 26

  /// Opens a file.
  ///
  /// - Parameter encoding: nil for UTF-8, or what the file's byte order mark says.
  public init(_ path: String, encoding: TextEncoding?) throws {
    self.path = path
    stream = try TextStream(path, encoding: encoding)
  }

  /// The share of the file that has been read.
  var progress: Double { stream.progress }

  /// The next line without its end; nil after the last.
  ///
  /// - Throws: ``DatasetError`` with the place of bytes that are not text of the encoding.
  public func next() throws -> String? {
    guard try nextBytes() else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let part = PathText.readable(PathText.text(of: bytes[...]))
      throw DatasetError(
        .badData,
        "\(path), line \(line): \"\(part.prefix(60))\" is not UTF-8; --encoding names the file's encoding, such as windows-1252"
      )
    }
    guard !bytes.contains(0) else {
      throw DatasetError(
        .badData, "\(path), line \(line): a zero byte; is it a text? UTF-16 is read with --encoding utf-16")
    }
    return text
  }

  /// Reads the next line, unchecked, into ``bytes``; false after the last.
  func nextBytes() throws -> Bool {
    bytes.removeAll(keepingCapacity: true)
    var isAnything = false
    while try position < end || refill() {
      isAnything = true
      let rest = block[position..<end]
      if let place = rest.firstIndex(of: UInt8(ascii: "\n")) {
        bytes += rest[..<place]
        position = place + 1
        break
      }
      bytes += rest
      position = end
      guard bytes.count < Self.longestLine else {
        throw DatasetError(.badData, "\(path), line \(line + 1): the line has no end; is it a text file?")
      }
    }
    guard isAnything else { return false }
    line += 1
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return true
  }

  private func refill() throws -> Bool {
    do { end = try block.withUnsafeMutableBytes { try stream.read(into: $0) } } catch let failure
      as TextStream.Failure
    {
      let wrong = failure.bytes.map { String($0, radix: 16) }.joined(separator: " ")
      throw DatasetError(
        .badData,
        "\(path), line \(line + 1): the bytes \(wrong) are not \(failure.encoding.name); --encoding names the file's encoding"
      )
    }
    position = 0
    return end > 0
  }
}
