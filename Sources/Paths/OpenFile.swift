internal import Glibc

/// A regular file of which parts are read; it is closed with this object.
public final class OpenFile: Sendable {
  private let descriptor: Int32
  /// The size in bytes when the file was opened.
  public let byteCount: Int
  /// Tells the file from others, whatever they are called.
  public let identity: FileStatus.Identity

  /// Opens a file to read it.
  ///
  /// - Parameter followsLink: whether the path may be a link to the file.
  /// - Throws: ``FileFailure`` for what is no regular file, too.
  public init(_ path: String, followsLink: Bool = true) throws(FileFailure) {
    // A named pipe must not make us wait for its other end.
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW)
    let file = open(path.systemPath, flags)
    guard file >= 0 else { throw FileFailure(step: .opening, code: errno) }
    var status = stat()
    guard fstat(file, &status) == 0 else {
      let code = errno
      close(file)
      throw FileFailure(step: .reading, code: code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(file)
      throw FileFailure(step: .notAFile, code: 0)
    }
    descriptor = file
    byteCount = Int(status.st_size)
    identity = FileStatus.Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
  }

  deinit { close(descriptor) }

  /// Reads bytes from an offset on.
  ///
  /// - Returns: how many bytes were read: fewer than the buffer takes only where the file ends.
  public func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileFailure) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, off_t(offset + filled))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileFailure(step: .reading, code: errno) }
      if count == 0 { break }
      filled += count
    }
    return filled
  }
}

extension Folder {
  /// The path from the root, with no links and no `..` in it.
  ///
  /// - Returns: nil where nothing is at the path; `errno` says why.
  public static func withoutLinks(_ path: String) -> String? {
    guard let resolved = realpath(path.systemPath, nil) else { return nil }
    defer { free(resolved) }
    return PathText.text(of: resolved)
  }
}
