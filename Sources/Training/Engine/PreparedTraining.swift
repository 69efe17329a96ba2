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
  let compiled: CompiledNetwork

  /// Opens the data, holds the network and the loss against them, and compiles.
  ///
  /// - Parameters:
  ///   - data: opened already; nil opens the request's.
  ///   - identity: the identity of a run that goes on, whose choices of kernels are repeated; nil for one that begins.
  /// - Throws: ``TrainingError`` where data and network do not fit; ``StoppedEarly`` when asked to stop.
  init(
    _ request: RunRequest, data: RunData? = nil, goingOnFrom identity: RunIdentity? = nil, stop: StopRequest
  ) throws {
    let configuration = request.configuration
    let data = try data ?? RunData(configuration, workers: request.workers, stop: stop)
    let network = try configuration.network.resolved()
    try data.check(network, configuration.criterion(of: network))
    try configuration.checkAugmentation(network)
    self.request = request
    self.data = data
    self.network = network
    samples = try RunSamples(configuration, data)
    compiled = try CompiledNetwork(
      network, options: try request.compileOptions(goingOnFrom: identity, stop: stop))
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
      pixels: data.pixels, pictures: data.training.dataset.pictures)
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

  /// The memory of a training.
  ///
  /// - Parameters:
  ///   - workers: nil for the request's.
  ///   - checkpoint: whose state it begins with; nil begins with the initialisers' values.
  ///   - evaluationSizes: the sizes of the minibatches that it will evaluate.
  /// - Throws: ``TrainingError`` of kind `configuration` where it does not fit into the free memory.
  func makeEngine(
    workers: Int? = nil, from checkpoint: Checkpoint? = nil, evaluationSizes: Set<Int> = []
  ) throws -> TrainingEngine {
    let configuration = request.configuration
    let workers = workers ?? request.workers
    let slots = configuration.training.optimizer.rule.slotNames.count
    try MemoryDemand.check(
      try MemoryDemand.training(compiled, slots: slots, workers: workers), of: "the training",
      workers: workers)
    return try TrainingEngine(
      compiled, configuration: configuration,
      pool: .confined(workers: workers),
      lossWeights: try data.lossWeights(configuration, compiled),
      trainingSizes: trainingSizes, evaluationSizes: evaluationSizes,
      start: checkpoint?.trained ?? checkpoint?.values
        ?? compiled.parameters.initialValues(seed: configuration.seed),
      slots: checkpoint?.slots ?? [], average: checkpoint?.average)
  }
}
