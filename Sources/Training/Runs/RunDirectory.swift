internal import Foundation
internal import Parallel
internal import Paths

#if canImport(Glibc)
  internal import Glibc
#endif

/// The folder of one run: `config.yaml`, `metrics.csv`, `steps.csv`, `ranks.csv` where there were several, `state.json`, `log.txt`, `environment.json`,
/// `checkpoints/` and a lock.
///
/// Held by one process at a time, from ``init(path:)`` until the object goes.
public final class RunDirectory: Sendable {
  /// The path of the folder.
  public let path: String
  /// The checkpoints in it.
  public let checkpoints: CheckpointStore
  private let lock: RunLock
  private let log: FileDescriptor
  private let metrics = Guarded<MetricsLog?>(nil)
  private let steps = Guarded<MetricsLog?>(nil)
  private let ranks = Guarded<MetricsLog?>(nil)

  /// Makes the folder if it is missing, proves that it can be written to, and takes the lock.
  ///
  /// A folder with files that are no run's is refused, since some of them could bear the names of a run's.
  /// - Throws: ``TrainingError`` of kind `cannotCreate`, `inputOutput` or `inUse`; before any training was done.
  public init(path: String) throws(TrainingError) {
    self.path = path
    try ForeignFolder.refuse(path, unless: Self.mayHoldRun)
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
    try AtomicFile.write(environment.json(), as: RunEnvironment.fileName, in: path)
  }

  /// Opens the tables of epochs and steps to go on from a checkpoint, or empty ones for nil.
  ///
  /// - Parameters:
  ///   - names: the names of the figures, ``Criterion/figureNames``.
  ///   - hasValidation: whether the table of epochs has columns for samples held out.
  ///   - goesOn: whether epochs follow, so that the test figures of the epoch that was the last one go.
  func beginMetrics(
    _ names: [String], hasValidation: Bool, after progress: TrainingProgress?, goesOn: Bool
  ) throws(TrainingError) {
    let opened = try MetricsLog(
      path: "\(path)/metrics.csv", columns: EpochMetrics.columns(names, hasValidation: hasValidation),
      goingOnFrom: progress, emptying: hasValidation && goesOn ? Set(names.map { "test_\($0)" }) : [])
    metrics.withLock { $0 = opened }
    let stepLog = try MetricsLog(
      path: "\(path)/steps.csv", columns: StepRow.columns(names), sumsUpEpochs: false, goingOnFrom: progress,
      bufferByteCount: 1 << 14)
    steps.withLock { $0 = stepLog }
  }

  /// Opens the table of ranks, as ``beginMetrics(_:hasValidation:after:goesOn:)`` does the others.
  func beginRanks(after progress: TrainingProgress?) throws(TrainingError) {
    let opened = try MetricsLog(
      path: "\(path)/ranks.csv", columns: RankTimes.columns, goingOnFrom: progress)
    ranks.withLock { $0 = opened }
  }

  /// Adds an epoch's rows to the table of ranks.
  func append(_ times: RankTimes, epoch: Int, step: Int) throws(TrainingError) {
    log("epoch \(epoch): \(times.slowest)")
    for row in times.rows(epoch: epoch, step: step) {
      try ranks.withLock { log throws(TrainingError) in try log?.append(row) }
    }
  }

  /// Adds a row to the table of metrics.
  ///
  /// - Throws: ``TrainingError`` when it cannot be written now; the row is kept and written before the next one.
  public func append(_ row: EpochMetrics) throws(TrainingError) {
    try metrics.withLock { log throws(TrainingError) in try log?.append(row.row) }
    try steps.withLock { log throws(TrainingError) in try log?.flush() }
  }

  func append(_ report: StepReport) throws(TrainingError) {
    try steps.withLock { log throws(TrainingError) in try log?.append(StepRow(report: report).row) }
  }

  /// Makes the tables durable.
  func synchronizeMetrics() throws(TrainingError) {
    try metrics.withLock { log throws(TrainingError) in try log?.synchronize() }
    try steps.withLock { log throws(TrainingError) in try log?.synchronize() }
  }

  /// Whether a process holds the directory at this moment.
  public static func isHeld(_ path: String) -> Bool { RunLock.isHeld(folder: path) }

  /// Appends a line, with the time before it, to `log.txt`.
  ///
  /// A log that cannot be written does not stop a training.
  public func log(_ line: String) {
    try? log.write("\(Date().formatted(.iso8601)) \(PathText.readable(line))\n")
  }
}
