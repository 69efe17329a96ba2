internal import Parallel

/// The checkpoints of a run: a folder of files named by their step.
///
/// The newest is found by looking at all names, never by a pointer file that could point nowhere. A damaged file is reported and
/// passed over; nothing but ``save(_:model:keepLast:keepBest:)`` removes files, and that only after the new one has been read back.
public final class CheckpointStore: Sendable {
  /// The folder that holds the files.
  public let folder: String
  /// Files that this process has verified; they need not be read again before older ones go.
  private let verified = Guarded<Set<String>>([])

  /// Takes a folder, which need not exist yet.
  public init(folder: String) { self.folder = folder }

  /// A file in the store, by its name; nothing of it is checked.
  public struct Entry: Hashable, Sendable {
    /// Steps done, as the file's name says.
    public let step: Int
    /// The path of the file.
    public let path: String
  }

  private static let prefix = "checkpoint-s"
  private static let suffix = ".h5"

  /// `checkpoint-s0000012000.h5`: names sort as steps do.
  public static func fileName(step: Int) -> String {
    let digits = String(step)
    return prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + suffix
  }

  /// The step in a checkpoint's name; nil for any other name.
  static func step(ofFile name: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    return Int(name.dropFirst(prefix.count).dropLast(suffix.count))
  }

  /// All checkpoints, newest first.
  public func entries() throws(TrainingError) -> [Entry] {
    let entries = try namesInFolder(folder).compactMap { name -> Entry? in
      Self.step(ofFile: name).map { Entry(step: $0, path: "\(folder)/\(name)") }
    }
    return entries.sorted { $0.step > $1.step }
  }

  /// The newest checkpoint that verifies.
  ///
  /// - Parameter damaged: told of each newer one that does not.
  /// - Returns: nil when there are no checkpoints at all.
  /// - Throws: ``TrainingError`` of kind `badData` when there are some and none verifies, `stopped` when a signal ended the wait.
  public func newest(
    damaged: (TrainingError) -> Void = { _ in }
  ) throws(TrainingError) -> (path: String, checkpoint: Checkpoint)? {
    let entries = try entries()
    for entry in entries {
      do throws(TrainingError) {
        let checkpoint = try CheckpointFile.read(entry.path)
        verified.withLock { _ = $0.insert(entry.path) }
        return (entry.path, checkpoint)
      } catch {
        // An older one would undo steps that are not lost.
        guard error.kind != .stopped else { throw error }
        damaged(error)
      }
    }
    guard let newest = entries.first else { return nil }
    throw TrainingError(
      .badData,
      "\(noneIsIntact(of: entries.count)) (newest: \(newest.path)); nothing was changed. "
        + "Restore one from a backup, or start over with another run directory")
  }

  /// Writes a checkpoint, reads it back, and only then removes those that are neither among the last nor the best.
  ///
  /// - Parameters:
  ///   - model: the form in which other programs find the model in the file.
  ///   - keepLast: how many of the newest stay, at least 2.
  ///   - keepBest: how many of those with the best score stay besides.
  /// - Returns: the new file's path.
  public func save(
    _ checkpoint: consuming Checkpoint, model: any ModelWriter, keepLast: Int, keepBest: Int
  ) throws(TrainingError) -> String {
    let step = checkpoint.progress.step
    let name = Self.fileName(step: step)
    let path = "\(folder)/\(name)"
    let encoded = try CheckpointFile.encode(consume checkpoint, model: model)
    try CheckpointFile.write(encoded, as: name, in: folder)
    verified.withLock { _ = $0.insert(path) }
    try removeOld(newest: step, keepLast: max(2, keepLast), keepBest: keepBest)
    return path
  }

  private func removeOld(newest step: Int, keepLast: Int, keepBest: Int) throws(TrainingError) {
    // Files of later steps than the one just written belong to a later part of a run that was resumed from an earlier checkpoint; this start does not judge them.
    let candidates = try entries().filter { $0.step <= step }
    var intact: [(entry: Entry, score: Double?)] = []
    for entry in candidates {
      guard let header = try? CheckpointFile.header(of: entry.path) else { continue }
      // Only those that must be trusted are read whole, and each once.
      if intact.count < keepLast, !verified.withLock({ $0.contains(entry.path) }) {
        guard (try? CheckpointFile.verify(entry.path)) != nil else { continue }
        verified.withLock { _ = $0.insert(entry.path) }
      }
      intact.append((entry, header.score))
    }
    let old = intact.dropFirst(keepLast)
    let best = Set(
      intact.map { Rated(entry: $0.entry, score: $0.score) }.filter { $0.score != nil }
        .sorted { $0.isBetter(than: $1) }.prefix(keepBest).map(\.entry))
    for (entry, _) in old where !best.contains(entry) {
      try removeFile(entry.path)
      verified.withLock { _ = $0.remove(entry.path) }
    }
  }
}

extension CheckpointStore {
  /// The message where none of this many checkpoints can be read.
  func noneIsIntact(of count: Int) -> String {
    count == 1
      ? "the only checkpoint in \(folder) is not intact"
      : "none of the \(count) checkpoints in \(folder) is intact"
  }

  /// All checkpoints, the best first, as their headers say.
  func ranked() throws(TrainingError) -> [Entry] {
    try entries().map { entry in
      Rated(entry: entry, score: (try? CheckpointFile.header(of: entry.path))?.score)
    }.sorted { $0.isBetter(than: $1) }.map(\.entry)
  }

  /// A checkpoint with the score of the epoch that ended with it.
  struct Rated {
    let entry: Entry
    /// The score; nil in the middle of an epoch.
    let score: Double?

    /// The order in which checkpoints are taken for the best: by the rule of ``BestEpoch/isBeaten(by:)``, of equal ones the first;
    /// those without a score last, the newest before others.
    func isBetter(than other: Rated) -> Bool {
      switch (score, other.score) {
      case (let own?, let its?):
        if BestEpoch.isBetter(own, than: its) { return true }
        return !BestEpoch.isBetter(its, than: own) && entry.step < other.entry.step
      case (_?, nil): return true
      case (nil, _?): return false
      case (nil, nil): return entry.step > other.entry.step
      }
    }
  }
}
