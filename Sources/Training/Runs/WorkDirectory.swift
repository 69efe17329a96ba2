internal import Foundation
internal import Paths

#if canImport(Glibc)
  internal import Glibc
#endif

/// The folder of a piece of work that trains nothing: `config.yaml`, `environment.json`, `log.txt`, results, and a lock.
///
/// Held by one process at a time, from ``init(path:)`` until the object goes.
public final class WorkDirectory: Sendable {
  /// The path of the folder.
  public let path: String
  private let lock: RunLock
  private let log: FileDescriptor

  /// Makes the folder if it is missing and takes the lock.
  ///
  /// - Parameter isShared: whether the folder may hold files of others, too; only the log and the lock are then written here.
  /// - Throws: ``TrainingError`` of kind `cannotCreate`, `inputOutput` or `inUse`; before any work was done.
  public init(path: String, isShared: Bool = false) throws(TrainingError) {
    self.path = path
    try ForeignFolder.refuse(path) { folder in
      let names = ForeignFolder.names(in: folder)
      let isFree = isShared ? names.isDisjoint(with: [RunLock.fileName, "log.txt"]) : names.isEmpty
      return isFree || RunLock.isIn(folder)
    }
    try makeFolder(path)
    lock = try RunLock(folder: path)
    try AtomicFile.removeLeftovers(in: path)
    log = try FileDescriptor(
      "\(path)/log.txt", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, or: .cannotCreate)
  }

  /// Writes the resolved configuration.
  public func write(configuration: String) throws(TrainingError) {
    try AtomicFile.write(configuration, as: "config.yaml", in: path)
  }

  /// Writes what the work ran on and with.
  public func write(environment: RunEnvironment) throws(TrainingError) {
    try AtomicFile.write(environment.json(), as: RunEnvironment.fileName, in: path)
  }

  /// Appends a line, with the time before it, to `log.txt`; a log that cannot be written stops nothing.
  public func log(_ line: String) {
    try? log.write("\(Date().formatted(.iso8601)) \(PathText.readable(line))\n")
  }
}
