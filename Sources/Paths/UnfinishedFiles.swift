internal import Glibc

/// Files that are being written under a name of their own, `.data.h5.4711.part`, until they are whole; and
/// what is left of them when their process is killed.
public enum UnfinishedFiles {
  /// The path under which this process writes a file before it has its name.
  public static func path(for name: String, in folder: String) -> String {
    "\(folder)/.\(name).\(getpid()).part"
  }

  /// Says, until the descriptor is closed, that somebody is writing the file.
  ///
  /// Where a file system knows no locks, the number of the process in the name must suffice.
  public static func hold(_ descriptor: Int32) { flock(descriptor, LOCK_EX | LOCK_NB) }

  /// Removes the files of processes that are gone.
  ///
  /// - Returns: their paths.
  public static func remove(in folder: String) -> [String] {
    (Folder.names(in: folder) ?? []).filter { writer(of: $0).map(isGone) ?? false }.map { "\(folder)/\($0)" }
      .filter {
        path in
        let descriptor = open(path.systemPath, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // A process on another machine would hold the lock.
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0 && isOurs(descriptor) && unlink(path.systemPath) == 0
      }
  }

  /// The number of the process in a file's name.
  private static func writer(of name: String) -> Int32? {
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].isEmpty, parts[parts.count - 1].elementsEqual("part".utf8) else {
      return nil
    }
    return Int32(String(Substring(parts[parts.count - 2])))
  }

  private static func isGone(_ process: Int32) -> Bool {
    process > 0 && kill(process, 0) != 0 && errno == ESRCH
  }

  /// Whether a file is this user's, and empty, a dataset or a checkpoint.
  private static func isOurs(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid()
    else { return false }
    var start: UInt64 = 0
    let count = withUnsafeMutableBytes(of: &start) { pread(descriptor, $0.baseAddress, $0.count, 0) }
    // HDF5's signature, which may be written last, after zeros, and the mark of checkpoints.
    return count == 0 || [0, 0x8948_4446_0D0A_1A0A, 0x8943_4F4E_564F_590A].contains(UInt64(bigEndian: start))
  }
}
