internal import Compute
internal import Foundation
internal import Networks
public import Parallel
internal import Paths

/// What was measured of trainings on one machine, in a file that other machines can read.
///
/// Steps on many nodes of this kind are predicted from it, wherever that is done.
public struct MachineFigures: Codable, Hashable, Sendable {
  /// The name of the processor.
  public var cpu: String
  /// Convoy's version.
  public var version: String
  /// The trainings that were measured.
  public var trainings: [TrainingFigures]

  /// The figures of this machine, of which there are none yet.
  public init() {
    cpu = RunEnvironment(workers: 1, cores: "").cpu
    version = RunEnvironment.version
    trainings = []
  }

  /// The figures of a training; nil where it was not measured.
  ///
  /// - Parameter key: what it was measured under.
  public func training(_ key: String) -> TrainingFigures? { trainings.first { $0.key == key } }

  /// Adds the figures of a training, in place of older ones.
  public mutating func add(_ training: TrainingFigures) {
    trainings.removeAll { $0.key == training.key }
    trainings.append(training)
  }

  // MARK: - Files

  /// Reads a file; nil where there is none.
  ///
  /// - Throws: ``TrainingError`` of kind `badData` where it is something else, or a number in it cannot be one of these.
  public static func read(_ path: String) throws -> MachineFigures? {
    let bytes: [UInt8]
    do { bytes = try WholeFile.read(path, limit: 16 << 20) } catch {
      if error.isMissing { return nil }
      throw TrainingError(.badData, "cannot read \(path): \(error)")
    }
    guard let figures = try? JSONDecoder().decode(MachineFigures.self, from: Data(bytes)) else {
      throw TrainingError(
        .badData,
        "\(path) is no file of a machine's figures; `convoy plan --nodes … --machine FILE` writes one")
    }
    for training in figures.trainings {
      if let fault = training.fault {
        throw TrainingError(
          .badData, "\(path): \(fault) of '\(training.name)' cannot be right; measure it again")
      }
    }
    return figures
  }

  /// The text of its file.
  public func text() throws -> String { try JSONWriter(isPretty: true).text(self) + "\n" }
}

/// What was measured of a training's steps, and what there is to do in one.
public struct TrainingFigures: Codable, Hashable, Sendable {
  /// The name of the configuration.
  public var name: String
  /// A digest of all that decides what a step costs.
  public var key: String
  /// The day of the measurement, such as `2026-11-30`.
  public var day: String
  /// The workers that it was measured with.
  public var workers: Int
  /// Samples of a full shard.
  public var shardSize: Int
  /// Samples of a step.
  public var minibatch: Int
  /// Whether all workers share each shard.
  public var sharesShards: Bool
  /// Steps that were measured.
  public var steps: Int
  /// Seconds of the median step.
  public var stepSeconds: Double
  /// What there is to do in a step, with the times of a node with as many workers.
  public var work: StepCostModel.Work
  /// Seconds of the copies of parameters for kernels, which are part of what every rank does.
  public var copySeconds: Double
  /// Bytes of activations and scratchpads of a worker.
  public var workspaceBytes: Double
  /// Buffers of the size of the parameters that every rank keeps: the parameters themselves, and their average.
  public var wholeBuffers: Int

  /// What cannot be right of the figures; nil where nothing is wrong.
  var fault: String? {
    let times = [work.secondsPerShard, work.memoryBytesPerSecond, work.bucketBytes, stepSeconds]
    let others = [
      work.gradientBytes, work.parameterBytes, work.rowBytesPerShard, work.statisticsBytes,
      work.secondsPerStep,
      copySeconds, workspaceBytes,
    ]
    if !times.allSatisfy({ $0 > 0 && $0 < 1e18 }) || !others.allSatisfy({ $0 >= 0 && $0 < 1e18 }) {
      return "a time or a number of bytes"
    }
    let counts = [workers, shardSize, minibatch, work.waitingGradients, wholeBuffers]
    let most = 1 << 40
    if !counts.allSatisfy({ (1...most).contains($0) }) || !(0...64).contains(work.slots)
      || !(0...64).contains(work.agreements)
    {
      return "a count"
    }
    return nil
  }
}

extension Benchmark {
  /// What a step costs by a measurement, for predictions on other nodes.
  ///
  /// - Parameters:
  ///   - training: measured with this benchmark.
  ///   - workers: that it was measured with.
  ///   - key: a digest of all that decides what a step costs.
  public func figures(_ training: Throughput, workers: Int, key: String) throws -> TrainingFigures {
    let settings = configuration.training
    let minibatch = settings.samplesPerStep
    let shards = max(Sharding(sampleCount: minibatch, shardSize: compiled.shardSize).count, 1)
    let sharesShards = settings.parallelism == .intra
    let turns = sharesShards ? shards : (shards + workers - 1) / workers
    let phases = training.phases
    let stepSeconds = Double(minibatch) / training.imagesPerSecond
    let others = max(stepSeconds - phases.shards - phases.update - phases.kernelWeights, 0)
    let float = Double(MemoryLayout<Float>.stride)
    let rule = engine.optimizer
    var work = StepCostModel.Work(
      secondsPerShard: phases.shards / Double(turns),
      gradientBytes: Double(compiled.gradientCount) * float, waitingGradients: engine.waitingGradients,
      parameterBytes: Double(compiled.storageCount) * float, slots: rule.slotNames.count,
      rowBytesPerShard: Double(compiled.gatheredBytesPerSample * minibatch) / Double(shards),
      statisticsBytes: Double(compiled.parameters.statisticsCount) * float,
      // The bytes of the sum and the optimizer take one second at this speed.
      memoryBytesPerSecond: 1, secondsPerStep: phases.kernelWeights + others,
      agreements: 3 + (settings.needsWholeGradient ? 1 : 0) + (rule is any LayerwiseOptimizer ? 2 : 0),
      bucketBytes: Double(GradientExchange.bucketLength) * float)
    let alone = StepCostModel(work, Interconnect(latency: 0, perMessage: 0, bytesPerSecond: 1))
    let bytes = alone.step([0..<shards], workers: [workers]).update
    work.memoryBytesPerSecond = bytes / max(phases.update, 1e-9)
    let workspace =
      try compiled.trainingPlan(samples: compiled.shardSize).workspaceByteCount
      + engine.gatheredByteCounts.perWorker
    return TrainingFigures(
      name: configuration.name, key: key, day: Date().formatted(.iso8601.year().month().day()),
      workers: workers, shardSize: compiled.shardSize, minibatch: minibatch, sharesShards: sharesShards,
      steps: training.steps, stepSeconds: stepSeconds, work: work, copySeconds: phases.kernelWeights,
      workspaceBytes: Double(workspace), wholeBuffers: settings.average == nil ? 1 : 2)
  }
}
