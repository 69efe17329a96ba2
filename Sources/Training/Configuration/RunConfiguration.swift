public import Compute
internal import Datasets
public import Networks
internal import Tensors

/// Everything that decides a run: two runs with equal configurations, data and build give the same bytes.
///
/// Values here are already checked one by one; ``Experiments`` reads them from YAML and reports what is wrong with line
/// and column. How many workers run it, and where files are written, is not part of it.
public struct RunConfiguration: Hashable, Sendable {
  /// The name of the run and of its folder.
  public var name: String
  /// What all random numbers of the run depend on.
  public var seed: UInt64
  /// The samples, and how they are read.
  public var data: DataConfiguration
  /// The layers and how they are joined.
  public var network: Network
  /// How the network is trained.
  public var training: TrainingConfiguration
  /// When the state is saved, and which states are kept.
  public var checkpoints: CheckpointConfiguration
  /// How ranks on several nodes train together.
  public var ranks: RankConfiguration

  /// Takes all parts; those left out have their usual values.
  public init(
    name: String, seed: UInt64 = 0, data: DataConfiguration, network: Network,
    training: TrainingConfiguration, checkpoints: CheckpointConfiguration = CheckpointConfiguration(),
    ranks: RankConfiguration = RankConfiguration()
  ) {
    self.name = name
    self.seed = seed
    self.data = data
    self.network = network
    self.training = training
    self.checkpoints = checkpoints
    self.ranks = ranks
  }
}

extension RunConfiguration {
  /// What the network is trained and judged by where no metrics are named.
  public func usualCriterion(of network: ResolvedNetwork) -> Criterion {
    Criterion(
      loss: training.loss, targets: data.train.target.kind, outputs: network.outputShape.elementCount)
  }

  /// What the network is trained and judged by.
  public func criterion(of network: ResolvedNetwork) -> Criterion {
    var criterion = usualCriterion(of: network)
    if let metrics = training.metrics { criterion.metrics = metrics }
    return criterion
  }
}
