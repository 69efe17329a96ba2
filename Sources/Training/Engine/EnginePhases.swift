internal import Datasets

/// Makes the engines of a training's phases, one after another.
struct EnginePhases {
  private let prepared: PreparedTraining
  private let workers: Int?
  private let evaluationSizes: Set<Int>
  private let ranks: Ranks?

  /// - Parameters:
  ///   - workers: nil for the request's.
  ///   - evaluationSizes: the sizes of the minibatches that will be evaluated.
  ///   - ranks: nil for the request's.
  init(
    _ prepared: PreparedTraining, workers: Int? = nil, evaluationSizes: Set<Int> = [], ranks: Ranks? = nil
  ) {
    self.ranks = ranks
    self.prepared = prepared
    self.workers = workers
    self.evaluationSizes = evaluationSizes
  }

  /// The number of an epoch's phase.
  func index(ofEpoch epoch: Int) -> Int { prepared.phases.index(ofEpoch: epoch) }

  /// The engine of a phase.
  func engine(ofPhase phase: Int, from values: EngineStart) throws -> TrainingEngine {
    try prepared.makeEngine(
      workers: workers, from: values, phase: phase, evaluationSizes: evaluationSizes, ranks: ranks)
  }
}
