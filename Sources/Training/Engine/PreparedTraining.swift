internal import Compute
internal import Datasets
internal import Foundation
internal import Networks
internal import OneDNN
internal import Parallel

/// What every training begins with, for its own sake or to be measured: samples that fit, and the network compiled for them.
struct PreparedTraining {
  let request: RunRequest
  let data: RunData
  let samples: RunSamples
  let network: ResolvedNetwork
  /// The network of the last phase, which settles the kernels of all: in no other has a layer more passes.
  let compiled: CompiledNetwork
  /// What is frozen when.
  let phases: TrainingPhases
  /// What the training begins with in place of the initialisers' values; nil where it goes on, or begins with those.
  let start: StartValues?

  /// Opens the data, holds the network and the loss against them, and compiles.
  ///
  /// - Parameters:
  ///   - data: opened already; nil opens the request's.
  ///   - identity: the identity of a run that goes on, whose choices of kernels are repeated; nil for one that begins.
  ///   - start: what the configuration begins with, where it has been read already.
  ///   - takesStart: whether values that the configuration begins with are read; speed does not depend on them.
  ///   - report: told of each convolution whose kernels are timed, where `training.tuning` asks for it.
  /// - Throws: ``TrainingError`` where data and network do not fit; ``StoppedEarly`` when asked to stop.
  init(
    _ request: RunRequest, data: RunData? = nil, goingOnFrom identity: RunIdentity? = nil,
    start: StartValues? = nil, takesStart: Bool = true, stop: StopRequest,
    report: @escaping (TuningTurn) -> Void = { _ in }
  ) throws {
    let configuration = request.configuration
    let data =
      try data
      ?? RunData(configuration, workers: request.workers, ranks: request.ranks, stop: stop)
    let network = try configuration.network.resolved()
    try data.check(network, configuration.criterion(of: network))
    try configuration.checkAugmentation(network)
    self.request = request
    self.data = data
    self.network = network
    samples = try RunSamples(configuration, data)
    self.start =
      identity == nil && takesStart
      ? try start ?? configuration.training.start.map { try StartValues($0, for: network) } : nil
    try self.start?.checkWords(of: data.training.dataset, network)
    phases = TrainingPhases(configuration.training, ParameterLayout(network))
    var options = try request.compileOptions(goingOnFrom: identity, stop: stop, report: report)
    options.frozen = phases.phases[phases.last].frozen
    compiled = try CompiledNetwork(network, options: options)
  }

  /// The network compiled for a phase, with the kernels of the last one.
  private func compiled(ofPhase phase: Int) throws(ComputeError) -> CompiledNetwork {
    guard phase != phases.last else { return compiled }
    var options = compiled.options
    options.frozen = phases.phases[phase].frozen
    options.kernels = .chosen(compiled.choices)
    options.shard = compiled.shardSize
    options.hasAllChoices = true
    return try CompiledNetwork(network, options: options)
  }

  /// What checkpoints say the run is.
  ///
  /// - Parameters:
  ///   - earlier: what the checkpoint says that it goes on from; nil for a run that begins.
  ///   - datasets: digests by which the data is known again; none for what nobody goes on with later.
  func identity(goingOnFrom earlier: RunIdentity?, datasets: [String: String] = [:]) -> RunIdentity {
    RunIdentity(
      runID: earlier?.runID ?? UUID().uuidString.lowercased(),
      configuration: request.resolvedConfiguration,
      datasets: datasets,
      versions: RunEnvironment.libraryVersions, instructionSet: OneDNN.Library.instructionSet,
      kernelChoices: compiled.choices.text, shardSize: compiled.shardSize,
      classNames: data.training.dataset.classNames ?? [], criterion: compiled.options.criterion,
      rules: request.configuration.laterRules(network),
      pixels: data.pixels, origin: data.training.dataset.origin,
      channelNames: data.training.dataset.channelNames ?? [],
      start: earlier.map(\.start) ?? start?.origin)
  }

  /// Sizes of the minibatches that training meets.
  var trainingSizes: Set<Int> {
    RunData.minibatchSizes(
      samples: samples.training.count, batch: request.configuration.training.samplesPerStep)
  }

  /// Sizes of the minibatches that evaluation meets.
  var evaluationSizes: Set<Int> {
    samples.evaluationSizes(batch: Trainer.evaluationBatch(request.configuration.training, compiled))
  }

  /// The values that a training begins with: the initialisers', and the vectors that the data has for words.
  private func initialValues() throws -> CanonicalParameters {
    let values = compiled.parameters.initialValues(seed: request.configuration.seed)
    for layer in network.layers {
      guard case .embedding(let embedding) = layer.spec, embedding.isPretrained else { continue }
      let dataset = data.training.dataset
      guard let (vectors, width) = try dataset.wordVectors() else {
        throw TrainingError(
          .configuration,
          "layer '\(layer.name)' is pretrained, but \(dataset.path) has no vectors of words; import the texts with --vectors"
        )
      }
      guard width == embedding.dimension else {
        throw TrainingError(
          .configuration,
          "layer '\(layer.name)' has vectors of \(embedding.dimension) numbers, but those of \(dataset.path) have \(width); write "
            + "`dimension: \(width)`")
      }
      guard
        let table = values.layout.parameters.first(where: {
          $0.layer == layer.name && $0.spec.name == "embeddings"
        })
      else { continue }
      let target = values.values(of: table)
      for place in 0..<min(vectors.count, target.count) where vectors[place].isFinite {
        if embedding.paddingWord.map({ place / width == $0 }) ?? false { continue }
        target[place] = vectors[place]
      }
    }
    return values
  }

  /// The memory of a training in the phase in which it begins or goes on.
  ///
  /// - Parameters:
  ///   - workers: nil for the request's.
  ///   - checkpoint: whose state it begins with; nil begins with the configuration's start or the initialisers' values.
  ///   - phase: the number of the phase; nil for that of the checkpoint's epoch.
  ///   - evaluationSizes: the sizes of the minibatches that it will evaluate.
  ///   - ranks: nil for the request's.
  /// - Throws: ``TrainingError`` of kind `configuration` where it does not fit into the free memory.
  func makeEngine(
    workers: Int? = nil, from checkpoint: Checkpoint? = nil, phase: Int? = nil,
    evaluationSizes: Set<Int> = [], ranks: Ranks? = nil
  ) throws -> TrainingEngine {
    let phase = phase ?? phases.index(ofEpoch: checkpoint?.progress.epoch ?? 0)
    // Before the values: they may be what there is no room for.
    try checkMemory(try compiled(ofPhase: phase), workers: workers ?? request.workers)
    let values: EngineStart
    if let checkpoint {
      values = EngineStart(checkpoint)
    } else {
      let initial = try initialValues()
      start?.fill(initial)
      values = EngineStart(trained: initial)
    }
    return try makeEngine(
      workers: workers, from: values, phase: phase, evaluationSizes: evaluationSizes, ranks: ranks)
  }

  private func checkMemory(_ compiled: CompiledNetwork, workers: Int) throws {
    let slots = request.configuration.training.optimizer.rule.slotNames.count
    try MemoryDemand.check(
      try MemoryDemand.training(
        compiled, slots: slots, workers: workers, samples: trainingSizes.max() ?? 0), of: "the training",
      workers: workers)
  }

  /// The memory of a phase of a training.
  func makeEngine(
    workers: Int? = nil, from values: EngineStart, phase: Int, evaluationSizes: Set<Int>,
    ranks: Ranks? = nil
  ) throws -> TrainingEngine {
    let configuration = request.configuration
    let compiled = try compiled(ofPhase: phase)
    let workers = workers ?? request.workers
    try checkMemory(compiled, workers: workers)
    return try TrainingEngine(
      compiled, configuration: configuration,
      pool: .confined(workers: workers),
      lossWeights: try data.lossWeights(configuration, compiled),
      trainingSizes: trainingSizes, evaluationSizes: evaluationSizes, start: values,
      ranks: try (ranks ?? request.ranks).dealing(
        shardsOf: compiled, configuration.training, workers: workers))
  }
}

/// The numbers that an engine begins with, in canonical order.
struct EngineStart: Sendable {
  let trained: CanonicalParameters
  var slots: [Checkpoint.Slot] = []
  /// The average of the parameters; nil begins it with them.
  var average: CanonicalParameters?

  init(trained: CanonicalParameters) { self.trained = trained }

  init(_ checkpoint: Checkpoint) {
    trained = checkpoint.trained ?? checkpoint.values
    slots = checkpoint.slots
    average = checkpoint.average
  }

  /// What a phase leaves to the next one; what was frozen has a state of zeros.
  init(_ values: Checkpoint.Values) {
    trained = values.trained ?? values.predicting
    slots = values.slots
    average = values.trained == nil ? nil : values.predicting
  }
}
