internal import Glibc

/// Why a file could not be read or written.
public struct FileFailure: Error, CustomStringConvertible, Sendable {
  /// What was being done when it failed.
  public enum Step: Sendable {
    /// A file to read was being opened.
    case opening
    /// Its bytes were being read.
    case reading
    /// A file to write was being made.
    case creating
    /// Bytes were being written, or the whole file put in its place.
    case writing
    /// The path leads to a folder, a pipe or a device.
    case notAFile
    /// The file has more bytes than the reader takes.
    case tooLarge
  }

  /// What was being done.
  public let step: Step
  /// The system's error number; 0 where it reported no error.
  public let code: Int32

  /// Whether nothing is at the path.
  public var isMissing: Bool { code == ENOENT || code == ENOTDIR }

  /// The reason in the system's words, or in ours where the system reported no error.
  public var description: String {
    switch step {
    case .opening, .reading, .creating, .writing: String(cString: strerror(code))
    case .notAFile: "it is not a file but a folder or a device"
    case .tooLarge: "it is too large"
    }
  }
}

/// Files that are read or written in one go.
public enum WholeFile {
  /// Reads all bytes of a regular file.
  ///
  /// - Parameter limit: the most bytes that the file may have.
  public static func read(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
    try read(path) { size throws(FileFailure) in
      guard size <= limit else { throw FileFailure(step: .tooLarge, code: 0) }
      return size
    }
  }

  /// The first bytes of a file, fewer where it has fewer.
  public static func beginning(of path: String, byteCount: Int) throws(FileFailure) -> [UInt8] {
    try read(path) { size in min(size, byteCount) }
  }

  private static func read(
    _ path: String, wanted: (Int) throws(FileFailure) -> Int
  ) throws(FileFailure) -> [UInt8] {
    // A named pipe must not make us wait for its other end.
    let file = open(path.systemPath, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw FileFailure(step: .opening, code: errno) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw FileFailure(step: .reading, code: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileFailure(step: .notAFile, code: 0) }
    var bytes = [UInt8](repeating: 0, count: try wanted(Int(status.st_size)))
    var filled = 0
    while filled < bytes.count {
      let count = bytes[filled...].withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileFailure(step: .reading, code: errno) }
      // Somebody is cutting it.
      if count == 0 { break }
      filled += count
    }
    return Array(bytes[..<filled])
  }

  /// Reads a small file's text; nil where it cannot be read or is not UTF-8.
  public static func text(_ path: String) -> String? {
    (try? read(path, limit: 1 << 30)).flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// Writes a file, in place of one that may be there: completely or not at all.
  ///
  /// What a link leads to is written and the link stays. Devices, pipes and open descriptors take the bytes one after another.
  public static func write(_ bytes: some Collection<UInt8>, to path: String) throws(FileFailure) {
    let bytes = Array(bytes)
    switch OutputPlace(path) {
    case .file(let path): try replace(path, by: bytes)
    case .descriptor(let descriptor): try send(bytes, to: descriptor)
    case .stream(let path):
      let stream = open(path.systemPath, O_WRONLY | O_NOCTTY | O_CLOEXEC)
      guard stream >= 0 else { throw FileFailure(step: .creating, code: errno) }
      defer { close(stream) }
      try send(bytes, to: stream)
    }
  }

  private static func replace(_ path: String, by bytes: [UInt8]) throws(FileFailure) {
    let temporary = "\(path).\(getpid()).part".systemPath
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw FileFailure(step: .creating, code: errno) }
    do throws(FileFailure) { try send(bytes, to: file) } catch {
      close(file)
      unlink(temporary)
      throw error
    }
    guard close(file) == 0, rename(temporary, path.systemPath) == 0 else {
      let failure = FileFailure(step: .writing, code: errno)
      unlink(temporary)
      throw failure
    }
  }

  private static func send(_ bytes: [UInt8], to descriptor: Int32) throws(FileFailure) {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileFailure(step: .writing, code: errno) }
      written += count
    }
  }
}
