internal import Foundation
internal import Glibc
internal import Paths

/// Takes single files out of a tar archive, plain or gzip, in one pass and with little memory.
///
/// They go to files without a name in the folder of temporary files, which vanish with the process.
enum TarArchive {
  /// - Parameters:
  ///   - wants: whether a file of the archive, by the last part of its path, is to be taken.
  ///   - check: called now and then; what it throws ends the reading.
  /// - Returns: files by the last parts of their paths.
  static func extract(
    _ path: String, wants: (String) -> Bool, check: () throws -> Void
  ) throws -> [String: RawFile] {
    var found: [String: RawFile] = [:]
    try walk(path, check: check) { whole, stream, size in
      let name = whole.split(separator: "/").last.map(String.init) ?? ""
      guard wants(name) else { return false }
      found[name] = try unpack(stream, size, name: "\(name) of \(path)", check)
      return true
    }
    return found
  }

  /// - Parameter visit: gets each file's path, the stream at its beginning, and its length; it reads all of the file, or says that
  ///   it did not.
  private static func walk(
    _ path: String, check: () throws -> Void, visit: (String, ByteStream, Int) throws -> Bool
  ) throws {
    let stream = try ByteStream(path)
    var header = [UInt8](repeating: 0, count: 512)
    var longName: String?
    var isFirst = true
    while try read(stream, into: &header) {
      try check()
      if header.allSatisfy({ $0 == 0 }) { break }
      guard checksum(header) == octal(header[148..<156]) else {
        throw DatasetError(
          .badData,
          isFirst
            ? "\(path) is not a tar archive: it does not begin with a valid header"
            : "\(path) is damaged: an archive member's header has a wrong checksum; fetch it again")
      }
      isFirst = false
      guard let size = octal(header[124..<136]), size >= 0 else {
        throw DatasetError(.badData, "\(path) is damaged: an archive member has no length; fetch it again")
      }
      let prefix = header.starts(with: Array("ustar".utf8), at: 257) ? text(header[345..<500]) : ""
      let whole = longName ?? (prefix.isEmpty ? "" : prefix + "/") + text(header[0..<100])
      longName = nil
      switch header[156] {
      case UInt8(ascii: "L"):
        longName = text(try bytes(stream, size)[...])
      case UInt8(ascii: "0"), 0:
        if try !visit(whole, stream, size) { try skip(stream, size, check) }
      default: try skip(stream, size, check)
      }
      try skip(stream, (512 - size % 512) % 512, check)
    }
  }

  private static func read(_ stream: ByteStream, into buffer: inout [UInt8]) throws -> Bool {
    let count = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
    guard count == 0 || count == buffer.count else { throw truncated(stream) }
    return count > 0
  }

  private static func bytes(_ stream: ByteStream, _ count: Int) throws -> [UInt8] {
    guard count < 1 << 16 else {
      throw DatasetError(.badData, "\(stream.path) has a file name of \(count) bytes")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    let given = try bytes.withUnsafeMutableBytes { try stream.read(into: $0) }
    guard given == count else { throw truncated(stream) }
    return bytes
  }

  private static func skip(_ stream: ByteStream, _ count: Int, _ check: () throws -> Void) throws {
    try pieces(stream, count, check) { _ in }
  }

  private static func unpack(
    _ stream: ByteStream, _ size: Int, name: String, _ check: () throws -> Void
  ) throws -> RawFile {
    let folder = Folder.temporary
    var template = "\(folder)/convoy-XXXXXX".systemPath
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw DatasetError(.inputOutput, system: "making a temporary file in \(folder)")
    }
    unlink(template)
    do {
      try pieces(stream, size, check) { bytes in
        var done = 0
        while done < bytes.count {
          let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else {
            throw DatasetError(.inputOutput, system: "writing \(name) to a temporary file in \(folder)")
          }
          done += count
        }
      }
    } catch {
      close(descriptor)
      throw error
    }
    return RawFile(adopting: descriptor, path: name, byteCount: size)
  }

  private static func pieces(
    _ stream: ByteStream, _ count: Int, _ check: () throws -> Void,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let memory = ScratchMemory()
    var left = count
    while left > 0 {
      try check()
      let piece = memory.bytes(min(left, 1 << 20))
      guard try stream.read(into: piece) == piece.count else { throw truncated(stream) }
      try body(UnsafeRawBufferPointer(piece))
      left -= piece.count
    }
  }

  private static func truncated(_ stream: ByteStream) -> DatasetError {
    DatasetError(
      .badData, "\(stream.path) is truncated: it ends inside a file of the archive; fetch it again")
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    PathText.text(of: bytes.prefix { $0 != 0 })
  }

  /// A number in octal digits; nil for anything else.
  private static func octal(_ bytes: ArraySlice<UInt8>) -> Int? {
    let digits = text(bytes).filter { $0 != " " }
    return digits.isEmpty ? 0 : Int(digits, radix: 8)
  }

  /// The sum of all bytes with the checksum's own field as blanks.
  private static func checksum(_ header: [UInt8]) -> Int {
    header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
  }
}

extension [UInt8] {
  fileprivate func starts(with bytes: [UInt8], at offset: Int) -> Bool {
    self[offset...].starts(with: bytes)
  }
}
