internal import Paths

extension CheckpointStore {
  /// The checkpoint that a path means: a file itself, or of a run directory (or its folder of checkpoints) the best intact
  /// one, which is the newest where none has been rated.
  ///
  /// - Parameter damaged: told of each better one that is passed over because it is damaged.
  /// - Throws: ``TrainingError`` of kind `missingInput` where there is none, `badData` where none is intact.
  public static func choose(
    _ path: String, damaged: (TrainingError) -> Void = { _ in }
  ) throws(TrainingError) -> (path: String, checkpoint: Checkpoint) {
    guard let status = FileStatus(path) else {
      throw TrainingError(.missingInput, "there is no checkpoint or run directory \(path)")
    }
    guard status.kind == .folder else { return (path, try CheckpointFile.read(path)) }
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let inner = "\(trimmed)/checkpoints"
    let store = CheckpointStore(folder: FileStatus.exists(inner) ? inner : trimmed)
    let entries = try store.entries()
    guard !entries.isEmpty else {
      throw TrainingError(.missingInput, "there is no checkpoint in \(store.folder)")
    }
    let rated = entries.map { entry in
      (entry, score: (try? CheckpointFile.header(of: entry.path))?.score ?? -.infinity)
    }
    for (entry, _) in rated.sorted(by: { ($0.score, $0.0.step) > ($1.score, $1.0.step) }) {
      do throws(TrainingError) {
        return (entry.path, try CheckpointFile.read(entry.path))
      } catch {
        damaged(error)
      }
    }
    throw TrainingError(.badData, "none of the \(entries.count) checkpoint(s) in \(store.folder) is intact")
  }
}
