import Compute
import Datasets
import Foundation
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Engine and steps")
struct EngineTests {
  /// A training over made-up pictures, ready for its first step.
  private static func makeSteps(
    _ folder: TemporaryFolder, _ change: (inout RunConfiguration) throws -> Void = { _ in }
  ) throws -> (steps: StepDriver, samples: SampleSet) {
    if !FileManager.default.fileExists(atPath: folder("data.h5")) {
      try SmallRun.writeDataset(folder("data.h5"), count: 45)
    }
    var configuration = try SmallRun.configuration(data: folder("data.h5"), batchNorm: true)
    try change(&configuration)
    let prepared = try PreparedTraining(
      RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: 2),
      stop: StopRequest())
    let engine = try prepared.makeEngine(evaluationSizes: [20, 5])
    let samples = prepared.samples.training
    let steps = StepDriver(configuration, engine, samples, from: TrainingProgress(), stop: StopRequest())
    return (steps, samples)
  }

  private static func evaluate(_ engine: TrainingEngine, _ samples: SampleSet) throws -> FigureSums {
    let reader = samples.reader(batch: 20)
    let evaluation = try engine.evaluation()
    var sums = FigureSums()
    while let minibatch = try reader.next() {
      let figures = try evaluation.figures(of: minibatch, stop: StopRequest())
      sums += try #require(figures)
    }
    return sums
  }

  @Test(
    "an evaluation judges by what the steps before it left, by the average where there is one",
    arguments: [nil, MovingAverage(decay: 0.5)])
  func evaluations(average: MovingAverage?) throws {
    let folder = try TemporaryFolder()
    let (steps, samples) = try Self.makeSteps(folder) {
      $0.training.average = average
      // Labels are smoothed for steps alone.
      $0.training.loss = .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: 0.1))
      // A batch normalisation that inference multiplies into the convolution: its kernels read copies, not the parameters.
      $0.network = try Network(
        inputShape: [9, 8, 1],
        chain: [
          .rescale(Rescale(scale: 1 / 255.0)), .conv2D(Conv2D(filters: 16, kernel: Size2D(3))),
          .batchNorm(BatchNorm(momentum: 0.5)), .flatten, .dense(Dense(units: SmallRun.classes)),
        ])
    }
    for _ in 0..<3 {
      guard case .done = try steps.step() else { throw TrainingError(.notFinite, "no step") }
      let found = try Self.evaluate(steps.engine, samples)
      #expect(found.samples == 45)
      // The same numbers by another way: a checkpoint's values and a predictor.
      let state = try #require(try steps.engine.copyState()).canonical(
        slotNames: steps.engine.optimizer.slotNames)
      func loss(_ values: CanonicalParameters) throws -> Double {
        let predictor = try Predictor(
          steps.engine.compiled.network, values: values, sampleCount: 45, workers: 1)
        return try #require(try predictor.evaluate(samples.store, stop: StopRequest())).sums.meanLoss
      }
      #expect(abs(try loss(state.predicting) - found.meanLoss) < 1e-4)
      if let trained = state.trained, steps.progress.step > 1 {
        #expect(abs(try loss(trained) - found.meanLoss) > 3e-4)
      }
    }
  }

  @Test("an evaluation changes nothing, and one that throws or is left early lets the training go on")
  func evaluationsLeaveNoTrace() throws {
    let folder = try TemporaryFolder()
    let (steps, samples) = try Self.makeSteps(folder) { $0.training.average = MovingAverage(decay: 0.5) }
    let (undisturbed, _) = try Self.makeSteps(folder) { $0.training.average = MovingAverage(decay: 0.5) }
    for step in 0..<4 {
      for each in [steps, undisturbed] {
        guard case .done = try each.step() else { throw TrainingError(.notFinite, "no step") }
      }
      let before = try steps.engine.digest()
      if step % 2 == 0 {
        _ = try Self.evaluate(steps.engine, samples)
      } else {
        let stop = StopRequest()
        stop.request()
        let minibatch = try #require(try samples.reader(batch: 20).next())
        let figures = try steps.engine.evaluation().figures(of: minibatch, stop: stop)
        #expect(figures == nil)
      }
      #expect(try steps.engine.digest() == before)
      #expect(try undisturbed.engine.digest() == before)
    }
  }

  @Test("the digest of a state covers every number of every buffer")
  func digestCoversAll() throws {
    let compiled = try CompiledNetwork(
      try Network(inputShape: [2], chain: [.dense(Dense(units: 2))]).resolved(),
      options: CompileOptions(batch: 1))
    func digest(_ change: (TrainingState) -> Void) -> String {
      let state = TrainingState(
        compiled: compiled, parameters: AlignedBuffer(count: 5), slots: AlignedBuffer(count: 10),
        slotRange: 0..<5,
        statistics: AlignedBuffer(count: 3), average: AlignedBuffer(count: 5))
      change(state)
      return state.digest()
    }
    var digests = [digest { _ in }]
    for (buffer, count) in [(0, 5), (1, 10), (2, 3), (3, 5)] {
      for index in 0..<count {
        digests.append(
          digest { state in
            let buffers =
              [state.parameters, state.slots, state.statistics] + (state.average.map { [$0] } ?? [])
            buffers[buffer][index] = -0.0
          })
      }
    }
    #expect(Set(digests).count == 24)
  }

  @Test("no step is taken while an evaluation is under way")
  func stepDuringEvaluation() async throws {
    await #expect(processExitsWith: .failure) {
      let (steps, _) = try EngineTests.makeSteps(TemporaryFolder())
      let evaluation = try steps.engine.evaluation()
      _ = try steps.step()
      _ = consume evaluation
    }
  }

  @Test("what a step draws at random follows from the place of its samples in the whole training")
  func streams() throws {
    let folder = try TemporaryFolder()
    // The same samples at several places, the last of which is the second epoch's first.
    func digest(firstSample: Int) throws -> String {
      let (steps, samples) = try Self.makeSteps(folder)
      let minibatch = try #require(try samples.reader(batch: 20).next())
      let moment = UpdateMoment(update: 1, learningRate: 0.1)
      guard
        case .done = try steps.engine.step(
          minibatch, moment, firstSample: firstSample, stop: StopRequest())
      else { throw TrainingError(.notFinite, "no step") }
      return try steps.engine.digest()
    }
    let digests = try [0, 6, 20, 45, 0].map(digest)
    #expect(Set(digests).count == 4 && digests[0] == digests[4])
    // These are the places that a training gives its steps.
    let (steps, samples) = try Self.makeSteps(folder)
    let (byHand, _) = try Self.makeSteps(folder)
    let reader = BatchReader(samples.store, order: samples.order, batchSize: 20)
    for step in 0..<5 {
      let minibatch = try #require(try reader.next())
      let rate = steps.learningRate(ofStep: step)
      guard case .done = try steps.step(),
        case .done = try byHand.engine.step(
          minibatch, UpdateMoment(update: step + 1, learningRate: rate),
          firstSample: [0, 20, 40, 45, 65][step], stop: StopRequest())
      else { throw TrainingError(.notFinite, "no step") }
      #expect(try steps.engine.digest() == byHand.engine.digest())
    }
  }

  @Test("running statistics take up each sample alike, whatever the size of its shard")
  func statisticsOfUnequalShards() throws {
    let network = try Network(
      inputShape: [4, 4, 1],
      chain: [.batchNorm(BatchNorm(momentum: 0.75)), .flatten, .dense(Dense(units: 2))]
    ).resolved()
    let layout = ParameterLayout(network)
    let statistics = ShardStatistics(count: layout.statisticsCount, shards: 3, workers: 2)
    let shards: [[Float]] = [[1, 2], [5, 10], [40, 0.5]]
    for (shard, values) in shards.enumerated() {
      statistics.memory(ofWorker: shard % 2).update(from: values, count: 2)
      statistics.keep(shard: shard, fromWorker: shard % 2)
    }
    let running = AlignedBuffer<Float>(count: 2)
    (running[0], running[1]) = (8, 1)
    try StatisticsFold(layout).fold(
      statistics, Sharding(sampleCount: 7, shardSize: 3), into: running, Ranks())
    // Three samples, three and one: (3·1 + 3·5 + 40) / 7 and (3·2 + 3·10 + 0.5) / 7.
    expectClose(
      running.array(), [0.75 * 8 + 0.25 * 58 / 7, 0.75 * 1 + 0.25 * 36.5 / 7], relative: 1e-6, "statistics")
  }

  @Test("a training, a proof of it and its steps by themselves come to the same bytes")
  func oneDriver() throws {
    let folder = try TemporaryFolder()
    let (steps, _) = try Self.makeSteps(folder)
    let configuration = try SmallRun.configuration(data: folder("data.h5"), batchNorm: true)
    let (complete, record) = try SmallRun.train(configuration, in: folder("run"), workers: 3)
    #expect(complete && record.epochs.count == 3)
    let proof = try ExactnessProof(
      RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: 1),
      stop: StopRequest())
    let digests = try proof.digests(.init(workers: 1), steps: 100)
    #expect(digests.count == 10)
    var rates: [Double] = []
    for digest in digests.dropFirst() {
      guard case .done(let step) = try steps.step() else { throw TrainingError(.notFinite, "no step") }
      rates.append(step.learningRate)
      #expect(try steps.engine.digest() == digest)
    }
    guard case .ended = try steps.step() else { throw TrainingError(.notFinite, "a step too many") }
    #expect(record.epochs.map(\.digest) == [3, 6, 9].map { String(digests[$0].prefix(16)) })
    #expect(record.steps.map(\.learningRate) == rates)
    #expect(Set(rates).count > 2, "the schedule does something")
    #expect(steps.progress.epoch == 2 && steps.progress.position == 45 && steps.progress.step == 9)
  }

  @Test("a step that is left out counts, changes nothing, and is left out by a proof as by a training")
  func leftOut() throws {
    let folder = try TemporaryFolder()
    func change(_ configuration: inout RunConfiguration) {
      configuration.network = (try? SmallRun.network(batchNorm: false)) ?? configuration.network
      configuration.training.optimizer = .sgd(SGD(learningRate: 1e30))
      configuration.training.schedule = ScheduleConfiguration()
      configuration.training.nonFinite = .skip(atMost: 3)
    }
    let (steps, _) = try Self.makeSteps(folder, change)
    guard case .done = try steps.step() else { throw TrainingError(.notFinite, "no first step") }
    let before = try steps.engine.digest()
    for skipped in 1...3 {
      guard case .leftOut(let step, let problem, limit: 3) = try steps.step() else {
        throw TrainingError(.notFinite, "step \(skipped) was not left out")
      }
      #expect(step.samples > 0 && step.sums.samples == 0)
      #expect("\(problem)".contains("not finite in step \(skipped + 1) (epoch "), "\(problem)")
      #expect(steps.progress.skippedSteps == skipped && steps.progress.step == skipped + 1)
      #expect(steps.progress.updates == 1)
      #expect(try steps.engine.digest() == before)
    }
    guard case .failed = try steps.step() else { throw TrainingError(.notFinite, "the limit does not hold") }
    #expect(steps.progress.step == 4)

    var configuration = try SmallRun.configuration(data: folder("data.h5"), batchNorm: true)
    change(&configuration)
    let proof = try ExactnessProof(
      RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: 1),
      stop: StopRequest())
    #expect(
      try Array(proof.digests(.init(workers: 2), steps: 4).dropFirst()) == [before, before, before, before])
    let error = RunTests.error { _ = try proof.digests(.init(workers: 1), steps: 5) }
    #expect(error?.kind == .notFinite)
  }
}
