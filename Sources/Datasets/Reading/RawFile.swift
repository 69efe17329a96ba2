internal import Glibc
internal import Paths

/// A file descriptor for reading at any place, from any thread.
final class RawFile: Sendable {
  let path: String
  let byteCount: Int
  private let descriptor: Int32

  /// - Throws: ``DatasetError`` of kind `missingInput`.
  init(_ path: String) throws {
    self.path = path
    descriptor = Glibc.open(path.systemPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw DatasetError(.missingInput, system: "opening \(path)") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw DatasetError(.missingInput, "opening \(path): it is not a file")
    }
    byteCount = Int(status.st_size)
  }

  /// Takes over a descriptor of a file of this many bytes; `path` is what messages call it.
  init(adopting descriptor: Int32, path: String, byteCount: Int) {
    self.path = path
    self.descriptor = descriptor
    self.byteCount = byteCount
  }

  deinit { close(descriptor) }

  static func exists(_ path: String) -> Bool { access(path.systemPath, F_OK) == 0 }

  static func isFile(_ path: String) -> Bool { FileStatus.isFile(path) }

  /// All bytes of a file, which must not have more than `limit`.
  func contents(limit: Int) throws -> [UInt8] {
    guard byteCount <= limit else {
      throw DatasetError(.badData, "\(path) has \(byteCount) bytes, more than are expected of such a file")
    }
    return try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      try read(
        into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<byteCount]),
        at: 0)
      count = byteCount
    }
  }

  /// Fills `buffer` from `offset` of the file on.
  ///
  /// - Throws: ``DatasetError`` of kind `badData` when the file ends too early, `inputOutput` when reading
  ///   fails.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    guard offset >= 0, offset <= byteCount, buffer.count <= byteCount - offset else {
      throw truncated(offset, buffer.count)
    }
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw DatasetError(.inputOutput, system: "reading \(path)") }
      // The file was longer when it was opened: someone is cutting it.
      if count == 0 { throw truncated(offset, buffer.count) }
      done += count
    }
  }

  private func truncated(_ offset: Int, _ count: Int) -> DatasetError {
    DatasetError(
      .badData,
      "\(path) is truncated: its tables name bytes \(offset) to \(offset &+ count), but it has \(byteCount); copy it again"
    )
  }
}

/// Memory that is reused from one read to the next and grows when it must; not for sharing between threads.
final class ScratchMemory {
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit { memory.deallocate() }

  /// Memory of `count` bytes, whatever they hold; valid until the next call.
  func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    if memory.count < count {
      memory.deallocate()
      memory = .allocate(byteCount: count, alignment: 64)
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
  }
}
