public import Compute
internal import Networks
internal import OneDNN
internal import Parallel
internal import Tensors

/// What a run is asked to do.
public struct RunRequest: Sendable {
  /// What is to be trained, and how.
  public var configuration: RunConfiguration
  /// The configuration as text with all defaults written out: what the run directory and every checkpoint keep.
  public var resolvedConfiguration: String
  /// The run directory.
  public var directory: String
  /// How many workers train, 1 or more; their number changes speed and no bit.
  public var workers: Int
  /// Writes the model into every checkpoint, for other programs.
  public var model: any ModelWriter
  /// How many cores may be used and who says so, for the record.
  public var coresDescription: String
  /// Kernels to use, measured or written down earlier; nil follows the cost model.
  ///
  /// A resumed run keeps its own.
  public var kernels: KernelChoices?
  /// Which checkpoint to go on from.
  public var resume: ResumeChoice
  /// Goes on even if the configuration or the data changed in a way that changes the training's meaning.
  public var allowChanges: Bool
  /// Takes and compares digests of all bytes of the data, whatever its size; without it large data is known by samples of it.
  public var verifiesData: Bool
  /// Ends the process's training after this many steps, with a checkpoint; nil goes to the end.
  public var stepLimit: Int?
  /// The ranks that train together; one where the training runs in one process.
  public var ranks = Ranks()
  /// Compares a checkpoint's configuration, as text, with this one.
  public var compareConfiguration: @Sendable (_ stored: String) throws -> [ConfigurationChange]

  /// Takes what is asked for; what is left out has its usual value.
  public init(
    configuration: RunConfiguration, resolvedConfiguration: String, directory: String, workers: Int,
    model: any ModelWriter, coresDescription: String = "", kernels: KernelChoices? = nil,
    resume: ResumeChoice = .auto,
    allowChanges: Bool = false, verifiesData: Bool = false, stepLimit: Int? = nil,
    compareConfiguration: @escaping @Sendable (_ stored: String) throws -> [ConfigurationChange] = { _ in [] }
  ) {
    precondition(workers >= 1, "a run needs at least 1 worker, got \(workers)")
    self.configuration = configuration
    self.resolvedConfiguration = resolvedConfiguration
    self.directory = directory
    self.workers = workers
    self.model = model
    self.coresDescription = coresDescription
    self.kernels = kernels
    self.resume = resume
    self.allowChanges = allowChanges
    self.verifiesData = verifiesData
    self.stepLimit = stepLimit
    self.compareConfiguration = compareConfiguration
  }
}

/// Which checkpoint a run goes on from.
public enum ResumeChoice: Hashable, Sendable {
  /// The newest intact checkpoint of the run directory, if there is one.
  case auto
  /// The run begins; a run directory that has checkpoints is refused.
  case never
  /// This file.
  case path(String)
}

/// A key whose value differs between a checkpoint's configuration and that of a run which wants to go on from it.
public struct ConfigurationChange: Hashable, Sendable {
  /// The key's path, `training.optimizer.sgd.learning_rate`.
  public let key: String
  /// The value in the checkpoint, as text.
  public let before: String
  /// The value now, as text.
  public let after: String
  /// Whether the training stays the same: another place, another length, another way to report.
  public let keepsMeaning: Bool

  /// Takes a key's path, its two values as text, and whether the training stays the same.
  public init(key: String, before: String, after: String, keepsMeaning: Bool) {
    self.key = key
    self.before = before
    self.after = after
    self.keepsMeaning = keepsMeaning
  }
}

extension RunRequest {
  /// The checkpoint to go on from; nil for a training that begins.
  ///
  /// - Parameter store: the run directory's; nil on ranks that read the file which the first has found.
  func findCheckpoint(
    in store: CheckpointStore?, _ observer: any TrainerObserver
  ) throws -> (path: String, checkpoint: Checkpoint)? {
    guard let store else {
      let path = try ranks.communicator.first(text: "")
      return path.isEmpty ? nil : (path, try CheckpointFile.read(path))
    }
    let found = try findCheckpoint(in: store, observer)
    _ = try ranks.communicator.first(text: found?.path ?? "")
    return found
  }

  private func findCheckpoint(
    in store: CheckpointStore, _ observer: any TrainerObserver
  ) throws(TrainingError) -> (path: String, checkpoint: Checkpoint)? {
    switch resume {
    case .path(let written):
      let (path, checkpoint) = try Self.read(RunPath.resolve(written), observer)
      guard checkpoint.identity.shardSize > 0 else {
        throw TrainingError(
          .badData,
          "\(path) is an imported network and not the checkpoint of a training, so there is nothing to resume"
        )
      }
      if let newest = try store.entries().first, newest.step > checkpoint.progress.step {
        // The next start with --resume auto would go on from there.
        throw TrainingError(
          .cannotCreate,
          "\(store.folder) has a later checkpoint (step \(newest.step)) than \(path) (step \(checkpoint.progress.step)); continue "
            + "in another --run-dir")
      }
      return (path, checkpoint)
    case .never:
      guard let newest = try store.entries().first else { return nil }
      throw TrainingError(
        .cannotCreate,
        "\(store.folder) has checkpoints already (newest: step \(newest.step)); resume with --resume auto, or start over "
          + "in another --run-dir")
    case .auto:
      return try store.newest { damaged in
        observer.receive(.warning("\(damaged); looking for one before it"))
      }
    }
  }

  /// Reads a checkpoint, or the newest intact one of a run directory.
  private static func read(
    _ path: String, _ observer: any TrainerObserver
  ) throws(TrainingError) -> (path: String, checkpoint: Checkpoint) {
    guard RunPath.isRun(path) else { return (path, try CheckpointFile.read(path)) }
    let store = CheckpointStore(folder: "\(path)/checkpoints")
    guard
      let newest = try store.newest(damaged: {
        observer.receive(.warning("\($0); looking for one before it"))
      })
    else { throw TrainingError(.missingInput, "\(path) has no checkpoints to resume from") }
    return newest
  }

  /// Whether a checkpoint belongs to this training.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration` that names every key that differs, unless changes are allowed.
  func check(
    _ checkpoint: Checkpoint, against data: RunData, _ digests: DataDigests,
    _ observer: any TrainerObserver
  ) throws {
    var differences: [String] = []
    var harmless: [String] = []
    for change in try compareConfiguration(checkpoint.identity.configuration) {
      let text = "\(change.key) was \(change.before) and is \(change.after)"
      if change.keepsMeaning {
        harmless.append(text)
      } else {
        differences.append(text)
      }
    }
    differences += try digests.differences(data, from: checkpoint.identity.datasets)
    if let text = configuration.training.start?.difference(from: checkpoint.identity.start) {
      differences.append(text)
    }
    let (progress, epochs) = (checkpoint.progress, configuration.training.epochs)
    if progress.epoch > epochs || (progress.epoch == epochs && progress.position > 0) {
      differences.append(
        "training.epochs is \(epochs), but the run is in epoch \(progress.epoch + (progress.position > 0 ? 1 : 0)) already"
      )
    }
    try refuse(differences, observer)
    try checkVerification(data, checkpoint.identity, observer)
    // What no flag can bridge: the values would not fit.
    guard checkpoint.network.network == configuration.network else {
      throw TrainingError(
        .configuration,
        "the checkpoint has another network: \(Self.describe(checkpoint.network.network, configuration.network))"
      )
    }
    for text in harmless { observer.receive(.warning("\(text); going on")) }
    warnOfOtherBits(checkpoint.identity, observer)
  }

  /// Whether there is something to compare all bytes of the data with, where that was asked for.
  private func checkVerification(
    _ data: RunData, _ identity: RunIdentity, _ observer: any TrainerObserver
  ) throws(TrainingError) {
    guard verifiesData, let text = DataDigests.nothingToCompare(data, with: identity.datasets) else { return }
    guard allowChanges else {
      throw TrainingError(
        .configuration,
        "\(text). Go on without the flag, or once with --allow-changes: later starts are then compared with the data "
          + "as it is now")
    }
    observer.receive(.warning("\(text); later starts are compared with the data as it is now"))
  }

  /// Says what has changed of the things that no configuration names and that decide last bits.
  private func warnOfOtherBits(_ identity: RunIdentity, _ observer: any TrainerObserver) {
    let versions = RunEnvironment.libraryVersions
    var changes = identity.versions.sorted { $0.key < $1.key }.compactMap { name, before in
      versions[name] == before ? nil : "\(name) was version \(before) and is \(versions[name] ?? "unknown")"
    }
    let instructions = OneDNN.Library.instructionSet
    if !identity.instructionSet.isEmpty, identity.instructionSet != instructions {
      changes.append("the CPU's instruction set was \(identity.instructionSet) and is \(instructions)")
    }
    for change in changes {
      observer.receive(.warning("\(change): from here on results may differ in their last bits"))
    }
  }

  /// How many differences a message names; another network brings a hundred.
  private static let mostDifferences = 4

  private func refuse(_ differences: [String], _ observer: any TrainerObserver) throws(TrainingError) {
    guard !differences.isEmpty else { return }
    let shown = differences.prefix(Self.mostDifferences)
    let rest = differences.count - shown.count
    let text =
      shown.joined(separator: "; ")
      + (rest > 0
        ? "; and \(rest) more, which `convoy config diff \(directory)/config.yaml CONFIG` shows" : "")
    guard allowChanges else {
      throw TrainingError(
        .configuration,
        "this is not the training that the checkpoint belongs to: \(text). Undo the change, use another --run-dir, or pass "
          + "--allow-changes")
    }
    observer.receive(.warning("going on although \(text)"))
  }
}

extension RunRequest {
  /// The first difference between two networks, for a message.
  private static func describe(_ before: Network, _ after: Network) -> String {
    if before.inputShape != after.inputShape {
      return "its input is \(before.inputShape), here it is \(after.inputShape)"
    }
    for (old, new) in zip(before.layers, after.layers) where old != new {
      return "layer '\(old.name)' differs from '\(new.name)' here"
    }
    return "it has \(counted(before.layers.count, "layer")), here there are \(after.layers.count)"
  }
}
