internal import Paths
internal import Reporting
internal import Training

/// A run directory with its state, as lists show it.
struct RunFolder {
  let path: String
  let state: RunState?

  /// - Parameter path: the path of the run directory, or `FOLDER/last` or `FOLDER/best`.
  /// - Throws: ``CommandError`` where it is no run directory.
  init(_ path: String) throws {
    // A folder of runs must not stand for its last run here: the run that is named may be removed.
    let trimmed = RunPath.resolve(path, takesFolders: false)
    guard RunPath.isRun(trimmed) else {
      throw CommandError.missing(
        FileStatus.exists(trimmed)
          ? "\(trimmed) is not a run directory: config.yaml or checkpoints/ is missing"
          : "there is no run directory \(trimmed); `convoy runs` lists them")
    }
    self.path = trimmed
    state = RunState.read(directory: trimmed)
  }

  /// All runs in a folder and three levels below it, by path: `NAME/RUN` and `NAME/SWEEP/MEMBER`.
  static func all(in folder: String, depth: Int = 3) -> [RunFolder] {
    if RunPath.isRun(folder) { return (try? RunFolder(folder)).map { [$0] } ?? [] }
    guard depth > 0 else { return [] }
    return (Folder.names(in: folder) ?? []).filter { !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }
      .filter(FileStatus.isFolder).flatMap { all(in: $0, depth: depth - 1) }
  }

  /// `finished`, `running`, …; `unknown` where the run has no readable state.
  var phase: String { state?.phase.rawValue ?? "unknown" }

  var epochs: String { state.map { "\($0.epoch)/\($0.epochs)" } ?? "–" }

  var best: String {
    guard let state, let best = state.best else { return "–" }
    let name = state.monitor == "accuracy" ? "" : "\(state.monitor) "
    return "\(NumberText.short(best)) \(name)(epoch \(state.bestEpoch ?? 0))"
  }

  /// Bytes of all files in the directory.
  var byteCount: Int { Folder.byteCount(of: path) }
}
