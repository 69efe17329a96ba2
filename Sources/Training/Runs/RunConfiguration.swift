public import Compute
public import Datasets
public import Networks
internal import Tensors

/// Everything that decides a run: two runs with equal configurations, data and build give the same bytes.
///
/// Values here are already checked one by one; ``Experiments`` reads them from YAML and reports what is wrong with line
/// and column. How many workers run it, and where files are written, is not part of it.
public struct RunConfiguration: Hashable, Sendable {
  public var name: String
  public var seed: UInt64
  public var data: DataConfiguration
  public var network: Network
  public var training: TrainingConfiguration
  public var checkpoints: CheckpointConfiguration

  public init(
    name: String, seed: UInt64 = 0, data: DataConfiguration, network: Network,
    training: TrainingConfiguration, checkpoints: CheckpointConfiguration = CheckpointConfiguration()
  ) {
    self.name = name
    self.seed = seed
    self.data = data
    self.network = network
    self.training = training
    self.checkpoints = checkpoints
  }
}

extension RunConfiguration {
  /// By what the network is trained and judged.
  public func criterion(of network: ResolvedNetwork) -> Criterion {
    var criterion = Criterion(
      loss: training.loss, targets: data.train.target.kind, outputs: network.outputShape.elementCount)
    if let metrics = training.metrics { criterion.metrics = metrics }
    return criterion
  }
}

/// Which samples a run trains and tests on.
public struct DataConfiguration: Hashable, Sendable {
  public var train: SampleSource
  public var test: SampleSource?
  /// Samples that take no more bytes than this are kept in memory; others are streamed, in the same order.
  public var memoryLimitBytes: Int
  public var shuffle: Shuffling
  /// Training samples by which epochs are compared instead of the test set; nil holds none out.
  public var validation: HeldOut?

  public init(
    train: SampleSource, test: SampleSource? = nil, memoryLimitBytes: Int = 1 << 30, shuffle: Shuffling = true
  ) {
    self.train = train
    self.test = test
    self.memoryLimitBytes = memoryLimitBytes
    self.shuffle = shuffle
  }
}

/// Where samples are found: an HDF5 file and names of datasets in it.
public struct SampleSource: Hashable, Sendable {
  public var file: String
  public var images: String
  /// What is right for each sample: its class, or a vector of numbers.
  public var target: TargetName
  /// A weight for each sample; nil for 1 each.
  public var weights: String?

  public init(file: String, images: String, target: TargetName, weights: String? = nil) {
    self.file = file
    self.images = images
    self.target = target
    self.weights = weights
  }

  public init(file: String, images: String, labels: String) {
    self.init(file: file, images: images, target: .labels(labels))
  }

  /// Opens and checks it.
  public func open() throws -> ImageDataset {
    try ImageDataset(path: file, images: images, target: target, weights: weights)
  }
}

extension TargetName {
  /// What a criterion makes of it.
  public var kind: Criterion.Targets {
    switch self {
    case .labels: .classes
    case .values: .values
    }
  }
}

/// How the network is trained.
public struct TrainingConfiguration: Hashable, Sendable {
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
  public var classWeights: ClassWeights
  public var optimizer: OptimizerConfiguration
  /// Samples of a step for which the optimizer's learning rate is meant: it is multiplied by ``samplesPerStep`` over this; nil
  /// leaves it.
  public var baseBatch: Int?
  public var schedule: ScheduleConfiguration
  public var precision: Precision
  public var clipping: GradientClipping
  public var nonFinite: NonFinitePolicy
  /// Which parameters the optimizer's weight decay acts on, where no rule is for them.
  public var weightDecayScope: WeightDecayScope
  /// Of several rules for a parameter the first counts.
  public var weightDecayRules: [WeightDecayRule] = []
  /// Minibatches of one optimizer step.
  ///
  /// Memory follows the shard and not the minibatch, so a step over K minibatches *is* one over a minibatch K times as large: the
  /// gradients of all its shards are added in one tree, and an interrupted step leaves nothing behind.
  public var accumulate = 1
  /// Minibatches of a training epoch; nil for all.
  public var trainingLimit: Int?
  /// Minibatches, of `batch` samples, of an evaluation; nil for all.
  public var evaluationLimit: Int?
  /// Trains on the first so many minibatches again and again, to see whether the network can learn them; nil trains on all.
  public var overfitBatches: Int?
  /// A bound on the norm of each filter or unit; nil leaves them.
  public var maxNorm: MaxNorm?
  /// A running average of the parameters that evaluation uses; nil evaluates the parameters themselves.
  public var average: MovingAverage?
  /// The figure by which epochs are compared, for the best checkpoints and for early stopping.
  public var monitor: Monitor
  /// Ends the training when `monitor` has not improved for this many epochs; nil never does.
  public var patience: Int?
  /// Where the choice of kernels comes from.
  public var tuning: TuningConfiguration
  /// How training samples are varied; evaluation sees them as they are.
  public var augmentation: Augmentation

  public init(
    epochs: Int, batch: Int, shard: Int? = nil,
    loss: Loss = .softmaxCrossEntropy(labelSmoothing: 0), metrics: [Metric]? = nil,
    classWeights: ClassWeights = .equal,
    optimizer: OptimizerConfiguration, schedule: ScheduleConfiguration = ScheduleConfiguration(),
    precision: Precision = .fp32, clipping: GradientClipping = .none, nonFinite: NonFinitePolicy = .stop,
    weightDecayScope: WeightDecayScope = .all, monitor: Monitor = .accuracy, patience: Int? = nil,
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

/// How several workers share the work of a step.
///
/// Each way gives the same bytes on any number of workers; those of the other may differ in their last bits.
public enum Parallelism: String, Hashable, Sendable, CaseIterable {
  /// Each takes shards of its own.
  case shards
  /// All work on one sample after another, each on some channels of a layer: for minibatches of fewer, large samples than there
  /// are workers. With 32-bit floating point only.
  case intra
}

/// Number format of activations and weights in kernels; parameters, gradient sums and optimizer stay fp32.
public enum Precision: String, Hashable, Sendable, CaseIterable {
  case fp32
  case bf16
}

/// An optimizer's rule and hyper-parameters; the learning rate here is the one that the schedule scales.
public enum OptimizerConfiguration: Hashable, Sendable {
  /// `m ← μ·m − η·g; w ← w + m`, with Nesterov `w ← w + μ·m − η·g` (Keras's form); weight decay is decoupled, as there.
  case sgd(learningRate: Double, momentum: Double, nesterov: Bool, weightDecay: Double)
  /// Kingma & Ba 2015; `weightDecay` is decoupled as in AdamW (Loshchilov & Hutter 2019) when `decoupled`, otherwise added to
  /// the gradient as an L2 penalty.
  case adam(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, decoupled: Bool)
  case rmsprop(learningRate: Double, RMSprop)
  case adagrad(learningRate: Double, Adagrad)
  case adadelta(learningRate: Double, Adadelta)
  case lion(learningRate: Double, Lion)
  case lars(learningRate: Double, LARS)
  case lamb(learningRate: Double, LAMB)

  public var learningRate: Double {
    switch self {
    case .sgd(let rate, _, _, _): rate
    case .adam(let rate, _, _, _, _, _): rate
    case .rmsprop(let rate, _): rate
    case .adagrad(let rate, _): rate
    case .adadelta(let rate, _): rate
    case .lion(let rate, _): rate
    case .lars(let rate, _): rate
    case .lamb(let rate, _): rate
    }
  }
}

/// Which parameters weight decay acts on.
public enum WeightDecayScope: String, Hashable, Sendable, CaseIterable {
  /// Every trainable parameter, Keras's default.
  case all
  /// Kernels of convolutions and dense layers; biases and the scales of normalisation are left alone.
  case kernels
}

/// A length of training, in steps or epochs.
public enum TrainingSpan: Hashable, Sendable {
  case steps(Int)
  case epochs(Double)
}

/// How the learning rate moves: a curve with values in [0, 1], times an optional linear warm-up from 0.
public struct ScheduleConfiguration: Hashable, Sendable {
  public enum Curve: Hashable, Sendable {
    case constant
    /// Multiplied by `factor` after each of the spans, counted from the start of the run.
    case step(at: [TrainingSpan], factor: Double)
    /// Half a cosine from 1 to `floor` over the run (or `over`); stays at `floor` after it.
    case cosine(over: TrainingSpan?, floor: Double)
    /// Multiplied by `factor` over each span, evenly or, as a staircase, at its end.
    case exponential(every: TrainingSpan, factor: Double, staircase: Bool)
    /// `floor + (1 − floor)·(1 − t)^power` over the run (or `over`); 1 is a straight line.
    case polynomial(over: TrainingSpan?, power: Double, floor: Double)
    /// Half cosines one after another, each `stretch` times as long and `shrink` times as high as the one before.
    /// Loshchilov & Hutter 2017, <https://arxiv.org/abs/1608.03983>.
    case cosineRestarts(first: TrainingSpan, stretch: Double, shrink: Double, floor: Double)
    /// Up from `start` to 1 over the share `rise` of the run, and down to `end`, both along half a cosine.
    /// Smith & Topin 2018, <https://arxiv.org/abs/1708.07120>, in PyTorch's form.
    case oneCycle(rise: Double, start: Double, end: Double)
    /// Falls when the monitored figure no longer improves; the factor is then the training's, not the step's.
    case plateau(Plateau)
  }

  public var curve: Curve
  public var warmup: TrainingSpan?

  public init(curve: Curve = .constant, warmup: TrainingSpan? = nil) {
    self.curve = curve
    self.warmup = warmup
  }
}

/// A bound on gradients, applied to the minibatch's mean gradient before the optimizer.
public enum GradientClipping: Hashable, Sendable {
  case none
  /// Scales all gradients so that their global L2 norm is at most this.
  case norm(Double)
  /// Clamps each element to ± this.
  case value(Double)
}

/// What happens when the loss or a gradient is NaN or infinite.
public enum NonFinitePolicy: Hashable, Sendable {
  case stop
  /// Leaves the step out, at most this many times in a run; then stops.
  case skip(atMost: Int)
}

/// When checkpoints are written and which are kept.
public struct CheckpointConfiguration: Hashable, Sendable {
  public enum Interval: Hashable, Sendable {
    case steps(Int)
    case epochs(Int)
    case minutes(Double)
  }

  public var every: Interval
  /// At least 2: the newest is only trusted once an older one stands behind it.
  public var keepLast: Int
  /// How many of the best, by ``TrainingConfiguration/monitor``, are kept besides.
  public var keepBest: Int

  public init(every: Interval = .epochs(1), keepLast: Int = 2, keepBest: Int = 1) {
    self.every = every
    self.keepLast = keepLast
    self.keepBest = keepBest
  }
}
