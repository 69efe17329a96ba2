internal import CZlib
internal import Paths

/// The members of a ZIP archive, found through its directory; stored or deflated.
///
/// - SeeAlso: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3 (sizes of 64 bits).
struct ZipArchive {
  struct Member {
    let name: String
    let isDeflated: Bool
    let storedByteCount: Int
    let byteCount: Int
    let checksum: UInt32
    /// Where the member's local header begins.
    let headerOffset: Int
  }

  let file: RawFile
  let members: [Member]

  init(_ file: RawFile) throws {
    self.file = file
    // The directory's end is within the last 64 KiB; only a comment may follow it.
    let tailCount = min(file.byteCount, 65_557)
    let tailStart = file.byteCount - tailCount
    let tail = try Self.bytes(file, tailStart, tailCount)
    guard
      let end = stride(from: tailCount - 22, through: 0, by: -1).first(where: {
        tail.number($0, 4) == 0x0605_4b50
      })
    else {
      var start = [UInt8](repeating: 0, count: min(6, file.byteCount))
      try start.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
      if start.starts(with: [0x93] + Array("NUMPY".utf8)) {
        throw DatasetError(.badData, "\(file.path) is a single array, not an archive; name it without --from")
      }
      if PickleReader.begins(start) {
        throw DatasetError(
          .badData,
          "\(file.path) is a Python pickle, not an .npz archive; load it in Python and write its arrays with numpy.savez"
        )
      }
      throw DatasetError(
        .badData, "\(file.path) is not a ZIP archive, or is truncated: its directory has no end")
    }
    var count = tail.number(end + 10, 2)
    var size = tail.number(end + 12, 4)
    var start = tail.number(end + 16, 4)
    if end >= 20, tail.number(end - 20, 4) == 0x0706_4b50 {
      let record = try Self.bytes(file, tail.number(end - 20 + 8, 8), 56)
      guard record.number(0, 4) == 0x0606_4b50 else { throw Self.damaged(file) }
      (count, size, start) = (record.number(32, 8), record.number(40, 8), record.number(48, 8))
    }
    guard start >= 0, size >= 0, start <= file.byteCount, size <= file.byteCount - start, size < 1 << 26
    else {
      throw Self.damaged(file)
    }
    let directory = try Self.bytes(file, start, size)
    var members: [Member] = []
    var position = 0
    for _ in 0..<max(0, count) {
      guard position + 46 <= size, directory.number(position, 4) == 0x0201_4b50 else {
        throw Self.damaged(file)
      }
      let lengths = [28, 30, 32].map { directory.number(position + $0, 2) }
      guard position + 46 + lengths.reduce(0, +) <= size else { throw Self.damaged(file) }
      let name = PathText.text(of: directory[position + 46..<position + 46 + lengths[0]])
      var sizes = [
        directory.number(position + 24, 4), directory.number(position + 20, 4),
        directory.number(position + 42, 4),
      ]
      // What is all ones here stands in the extra field instead, in this order.
      var extra = position + 46 + lengths[0]
      let extraEnd = extra + lengths[1]
      while extra + 4 <= extraEnd {
        let length = directory.number(extra + 2, 2)
        if directory.number(extra, 2) == 1 {
          var place = extra + 4
          for index in sizes.indices where sizes[index] == 0xffff_ffff && place + 8 <= extraEnd {
            sizes[index] = directory.number(place, 8)
            place += 8
          }
        }
        extra += 4 + length
      }
      let method = directory.number(position + 10, 2)
      guard directory.number(position + 8, 2) & 1 == 0, method == 0 || method == 8,
        sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 48 })
      else {
        throw DatasetError(.badData, "\(name) of \(file.path) is encrypted or packed in an unknown way")
      }
      members.append(
        Member(
          name: name, isDeflated: method == 8, storedByteCount: sizes[1], byteCount: sizes[0],
          checksum: UInt32(directory.number(position + 16, 4)), headerOffset: sizes[2]))
      position += 46 + lengths.reduce(0, +)
    }
    self.members = members
  }

  /// The bytes of a member from its beginning on.
  func open(_ member: Member) throws -> any ByteSource {
    let header = try Self.bytes(file, member.headerOffset, 30)
    guard header.number(0, 4) == 0x0403_4b50 else { throw Self.damaged(file) }
    let start = member.headerOffset + 30 + header.number(26, 2) + header.number(28, 2)
    guard start + member.storedByteCount <= file.byteCount else { throw Self.damaged(file) }
    // Deflate shrinks at most 1032 times.
    guard member.byteCount / 1032 <= member.storedByteCount,
      member.isDeflated || member.byteCount == member.storedByteCount
    else { throw Self.damaged(file) }
    return ZipMemberStream(file, member, start: start)
  }

  fileprivate static func damaged(_ file: RawFile) -> DatasetError {
    DatasetError(.badData, "\(file.path) is a damaged ZIP archive; copy it again")
  }

  private static func bytes(_ file: RawFile, _ offset: Int, _ count: Int) throws -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= file.byteCount, count <= file.byteCount - offset else {
      throw damaged(file)
    }
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
    return bytes
  }
}

/// Bytes that are read from the beginning on.
protocol ByteSource: AnyObject {
  /// What is read, for messages.
  var path: String { get }
  /// No more bytes than this are in it, whatever its contents claim.
  var mostBytes: Int { get }
  /// Reads until `buffer` is full or the data ends, and says how many bytes that were.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteStream: ByteSource {
  var mostBytes: Int {
    if let plainByteCount { return plainByteCount }
    // Deflate shrinks at most 1032 times.
    let (most, overflow) = storedByteCount.multipliedReportingOverflow(by: 1032)
    return overflow ? .max : most
  }
}

/// A member of an archive, inflated as it is read; its checksum is compared at the end.
private final class ZipMemberStream: ByteSource {
  let path: String
  var mostBytes: Int { member.byteCount }
  private let file: RawFile
  private let member: ZipArchive.Member
  private var position: Int
  private let end: Int
  private var done = 0
  private var checksum = crc32(0, nil, 0)
  private var stream = z_stream()
  private var isStarted = false
  private let block = ScratchMemory()

  init(_ file: RawFile, _ member: ZipArchive.Member, start: Int) {
    self.file = file
    self.member = member
    path = "\(member.name) of \(file.path)"
    position = start
    end = start + member.storedByteCount
  }

  deinit { if isStarted { inflateEnd(&stream) } }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = min(buffer.count, member.byteCount - done)
    let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    if member.isDeflated {
      try inflate(into: target)
    } else {
      try file.read(into: target, at: position)
      position += count
    }
    checksum = crc32_z(checksum, target.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
    done += count
    if done == member.byteCount, UInt32(truncatingIfNeeded: checksum) != member.checksum {
      throw DatasetError(.badData, "\(path) is damaged: its checksum differs; copy it again")
    }
    return count
  }

  private func inflate(into target: UnsafeMutableRawBufferPointer) throws {
    if !isStarted {
      guard czlib_inflate_init_raw(&stream) == Z_OK else {
        throw DatasetError(.inputOutput, "\(path): zlib cannot start")
      }
      isStarted = true
    }
    var filled = 0
    while filled < target.count {
      if stream.avail_in == 0 {
        let count = min(1 << 18, end - position)
        guard count > 0 else { throw ZipArchive.damaged(file) }
        let bytes = block.bytes(count)
        try file.read(into: bytes, at: position)
        position += count
        stream.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(count)
      }
      let room = UInt32(clamping: target.count - filled)
      stream.next_out = target.baseAddress?.advanced(by: filled).assumingMemoryBound(to: UInt8.self)
      stream.avail_out = room
      let status = CZlib.inflate(&stream, Z_NO_FLUSH)
      filled += Int(room - stream.avail_out)
      guard status == Z_OK || (status == Z_STREAM_END && filled == target.count) else {
        throw ZipArchive.damaged(file)
      }
    }
  }
}

extension [UInt8] {
  /// A little-endian number of this many bytes; one above what an `Int` holds becomes negative.
  fileprivate func number(_ offset: Int, _ count: Int) -> Int {
    var value: UInt64 = 0
    for place in 0..<count { value |= UInt64(self[offset + place]) << UInt64(8 * place) }
    return Int(truncatingIfNeeded: value)
  }
}
