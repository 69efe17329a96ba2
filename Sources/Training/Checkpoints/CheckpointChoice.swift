internal import Paths

extension CheckpointStore {
  /// The checkpoint that a path means: a file itself, or of a run directory (or its folder of checkpoints) the best intact
  /// one, which is the newest where none has been rated; ``RunPath`` says which other paths stand for runs.
  ///
  /// - Parameter damaged: told of each better one that is passed over because it is damaged.
  /// - Throws: ``TrainingError`` of kind `missingInput` where there is none, `badData` where none is intact.
  public static func choose(
    _ path: String, damaged: (TrainingError) -> Void = { _ in }
  ) throws(TrainingError) -> (path: String, checkpoint: Checkpoint) {
    let path = RunPath.resolve(path)
    guard let status = FileStatus(path) else {
      throw TrainingError(.missingInput, "there is no checkpoint or run directory \(path)")
    }
    guard status.kind == .folder else { return (path, try CheckpointFile.read(path)) }
    let inner = "\(path)/checkpoints"
    let store = CheckpointStore(folder: FileStatus.exists(inner) ? inner : path)
    let entries = try store.ranked()
    guard !entries.isEmpty else {
      throw TrainingError(.missingInput, "there is no checkpoint in \(store.folder)")
    }
    for entry in entries {
      do throws(TrainingError) {
        return (entry.path, try CheckpointFile.read(entry.path))
      } catch {
        guard error.kind != .stopped else { throw error }
        damaged(error)
      }
    }
    throw TrainingError(.badData, store.noneIsIntact(of: entries.count))
  }
}
