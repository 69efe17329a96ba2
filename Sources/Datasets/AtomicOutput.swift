internal import Glibc

/// A file that appears under its name complete or not at all.
///
/// It is written under another name in the same folder, flushed to the disk, and renamed; without ``commit()`` nothing
/// is left behind.
final class AtomicOutput {
  let path: String
  let temporaryPath: String
  private let overwrite: Bool
  private var isCommitted = false

  /// - Throws: ``DatasetError`` of kind `cannotCreate` when the path is taken, or its folder does not let us write.
  init(_ path: String, overwrite: Bool) throws {
    self.path = path
    self.overwrite = overwrite
    let split = path.lastIndex(of: "/")
    folder = split.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = split.map { String(path[path.index(after: $0)...]) } ?? path
    temporaryPath = "\(folder)/.\(name).\(getpid()).part"
    guard !name.isEmpty else { throw DatasetError(.cannotCreate, "\"\(path)\" does not name a file") }
    try checkFree()
    var status = stat()
    guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw DatasetError(.cannotCreate, "cannot write \(path): there is no folder \(folder)")
    }
    guard access(folder, W_OK) == 0 else {
      throw DatasetError(.cannotCreate, system: "cannot write \(path)")
    }
    // What an earlier process of the same number left when it was killed.
    unlink(temporaryPath)
  }

  deinit { if !isCommitted { unlink(temporaryPath) } }

  private let folder: String

  /// Makes the finished temporary file the file of this path, on the disk.
  func commit() throws {
    try checkFree()
    try flush(temporaryPath)
    guard rename(temporaryPath, path) == 0 else {
      throw DatasetError(.inputOutput, system: "renaming \(temporaryPath) to \(path)")
    }
    isCommitted = true
    try flush(folder)
  }

  private func checkFree() throws {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DatasetError(.cannotCreate, "cannot write \(path): it exists and is not a file")
    }
    guard overwrite else {
      throw DatasetError(.cannotCreate, "\(path) exists already; name another file or pass --overwrite")
    }
  }

  private func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DatasetError(.inputOutput, system: "opening \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw DatasetError(.inputOutput, system: "flushing \(path)") }
  }
}
