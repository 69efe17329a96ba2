internal import Glibc
internal import Paths

/// A file that appears under its name complete or not at all; where the name is a link, the file that it leads to.
///
/// It is written under another name in the same folder, flushed to the disk, and renamed; without ``commit()`` nothing
/// is left behind. A process that is killed leaves its unfinished file; the next one that writes to the folder removes it.
final class AtomicOutput {
  let path: String
  /// The file itself where the path is a link.
  private let target: String
  let temporaryPath: String
  private let overwrite: Bool
  private let folder: String
  private var isCommitted = false
  /// Holds the lock that says that somebody is writing the file.
  private var descriptor: Int32 = -1

  /// Makes the empty temporary file.
  ///
  /// - Parameter note: takes a line on each unfinished file of a process that is gone.
  /// - Throws: ``DatasetError`` of kind `cannotCreate` when the path is taken, or its folder does not let us write.
  init(_ path: String, overwrite: Bool, note: (String) -> Void = { _ in }) throws {
    self.path = path
    self.overwrite = overwrite
    guard case .file(let target) = OutputPlace(path) else {
      throw DatasetError(.cannotCreate, "cannot write \(path): it exists and is not a file")
    }
    self.target = target
    folder = Folder.parent(of: target)
    let name = Folder.name(of: target)
    temporaryPath = UnfinishedFiles.path(for: name, in: folder)
    guard !name.isEmpty, name != "/" else {
      throw DatasetError(.cannotCreate, "\"\(path)\" does not name a file")
    }
    try checkFree()
    guard FileStatus.isFolder(folder) else {
      throw DatasetError(.cannotCreate, "cannot write \(path): there is no folder \(folder)")
    }
    for removed in UnfinishedFiles.remove(in: folder) {
      note("removed \(removed), which a command left unfinished when it was killed")
    }
    // An earlier process of the same number may have left it when it was killed.
    unlink(temporaryPath.systemPath)
    descriptor = open(temporaryPath.systemPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw DatasetError(.cannotCreate, system: "cannot write \(path)") }
    UnfinishedFiles.hold(descriptor)
  }

  deinit {
    if !isCommitted, descriptor >= 0 { unlink(temporaryPath.systemPath) }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Makes the finished temporary file the file of this path, on the disk.
  func commit() throws {
    try checkFree()
    try flush(temporaryPath)
    guard rename(temporaryPath.systemPath, target.systemPath) == 0 else {
      throw DatasetError(.inputOutput, system: "renaming \(temporaryPath) to \(path)")
    }
    isCommitted = true
    try flush(folder)
  }

  private func checkFree() throws {
    guard let status = FileStatus(path) else { return }
    guard status.kind == .file else {
      throw DatasetError(.cannotCreate, "cannot write \(path): it exists and is not a file")
    }
    guard overwrite else {
      throw DatasetError(.cannotCreate, "\(path) exists already; name another file or pass --overwrite")
    }
  }

  private func flush(_ path: String) throws {
    let descriptor = open(path.systemPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DatasetError(.inputOutput, system: "opening \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw DatasetError(.inputOutput, system: "flushing \(path)") }
  }
}
