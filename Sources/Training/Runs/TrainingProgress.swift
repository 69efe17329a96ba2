public import Compute
public import Datasets

/// How far a training has come: everything it needs to go on besides parameters, optimizer state and statistics.
public struct TrainingProgress: Hashable, Sendable {
  /// Minibatches done since the run began, skipped ones included.
  public var step = 0
  /// Epochs done, evaluated and recorded.
  public var epoch = 0
  /// Samples of the current epoch that are done; all of them when only the epoch's evaluation is left to do.
  public var position = 0
  /// Figures of the current epoch's minibatches so far.
  public var sums = MetricSums()
  /// The best epoch so far.
  public var best: BestEpoch?
  /// Epochs since the best one.
  public var epochsWithoutGain = 0
  /// Where a plateau schedule stands; as at the start with every other schedule.
  public var plateau = PlateauState()
  /// Steps left out because a number was not finite.
  public var skippedSteps = 0
  /// Score of the epoch that ended with this step, higher is better; nil in the middle of an epoch.
  public var score: Double?
  /// Whether training ended early because the monitored figure no longer improved.
  public var stoppedEarly = false
  /// Seconds of training so far; the only value here that differs from run to run.
  public var seconds = 0.0

  /// The beginning of a training.
  public init() {}

  /// Updates of the parameters so far.
  public var updates: Int { step - skippedSteps }

  /// Whether a record was made before this: a row of a table, or one of an event file.
  ///
  /// The one rule by which all files of a run are cut when it goes on from a checkpoint.
  /// - Parameters:
  ///   - step: steps done when it was made.
  ///   - epoch: the epoch that it sums up, from 1; nil for the record of a step. For epochs the step does not tell: a
  ///     checkpoint may lie between an epoch's last step and its evaluation.
  public func covers(step: Int, epoch: Int?) -> Bool { step <= self.step && epoch ?? 0 <= self.epoch }
}

/// The epoch with the best monitored figure.
public struct BestEpoch: Hashable, Sendable {
  /// The number of the epoch, from 1.
  public let epoch: Int
  /// Steps done at its end.
  public let step: Int
  /// Higher is better: an accuracy, or a loss with its sign turned.
  public let score: Double

  /// Takes an epoch, from 1, the steps done at its end, and its score.
  public init(epoch: Int, step: Int, score: Double) {
    self.epoch = epoch
    self.step = step
    self.score = score
  }

  /// Whether an epoch with this score takes the place of this one: of equal ones the first stays the best.
  ///
  /// The one rule by which the trainer, the checkpoints and all tables know the best epoch. A score that is not a number is worse than
  /// any other.
  public func isBeaten(by score: Double) -> Bool { Self.isBetter(score, than: self.score) }

  static func isBetter(_ score: Double, than other: Double) -> Bool {
    score > other || (other.isNaN && !score.isNaN)
  }
}

/// What a run is besides its numbers: what made them, and what a resumed run must agree with.
public struct RunIdentity: Hashable, Sendable {
  /// The identifier that is given at the first start and kept over all restarts.
  public var runID: String
  /// The resolved configuration, as text.
  public var configuration: String
  /// Hexadecimal digests of the datasets, by ``DataDigest/key(_:of:)``.
  public var datasets: [String: String]
  /// Versions of Convoy, the kernel library and others, by name.
  public var versions: [String: String]
  /// The CPU's instruction set as the kernel library uses it.
  public var instructionSet: String
  /// The kernel of each layer and pass, as Compute writes it.
  public var kernelChoices: String
  /// Whether the run has these kernels in shards of every size, in training and evaluation.
  ///
  /// False in a checkpoint of an earlier version, whose runs chose kernels for each size of shard and kept those of the full
  /// one.
  public var choicesCoverEveryShard: Bool
  /// Samples of a full shard.
  public var shardSize: Int
  /// The names of the classes, labels or targets in the order of the network's outputs; empty where the data does not name its classes, labels or targets.
  public var classNames: [String]
  /// What the network was trained and judged by; nil for softmax cross-entropy and accuracy, before others were known.
  public var criterion: Criterion?
  /// Rules that decide the run's numbers and that earlier versions did not have, by name.
  public var rules: [String]
  /// The span of those pixels of the training samples that were looked at; nil where it is not known.
  public var pixels: PixelSpan?

  /// Takes what is known of a run; the rest stays empty.
  public init(
    runID: String, configuration: String = "", datasets: [String: String] = [:],
    versions: [String: String] = [:], instructionSet: String = "", kernelChoices: String = "",
    choicesCoverEveryShard: Bool = true, shardSize: Int = 0, classNames: [String] = [],
    criterion: Criterion? = nil, rules: [String] = [], pixels: PixelSpan? = nil
  ) {
    self.runID = runID
    self.configuration = configuration
    self.datasets = datasets
    self.versions = versions
    self.instructionSet = instructionSet
    self.kernelChoices = kernelChoices
    self.choicesCoverEveryShard = choicesCoverEveryShard
    self.shardSize = shardSize
    self.classNames = classNames
    self.criterion = criterion
    self.rules = rules
    self.pixels = pixels
  }

  /// The pixels of pictures as they are, for networks that take them so.
  public static let picturePixels = PixelSpan.bytes
}
