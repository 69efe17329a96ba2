internal import CZlib

/// The bytes of a file from its beginning on, inflated when it is gzip.
///
/// Its first bytes, not its name, say whether it is compressed.
final class ByteStream {
  var path: String { file.path }
  /// The length of a file that is not compressed; nil for one that is.
  let plainByteCount: Int?
  var storedByteCount: Int { file.byteCount }
  /// How much of the file has been read, compressed or not.
  var storedPosition: Int { position }
  private let file: RawFile
  private var position = 0
  private var stream = z_stream()
  private let isCompressed: Bool
  private var isEnded = false
  private let block = ScratchMemory()

  convenience init(_ path: String) throws { try self.init(RawFile(path)) }

  init(_ file: RawFile) throws {
    self.file = file
    var magic: (UInt8, UInt8) = (0, 0)
    if file.byteCount >= 2 { try withUnsafeMutableBytes(of: &magic) { try file.read(into: $0, at: 0) } }
    isCompressed = magic == (0x1f, 0x8b)
    plainByteCount = isCompressed ? nil : file.byteCount
    if isCompressed, czlib_inflate_init_gzip(&stream) != Z_OK {
      throw DatasetError(.inputOutput, "\(file.path): zlib cannot start")
    }
  }

  deinit { if isCompressed { inflateEnd(&stream) } }

  /// Reads until `buffer` is full or the data ends, and says how many bytes that were.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard isCompressed else {
      let count = min(buffer.count, file.byteCount - position)
      try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: position)
      position += count
      return count
    }
    var done = 0
    while done < buffer.count, !isEnded {
      if stream.avail_in == 0 { try refill() }
      let room = UInt32(clamping: buffer.count - done)
      stream.next_out = buffer.baseAddress?.advanced(by: done).assumingMemoryBound(to: UInt8.self)
      stream.avail_out = room
      let status = inflate(&stream, Z_NO_FLUSH)
      done += Int(room - stream.avail_out)
      switch status {
      case Z_OK: break
      case Z_STREAM_END: try endMember()
      default:
        let reason = stream.msg.map { String(cString: $0) } ?? "status \(status)"
        throw DatasetError(.badData, "\(file.path) is not valid gzip data: \(reason); fetch it again")
      }
    }
    return done
  }

  private func refill() throws {
    let count = min(1 << 18, file.byteCount - position)
    guard count > 0 else {
      throw DatasetError(.badData, "\(file.path) is truncated: its gzip data has no end; fetch it again")
    }
    let bytes = block.bytes(count)
    try file.read(into: bytes, at: position)
    position += count
    stream.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_in = UInt32(count)
  }

  /// After a gzip member the file ends, or goes on with the data of another one.
  private func endMember() throws {
    guard stream.avail_in > 0 || position < file.byteCount else {
      isEnded = true
      return
    }
    if stream.avail_in == 0 { try refill() }
    guard inflateReset(&stream) == Z_OK, stream.next_in.pointee == 0x1f else {
      throw DatasetError(.badData, "\(file.path) has bytes after its gzip data; it is damaged")
    }
  }
}
