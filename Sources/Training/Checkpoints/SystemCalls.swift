internal import Parallel
internal import Paths

#if canImport(Glibc)
  internal import Glibc
#endif

// The few system calls that files of a run need, each checked; interrupted ones are made again.

/// An open file descriptor that is closed at the end of its life.
final class FileDescriptor: Sendable {
  let value: Int32
  let path: String

  /// - Throws: ``TrainingError`` of the given kind.
  init(
    _ path: String, _ flags: Int32, mode: mode_t = 0o644, or kind: TrainingError.Kind = .inputOutput
  ) throws(TrainingError) {
    value = retrying { open(path.systemPath, flags | O_CLOEXEC, mode) }
    self.path = path
    guard value >= 0 else { throw .system(kind, "cannot open \(path)") }
  }

  deinit { if !closed.isSet { _ = Glibc.close(value) } }

  private let closed = OnceFlag()

  /// Writes all bytes, however many calls that takes.
  func write(_ bytes: UnsafeRawBufferPointer) throws(TrainingError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = retrying { Glibc.write(value, rest.baseAddress, min(rest.count, 1 << 30)) }
      guard count >= 0 else { throw .system(.inputOutput, "cannot write \(path)") }
      // A device that takes nothing and reports no error would be asked without end.
      guard count > 0 else {
        throw TrainingError(.inputOutput, "cannot write \(path): the file system takes no more bytes")
      }
      done += count
    }
  }

  func write(_ text: String) throws(TrainingError) {
    let bytes = Array(text.utf8)
    do { try bytes.withUnsafeBytes { try write($0) } } catch let error as TrainingError { throw error } catch
    {
      throw TrainingError(.inputOutput, "\(error)")
    }
  }

  /// Waits until the bytes are on the disk.
  func synchronize() throws(TrainingError) {
    // After a failed fsync the kernel may have dropped the pages: asking again would succeed without them being written.
    guard retrying({ fsync(value) }) == 0 else { throw .system(.inputOutput, "cannot flush \(path)") }
  }

  /// Closes and reports what closing found out; quotas and network file systems speak up only here.
  func close() throws(TrainingError) {
    guard closed.set() else { return }
    // Linux releases the descriptor whatever close returns, so it must not be called again after EINTR.
    guard Glibc.close(value) == 0 || errno == EINTR else {
      throw .system(.inputOutput, "cannot close \(path)")
    }
  }

  /// The size of a regular file.
  ///
  /// - Throws: ``TrainingError`` of kind `badData` for anything else.
  func regularByteCount() throws(TrainingError) -> Int {
    var status = stat()
    guard fstat(value, &status) == 0 else { throw .system(.inputOutput, "cannot read \(path)") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TrainingError(.badData, "\(path) is not a regular file")
    }
    return Int(status.st_size)
  }

  /// Fills memory with the next bytes; returns how many there were, fewer only at the file's end.
  func read(into bytes: UnsafeMutableRawBufferPointer) throws(TrainingError) -> Int {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      let got = retrying { Glibc.read(value, rest.baseAddress, min(rest.count, 1 << 30)) }
      guard got >= 0 else { throw .system(.inputOutput, "cannot read \(path)") }
      if got == 0 { break }
      done += got
    }
    return done
  }

  /// All bytes of the file.
  func readAll() throws(TrainingError) -> [UInt8] {
    let size = try regularByteCount()
    // All empty arrays are one, whose count two threads must not write at a time.
    guard size > 0 else { return [] }
    var failure: TrainingError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      do throws(TrainingError) {
        count = try read(
          into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size]))
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// A flag that is set once; which caller did it is known.
private final class OnceFlag: Sendable {
  private let value = Guarded(false)

  var isSet: Bool { value.withLock { $0 } }

  func set() -> Bool {
    value.withLock { flag in
      defer { flag = true }
      return !flag
    }
  }
}

/// Makes a call again as long as a signal interrupts it.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

extension TrainingError {
  /// An error that ends with the system's words for `errno`.
  static func system(_ kind: Kind, _ what: String) -> TrainingError {
    let code = errno
    return TrainingError(kind, "\(what): \(String(cString: strerror(code)))")
  }
}

/// Makes changes to a folder's entries (new, renamed, removed files) durable.
func synchronizeFolder(_ path: String) throws(TrainingError) {
  let folder = try FileDescriptor(path, O_RDONLY | O_DIRECTORY)
  try folder.synchronize()
  try folder.close()
}

/// Makes a folder and those above it that are missing.
func makeFolder(_ path: String) throws(TrainingError) {
  if mkdir(path.systemPath, 0o755) == 0 || errno == EEXIST {
    var status = stat()
    guard stat(path.systemPath, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw TrainingError(.cannotCreate, "cannot make the folder \(path): a file of that name is in the way")
    }
    return
  }
  guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
    throw .system(.cannotCreate, "cannot make the folder \(path)")
  }
  try makeFolder(String(path[..<slash]))
  guard mkdir(path.systemPath, 0o755) == 0 || errno == EEXIST else {
    throw .system(.cannotCreate, "cannot make the folder \(path)")
  }
}

/// Names in a folder, sorted.
func namesInFolder(_ path: String) throws(TrainingError) -> [String] {
  guard let names = Folder.names(in: path) else { throw .system(.inputOutput, "cannot list \(path)") }
  return names
}

/// Removes a file, where it is there.
func removeFile(_ path: String) throws(TrainingError) {
  guard retrying({ unlink(path.systemPath) }) == 0 || errno == ENOENT else {
    throw .system(.inputOutput, "cannot remove \(path)")
  }
}
