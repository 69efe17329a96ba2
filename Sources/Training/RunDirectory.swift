internal import Foundation
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// The folder of one run: `config.yaml`, `metrics.csv`, `log.txt`, `environment.json`, `checkpoints/` and a lock.
///
/// Held by one process at a time, from ``init(path:)`` until the object goes.
public final class RunDirectory: Sendable {
  public let path: String
  public let checkpoints: CheckpointStore
  private let lock: RunLock
  private let log: FileDescriptor
  private let metrics = Mutex<MetricsLog?>(nil)

  /// Makes the folder if it is missing, proves that it can be written to, and takes the lock.
  ///
  /// - Throws: ``TrainingError`` of kind `cannotCreate`, `inputOutput` or `inUse`; before any training was done.
  public init(path: String) throws(TrainingError) {
    self.path = path
    let store = "\(path)/checkpoints"
    try makeFolder(store)
    lock = try RunLock(folder: path)
    try Self.probe(store)
    try AtomicFile.removeLeftovers(in: store)
    try AtomicFile.removeLeftovers(in: path)
    checkpoints = CheckpointStore(folder: store)
    log = try FileDescriptor(
      "\(path)/log.txt", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, or: .cannotCreate)
  }

  /// Does with a small file what saving a checkpoint does, so that a folder which refuses any of it is found out early.
  private static func probe(_ folder: String) throws(TrainingError) {
    let name = ".probe"
    do {
      try AtomicFile.write("can this be written?\n", as: name, in: folder)
      try removeFile("\(folder)/\(name)")
    } catch {
      throw TrainingError(.cannotCreate, "the run directory cannot be written to: \(error)")
    }
  }

  /// Writes the resolved configuration.
  public func write(configuration: String) throws(TrainingError) {
    try AtomicFile.write(configuration, as: "config.yaml", in: path)
  }

  /// Writes what the run ran on and with.
  public func write(environment: RunEnvironment) throws(TrainingError) {
    try AtomicFile.write(environment.json(), as: "environment.json", in: path)
  }

  /// Opens the table of metrics for going on after so many complete epochs, or anew for nil.
  public func beginMetrics(after epoch: Int?) throws(TrainingError) {
    let opened = try MetricsLog(path: "\(path)/metrics.csv", goingOnAfter: epoch)
    metrics.withLock { $0 = opened }
  }

  /// Adds a row to the table of metrics.
  ///
  /// - Throws: ``TrainingError`` when it cannot be written now; the row is kept and written before the next one.
  public func append(_ row: EpochMetrics) throws(TrainingError) {
    try metrics.withLock { log throws(TrainingError) in try log?.append(row) }
  }

  /// Makes the table of metrics durable.
  func synchronizeMetrics() throws(TrainingError) {
    try metrics.withLock { log throws(TrainingError) in try log?.synchronize() }
  }

  /// Appends a line, with the time before it, to `log.txt`.
  ///
  /// A log that cannot be written does not stop a training.
  public func log(_ line: String) {
    try? log.write("\(Date().formatted(.iso8601)) \(line)\n")
  }
}
