public import Compute
public import Datasets
internal import Settings

/// How the network is trained.
public struct TrainingConfiguration: Hashable, Sendable {
  /// Passes over the training samples.
  public var epochs: Int
  /// Samples of one optimizer step; the last minibatch of an epoch may be smaller.
  public var batch: Int
  /// Samples of one shard, at most `batch`; nil lets the cost model choose from the network.
  public var shard: Int?
  /// How several workers share the work of a step.
  public var parallelism = Parallelism.shards
  /// What the trainer makes small: the mean over the minibatch of the samples' losses, each times its sample's weight.
  public var loss: Loss
  /// Figures beside the loss; nil for those that are usual for it.
  public var metrics: [Metric]?
  /// What the loss of each class's samples, or of each label, is multiplied by.
  public var classWeights: ClassWeights
  /// The rule that moves the parameters.
  public var optimizer: OptimizerConfiguration
  /// The samples of a step that the optimizer's learning rate is meant for: the rate is multiplied by ``samplesPerStep`` divided
  /// by this; nil leaves it.
  public var baseBatch: Int?
  /// How the learning rate changes during the run.
  public var schedule: ScheduleConfiguration
  /// The number format in which kernels multiply.
  public var precision: Precision
  /// A bound on the gradients.
  public var clipping: GradientClipping
  /// What happens when a number is not finite.
  public var nonFinite: NonFinitePolicy
  /// Which parameters the optimizer's weight decay acts on, where no rule is for them.
  public var weightDecayScope: WeightDecayScope
  /// Rules for some parameters; the first one for a parameter counts.
  public var weightDecayRules: [WeightDecayRule] = []
  /// Minibatches of one optimizer step.
  ///
  /// Memory follows the shard and not the minibatch, so a step over K minibatches *is* one over a minibatch K times as large: the
  /// gradients of all its shards are added in one tree, and an interrupted step leaves nothing behind.
  public var accumulate = 1
  /// Bounds on the minibatches of an epoch.
  public var limits = EpochLimits()
  /// How many minibatches, the first ones, are trained on over and over, to see whether the network can learn them; nil trains on
  /// all.
  public var overfitBatches: Int?
  /// A bound on the norm of each filter or unit; nil leaves them.
  public var maxNorm: MaxNorm?
  /// A running average of the parameters that evaluation uses; nil evaluates the parameters themselves.
  public var average: MovingAverage?
  /// How some layers are trained; for each parameter and setting the first rule that gives it counts.
  public var layerRules: [LayerRule] = []
  /// A trained network to begin with; nil begins with the initialisers' values.
  public var start: StartConfiguration?
  /// The figure by which epochs are compared, for the best checkpoints and for early stopping.
  public var monitor: MonitoredFigure
  /// Ends the training when `monitor` has not improved for this many epochs; nil never does.
  public var patience: Int?
  /// Where the choice of kernels comes from.
  public var tuning: TuningConfiguration
  /// How training samples are varied; evaluation sees them as they are.
  public var augmentation: Augmentation

  /// Takes the settings that differ between most trainings; the others have their usual values.
  public init(
    epochs: Int, batch: Int, shard: Int? = nil,
    loss: Loss = .softmaxCrossEntropy(SoftmaxCrossEntropy()), metrics: [Metric]? = nil,
    classWeights: ClassWeights = .equal,
    optimizer: OptimizerConfiguration, schedule: ScheduleConfiguration = ScheduleConfiguration(),
    precision: Precision = .fp32, clipping: GradientClipping = .none, nonFinite: NonFinitePolicy = .stop,
    weightDecayScope: WeightDecayScope = .all, monitor: MonitoredFigure = .accuracy, patience: Int? = nil,
    tuning: TuningConfiguration = .model, augmentation: Augmentation = .none, baseBatch: Int? = nil
  ) {
    self.epochs = epochs
    self.batch = batch
    self.shard = shard
    self.loss = loss
    self.metrics = metrics
    self.classWeights = classWeights
    self.optimizer = optimizer
    self.baseBatch = baseBatch
    self.schedule = schedule
    self.precision = precision
    self.clipping = clipping
    self.nonFinite = nonFinite
    self.weightDecayScope = weightDecayScope
    self.monitor = monitor
    self.patience = patience
    self.tuning = tuning
    self.augmentation = augmentation
  }
}

extension TrainingConfiguration {
  /// Samples of one shard where that is settled; nil leaves it to the cost model.
  public var fixedShard: Int? { parallelism == .intra ? 1 : shard }

  /// Samples of one optimizer step.
  public var samplesPerStep: Int { batch * accumulate }

  /// The learning rate that the schedule scales: the optimizer's, in proportion to a step's samples where that is asked for.
  ///
  /// - SeeAlso: Goyal et al. 2017, <https://arxiv.org/abs/1706.02677>.
  public var learningRate: Double {
    optimizer.learningRate * (baseBatch.map { Double(samplesPerStep) / Double($0) } ?? 1)
  }
}
