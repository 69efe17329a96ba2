internal import Paths

#if canImport(Glibc)
  internal import Glibc
#endif

// What belongs to a run among the files in its folder, where a user may have put others.

extension RunDirectory {
  private static let store = "checkpoints"
  private static let log = "log.txt"
  private static let names: Set<String> = [
    "config.yaml", RunEnvironment.fileName, "metrics.csv", "steps.csv", RunState.fileName, log,
    RunLock.fileName,
  ]

  /// The name of a run's report in its folder.
  public static let reportName = "report.html"
  /// How the names of a run's files for TensorBoard begin; TensorBoard asks for it.
  private static let eventPrefix = "events.out.tfevents."

  /// Whether a training may begin or go on in a folder that exists: it is empty, or holds a run or the beginning of one.
  static func mayHoldRun(_ folder: String) -> Bool {
    let names = ForeignFolder.names(in: folder)
    if names.isEmpty || RunState.read(directory: folder) != nil { return true }
    if RunPath.isRun(folder) { return RunLock.isIn(folder) }
    // The folder of a process that was killed early, or one into which checkpoints were restored.
    return names.isSubset(of: [store, RunLock.fileName, log]) && (names == [store] || RunLock.isIn(folder))
  }

  /// Whether a folder with the names of a run's files is a run's: other programs call theirs `config.yaml` and `checkpoints`, too.
  public static func isOurs(_ folder: String) -> Bool {
    RunLock.isIn(folder) || RunState.read(directory: folder) != nil
  }

  /// The paths of the files that a training keeps in its folder, all but the report.
  public static func files(in folder: String) -> [String] {
    let checkpoints = "\(folder)/\(store)"
    let own = (Folder.names(in: folder) ?? []).filter {
      names.contains($0) || $0.hasPrefix(eventPrefix) || isUnfinished($0)
    }.map { "\(folder)/\($0)" }
    let stored = (Folder.names(in: checkpoints) ?? []).filter {
      CheckpointStore.step(ofFile: $0) != nil || isUnfinished($0)
    }.map { "\(checkpoints)/\($0)" }
    return stored + own
  }

  private static func isUnfinished(_ name: String) -> Bool {
    name.hasPrefix(".") && name.hasSuffix(AtomicFile.temporarySuffix)
  }

  /// Removes a run's files and report, and the folder where nothing else is in it.
  ///
  /// - Returns: the names in the folder that are not the run's and stay.
  /// - Throws: ``TrainingError`` of kind `inputOutput`.
  public static func remove(_ folder: String) throws(TrainingError) -> [String] {
    for path in files(in: folder) + ["\(folder)/\(reportName)"] { try removeFile(path) }
    for path in ["\(folder)/\(store)", folder] {
      guard rmdir(path.systemPath) == 0 || [ENOENT, ENOTEMPTY, EEXIST, ENOTDIR].contains(errno) else {
        throw .system(.inputOutput, "cannot remove \(path)")
      }
    }
    return Folder.names(in: folder) ?? []
  }
}
