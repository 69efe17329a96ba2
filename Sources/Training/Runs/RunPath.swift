internal import Paths

/// Paths that name runs without their digits: `Results/NAME` and, below a folder of runs or a run, `last` and `best`.
public enum RunPath {
  /// What such a path stands for.
  ///
  /// - `FOLDER/last`, `FOLDER/best`: of the runs in a folder the one that was trained in last, or the one with the best figure,
  ///   among those that are compared by the same figure as the last one.
  /// - `RUN/last`, `RUN/best`: a run's newest checkpoint, or its best one.
  /// - `FOLDER`: its last run.
  ///
  /// A file or folder of such a name comes first.
  /// - Parameter takesFolders: whether a folder of runs stands for its last one; not where that could do harm.
  /// - Returns: the path itself where it stands for nothing else.
  public static func resolve(_ path: String, takesFolders: Bool = true) -> String {
    let trimmed = path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
    if FileStatus.exists(trimmed) {
      guard takesFolders, !isRun(trimmed) else { return trimmed }
      return last(of: runs(in: trimmed)) ?? trimmed
    }
    let (parent, word) = (Folder.parent(of: trimmed), Folder.name(of: trimmed))
    guard ["last", "best"].contains(word) else { return trimmed }
    // `FOLDER/best/last` is the newest checkpoint of the best run.
    let folder = resolve(parent, takesFolders: false)
    switch word {
    case "last": return (isRun(folder) ? newest(of: folder) : last(of: runs(in: folder))) ?? trimmed
    case "best": return (isRun(folder) ? bestCheckpoint(of: folder) : best(of: runs(in: folder))) ?? trimmed
    default: return trimmed
    }
  }

  /// Whether a folder is a run directory: it has the resolved config and the checkpoints' folder.
  ///
  /// The root of the file system is none, whatever lies in it.
  public static func isRun(_ path: String) -> Bool {
    FileStatus.exists("\(path)/config.yaml") && FileStatus.exists("\(path)/checkpoints")
      && FileStatus(path)?.identity != FileStatus("/")?.identity
  }

  private static func runs(in folder: String) -> [String] {
    (Folder.names(in: folder) ?? []).filter { !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }.filter(isRun)
  }

  // MARK: - Of several runs

  /// When the run's state was last written, in seconds since 1970.
  private static func date(_ run: String) -> Double {
    for name in [RunState.fileName, "config.yaml"] {
      if let status = FileStatus("\(run)/\(name)") { return status.changed }
    }
    return -.infinity
  }

  private static func last(of runs: [String]) -> String? { runs.max { date($0) < date($1) } }

  private static func best(of runs: [String]) -> String? {
    let rated = runs.compactMap { run -> (run: String, monitor: String, score: Double)? in
      guard let state = RunState.read(directory: run), let best = state.best,
        let monitor = MonitoredFigure(name: state.monitor)
      else { return nil }
      return (run, state.monitor, monitor.turned(best))
    }
    guard let newest = last(of: rated.map(\.run)),
      let monitor = rated.first(where: { $0.run == newest })?.monitor
    else { return nil }
    return rated.filter { $0.monitor == monitor }.reduce(nil as (run: String, score: Double)?) {
      best, entry in
      guard let best, !BestEpoch.isBetter(entry.score, than: best.score) else {
        return (entry.run, entry.score)
      }
      return best
    }?.run
  }

  // MARK: - Of one run

  private static func newest(of run: String) -> String? {
    try? CheckpointStore(folder: "\(run)/checkpoints").entries().first?.path
  }

  private static func bestCheckpoint(of run: String) -> String? {
    let store = CheckpointStore(folder: "\(run)/checkpoints")
    return (try? store.ranked())?.first?.path
  }
}
