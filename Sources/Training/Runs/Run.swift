internal import Compute
internal import Foundation
internal import Networks
internal import Parallel
internal import Tensors

/// A training in its run directory: opened, checked, resumed, trained, closed.
public final class Run {
  /// Where the run keeps its files; nil on all ranks but the first, which alone writes.
  public let directory: RunDirectory?
  /// What is about to be done.
  public let summary: RunSummary
  /// The bytes of memory that the run has for pixels, of its `data.memory_limit`.
  public let pixelByteCount: Int
  private let trainer: Trainer
  private let observer: any TrainerObserver
  private let state: RunStateRecorder?

  /// Prepares everything up to the first step, and finds out what could go wrong before it.
  ///
  /// In order: the run directory (made, proven writable, locked), the data, the newest intact checkpoint, whether it belongs to
  /// this training, the network's plans.
  /// - Parameters:
  ///   - stop: polled between shards.
  ///   - observer: gets all events, besides the run's own log.
  /// - Throws: ``TrainingError``, or an error of the data, network or plans.
  public init(_ request: RunRequest, stop: StopRequest, observer: any TrainerObserver) throws {
    let configuration = request.configuration
    // Before there is a folder: what cannot be started from leaves none.
    let start = try request.startValues()
    let communicator = request.ranks.communicator
    let directory = communicator.isFirst ? try RunDirectory(path: request.directory) : nil
    self.directory = directory
    let state = directory.map {
      RunStateRecorder(directory: $0, monitor: configuration.training.monitor, next: observer)
    }
    self.state = state
    self.observer = directory.map { LoggingObserver(directory: $0, next: state ?? observer) } ?? observer

    let data = try RunData(
      configuration, workers: request.workers, ranks: request.ranks, stop: stop)
    if let note = data.stagingNote { self.observer.receive(.note(note)) }
    if let note = data.nameNote { self.observer.receive(.warning(note)) }
    pixelByteCount = data.memoryByteCount
    let digests = try DataDigests(data, readsAll: request.verifiesData, check: RunData.check(stop))
    let found = try request.findCheckpoint(in: directory?.checkpoints, self.observer)
    if let found {
      try request.check(found.checkpoint, against: data, digests, self.observer)
    }

    let listener = self.observer
    let prepared = try PreparedTraining(
      request, data: data, goingOnFrom: found?.checkpoint.identity, start: start, stop: stop
    ) { turn in
      guard turn.done == 0 else { return }
      listener.receive(
        .note("timing the kernels of \(counted(turn.count, "convolution")); later starts know the fastest"))
    }
    let (samples, compiled) = (prepared.samples, prepared.compiled)
    if let found {
      try prepared.checkChoices(of: found.checkpoint.identity, self.observer)
      try prepared.checkRules(of: found.checkpoint.identity, self.observer)
    }
    try request.ranks.checkAgreement(request, prepared, digests)
    let engine = try prepared.makeEngine(
      from: found?.checkpoint, evaluationSizes: prepared.evaluationSizes)

    if let start = prepared.start {
      for line in start.account.lines { directory?.log(line) }
      self.observer.receive(.note("begins with " + start.account.summary(from: start.origin.path)))
    }
    if let text = prepared.phases.summary(compiled.parameters) { self.observer.receive(.note(text)) }
    if found == nil {
      for text in prepared.frozenWarnings { self.observer.receive(.warning(text)) }
      try prepared.warnOfPixels(self.observer)
      if let text = prepared.network.warning(ofOutputFor: compiled.options.criterion) {
        self.observer.receive(.warning(text))
      }
    }
    let identity = prepared.identity(
      goingOnFrom: found?.checkpoint.identity,
      datasets: digests.merged(with: found?.checkpoint.identity.datasets ?? [:]))
    let progress = found?.checkpoint.progress ?? TrainingProgress()
    trainer = Trainer(
      configuration: configuration, engine: engine,
      phases: EnginePhases(prepared, evaluationSizes: prepared.evaluationSizes), samples: samples,
      progress: progress,
      checkpoints: CheckpointWriter(
        configuration, identity: identity, network: compiled.network, slotNames: engine.optimizer.slotNames,
        model: request.model, store: directory?.checkpoints, resumedFrom: found?.checkpoint.progress,
        helpsOthers: !communicator.isFirst),
      directory: directory, stop: stop, observer: self.observer,
      stepLimit: request.stepLimit)
    summary = RunSummary(
      name: configuration.name, runID: identity.runID, resumedFrom: found?.path, progress: progress,
      epochs: configuration.training.epochs,
      stepsPerEpoch: Schedule(configuration.training, samples: samples.training.count).length.stepsPerEpoch,
      trainingSamples: samples.training.count,
      validationSamples: samples.role == .validation ? samples.compared?.count ?? 0 : 0,
      testSamples: (samples.role == .test ? samples.compared : samples.final)?.count ?? 0,
      batch: configuration.training.samplesPerStep,
      shard: compiled.shardSize, isIntra: configuration.training.parallelism == .intra,
      workers: request.workers, nodes: communicator.nodes, parameterCount: compiled.network.parameterCount)

    guard let directory else { return }
    try directory.write(configuration: request.resolvedConfiguration)
    try directory.write(
      environment: RunEnvironment(
        workers: request.workers, cores: request.coresDescription,
        nodes: communicator.isAlone ? nil : communicator.nodes))
    try directory.beginMetrics(
      compiled.options.criterion.figureNames, hasValidation: samples.role == .validation,
      after: found?.checkpoint.progress,
      goesOn: progress.epoch < configuration.training.epochs && !progress.stoppedEarly)
    if !communicator.isAlone { try directory.beginRanks(after: found?.checkpoint.progress) }
    if configuration.training.precision == .bf16, !compiled.choices.hasBF16 {
      self.observer.receive(
        .warning(
          "training.precision: bf16 changes nothing here: fp32 is faster in every layer of this network"))
    }
  }

  /// Trains to the end, or until asked to stop.
  ///
  /// - Returns: true when the training is complete, false when it was stopped with a checkpoint to go on from.
  public func train() throws -> Bool {
    observer.receive(.started(summary))
    if let idle = summary.idleWorkers { observer.receive(.warning(idle)) }
    do {
      let isComplete = try trainer.run()
      if trainer.hasReachedStepLimit {
        state?.end(.stopped, "stopped after the steps asked for", progress: trainer.progress)
      }
      return isComplete
    } catch {
      directory?.log("error: \(error)")
      // Steps that wait for more of them say what went wrong.
      try? directory?.synchronizeMetrics()
      state?.end(.failed, "\(error)", progress: trainer.progress)
      throw error
    }
  }

  /// Whether training ended because this process did the steps that the request limits it to.
  public var hasReachedStepLimit: Bool { trainer.hasReachedStepLimit }

  /// Where the training stands.
  public var progress: TrainingProgress { trainer.progress }
}

extension RunSummary {
  /// What to do where a minibatch has fewer shards than there are workers; nil where all have work.
  var idleWorkers: String? {
    let shards = Sharding(sampleCount: batch, shardSize: shard).count
    let smaller = batch / (workers * nodes.count)
    guard !isIntra, shards < workers * nodes.count else { return nil }
    let advice =
      smaller >= 1
      ? "set training.shard to \(smaller) or a larger training.batch"
      : "use a larger training.batch, or training.parallelism: intra where samples are large"
    return
      "a minibatch of \(counted(batch, "sample")) in shards of \(shard) has work for \(shards) of \(workers * nodes.count) workers; \(advice)"
  }
}

extension RunRequest {
  /// How to compile the network; a run that goes on repeats the choices it was begun with.
  func compileOptions(
    goingOnFrom identity: RunIdentity?, stop: StopRequest,
    report: @escaping (TuningTurn) -> Void = { _ in }
  ) throws -> CompileOptions {
    let training = configuration.training
    let precision: ComputePrecision =
      switch training.precision {
      case .fp32: .fp32
      case .bf16: .bf16
      }
    let network = try configuration.network.resolved()
    let selection: KernelSelection
    if let identity {
      guard let choices = KernelChoices(text: identity.kernelChoices) else {
        throw TrainingError(.badData, "the checkpoint's choices of kernels cannot be read")
      }
      selection = .chosen(choices)
    } else if let kernels {
      selection = .chosen(kernels)
    } else {
      selection = try ranks.firstSelection(training.tuning) {
        try Tuning(network, training, stop: stop, report: report).selection()
      }
    }
    var options = CompileOptions(
      batch: training.batch,
      shard: training.parallelism == .intra ? 1 : identity?.shardSize ?? training.shard, precision: precision,
      kernels: selection, criterion: configuration.criterion(of: network))
    options.hasAllChoices = identity != nil
    if training.parallelism == .intra {
      guard precision == .fp32 else {
        throw TrainingError(.configuration, "training.parallelism: intra needs precision fp32")
      }
      options.parts = Self.mostParts
    }
    return options
  }

  /// Into how many parts a layer's channels are cut at the most: enough for many workers, and the same for every number of them.
  private static let mostParts = 16
}
