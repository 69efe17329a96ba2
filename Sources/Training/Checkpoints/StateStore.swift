/// States of one piece of work in a folder, to go on from: the last two, the older one in case the newer is damaged.
public struct StateStore: Sendable {
  /// The folder that holds the files.
  public let folder: String
  /// What the files' names begin with.
  public let name: String

  /// Takes the folder and the name of what is saved in it.
  ///
  /// - Parameter folder: made when the first state comes.
  public init(folder: String, name: String) {
    self.folder = folder
    self.name = name
  }

  /// The newest state that verifies and belongs to the work that is described.
  ///
  /// - Parameter damaged: told of each newer one that does not verify.
  /// - Returns: nil where there is none, or where the newest belongs to other work that is done.
  /// - Throws: ``TrainingError`` of kind `configuration` where the newest belongs to other work that is not.
  public func newest(
    of description: String, damaged: (TrainingError) -> Void = { _ in }
  ) throws(TrainingError) -> SealedFile? {
    for file in try files() {
      let state: SealedFile
      do throws(TrainingError) { state = try SealedFile.read(file) } catch {
        damaged(error)
        continue
      }
      guard state.belongs(to: description) else {
        if state.isFinished { return nil }
        throw TrainingError(
          .configuration,
          "\(folder) holds the unfinished work of other pictures or settings; name another folder, or start over "
            + "with --restart")
      }
      return state
    }
    return nil
  }

  /// Writes a state, reads it back, and removes all but this and the one before.
  public func save(
    _ payload: [UInt8], step: Int, isFinished: Bool = false, of description: String
  ) throws(TrainingError) {
    try makeFolder(folder)
    try AtomicFile.removeLeftovers(in: folder)
    let digits = String(step)
    let file = "\(name)-s" + String(repeating: "0", count: max(0, 10 - digits.count)) + "\(digits).h5"
    try SealedFile.write(
      payload, step: step, isFinished: isFinished, of: description, as: file, in: folder)
    let path = "\(folder)/\(file)"
    for old in try files().filter({ $0 != path }).dropFirst() { try removeFile(old) }
  }

  /// Removes all states that the store holds.
  ///
  /// - Throws: ``TrainingError`` where a file cannot be removed.
  public func removeAll() throws(TrainingError) {
    for file in try files() { try removeFile(file) }
  }

  /// The files, newest first.
  private func files() throws(TrainingError) -> [String] {
    let names: [String]
    do { names = try namesInFolder(folder) } catch { return [] }
    return names.filter { $0.hasPrefix("\(name)-s") && $0.hasSuffix(".h5") }.sorted(by: >)
      .map { "\(folder)/\($0)" }
  }
}
