internal import Datasets
internal import Paths

/// The samples of a run as they are read: from the configuration's files, or from copies on the node's own disk.
struct StagedData {
  /// The samples, by the files that are opened.
  let data: DataConfiguration
  /// What was done on this node, for the user; nil where nothing is staged.
  let note: String?

  /// Copies what the configuration wants staged, once on each node; ranks wait for each other.
  ///
  /// - Throws: ``TrainingError``, or an error of a file, on the rank that met it; ``StoppedEarly`` when asked to stop.
  init(_ data: DataConfiguration, ranks: Ranks, stop: StopRequest) throws {
    guard let stage = data.stage else {
      (self.data, note) = (data, nil)
      return
    }
    let check = RunData.check(stop)
    let copies = try ranks.workingApart(stop: stop) {
      try Self.copies(of: data, in: StagingFolder(path: stage), check)
    }
    var staged = data
    staged.train.file = copies[data.train.file]?.path ?? data.train.file
    if let test = data.test { staged.test?.file = copies[test.file]?.path ?? test.file }
    self.data = staged
    let new = copies.values.filter(\.isNew)
    let bytes = new.reduce(0) { $0 + $1.byteCount }
    note =
      copies.isEmpty
      ? nil
      : new.isEmpty
        ? "data is read from its copies in \(stage)"
        : "data was copied to \(stage) (\(sizeText(bytes)))"
  }

  private static func copies(
    of data: DataConfiguration, in folder: StagingFolder, _ check: () throws -> Void
  ) throws -> [String: StagingFolder.Copy] {
    var copies: [String: StagingFolder.Copy] = [:]
    for source in [data.train, data.test].compactMap(\.self) {
      // What is not there is told by whoever opens it.
      guard FileStatus.isFile(source.file) else { continue }
      try source.checkStaging()
      if copies[source.file] == nil { copies[source.file] = try folder.copy(of: source.file, check: check) }
    }
    return copies
  }
}

extension SampleSource {
  /// Refuses samples that a copy of the file would not have: those that the file shows of others.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration`, or an error of the file.
  func checkStaging() throws {
    let others = try ImageDataset.otherFiles(of: file, images: images, target: target, weights: weights)
    guard let first = others.first else { return }
    let rest = others.count > 1 ? " and \(others.count - 1) more" : ""
    throw TrainingError(
      .configuration,
      "data.stage: \(file) shows samples of other files (\(first)\(rest)), which a copy of it would not have; `convoy dataset repack` "
        + "makes one file of them")
  }
}

extension DataConfiguration {
  /// What a training would stage, in words; nil for nothing, or where no file is there.
  ///
  /// - Throws: ``TrainingError`` where a file cannot be staged.
  func stagingNote() throws -> String? {
    guard let stage else { return nil }
    var sizes: [String: Int] = [:]
    for source in [train, test].compactMap(\.self) {
      guard let status = FileStatus(source.file), status.kind == .file else { continue }
      try source.checkStaging()
      sizes[source.file] = status.byteCount
    }
    let sum = sizes.values.reduce(0, +)
    return sizes.isEmpty ? nil : "copied to \(stage) on each node (\(sizeText(sum)))"
  }
}
