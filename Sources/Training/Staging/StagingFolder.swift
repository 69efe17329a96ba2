internal import Digests
internal import Foundation
internal import Networks
internal import Paths

#if canImport(Glibc)
  internal import Glibc
#endif

/// A folder with copies of dataset files, on a disk of the node's own.
///
/// A copy has its name when it is whole, compared and on the disk. Beside it lies a record of the file that it was made of, by which a
/// later start knows whether it is still the same. Processes of a node that want the same file take turns by a lock, and all but the first
/// one find it there. On a file system without locks, or where somebody holds one for too long, a file may be copied twice, to the same bytes.
struct StagingFolder {
  /// The path of the folder, which is made when it is needed.
  let path: String
  /// Seconds for which a copy that another process makes is waited for.
  var patience = 600.0

  /// A copy that can be read.
  struct Copy: Sendable {
    /// The path of the copy.
    let path: String
    /// The bytes of the file.
    let byteCount: Int
    /// Whether it was made by this call.
    let isNew: Bool
  }

  /// Gives a copy of a file: the one that is there, where it is equal and its file unchanged, or a new one.
  ///
  /// - Parameters:
  ///   - source: the path of a file.
  ///   - check: throws where the work is to end; asked every few megabytes.
  /// - Throws: ``TrainingError`` of kind `inputOutput` where there is not enough room or the file changes while it is copied, and of kind
  ///   `cannotCreate` where the folder does not let us write. Nothing of an unfinished copy is left.
  func copy(of source: String, check: () throws -> Void = {}) throws -> Copy {
    let source = Self.canonical(source)
    do { try makeFolder(path) } catch { throw TrainingError(error.kind, "data.stage: \(error)") }
    let place = CopyPlace(of: source, in: path)
    let lock = try StagingLock(place.lock, patience: patience, check: check)
    defer { lock.release() }
    _ = UnfinishedFiles.remove(in: path)
    let file = try FileDescriptor(source, O_RDONLY, or: .missingInput)
    let stamp = try FileStamp(file)
    if try place.isSound(for: stamp, of: source, check) {
      return Copy(path: place.file, byteCount: stamp.byteCount, isNew: false)
    }
    try place.makeRoom(for: stamp.byteCount, of: source)
    try CopyWork(source: source, place: place).run(file, stamp, check)
    return Copy(path: place.file, byteCount: stamp.byteCount, isNew: true)
  }

  /// A file's own path, to which links lead.
  private static func canonical(_ path: String) -> String {
    guard let resolved = realpath(path.systemPath, nil) else { return path }
    defer { free(resolved) }
    return PathText.text(of: resolved)
  }
}

/// Holds a copy's name for one process of a node.
private struct StagingLock {
  private let file: FileDescriptor

  /// Waits for whoever has it.
  init(_ path: String, patience: Double, check: () throws -> Void) throws {
    file = try FileDescriptor(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600, or: .cannotCreate)
    let end = ContinuousClock.now + .seconds(patience)
    while retrying({ flock(file.value, LOCK_EX | LOCK_NB) }) != 0, errno == EWOULDBLOCK,
      ContinuousClock.now < end
    {
      try check()
      usleep(20_000)
    }
  }

  /// Closing alone would leave the lock to a child process that is between its fork and its exec at this moment.
  func release() { _ = flock(file.value, LOCK_UN) }
}

/// What tells whether a file was touched: its number, its length, and when its contents and its entry were last written.
struct FileStamp: Codable, Hashable, Sendable {
  let inode: UInt64
  let byteCount: Int
  /// Seconds since 1970, and nanoseconds.
  let written: [Int]
  let changed: [Int]

  /// - Throws: ``TrainingError`` of kind `badData` for anything but a regular file.
  init(_ file: FileDescriptor) throws(TrainingError) {
    byteCount = try file.regularByteCount()
    var status = stat()
    guard fstat(file.value, &status) == 0 else { throw .system(.inputOutput, "cannot read \(file.path)") }
    inode = UInt64(status.st_ino)
    written = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
  }
}

/// Where the copy of a file lies, and what lies beside it.
struct CopyPlace {
  /// What is known of a copy.
  struct Record: Codable {
    let source: String
    /// The file as it was when it was copied.
    let original: FileStamp
    /// The hexadecimal SHA-256 of all bytes.
    let digest: String
    /// The copy as it was when it was last compared.
    let copy: FileStamp
  }

  let folder: String
  /// The copy's name in the folder.
  let name: String

  var file: String { "\(folder)/\(name)" }
  var lock: String { "\(folder)/.\(name).lock" }
  private var recordName: String { "\(name).json" }

  /// - Parameter source: the path without links: files of one name in several folders have copies of their own.
  init(of source: String, in folder: String) {
    self.folder = folder
    let digest = SHA256.digest(of: source).hexadecimal.prefix(16)
    let end = Folder.name(of: source)
    name = PathText.bytes(of: end).count > 150 ? "\(digest).h5" : "\(digest)-\(end)"
  }

  /// Whether the copy is there and equal to a file that nobody has touched since.
  func isSound(
    for stamp: FileStamp, of source: String, _ check: () throws -> Void
  ) throws -> Bool {
    guard let record = record(), record.source == source, record.original == stamp,
      let copy = Self.ownFile(file), let now = try? FileStamp(copy), now.byteCount == stamp.byteCount
    else { return false }
    if now == record.copy { return true }
    guard try CopyWork.digest(of: copy, check) == record.digest else { return false }
    try write(Record(source: source, original: stamp, digest: record.digest, copy: now))
    return true
  }

  private func record() -> Record? {
    guard let file = Self.ownFile("\(folder)/\(recordName)"), let bytes = try? file.readAll() else {
      return nil
    }
    return try? JSONDecoder().decode(Record.self, from: Data(bytes))
  }

  func write(_ record: Record) throws {
    try AtomicFile.write(try JSONWriter().text(record) + "\n", as: recordName, in: folder)
  }

  /// A regular file that belongs to this user; what others put into a folder for all is not believed.
  private static func ownFile(_ path: String) -> FileDescriptor? {
    guard let file = try? FileDescriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
    var status = stat()
    guard fstat(file.value, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid()
    else { return nil }
    return file
  }

  /// Whether so many bytes fit is asked before the first is written; a copy of what the file was before goes if there is no room for both.
  func makeRoom(for byteCount: Int, of source: String) throws(TrainingError) {
    if let free = freeByteCount, free < byteCount {
      for path in [file, "\(folder)/\(recordName)"] { _ = unlink(path.systemPath) }
    }
    guard let free = freeByteCount, free < byteCount else { return }
    throw noRoom(for: byteCount, of: source, "\(sizeText(free)) are free")
  }

  func noRoom(for byteCount: Int, of source: String, _ reason: String) -> TrainingError {
    TrainingError(
      .inputOutput,
      "data.stage: \(folder) has no room for \(source) (\(sizeText(byteCount))): \(reason); name a folder with more room, or leave "
        + "data.stage out")
  }

  private var freeByteCount: Int? {
    var status = statvfs()
    guard statvfs(folder.systemPath, &status) == 0 else { return nil }
    let (product, isLarge) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
      by: Int(clamping: status.f_frsize))
    return isLarge ? .max : product
  }
}

/// The making of a copy.
struct CopyWork {
  let source: String
  let place: CopyPlace

  private static let pieceByteCount = 8 << 20
  /// The first bytes are written last, so that what a killed process leaves is known for unfinished, whatever it is.
  private static let headByteCount = 8

  /// Copies, flushes, reads back, and gives the copy its name.
  func run(_ file: FileDescriptor, _ stamp: FileStamp, _ check: () throws -> Void) throws {
    // Another node may share the folder by mistake, and have a process of the same number.
    let mark = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    let temporary = UnfinishedFiles.path(for: "\(mark)", in: place.folder)
    let copy = try FileDescriptor(
      temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, or: .cannotCreate)
    UnfinishedFiles.hold(copy.value)
    do {
      let digest = try transfer(file, to: copy, stamp.byteCount, check)
      do throws(TrainingError) { try copy.synchronize() } catch { throw refusal(error, stamp.byteCount) }
      guard try FileStamp(file) == stamp else {
        throw TrainingError(
          .inputOutput, "data.stage: \(source) changed while it was copied; start again when it is complete")
      }
      // From the disk, not from memory.
      _ = posix_fadvise(copy.value, 0, 0, POSIX_FADV_DONTNEED)
      guard try Self.digest(of: copy, check) == digest else {
        throw TrainingError(
          .inputOutput,
          "data.stage: what was written into \(place.folder) is not what is read there; use another disk")
      }
      guard retrying({ rename(temporary.systemPath, place.file.systemPath) }) == 0 else {
        throw TrainingError.system(.cannotCreate, "data.stage: cannot rename \(temporary) to \(place.file)")
      }
      try synchronizeFolder(place.folder)
      try place.write(
        CopyPlace.Record(source: source, original: stamp, digest: digest, copy: try FileStamp(copy)))
    } catch {
      // After the renaming nothing has this name.
      _ = unlink(temporary.systemPath)
      throw error
    }
  }

  /// - Returns: the digest of what was read.
  private func transfer(
    _ file: FileDescriptor, to copy: FileDescriptor, _ byteCount: Int, _ check: () throws -> Void
  ) throws -> String {
    var hash = SHA256()
    var head: [UInt8] = []
    var done = 0
    try Self.forEachPiece(of: file, check) { piece in
      hash.update(piece)
      if done == 0 { head = Array(piece.prefix(Self.headByteCount)) }
      let rest = UnsafeRawBufferPointer(rebasing: piece[(done == 0 ? head.count : 0)...])
      try write(rest, to: copy, at: done == 0 ? head.count : done, byteCount)
      done += piece.count
    }
    try head.withUnsafeBytes { try write($0, to: copy, at: 0, byteCount) }
    return hash.finalize().hexadecimal
  }

  private func write(
    _ bytes: UnsafeRawBufferPointer, to copy: FileDescriptor, at offset: Int, _ byteCount: Int
  ) throws(TrainingError) {
    var done = 0
    while done < bytes.count {
      let count = retrying {
        pwrite(copy.value, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
      }
      guard count > 0 else {
        throw refusal(.system(.inputOutput, "data.stage: cannot write \(copy.path)"), byteCount)
      }
      done += count
    }
  }

  /// What is said where the system takes no more bytes.
  private func refusal(_ error: TrainingError, _ byteCount: Int) -> TrainingError {
    [ENOSPC, EDQUOT, EFBIG].contains(errno)
      ? place.noRoom(for: byteCount, of: source, String(cString: strerror(errno))) : error
  }

  /// The hexadecimal SHA-256 of all bytes of a file.
  static func digest(of file: FileDescriptor, _ check: () throws -> Void) throws -> String {
    var hash = SHA256()
    try forEachPiece(of: file, check) { hash.update($0) }
    return hash.finalize().hexadecimal
  }

  /// Reads a file from its beginning.
  private static func forEachPiece(
    of file: FileDescriptor, _ check: () throws -> Void, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard lseek(file.value, 0, SEEK_SET) == 0 else {
      throw TrainingError.system(.inputOutput, "cannot read \(file.path)")
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceByteCount, alignment: 4096)
    defer { memory.deallocate() }
    while true {
      try check()
      let count = try file.read(into: memory)
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }
  }
}

/// A file's size for people, in MiB where there are many, rounded up.
func sizeText(_ byteCount: Int) -> String {
  byteCount >= 10 << 20
    ? "\((byteCount + (1 << 20) - 1) >> 20) MiB" : "\((byteCount + (1 << 10) - 1) >> 10) KiB"
}
