internal import Compute
internal import Datasets
internal import Digests
internal import Tensors

/// Trains the same few steps again and again, on different numbers of workers, and compares every byte after every step.
///
/// Nothing is written. This is what `convoy prove` shows.
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

  /// Digests of parameters, statistics and optimizer state: before the first step, then after each.
  ///
  /// - Parameters:
  ///   - steps: how many steps to train; fewer are done when the configuration's epochs end before.
  ///   - restartsAfter: a step after which everything is thrown away but what a checkpoint keeps, nil for none.
  ///   - progress: told of each step.
  /// - Throws: ``StoppedEarly`` when asked to stop; ``TrainingError`` of kind `notFinite` when the training breaks down.
  public func digests(
    workers: Int, steps: Int, restartsAfter: Int? = nil, progress: (_ step: Int) -> Void = { _ in }
  ) throws -> [String] {
    var trial = try makeTrial(workers, start: nil, at: TrainingProgress())
    var digests = [try trial.engine.digest()]
    while digests.count <= steps {
      if restartsAfter == digests.count - 1 {
        trial = try makeTrial(workers, start: try restart(trial), at: trial.progress)
      }
      guard try trial.step(stop) else { break }
      digests.append(try trial.engine.digest())
      progress(trial.progress.step)
    }
    return digests
  }

  private func makeTrial(_ workers: Int, start: Checkpoint?, at progress: TrainingProgress) throws -> Trial {
    Trial(
      prepared.request.configuration, try prepared.makeEngine(workers: workers, from: start),
      prepared.samples.training, progress)
  }

  /// The state as it comes back from the bytes of a checkpoint.
  private func restart(_ trial: Trial) throws -> Checkpoint {
    let configuration = prepared.request.configuration
    let compiled = prepared.compiled
    let values = try trial.engine.copyState().canonical(
      compiled, slotNames: trial.engine.optimizer.slotNames)
    let checkpoint = Checkpoint(
      network: prepared.network, name: configuration.name, progress: trial.progress,
      identity: RunIdentity(runID: "proof", criterion: compiled.options.criterion),
      values: values.predicting, optimizer: configuration.training.optimizer, slots: values.slots,
      trained: values.trained)
    return try CheckpointFile.decode(try CheckpointFile.encode(checkpoint))
  }

  /// One training without files.
  private final class Trial {
    let engine: TrainingEngine
    private(set) var progress: TrainingProgress
    private let configuration: RunConfiguration
    private let reader: BatchReader
    private let schedule: Schedule
    private let samples: SampleSet

    init(
      _ configuration: RunConfiguration, _ engine: TrainingEngine, _ training: SampleSet,
      _ progress: TrainingProgress
    ) {
      self.configuration = configuration
      self.engine = engine
      self.progress = progress
      samples = training
      reader = BatchReader.training(configuration, training, from: progress)
      schedule = Schedule(configuration.training, samples: samples.count)
    }

    /// False at the end of the configuration's epochs.
    func step(_ stop: StopRequest) throws -> Bool {
      guard let minibatch = try reader.next() else { return false }
      let rate = configuration.training.learningRate * schedule.factor(step: progress.step)
      let outcome = try engine.step(
        minibatch, UpdateMoment(update: progress.updates + 1, learningRate: rate),
        firstSample: samples.firstSample(of: minibatch), stop: stop)
      switch outcome {
      case .stopped: throw StoppedEarly("stopped by a signal before the proof was done; nothing was written")
      case .notFinite(let problem):
        throw TrainingError(.notFinite, "\(problem.what) is not finite in step \(progress.step + 1)")
      case .done: break
      }
      progress.step += 1
      progress.epoch = minibatch.epoch
      progress.position = minibatch.position + minibatch.count
      return true
    }
  }
}

extension TrainingEngine {
  /// Hexadecimal SHA-256 of all that training changes, in the plans' layouts.
  func digest() throws -> String {
    let state = try copyState()
    var hash = SHA256()
    for buffer in state.buffers {
      withExtendedLifetime(buffer) { hash.update(UnsafeRawBufferPointer(buffer.elements)) }
    }
    return hash.finalize().hexadecimal
  }
}

extension BatchReader {
  /// The minibatches of a training from a place on.
  static func training(
    _ configuration: RunConfiguration, _ samples: SampleSet, from progress: TrainingProgress
  ) -> BatchReader {
    BatchReader(
      samples.store, order: samples.order, batchSize: configuration.training.samplesPerStep,
      epoch: progress.epoch, position: progress.position,
      endEpoch: configuration.training.epochs)
  }
}

extension Schedule {
  /// The schedule of a training over so many samples in an epoch.
  init(_ training: TrainingConfiguration, samples: Int) {
    let steps = max((samples + training.samplesPerStep - 1) / training.samplesPerStep, 1)
    self.init(training.schedule, stepsPerEpoch: steps, totalSteps: steps * training.epochs)
  }
}
