internal import Tensors

/// What happens in a training, in order; all on the thread that runs it.
public enum TrainerEvent: Sendable {
  /// Training begins, or goes on from a checkpoint.
  case started(RunSummary)
  /// A minibatch is done.
  case step(StepReport)
  /// Samples evaluated so far, after an epoch.
  case evaluating(done: Int, total: Int)
  /// An epoch is done, evaluated and recorded.
  case epochEnded(EpochMetrics, isBest: Bool)
  /// A checkpoint is on disk.
  case checkpointWritten(step: Int, path: String)
  /// Something that a person may want to know.
  case note(String)
  /// Something that the training survives but a person should know.
  case warning(String)
  /// A signal asked to stop; a checkpoint has been written.
  case stopped(signal: Int32, step: Int)
  /// Training has come to its end.
  case finished(TrainingProgress)
}

/// What a run is about to do.
public struct RunSummary: Sendable {
  /// The name of the run.
  public let name: String
  /// The identifier that the run keeps over all restarts.
  public let runID: String
  /// The checkpoint that training goes on from; nil for a fresh start.
  public let resumedFrom: String?
  /// Where training begins, or goes on.
  public let progress: TrainingProgress
  /// Epochs that the configuration asks for.
  public let epochs: Int
  /// Steps of one epoch.
  public let stepsPerEpoch: Int
  /// Samples of an epoch.
  public let trainingSamples: Int
  /// Samples held out of the training data; 0 where none are.
  public let validationSamples: Int
  /// Samples of the test data; 0 where there are none.
  public let testSamples: Int
  /// Samples of a step.
  public let batch: Int
  /// Samples of a full shard.
  public let shard: Int
  /// Whether all workers compute each shard together.
  public let isIntra: Bool
  /// How many workers train, on each rank.
  public let workers: Int
  /// The nodes of the ranks, by rank; one without a name where the training runs in one process.
  public let nodes: [String]
  /// How many parameters the network has.
  public let parameterCount: Int
}

extension RunSummary {
  /// Who trains: `4 workers`, or `3 ranks × 4 workers`.
  public var crew: String {
    let workers = counted(workers, "worker")
    return nodes.count == 1 ? workers : "\(counted(nodes.count, "rank")) × \(workers)"
  }

  /// Where the ranks run: ` (n1, n2 × 2)`; empty for a training in one process.
  public var placement: String {
    guard nodes.count > 1 else { return "" }
    var groups: [(node: String, count: Int)] = []
    for node in nodes {
      if let place = groups.firstIndex(where: { $0.node == node }) {
        groups[place].count += 1
      } else {
        groups.append((node, 1))
      }
    }
    return " (\(groups.map { $0.count == 1 ? $0.node : "\($0.node) × \($0.count)" }.joined(separator: ", ")))"
  }
}

/// Where training stands after a step.
public struct StepReport: Sendable {
  /// Steps done in the run.
  public let step: Int
  /// The epoch that the step belongs to, from 1.
  public let epoch: Int
  /// Samples done in the epoch, of all.
  public let position: Int
  /// Samples of an epoch.
  public let samples: Int
  /// The learning rate of the step.
  public let learningRate: Double
  /// Figures of this minibatch.
  public let minibatch: FigureSums
  /// Figures of the epoch so far.
  public let epochSoFar: FigureSums
}

/// Learns what happens in a training; it is called on the training's thread, so it should be quick.
public protocol TrainerObserver {
  /// Takes note of an event.
  func receive(_ event: TrainerEvent)
}
