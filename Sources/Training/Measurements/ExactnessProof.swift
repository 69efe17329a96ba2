internal import Compute
internal import Datasets
internal import Foundation
internal import Parallel
internal import Paths
internal import Tensors

/// Trains the same few steps on different numbers of ranks and workers, and compares every byte after every step.
///
/// Nothing stays behind: the checkpoint of a restart lies in a temporary folder. This is what `convoy prove` shows.
public final class ExactnessProof {
  private let prepared: PreparedTraining
  private let stop: StopRequest

  /// Opens the data and compiles the network, once for all trials.
  ///
  /// - Parameter request: its run directory is not touched, its number of workers reads the data.
  public init(_ request: RunRequest, stop: StopRequest) throws {
    prepared = try PreparedTraining(request, stop: stop)
    self.stop = stop
  }

  /// How many ranks train, and how many workers each has.
  public struct Crew: Hashable, Sendable {
    /// Ranks, each a thread that has what a process of its own would have.
    public var ranks: Int
    /// The workers of each rank.
    public var workers: Int
    /// The shards of each rank for minibatches of so many shards, by rank; nil deals them as a training does.
    var partition: [Int: [Range<Int>]]?

    /// Takes the numbers of ranks, and of workers for each.
    public init(ranks: Int = 1, workers: Int) {
      self.ranks = ranks
      self.workers = workers
    }

    fileprivate func ranks(_ communicator: any Communicator) -> Ranks {
      guard let partition else { return Ranks(communicator) }
      return Ranks(communicator) { partition[$0] ?? Ranks(communicator).partition($0) }
    }
  }

  /// A stop after a step, and a start with other ranks and workers.
  public struct Restart: Sendable {
    /// The step after which training stops.
    public var step: Int
    /// Who goes on.
    public var crew: Crew

    /// Takes the step after which training stops, and who goes on.
    public init(after step: Int, _ crew: Crew) {
      self.step = step
      self.crew = crew
    }
  }

  /// Digests of parameters, statistics and optimizer state: before the first step, then after each.
  ///
  /// - Parameters:
  ///   - steps: how many steps to train; fewer are done when the configuration's epochs end before.
  ///   - restart: where everything is thrown away but a checkpoint's file, from which a training goes on as an interrupted one
  ///     does: the network is compiled again, with what the file says; nil for none.
  ///   - progress: told of each step.
  /// - Throws: ``StoppedEarly`` when asked to stop; ``TrainingError`` of kind `notFinite` when the training breaks down.
  public func digests(
    _ crew: Crew, steps: Int, restart: Restart? = nil,
    progress: @escaping @Sendable (_ step: Int) -> Void = { _ in }
  ) throws -> [String] {
    let end = restart.map { min($0.step, steps) } ?? steps
    let first = try run(prepared, crew, from: nil, to: end, savesEnd: restart != nil, progress)
    guard let restart, first.digests.count > end, let checkpoint = first.checkpoint else {
      return first.digests
    }
    try prepared.request.check(
      checkpoint, against: prepared.data, DataDigests(values: [:]), SilentObserver())
    let again = try PreparedTraining(
      prepared.request, data: prepared.data, goingOnFrom: checkpoint.identity, stop: stop)
    let rest = try run(again, restart.crew, from: checkpoint, to: steps, savesEnd: false, progress)
    return first.digests + rest.digests.dropFirst()
  }

  /// What a stretch of a training gives.
  private struct Stretch: Sendable {
    var digests: [String]
    var checkpoint: Checkpoint?
  }

  /// Trains without a run directory, from the initialisers' values or a checkpoint on.
  ///
  /// - Parameters:
  ///   - end: the step to stop after.
  ///   - savesEnd: whether the checkpoint is wanted that an interrupted training would leave there.
  private func run(
    _ prepared: PreparedTraining, _ crew: Crew, from checkpoint: Checkpoint?, to end: Int, savesEnd: Bool,
    _ progress: @escaping @Sendable (_ step: Int) -> Void
  ) throws -> Stretch {
    let trials = Trials(prepared: prepared, stop: stop)
    if crew.ranks == 1 {
      return try trials.run(
        crew.ranks(SoleRank()), crew, from: checkpoint, to: end, savesEnd: savesEnd, progress)
    }
    return try RankThreads.run(crew.ranks) { communicator in
      try trials.run(
        crew.ranks(communicator), crew, from: checkpoint, to: end, savesEnd: savesEnd,
        communicator.isFirst ? progress : { _ in })
    }[0]
  }

  /// What the threads of a trial share; none of them changes it.
  private struct Trials: @unchecked Sendable {
    // @unchecked because a prepared training is not changed by those who make engines of it.
    let prepared: PreparedTraining
    let stop: StopRequest

    func run(
      _ ranks: Ranks, _ crew: Crew, from checkpoint: Checkpoint?, to end: Int, savesEnd: Bool,
      _ progress: (_ step: Int) -> Void
    ) throws -> Stretch {
      let driver = StepDriver(
        prepared.request.configuration,
        try prepared.makeEngine(workers: crew.workers, from: checkpoint, ranks: ranks),
        prepared.samples.training, from: checkpoint?.progress ?? TrainingProgress(),
        phases: EnginePhases(prepared, workers: crew.workers, ranks: ranks), stop: stop)
      var digests = [try driver.engine.digest()]
      while driver.progress.step < end, try step(driver) {
        digests.append(try driver.engine.digest())
        progress(driver.progress.step)
      }
      guard savesEnd else { return Stretch(digests: digests) }
      let state = try driver.engine.copyState()
      return Stretch(
        digests: digests, checkpoint: try state.map { try interrupt(driver, $0) })
    }

    /// Takes a step as a training does; false at the end of the configuration's epochs.
    private func step(_ driver: StepDriver) throws -> Bool {
      switch try driver.step() {
      case .done, .leftOut: return true
      case .ended: return false
      case .stopped: throw StoppedEarly("stopped by a signal before the proof was done; nothing was written")
      case .failed(let problem): throw TrainingError(.notFinite, "\(problem)")
      }
    }

    /// The checkpoint that an interrupted training leaves, written and read as a file.
    private func interrupt(_ trial: StepDriver, _ state: TrainingState) throws -> Checkpoint {
      let folder = "\(Folder.temporary)/convoy-proof-\(UUID().uuidString)"
      try makeFolder(folder)
      defer { Folder.remove(folder) }
      let store = CheckpointStore(folder: folder)
      let writer = CheckpointWriter(
        prepared.request.configuration, identity: prepared.identity(goingOnFrom: nil),
        network: prepared.network, slotNames: trial.engine.optimizer.slotNames,
        model: prepared.request.model, store: store,
        resumedFrom: nil)
      writer.submit(state, trial.progress)
      writer.finish()
      for outcome in writer.poll() { _ = try outcome.result.get() }
      // The store that wrote it trusts it; another one reads every byte.
      guard let newest = try CheckpointStore(folder: folder).newest() else {
        throw TrainingError(.inputOutput, "the checkpoint in \(folder) is gone")
      }
      return newest.checkpoint
    }
  }

  private struct SilentObserver: TrainerObserver {
    func receive(_ event: TrainerEvent) {}
  }
}
