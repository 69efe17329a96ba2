import Compute
import Datasets
import Foundation
import HDF5
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Training

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Trainings over ranks")
struct RankTrainingTests {
  /// A training in which everything takes part that ranks must agree on, drawn from a seed.
  static func configuration(_ folder: TemporaryFolder, seed: UInt64) throws -> RunConfiguration {
    var draw = RandomStream(seed: seed, purpose: .synthetic)
    func chance(_ share: Float) -> Bool { draw.nextUniform() < share }
    let optimizers: [OptimizerConfiguration] = [
      SmallRun.sgd, SmallRun.adam, .lamb(LAMB(learningRate: 0.01, weightDecay: 0.01)),
      .lars(LARS(learningRate: 0.1)), .rmsprop(RMSprop(learningRate: 0.01, momentum: 0.9, centered: true)),
    ]
    var configuration = try SmallRun.configuration(
      data: folder("data.h5"), epochs: 3, optimizer: optimizers[draw.nextInteger(below: optimizers.count)])
    configuration.seed = seed
    var layers = try SmallRun.network().layers.map(\.spec)
    layers.insert(
      contentsOf: [
        .dense(Dense(units: 130 + draw.nextInteger(below: 40), activation: .relu)), .batchNorm(BatchNorm()),
      ],
      at: layers.count - 1)
    configuration.network = try Network(inputShape: [9, 8, 1], chain: layers)
    if chance(0.5) {
      try "dense/gradient minibatch\ndense_1/gradient minibatch\n".write(
        toFile: folder("kernels.txt"), atomically: true, encoding: .utf8)
      configuration.training.tuning = .file(folder("kernels.txt"))
    }
    if chance(0.4) { configuration.training.clipping = .norm(0.5) }
    if chance(0.5) { configuration.training.average = MovingAverage(decay: 0.9) }
    if chance(0.5) { configuration.training.maxNorm = MaxNorm(limit: 0.7) }
    if chance(0.4) { configuration.training.nonFinite = .skip(atMost: 3) }
    if chance(0.5) {
      configuration.training.augmentation = Augmentation([
        .flipHorizontal(Flip(probability: 0.5)), .mixup(Mixup(alpha: 0.5, probability: 0.5)),
      ])
    }
    // Half of the samples: each rank streams what it computes, and the partners of mixtures.
    if chance(0.6) { configuration.data.memoryLimitBytes = 83 * 72 / 2 }
    return configuration
  }

  static func proof(_ configuration: RunConfiguration, _ folder: TemporaryFolder) throws -> ExactnessProof {
    try ExactnessProof(
      RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: 1),
      stop: StopRequest())
  }

  @Test("drawn trainings come to the same bytes on any ranks, workers and partitions", arguments: 0..<12)
  func drawn(seed: Int) throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let proof = try Self.proof(try Self.configuration(folder, seed: UInt64(seed)), folder)
    let expected = try proof.digests(.init(workers: 1), steps: 7)
    #expect(expected.count == 8 && Set(expected).count == 8)
    var draw = RandomStream(seed: UInt64(seed), purpose: .synthetic, a: 1)
    for ranks in [2, 3, 5, 8] {
      var crew = ExactnessProof.Crew(ranks: ranks, workers: 1 + draw.nextInteger(below: 3))
      if draw.nextUniform() < 0.7 {
        // Any division: bounds at random, in order, for every number of shards that a minibatch may have.
        crew.partition = Dictionary(
          uniqueKeysWithValues: (0...20).map { count in
            let bounds = [0] + (1..<ranks).map { _ in draw.nextInteger(below: count + 1) }.sorted() + [count]
            return (count, zip(bounds, bounds.dropFirst()).map { $0..<$1 })
          })
      }
      let restart = ExactnessProof.Restart(
        after: 1 + draw.nextInteger(below: 6), .init(ranks: 1 + draw.nextInteger(below: 4), workers: 1))
      #expect(try proof.digests(crew, steps: 7) == expected, "\(crew)")
      #expect(try proof.digests(crew, steps: 7, restart: restart) == expected, "\(crew), then \(restart)")
    }
  }

  @Test("each rank holds the optimizer's state of its own parameters alone")
  func ownership() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let configuration = try SmallRun.configuration(data: folder("data.h5"), optimizer: SmallRun.adam)
    let compiled = try CompiledNetwork(
      configuration.network.resolved(),
      options: CompileOptions(
        batch: 20, criterion: configuration.criterion(of: configuration.network.resolved())))
    let slices = UpdateSlice.cut(compiled.segments, configuration.training)
    for size in 1...9 {
      let owned = try RankThreads.run(size) { ranks in
        Ownership(
          slices, gathered: [], storageCount: compiled.storageCount, trainedCount: compiled.trainedCount,
          ranks: Ranks(ranks)
        ).ownParameters
      }
      #expect(owned.flatMap(Array.init) == Array(0..<compiled.storageCount))
      #expect(owned.allSatisfy { $0.count <= compiled.storageCount / size + 2 * ShardReduction.sliceLength })
    }
  }

  @Test("a rank's signal stops all of them before the same step")
  func stop() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 50)
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: 1)
    let stops = (0..<3).map { _ in StopRequest() }
    let steps = try RankThreads.run(3) { ranks in
      let prepared = try PreparedTraining(request, stop: stops[ranks.rank])
      let driver = StepDriver(
        configuration, try prepared.makeEngine(workers: 1, ranks: Ranks(ranks)), prepared.samples.training,
        from: TrainingProgress(), stop: stops[ranks.rank])
      while true {
        if ranks.rank == 1, driver.progress.step == 9 { stops[1].request(signal: SIGUSR1) }
        guard case .done = try driver.step() else { break }
      }
      return driver.progress.step
    }
    #expect(steps == [9, 9, 9])
    #expect(stops.map(\.signalNumber) == [SIGUSR1, SIGUSR1, SIGUSR1])
  }

  @Test(
    "a number that is not finite is found on whichever rank it comes up",
    arguments: [0, 7, 19, 20, 41, 62, 82])
  func notFinite(row: Int) throws {
    let folder = try TemporaryFolder()
    try Self.writeWeights(folder("data.h5"), count: 83, huge: row)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 1)
    configuration.data.train.weights = "weights"
    let proof = try Self.proof(configuration, folder)
    func message(_ ranks: Int) -> String {
      do {
        _ = try proof.digests(.init(ranks: ranks, workers: 1), steps: 5)
        return "no error"
      } catch { return "\(error)" }
    }
    // The layer is what only the rank finds that runs the shard again.
    let alone = message(1)
    #expect(alone.contains("is not finite in step") && alone.contains("first in layer"), "\(alone)")
    for ranks in [2, 3, 5] { #expect(message(ranks) == alone) }
  }

  @Test("a value of the optimizer that is not finite ends all ranks at the same step", arguments: [2, 3])
  func spoiltOptimizer(ranks: Int) throws {
    let folder = try TemporaryFolder()
    // The gradient is finite, and the sum of its squares is not: the parameters stay where they are, and so does the loss.
    try Self.writeWeights(folder("data.h5"), count: 83, huge: 20, weight: 1e24)
    for interval in [CheckpointInterval.steps(5), .epochs(1)] {
      var configuration = try SmallRun.configuration(
        data: folder("data.h5"), epochs: 4, optimizer: .adagrad(Adagrad(learningRate: 0.01)),
        checkpoints: CheckpointConfiguration(every: interval, keep: .init(last: 1, best: 0)))
      configuration.data.train.weights = "weights"
      let ends = try RankThreads.run(ranks) { [configuration] communicator -> String in
        var request = RunRequest(
          configuration: configuration, resolvedConfiguration: "", directory: folder("run-\(interval)"),
          workers: 1)
        request.ranks = Ranks(communicator)
        do {
          return "complete: \(try Run(request, stop: StopRequest(), observer: Recorder()).train())"
        } catch let error as TrainingError {
          // Others that go on alone must not wait for ever.
          communicator.abort(code: 76)
          return "\(error.kind): \(error.description.prefix(while: { $0 != ";" }))"
        } catch { return "\(error)" }
      }
      #expect(ends[0].hasPrefix("notFinite: a parameter or a value of the optimizer"), "\(ends[0])")
      #expect(Set(ends).count == 1, "\(ends)")
    }
  }

  /// Weights of 1, but for one that makes its sample's gradient infinite, or as large as it says.
  static func writeWeights(
    _ path: String, count: Int, huge row: Int, weight: Float = 3e38
  ) throws {
    let file = try HDF5.File.create(path, overwrite: true)
    var stream = RandomStream(seed: 3, purpose: .synthetic)
    let images = (0..<count * 72).map { _ in UInt8(stream.nextInteger(below: 256)) }
    var weights = [Float](repeating: 1, count: count)
    weights[row] = weight
    try file.root.makeDataset("images", type: .uint8, shape: [count, 9, 8, 1]).write(images)
    try file.root.makeDataset("labels", type: .uint8, shape: [count]).write((0..<count).map { UInt8($0 % 5) })
    try file.root.makeDataset("weights", type: .float32, shape: [count]).write(weights)
    try file.close()
  }
}
