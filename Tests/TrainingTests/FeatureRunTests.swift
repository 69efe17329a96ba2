import Compute
import Datasets
import Digests
import Foundation
import Networks
import OneDNN
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("What a training can do, in runs")
struct FeatureRunTests {
  /// A run of 15 steps, whole and in pieces of some steps, each on other workers: the digests of all its checkpoints.
  @discardableResult
  static func expectExact(
    _ folder: TemporaryFolder, pieces: Int = 4, batchNorm: Bool = true,
    _ change: (inout RunConfiguration) -> Void
  ) throws -> [Int: SHA256.Digest] {
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), batchNorm: batchNorm)
    change(&configuration)
    #expect(try SmallRun.train(configuration, in: folder("whole"), workers: 1).complete)
    let expected = try SmallRun.digests(in: folder("whole"))
    #expect(Set(expected.values).count == expected.count, "no two steps are alike")
    #expect(try SmallRun.train(configuration, in: folder("three"), workers: 3).complete)
    #expect(try SmallRun.digests(in: folder("three")) == expected)
    var restarts = 0
    while try !SmallRun.train(
      configuration, in: folder("pieces"), workers: 1 + restarts % 3, stopAfter: pieces
    ).complete {
      restarts += 1
    }
    #expect(restarts >= 2)
    #expect(try SmallRun.digests(in: folder("pieces")) == expected)
    #expect(try rows(folder("pieces")) == rows(folder("whole")))
    return expected
  }

  /// The table of epochs without the columns of wall-clock time.
  static func rows(_ directory: String) throws -> [[String]] {
    let table = try #require(RunTable.epochs(ofRun: directory))
    return table.columns.filter { !$0.contains("second") }.map { table.cells($0) ?? [] }
  }

  static func checkpoint(_ directory: String, step: Int) throws -> Checkpoint {
    try CheckpointFile.read("\(directory)/checkpoints/\(CheckpointStore.fileName(step: step))")
  }

  @Test("a moving average is in the checkpoint: any workers, any interruption, same bytes")
  func movingAverage() throws {
    let folder = try TemporaryFolder()
    let steps = try Self.expectExact(folder) { $0.training.average = MovingAverage(decay: 0.9, rises: true) }
    // The average follows the parameters as it says, from checkpoint to checkpoint.
    var average = try Self.checkpoint(folder("whole"), step: 1).values.trainable.array().map(Double.init)
    let first = try #require(try Self.checkpoint(folder("whole"), step: 1).trained)
    #expect(first.trainable.array().map(Double.init) == average)
    for step in 2...steps.count {
      let checkpoint = try Self.checkpoint(folder("whole"), step: step)
      let trained = try #require(checkpoint.trained).trainable.array()
      let decay = min(0.9, Double(1 + step) / Double(10 + step))
      for (index, value) in trained.enumerated() {
        average[index] = decay * average[index] + (1 - decay) * Double(value)
      }
      expectClose(checkpoint.values.trainable.array(), average, absolute: 1e-6, "step \(step)")
    }
  }

  @Test("evaluation, and so the best checkpoint, uses the moving average")
  func averageIsEvaluated() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 2, batchNorm: true)
    configuration.training.average = MovingAverage(decay: 0.9)
    let (_, record) = try SmallRun.train(configuration, in: folder("run"))
    let found = try #require(record.epochs.last?.test)
    let checkpoint = try Self.checkpoint(folder("run"), step: 10)
    func loss(_ values: CanonicalParameters) throws -> Double {
      let data = try RunData(configuration, workers: 1, stop: StopRequest())
      let predictor = try Predictor(checkpoint.network, values: values, sampleCount: 83, workers: 1)
      return try #require(try predictor.evaluate(data.training, stop: StopRequest())).sums.meanLoss
    }
    #expect(abs(try loss(checkpoint.values) - found.meanLoss) < 1e-5)
    #expect(abs(try loss(#require(checkpoint.trained)) - found.meanLoss) > 1e-3)
  }

  @Test("bounded norms, their average and decay by layers give the same bytes on any workers, resumed")
  func maxNorm() throws {
    let folder = try TemporaryFolder()
    try Self.expectExact(folder, pieces: 1) {
      $0.training.maxNorm = MaxNorm(limit: 0.6)
      $0.training.average = MovingAverage(decay: 0.5)
      $0.training.weightDecayRules = [WeightDecayRule(ParameterPattern("dense/kernel"), scale: 3)]
    }
    let network = try SmallRun.network(batchNorm: true).resolved()
    var bounded = 0
    for step in 1...15 {
      let values = try #require(try Self.checkpoint(folder("whole"), step: step).trained)
      for parameter in ParameterLayout(network).parameters where parameter.spec.name == "kernel" {
        let units = parameter.spec.shape.dimensions.last ?? 1
        var sums = [Double](repeating: 0, count: units)
        for (index, value) in values.values(of: parameter).enumerated() {
          sums[index % units] += Double(value) * Double(value)
        }
        for sum in sums {
          #expect(sum.squareRoot() < 0.6 * (1 + 1e-6))
          if sum.squareRoot() > 0.6 * (1 - 1e-6) { bounded += 1 }
        }
      }
    }
    #expect(bounded > 50)
  }

  @Test("a plateau's state is in the checkpoint: stopped in any epoch, it falls when it would have")
  func plateau() throws {
    let folder = try TemporaryFolder()
    try Self.expectExact(folder, pieces: 3) {
      $0.training.epochs = 8
      $0.training.schedule = ScheduleConfiguration(
        curve: .plateau(Plateau(factor: 0.5, patience: 2, minimumGain: 10, cooldown: 2)), warmup: .steps(3))
    }
    let table = try #require(RunTable.epochs(ofRun: folder("pieces")))
    // The first epoch is the only gain. The rate falls after two more; of the cooldown the second epoch counts, as in Keras.
    let rates = table.numbers("learning_rate")
    expectClose(
      rates.map { $0 ?? .nan }, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025], absolute: 1e-12)
  }

  @Test("a pattern is for a layer, or for a layer's parameter")
  func patterns() {
    func matches(_ pattern: String, _ layer: String, _ parameter: String = "kernel") -> Bool {
      ParameterPattern(pattern).matches(layer: layer, parameter: parameter)
    }
    #expect(matches("dense", "dense") && !matches("dense", "dense.2") && matches("dense*", "dense.2"))
    #expect(matches("*/bias", "a.b", "bias") && !matches("*/bias", "a.b") && matches("*", "x"))
    #expect(matches("stage.?.*", "stage.3.conv2d") && !matches("stage.?.*", "stage.10.conv2d"))
    #expect(matches("a*b*c", "axxbyyc") && !matches("a*b*c", "axxbyy") && matches("a**", "a"))
    #expect(matches("*ab", "aab") && !matches("", "x") && matches("x/kern*", "x"))
    #expect(!matches(String(repeating: "*a", count: 30) + "b", String(repeating: "a", count: 2000)))
  }
}

@Suite("Which samples a training sees")
struct RunSamplesTests {
  private func data(_ folder: TemporaryFolder) throws -> RunConfiguration {
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    try SmallRun.writeDataset(folder("test.h5"), count: 31, seed: 5)
    var configuration = try SmallRun.configuration(data: folder("data.h5"))
    configuration.data.test = SampleSource(file: folder("test.h5"), images: "images", labels: "labels")
    return configuration
  }

  @Test("held-out samples are not trained on, and take the test's place until the last epoch")
  func validation() throws {
    let folder = try TemporaryFolder()
    let steps = try FeatureRunTests.expectExact(folder, pieces: 3) {
      $0.data.validation = HeldOut(.fraction(0.25))
      $0.training.patience = 50
    }
    // 62 of 83 samples are left: 3 steps of 20 and one of 2.
    #expect(steps.count == 12)
    let table = try #require(RunTable.epochs(ofRun: folder("whole")))
    #expect(table.numbers("validation_loss").allSatisfy { $0 != nil })
    #expect(table.numbers("test_loss").map { $0 != nil } == [false, false, true])
    let best = try #require(try FeatureRunTests.checkpoint(folder("whole"), step: 12).progress.best)
    let accuracies = table.numbers("validation_accuracy").compactMap(\.self)
    #expect(best.score == accuracies.max())
    #expect(table.compared("accuracy") == table.numbers("validation_accuracy"))
  }

  @Test("the figures of held-out samples are those of their rows alone")
  func validationFigures() throws {
    let folder = try TemporaryFolder()
    var configuration = try data(folder)
    configuration.data.validation = HeldOut(.count(20), choice: .last)
    let (_, record) = try SmallRun.train(configuration, in: folder("run"))
    let checkpoint = try FeatureRunTests.checkpoint(folder("run"), step: 12)
    let last = try #require(record.epochs.last)
    let data = try RunData(configuration, workers: 1, stop: StopRequest())
    let predictor = try Predictor(checkpoint.network, values: checkpoint.values, sampleCount: 20, workers: 1)
    let rows = try data.training.dataset.samples(Array(63..<83))
    let logits = try #require(try predictor.logits(rows, stop: StopRequest()))
    var loss = 0.0
    for (index, label) in data.training.dataset.labels[63...].enumerated() {
      let classes = SmallRun.classes
      let probabilities = Predictor.probabilities(logits[index * classes..<(index + 1) * classes])
      loss -= log(probabilities[Int(label)]) / 20
    }
    #expect(abs(try #require(last.validation).meanLoss - loss) < 1e-5)
    #expect(last.test?.samples == 31 && last.train.samples == 63)
  }

  @Test("limits end epochs and evaluations after so many minibatches, resumed in the middle as well")
  func limits() throws {
    let folder = try TemporaryFolder()
    let steps = try FeatureRunTests.expectExact(folder, pieces: 2) {
      $0.training.epochs = 4
      $0.training.limits.training = 2
      $0.training.limits.evaluation = 1
    }
    #expect(steps.count == 8)
    var configuration = try data(folder)
    configuration.training.limits.training = 2
    configuration.training.limits.evaluation = 1
    let (_, record) = try SmallRun.train(configuration, in: folder("run"))
    #expect(record.epochs.map(\.train.samples) == [40, 40, 40])
    #expect(record.epochs.map { $0.test?.samples } == [20, 20, 20])
    configuration.training.limits.training = 1000
    configuration.training.limits.evaluation = 1000
    let whole = try SmallRun.train(configuration, in: folder("whole limits")).record
    #expect(whole.epochs.map(\.train.samples) == [83, 83, 83])
    #expect(whole.epochs.map { $0.test?.samples } == [31, 31, 31])
  }

  @Test(
    "accumulating minibatches gives the bytes of a batch so many times as large, whole, resumed and on any workers"
  )
  func accumulation() throws {
    let folder = try TemporaryFolder()
    let expected = try FeatureRunTests.expectExact(folder, pieces: 1) {
      $0.training.batch = 40
      $0.training.baseBatch = 10
    }
    let accumulated = try TemporaryFolder()
    let digests = try FeatureRunTests.expectExact(accumulated, pieces: 1) {
      $0.training.batch = 10
      $0.training.accumulate = 4
      $0.training.baseBatch = 10
    }
    #expect(expected.count == 9 && digests == expected)
  }

  @Test("a stop in the middle of an accumulation leaves the step before, and the same step follows")
  func stoppedInside() throws {
    let folder = try TemporaryFolder()
    var configuration = try data(folder)
    configuration.training.batch = 5
    configuration.training.accumulate = 8
    let samples = try RunSamples(configuration, RunData(configuration, workers: 1, stop: StopRequest()))
    let compiled = try CompiledNetwork(
      configuration.network.resolved(), options: CompileOptions(batch: 5, shard: 5))
    func makeEngine() throws -> TrainingEngine {
      try TrainingEngine(
        compiled, configuration: configuration, pool: WorkerPool(workers: 2) { ThreadConfinement.confine() },
        lossWeights: .even, trainingSizes: [40], evaluationSizes: [],
        start: EngineStart(trained: compiled.parameters.initialValues(seed: configuration.seed)))
    }
    let engine = try makeEngine()
    let reader = BatchReader(
      samples.training.store, order: samples.training.order, batchSize: configuration.training.samplesPerStep)
    let minibatch = try #require(try reader.next())
    #expect(minibatch.count == 40)
    let before = try engine.digest()
    let stop = StopRequest()
    stop.request()
    let moment = UpdateMoment(update: 1, learningRate: 0.1)
    guard case .stopped = try engine.step(minibatch, moment, firstSample: 0, stop: stop) else {
      Issue.record("it did not stop")
      return
    }
    #expect(try engine.digest() == before)
    let undisturbed = try makeEngine()
    for each in [engine, undisturbed] {
      guard case .done = try each.step(minibatch, moment, firstSample: 0, stop: StopRequest()) else {
        Issue.record("the step was not done")
        return
      }
    }
    #expect(try engine.digest() == undisturbed.digest() && engine.digest() != before)
  }

  @Test(
    "overfitting goes over the same samples, evaluates them, leaves augmentation out and stops when all are right"
  )
  func overfit() throws {
    let folder = try TemporaryFolder()
    var configuration = try data(folder)
    configuration.network = try SmallRun.network()
    configuration.training.epochs = 40
    configuration.training.overfitBatches = 1
    configuration.training.optimizer = .adam(Adam(learningRate: 0.02))
    configuration.training.schedule = ScheduleConfiguration()
    let (complete, record) = try SmallRun.train(configuration, in: folder("run"))
    #expect(complete)
    let last = try #require(record.epochs.last)
    #expect(last.validation?.accuracy == 1 && last.epoch < 40)
    #expect(
      record.epochs.allSatisfy { $0.validation?.samples == 20 && $0.test == nil && $0.train.samples == 83 })
    #expect(try FeatureRunTests.checkpoint(folder("run"), step: last.step).progress.stoppedEarly)
    let exact = try TemporaryFolder()
    try FeatureRunTests.expectExact(exact, pieces: 2) { $0.training.overfitBatches = 2 }
  }

  @Test("too few samples for what is asked for are refused before training, with what to change")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let cases: [(String, (inout RunConfiguration) -> Void)] = [
      ("data.validation: 83 of the 83", { $0.data.validation = HeldOut(.count(83)) }),
      ("data.validation: 0 of the 83", { $0.data.validation = HeldOut(.fraction(0.001)) }),
      ("training.overfit_batches: 5 minibatches of 20", { $0.training.overfitBatches = 5 }),
      ("training.accumulate: 6 minibatches of 20", { $0.training.accumulate = 6 }),
    ]
    for (text, change) in cases {
      var configuration = try data(folder)
      change(&configuration)
      let error = RunTests.error { try SmallRun.train(configuration, in: folder("refused")) }
      #expect(
        error?.kind == .configuration && error?.description.hasPrefix(text) == true,
        "\(error?.description ?? "")")
    }
  }

  @Test("the finder gives the same curve on any workers, and its rate is where the loss falls")
  func finder() throws {
    let folder = try TemporaryFolder()
    var configuration = try data(folder)
    configuration.training.optimizer = .sgd(SGD(learningRate: 1, momentum: 0.9))
    func curve(_ workers: Int) throws -> LearningRateCurve {
      let request = RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: workers)
      return try LearningRateFinder(request, stop: StopRequest()).run(.init(from: 1e-5, to: 100, steps: 80))
    }
    let first = try curve(1)
    #expect(try curve(3) == first)
    #expect(!FileManager.default.fileExists(atPath: folder("none")))
    #expect(first.hasDiverged && first.points.count < 80)
    let steepest = try #require(first.steepest)
    let minimum = try #require(first.minimum)
    #expect(
      steepest < minimum && (1e-3...1).contains(first.points[steepest].rate), "\(first.points[steepest])")
    // A rate that moves nothing suggests nothing.
    let flat = LearningRateCurve(
      points: (0..<50).map { .init(rate: pow(10, Double($0) / 10), loss: 2 + 0.01 * sin(Double($0))) },
      hasDiverged: false)
    #expect(flat.steepest == nil)
    let valley = LearningRateCurve(
      points: (0..<200).map { index in
        let x = Double(index) / 20
        return .init(rate: pow(10, x - 6), loss: 2 - 1.5 / (1 + exp(-4 * (x - 5))) + exp(3 * (x - 8)))
      }, hasDiverged: false)
    // The logistic falls most steeply at x = 5.
    #expect(abs(log10(valley.points[try #require(valley.steepest)].rate) + 1) < 0.11)
  }
}
