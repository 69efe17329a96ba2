internal import CZlib

/// ZIP archives of a few files that are read and written whole, such as models of Keras.
public enum Archive {
  /// A file of an archive.
  public typealias Member = (name: String, bytes: [UInt8])

  /// The names of all files in an archive.
  ///
  /// - Throws: ``DatasetError`` for a damaged archive.
  public static func names(_ path: String) throws -> [String] { try ZipArchive(RawFile(path)).members.map(\.name) }

  /// Reads some files of an archive; whatever else it contains, and wherever that would be unpacked, is left alone.
  ///
  /// - Parameters:
  ///   - names: the files' names in the archive, exactly.
  ///   - limit: the most bytes of one file.
  /// - Returns: the files that are there.
  /// - Throws: ``DatasetError`` for a damaged archive, a file above the limit, and a name that stands there twice.
  public static func read(_ path: String, _ names: [String], limit: Int) throws -> [String: [UInt8]] {
    let archive = try ZipArchive(RawFile(path))
    var found: [String: [UInt8]] = [:]
    for member in archive.members where names.contains(member.name) {
      guard found[member.name] == nil else {
        throw DatasetError(.badData, "\(path) has two files \(member.name); write it again")
      }
      guard member.byteCount <= limit else {
        throw DatasetError(
          .badData, "\(member.name) of \(path) has \(member.byteCount) bytes, more than are expected of such a file")
      }
      let source = try archive.open(member)
      found[member.name] = try [UInt8](unsafeUninitializedCapacity: member.byteCount) { buffer, count in
        let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<member.byteCount])
        count = try source.read(into: target)
      }
    }
    return found
  }

  /// The bytes of an archive of these files, stored as they are; always the same for the same files.
  ///
  /// - Returns: nil for files of 4 GiB together and more, which need another form.
  public static func bytes(of members: [Member]) -> [UInt8]? {
    let count = members.reduce(0) { $0 + $1.bytes.count + 2 * ($1.name.utf8.count + 128) }
    guard count < 1 << 32, members.count < 1 << 16 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var directory: [UInt8] = []
    for member in members {
      let checksum = member.bytes.withUnsafeBytes { crc32_z(0, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count) }
      var common: [UInt8] = []
      // Version 2.0, names in UTF-8, stored, 1 January 1980.
      for number in [20, 0x800, 0, 0, 0x21] { common.add(number, 2) }
      common.add(Int(checksum), 4)
      common.add(member.bytes.count, 4)
      common.add(member.bytes.count, 4)
      common.add(member.name.utf8.count, 2)
      common.add(0, 2)
      directory.add(0x0201_4b50, 4)
      directory.add(20, 2)
      directory += common
      for _ in 0..<3 { directory.add(0, 2) }
      directory.add(0, 4)
      directory.add(bytes.count, 4)
      directory += member.name.utf8
      bytes.add(0x0403_4b50, 4)
      bytes += common
      bytes += member.name.utf8
      bytes += member.bytes
    }
    let start = bytes.count
    bytes += directory
    bytes.add(0x0605_4b50, 4)
    for number in [0, 0, members.count, members.count] { bytes.add(number, 2) }
    bytes.add(directory.count, 4)
    bytes.add(start, 4)
    bytes.add(0, 2)
    return bytes
  }
}

extension [UInt8] {
  /// Adds a number of this many bytes, the lowest first.
  fileprivate mutating func add(_ number: Int, _ count: Int) {
    for place in 0..<count { append(UInt8(truncatingIfNeeded: number >> (8 * place))) }
  }
}
