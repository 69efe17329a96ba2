/// What happens in a training, in order; all on the thread that runs it.
public enum TrainerEvent: Sendable {
  /// Training begins, or goes on from a checkpoint.
  case started(RunSummary)
  /// A minibatch is done.
  case step(StepReport)
  /// Samples evaluated so far, after an epoch.
  case evaluating(done: Int, total: Int)
  case epochEnded(EpochMetrics, isBest: Bool)
  case checkpointWritten(step: Int, path: String)
  /// Something that the training survives but a person should know.
  case warning(String)
  /// A signal asked to stop; a checkpoint has been written.
  case stopped(signal: Int32, step: Int)
  case finished(TrainingProgress)
}

/// What a run is about to do.
public struct RunSummary: Sendable {
  public let name: String
  public let runID: String
  /// The checkpoint that training goes on from; nil for a fresh start.
  public let resumedFrom: String?
  public let progress: TrainingProgress
  public let epochs: Int
  public let stepsPerEpoch: Int
  /// Samples of an epoch.
  public let trainingSamples: Int
  /// Samples held out of the training data; 0 where none are.
  public let validationSamples: Int
  public let testSamples: Int
  /// Samples of a step.
  public let batch: Int
  public let shard: Int
  /// Whether all workers compute each shard together.
  public let isIntra: Bool
  public let workers: Int
  public let parameterCount: Int
}

/// Where training stands after a step.
public struct StepReport: Sendable {
  /// Steps done in the run.
  public let step: Int
  /// The epoch that the step belongs to, from 1.
  public let epoch: Int
  /// Samples done in the epoch, of all.
  public let position: Int
  public let samples: Int
  public let learningRate: Double
  /// Figures of this minibatch.
  public let minibatch: MetricSums
  /// Figures of the epoch so far.
  public let epochSoFar: MetricSums
}

/// Gets to know what happens in a training; called on its thread, so it should be quick.
public protocol TrainerObserver {
  func receive(_ event: TrainerEvent)
}
