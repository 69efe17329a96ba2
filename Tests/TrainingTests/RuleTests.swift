import Foundation
import Networks
import Tensors
import Testing

@testable import Training

@Suite("Rules in runs")
struct RuleTests {
  static let optimizers: [OptimizerConfiguration] = [
    .rmsprop(RMSprop(learningRate: 0.01, momentum: 0.5, centered: true, weightDecay: 1e-3)),
    .adagrad(Adagrad(learningRate: 0.05, weightDecay: 1e-3)), .adadelta(Adadelta(learningRate: 1)),
    .lion(Lion(learningRate: 0.002, weightDecay: 0.1)),
    .lars(LARS(learningRate: 1, trustCoefficient: 0.02, weightDecay: 1e-3)),
    .lamb(LAMB(learningRate: 0.02, weightDecay: 0.01)),
    .nadam(Nadam(learningRate: 0.01, weightDecay: 0.01)),
  ]
  static let curves: [ScheduleConfiguration.Curve] = [
    .exponential(ExponentialDecay(every: .epochs(1), factor: 0.5, staircase: false)),
    .polynomial(PolynomialDecay(over: nil, power: 2, floor: 0.1)),
    .cosineRestarts(CosineRestarts(first: .steps(4), stretch: 2, shrink: 0.8, floor: 0.1)),
    .oneCycle(OneCycle(rise: 0.3, start: 0.04, end: 1e-4)),
  ]

  /// All steps' digests of a run of 15 steps, whole and in pieces.
  private func expectExact(_ change: (inout TrainingConfiguration) -> Void) throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    var configuration = try SmallRun.configuration(data: folder("data.h5"))
    change(&configuration.training)
    #expect(try SmallRun.train(configuration, in: folder("whole"), workers: 1).complete)
    let expected = try SmallRun.digests(in: folder("whole"))
    #expect(expected.count == 15)
    #expect(Set(expected.values).count == 15, "no two steps are alike")
    var restarts = 0
    while try !SmallRun.train(
      configuration, in: folder("pieces"), workers: 1 + restarts % 3, stopAfter: 4
    ).complete {
      restarts += 1
    }
    #expect(restarts >= 3)
    #expect(try SmallRun.digests(in: folder("pieces")) == expected)
  }

  @Test("an optimizer gives the same bytes on other numbers of workers and resumed", arguments: optimizers)
  func optimizer(_ optimizer: OptimizerConfiguration) throws {
    try expectExact {
      $0.optimizer = optimizer
      $0.weightDecayScope = .kernels
    }
  }

  @Test("a schedule gives the same bytes on other numbers of workers and resumed", arguments: curves)
  func schedule(_ curve: ScheduleConfiguration.Curve) throws {
    try expectExact { $0.schedule = ScheduleConfiguration(curve: curve, warmup: .steps(2)) }
  }

  @Test("clipping by norm and norms of layers go together")
  func clippedLayerwise() throws {
    try expectExact {
      $0.optimizer = Self.optimizers[4]
      $0.clipping = .norm(0.01)
    }
  }

  @Test("LAMB scales by the norms of whole parameters, also of those that are updated in many slices")
  func wholeParameters() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 20)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 1)
    configuration.network = try Network(
      inputShape: [9, 8, 1],
      chain: [
        .rescale(Rescale(scale: 1 / 255.0)), .flatten, .dense(Dense(units: 90)),
        .dense(Dense(units: SmallRun.classes)),
      ])
    configuration.training.schedule = ScheduleConfiguration()
    configuration.training.weightDecayScope = .kernels
    configuration.training.optimizer = .lamb(LAMB(learningRate: 0.01, epsilon: 1e-12))
    #expect(try SmallRun.train(configuration, in: folder("run"), workers: 2).complete)
    let entry = try #require(
      try CheckpointStore(folder: folder("run") + "/checkpoints").entries().first { $0.step == 1 })
    let after = try CheckpointFile.read(entry.path).values
    let layout = ParameterLayout(try configuration.network.resolved())
    let before = layout.initialValues(seed: configuration.seed)
    let kernel = try #require(layout.parameters.first { $0.spec.name == "kernel" && $0.range.count == 6480 })
    let old = Array(before.values(of: kernel))
    let norm = old.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    // After one step Adam's direction is the gradient's sign, so every element moves equally far.
    let expected = 0.01 * norm / 6480.0.squareRoot()
    for (a, b) in zip(Array(after.values(of: kernel)), old) {
      #expect(abs(abs(Double(a - b)) / expected - 1) < 1e-3)
    }
    // Biases are not scaled: they move by the rate itself.
    let bias = try #require(layout.parameters.first { $0.spec.name == "bias" && $0.range.count == 90 })
    for value in after.values(of: bias) { #expect(abs(abs(value) / 0.01 - 1) < 1e-3) }
  }

  @Test("the learning rate grows with the batch where a base is given")
  func linearScaling() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 1)
    configuration.training.baseBatch = 5
    #expect(configuration.training.learningRate == 0.4)
    let (_, record) = try SmallRun.train(configuration, in: folder("scaled"))
    // Warm-up over 3 steps from a third of the rate.
    #expect(abs((record.steps.first?.learningRate ?? 0) - 0.4 / 3) < 1e-15)
  }
}
