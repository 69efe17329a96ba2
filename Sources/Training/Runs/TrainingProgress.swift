/// How far a training has come: everything it needs to go on besides parameters, optimizer state and statistics.
public struct TrainingProgress: Hashable, Sendable {
  /// Minibatches done since the run began, skipped ones included.
  public var step = 0
  /// Epochs done, evaluated and recorded.
  public var epoch = 0
  /// Samples of the current epoch that are done; all of them when only the epoch's evaluation is left to do.
  public var position = 0
  /// Figures of the current epoch's minibatches so far.
  public var sums = FigureSums()
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
