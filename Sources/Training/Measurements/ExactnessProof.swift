internal import Compute
internal import Datasets
internal import Foundation
internal import Paths
internal import Tensors

/// Trains the same few steps on different numbers of workers, and compares every byte after every step.
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

  /// A stop after a step, and a start on another number of workers.
  public struct Restart: Sendable {
    /// The step after which training stops.
    public var step: Int
    /// How many workers go on.
    public var workers: Int

    /// Takes the step after which training stops, and the number of workers that go on.
    public init(after step: Int, workers: Int) {
      self.step = step
      self.workers = workers
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
    workers: Int, steps: Int, restart: Restart? = nil, progress: (_ step: Int) -> Void = { _ in }
  ) throws -> [String] {
    var trial = try makeTrial(prepared, workers: workers, from: nil)
    var digests = [try trial.engine.digest()]
    while digests.count <= steps {
      if let restart, restart.step == digests.count - 1 {
        trial = try goOn(from: try interrupt(trial), workers: restart.workers)
      }
      guard try step(trial) else { break }
      digests.append(try trial.engine.digest())
      progress(trial.progress.step)
    }
    return digests
  }

  /// One training without files, from the initialisers' values or a checkpoint on.
  private func makeTrial(
    _ prepared: PreparedTraining, workers: Int, from checkpoint: Checkpoint?
  ) throws -> StepDriver {
    StepDriver(
      prepared.request.configuration, try prepared.makeEngine(workers: workers, from: checkpoint),
      prepared.samples.training, from: checkpoint?.progress ?? TrainingProgress(),
      phases: EnginePhases(prepared, workers: workers), stop: stop)
  }

  /// Takes a step as a training does; false at the end of the configuration's epochs.
  private func step(_ trial: StepDriver) throws -> Bool {
    switch try trial.step() {
    case .done, .leftOut: return true
    case .ended: return false
    case .stopped: throw StoppedEarly("stopped by a signal before the proof was done; nothing was written")
    case .failed(let problem): throw TrainingError(.notFinite, "\(problem)")
    }
  }

  /// The checkpoint that an interrupted training leaves, written and read as a file.
  private func interrupt(_ trial: StepDriver) throws -> Checkpoint {
    let folder = "\(Folder.temporary)/convoy-proof-\(UUID().uuidString)"
    try makeFolder(folder)
    defer { Folder.remove(folder) }
    let store = CheckpointStore(folder: folder)
    let writer = CheckpointWriter(
      prepared.request.configuration, identity: prepared.identity(goingOnFrom: nil),
      network: prepared.network, slotNames: trial.engine.optimizer.slotNames,
      model: prepared.request.model, store: store,
      resumedFrom: nil)
    writer.submit(try trial.engine.copyState(), trial.progress)
    writer.finish()
    for outcome in writer.poll() { _ = try outcome.result.get() }
    // The store that wrote it trusts it; another one reads every byte.
    guard let newest = try CheckpointStore(folder: folder).newest() else {
      throw TrainingError(.inputOutput, "the checkpoint in \(folder) is gone")
    }
    return newest.checkpoint
  }

  private func goOn(from checkpoint: Checkpoint, workers: Int) throws -> StepDriver {
    try prepared.request.check(checkpoint, against: prepared.data, DataDigests(values: [:]), SilentObserver())
    let again = try PreparedTraining(
      prepared.request, data: prepared.data, goingOnFrom: checkpoint.identity, stop: stop)
    return try makeTrial(again, workers: workers, from: checkpoint)
  }

  private struct SilentObserver: TrainerObserver {
    func receive(_ event: TrainerEvent) {}
  }
}
