internal import Compute
internal import Foundation
internal import Paths

/// What writing checkpoints takes from a training.
public struct CheckpointCost: Sendable {
  /// Seconds by which one checkpoint delays training, copying and writing beside it together: the median of the rounds.
  public let seconds: Double
  /// The quartiles of the rounds; the lower one may be negative where steps vary more than a checkpoint costs.
  public let lowerQuartile: Double
  /// The upper quartile of the rounds.
  public let upperQuartile: Double
  /// Median seconds in which training stands still while the state is copied.
  public let copySeconds: Double
  /// Bytes of the file.
  public let byteCount: Int
  /// How many pairs of stretches were compared.
  public let rounds: Int
  /// Seconds of training between two checkpoints, as the configuration has it.
  public let intervalSeconds: Double

  /// The share of the training time.
  public var share: Double { seconds / intervalSeconds }
}

extension Benchmark {
  /// Compares stretches of training during which a checkpoint is written with stretches without one, in turns.
  ///
  /// - Parameters:
  ///   - seconds: how long it goes on at least, and three rounds, or one where a round takes ten seconds or more.
  ///   - folder: where checkpoints would lie; they go into a folder of their own in it, which is removed in the end.
  /// - Throws: ``TrainingError`` where they cannot be written; ``StoppedEarly`` when asked to stop.
  public func checkpointCost(seconds: Double, in folder: String) throws -> CheckpointCost {
    let scratch = "\(folder)/.convoy-bench-\(ProcessInfo.processInfo.processIdentifier)"
    try makeFolder(scratch)
    defer { Folder.remove(scratch) }
    let store = CheckpointStore(folder: scratch)
    let writer = CheckpointWriter(
      configuration, identity: RunIdentity(runID: "benchmark"), network: compiled.network,
      slotNames: engine.optimizer.slotNames, model: model, store: store, resumedFrom: nil)
    let steps = makeSteps()
    var progress = TrainingProgress()

    /// A stretch of steps, with a checkpoint at its beginning that is on disk at its end; what it took, and the copying.
    func stretch(_ count: Int, checkpoint: Bool) throws -> (whole: Double, copy: Double) {
      let clock = ContinuousClock()
      let start = clock.now
      var copy = 0.0
      progress.step += 1
      if checkpoint {
        if let state = try engine.copyState() { writer.submit(state, progress) }
        copy = TrainingClock.seconds(clock.now - start)
      }
      for _ in 0..<count {
        guard try take(steps) != nil else { throw Benchmark.tooFewSamples }
      }
      writer.finish()
      for outcome in writer.poll() { _ = try outcome.result.get() }
      return (TrainingClock.seconds(clock.now - start), copy)
    }

    _ = try stretch(3, checkpoint: true)
    let step = try stretch(5, checkpoint: false).whole / 5
    let written = try stretch(0, checkpoint: true).whole
    // Long enough that writing ends before the stretch does, as it does where checkpoints are far apart.
    let count = max(5, Int((4 * written / step).rounded(.up)))
    var differences: [Double] = []
    var plain: [Double] = []
    var copies: [Double] = []
    let clock = ContinuousClock()
    let start = clock.now
    func isEnough() -> Bool {
      let elapsed = TrainingClock.seconds(clock.now - start)
      return elapsed >= seconds && (differences.count >= 3 || differences.count == 1 && elapsed >= 10)
    }
    while !isEnough() {
      // In the order A B, B A, so that a machine that gets slower or faster favours neither.
      let first = try stretch(count, checkpoint: differences.count % 2 == 1)
      let second = try stretch(count, checkpoint: differences.count % 2 == 0)
      let (without, with) = differences.count % 2 == 0 ? (first, second) : (second, first)
      differences.append(with.whole - without.whole)
      plain.append(without.whole / Double(count))
      copies.append(with.copy)
    }
    func quantile(_ values: [Double], _ share: Double) -> Double {
      values.sorted()[min(values.count - 1, Int(Double(values.count) * share))]
    }
    let size = try store.entries().first.flatMap { FileStatus($0.path)?.byteCount }
    return CheckpointCost(
      seconds: quantile(differences, 0.5), lowerQuartile: quantile(differences, 0.25),
      upperQuartile: quantile(differences, 0.75), copySeconds: quantile(copies, 0.5),
      byteCount: size ?? 0, rounds: differences.count,
      intervalSeconds: checkpointInterval(secondsPerStep: quantile(plain, 0.5)))
  }

  /// Seconds between two checkpoints; where the best epoch is kept besides, it may be every epoch's.
  func checkpointInterval(secondsPerStep: Double) -> Double {
    let epoch = Double(schedule.length.stepsPerEpoch) * secondsPerStep
    let checkpoints = configuration.checkpoints
    let best = checkpoints.keep.best > 0 ? 1.0 : 0
    let perEpoch =
      switch checkpoints.every {
      case .steps(let steps): epoch / (Double(steps) * secondsPerStep) + best
      case .minutes(let minutes): epoch / (minutes * 60) + best
      case .epochs(let epochs): max(1 / Double(epochs), best)
      }
    return epoch / perEpoch
  }
}
