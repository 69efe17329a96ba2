internal import CArchive
internal import Paths

/// The files in an archive, one after another: 7z, zip or tar, the last plain or compressed; or one compressed file.
///
/// Nothing of it is written anywhere. How much it may unpack to follows from its own size, so that a small file cannot fill memory.
final class PackedFiles {
  private let path: String
  private let archive: OpaquePointer
  /// Bytes that may still come out of it.
  private var bytesLeft: Int
  private let limit: Int
  private let fileLimit: Int
  private let byteCount: Int
  private var entry: OpaquePointer?
  /// How many links there were among the files so far: names of other files.
  private(set) var linkCount = 0

  /// The most bytes of a game record.
  static let fileLimit = 64 << 20
  /// How many times its own size an archive may unpack to, where that is more than ``smallLimit``.
  private static let ratio = 300
  private static let smallLimit = 256 << 20

  /// Opens an archive.
  ///
  /// - Parameter fileLimit: the most bytes of one file.
  /// - Throws: ``DatasetError`` where it is no archive that is known here, or cannot be read.
  init(_ path: String, fileLimit: Int = PackedFiles.fileLimit) throws {
    self.path = path
    self.fileLimit = fileLimit
    let file = try RawFile(path)
    byteCount = file.byteCount
    guard let archive = archive_read_new() else {
      throw DatasetError(.inputOutput, "\(path): there is no memory to read it")
    }
    self.archive = archive
    limit = max(Self.smallLimit, file.byteCount.multipliedReportingOverflow(by: Self.ratio).partialValue)
    bytesLeft = limit
    // Only formats in which games are handed on, and no programs of others.
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_bzip2(archive)
    archive_read_support_filter_xz(archive)
    archive_read_support_filter_lzma(archive)
    archive_read_support_filter_zstd(archive)
    archive_read_support_format_7zip(archive)
    archive_read_support_format_zip(archive)
    archive_read_support_format_tar(archive)
    archive_read_support_format_raw(archive)
    guard archive_read_open_filename(archive, path.systemPath, 1 << 18) == ARCHIVE_OK else {
      throw Self.error(archive, path)
    }
  }

  deinit { archive_read_free(archive) }

  /// Whether a file's first bytes are those of an archive or a compressed file.
  static func areMarks(_ bytes: some Collection<UInt8>) -> Bool {
    let marks: [[UInt8]] = [
      [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], [0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x1F, 0x8B],
      Array("BZh".utf8), [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], [0x28, 0xB5, 0x2F, 0xFD],
    ]
    return marks.contains { bytes.starts(with: $0) }
      || bytes.dropFirst(257).starts(with: Array("ustar".utf8))
  }

  /// Goes to the next file; folders and links are passed over.
  ///
  /// - Returns: its path in the archive, empty where that cannot be told; nil at the end.
  func next() throws -> String? {
    while true {
      var entry: OpaquePointer?
      let status = archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF { return nil }
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry else {
        throw Self.error(archive, path)
      }
      self.entry = entry
      guard archive_entry_hardlink(entry) == nil, archive_entry_symlink(entry) == nil else {
        linkCount += 1
        continue
      }
      guard archive_entry_filetype(entry) & 0o170000 == 0o100000 else { continue }
      guard archive_entry_is_encrypted(entry) == 0 else {
        throw DatasetError(.badData, "\(path) is encrypted; unpack it and name the folder")
      }
      let name = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry)
      return name.map { PathText.text(of: $0) } ?? ""
    }
  }

  /// Whether the file is the contents of a compressed file, which has no name.
  var isNameless: Bool { archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_RAW }

  /// How much of the archive has been read, from 0 to 1.
  var share: Double { min(1, Double(archive_filter_bytes(archive, -1)) / Double(max(1, byteCount))) }

  /// Passes over the file.
  func skip() throws {
    if let entry, archive_entry_size_is_set(entry) != 0 { try take(Int(archive_entry_size(entry))) }
    guard archive_read_data_skip(archive) >= ARCHIVE_WARN else { throw Self.error(archive, path) }
  }

  /// All bytes of the file.
  ///
  /// - Throws: ``DatasetError`` where it is larger than ``fileLimit``, or the archive than its limit.
  func contents() throws -> [UInt8] {
    var bytes: [UInt8] = []
    if let entry, archive_entry_size_is_set(entry) != 0 {
      bytes.reserveCapacity(min(Self.fileLimit, max(0, Int(archive_entry_size(entry)))))
    }
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 64) { block in
      while true {
        let count = archive_read_data(archive, block.baseAddress, block.count)
        if count == 0 { return }
        guard count > 0 else { throw Self.error(archive, path) }
        try take(count)
        guard bytes.count + count <= fileLimit else {
          throw DatasetError(
            .badData, "\(path) has a file of more than \(fileLimit >> 20) MiB, which is more than is read")
        }
        bytes += block[..<count]
      }
    }
    return bytes
  }

  private func take(_ count: Int) throws {
    bytesLeft -= count
    guard count >= 0, bytesLeft >= 0 else {
      throw DatasetError(
        .badData,
        "\(path) unpacks to more than \(limit >> 20) MiB, \(Self.ratio) times its size; unpack it and name the folder if that is right"
      )
    }
  }

  private static func error(_ archive: OpaquePointer, _ path: String) -> DatasetError {
    let reason = archive_error_string(archive).map { String(cString: $0) } ?? "it cannot be unpacked"
    let first = reason.split(separator: "\n").first.map(String.init) ?? reason
    return DatasetError(.badData, "\(path): \(first); fetch it again, or unpack it and name the folder")
  }
}
