internal import Compute
internal import Parallel

/// Sums from which loss and accuracy follow; added up in a fixed order.
public struct MetricSums: Hashable, Sendable {
  /// Sum of the samples' losses.
  public var loss = 0.0
  public var correct = 0
  public var samples = 0

  public init() {}

  public init(loss: Double, correct: Int, samples: Int) {
    self.loss = loss
    self.correct = correct
    self.samples = samples
  }

  /// The sums of a minibatch: its shards' losses are added in the order of ``SumTree``.
  init(shards: [ShardResult], samples: Int) {
    loss = SumTree.sum(shards.map(\.lossSum))
    correct = shards.reduce(0) { $0 + $1.correct }
    self.samples = samples
  }

  public static func += (sums: inout MetricSums, more: MetricSums) {
    sums.loss += more.loss
    sums.correct += more.correct
    sums.samples += more.samples
  }

  /// Mean loss of a sample; 0 without samples.
  public var meanLoss: Double { samples == 0 ? 0 : loss / Double(samples) }
  /// Share of samples classified correctly, in [0, 1]; 0 without samples.
  public var accuracy: Double { samples == 0 ? 0 : Double(correct) / Double(samples) }
}

/// What an epoch came to.
public struct EpochMetrics: Hashable, Sendable {
  /// From 1, as people count.
  public let epoch: Int
  /// Steps since the start of the run.
  public let step: Int
  public let learningRate: Double
  /// Over the epoch's training minibatches, each with the parameters of its time.
  public let train: MetricSums
  /// Over the test set with the parameters at the epoch's end.
  public let test: MetricSums?
  /// Steps left out in the run so far because a number was not finite.
  public let skippedSteps: Int
  /// Wall-clock seconds of training since the run began, interruptions left out.
  public let seconds: Double
  /// Training samples per second of this process over this epoch; nil where it trained on none, since it went on at the
  /// epoch's evaluation.
  public let samplesPerSecond: Double?
  /// Where the epoch's time went, in this process.
  public let times: EpochTimes
  /// First 16 hexadecimal digits of a SHA-256 over parameters, optimizer state and statistics at the epoch's end.
  public let digest: String

  /// Names of the columns of `metrics.csv`.
  public static let columns = [
    "step", "epoch", "learning_rate", "train_loss", "train_accuracy", "test_loss", "test_accuracy",
    "skipped_steps", "seconds", "samples_per_second", "data_wait_seconds", "test_seconds",
    "checkpoint_seconds", "digest",
  ]

  /// One value per column; numbers as short as they can be and still read back exactly, empty where there is none.
  public var row: [String] {
    [
      "\(step)", "\(epoch)", "\(learningRate)", "\(train.meanLoss)", "\(train.accuracy)",
      test.map { "\($0.meanLoss)" } ?? "", test.map { "\($0.accuracy)" } ?? "", "\(skippedSteps)",
      "\(Self.milliseconds(seconds))", samplesPerSecond.map { "\($0.rounded())" } ?? "",
      "\(Self.milliseconds(times.dataWait))", "\(Self.milliseconds(times.test))",
      "\(Self.milliseconds(times.checkpoints))", digest,
    ]
  }

  private static func milliseconds(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}

/// Seconds of an epoch that were spent on other things than training steps.
public struct EpochTimes: Hashable, Sendable {
  /// Waiting for minibatches that were not read yet.
  public var dataWait = 0.0
  /// Evaluating the test set.
  public var test = 0.0
  /// Copying the state for checkpoints, which are then written in the background, since the epoch before.
  public var checkpoints = 0.0

  public init() {}
}
