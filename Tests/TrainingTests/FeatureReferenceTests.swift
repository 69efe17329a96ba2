import Compute
import Datasets
import Foundation
import HDF5
import Networks
import OneDNN
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Training

/// Fixtures/training_features.py makes both the file and the literals, with Keras 3.15.1 in float64.
@Suite("What a training can do, against Keras")
struct FeatureReferenceTests {
  private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/features.h5").path

  private static func network() throws -> Network {
    try Network(
      inputShape: [9, 8, 1],
      chain: [
        .rescale(Rescale(scale: 1 / 255.0)),
        .conv2D(Conv2D(filters: 5, kernel: Size2D(3), activation: .relu)),
        .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), multiplier: 2, activation: .relu)),
        .conv2DTranspose(
          Conv2DTranspose(filters: 3, kernel: Size2D(3), stride: Size2D(2), activation: .relu)),
        .flatten, .dense(Dense(units: 5)),
      ])
  }

  private static func values(_ name: String) throws -> [Float] {
    let file = try HDF5.File.open(fixture)
    let dataset = try file.root.dataset(name)
    var values = [Float](repeating: 0, count: dataset.shape.reduce(1, *))
    try values.withUnsafeMutableBufferPointer { try dataset.read(into: $0) }
    return values
  }

  /// Parameters after 20 steps from the fixture's: those that predict, and those that are trained.
  private static func train(
    batch: Int = 10, _ change: (inout TrainingConfiguration) -> Void
  ) throws -> (predicting: [Float], trained: [Float]) {
    var training = TrainingConfiguration(
      epochs: 5, batch: batch, shard: 4,
      optimizer: .sgd(SGD(learningRate: 0.05, momentum: 0.9)), tuning: .direct)
    change(&training)
    let source = SampleSource(file: fixture, images: "images", labels: "labels")
    let configuration = RunConfiguration(
      name: "features", data: DataConfiguration(train: source, shuffle: false), network: try network(),
      training: training)
    let compiled = try CompiledNetwork(
      try network().resolved(), options: CompileOptions(batch: batch, shard: 4, kernels: .direct))
    let start = CanonicalParameters(layout: compiled.parameters)
    start.trainable.copy(from: AlignedBuffer(try values("start")))
    let store = try SampleStore(
      ImageDataset(path: fixture, images: "images", labels: "labels"), memoryLimitByteCount: 1 << 20)
    let engine = try TrainingEngine(
      compiled, configuration: configuration, pool: WorkerPool(workers: 2) { ThreadConfinement.confine() },
      lossWeights: .even, trainingSizes: [10], evaluationSizes: [], start: EngineStart(trained: start))
    let reader = BatchReader(
      store, order: SampleOrder(seed: 0, count: 40, shuffle: false), batchSize: training.samplesPerStep)
    for step in 0..<20 {
      let minibatch = try #require(try reader.next())
      guard
        case .done = try engine.step(
          minibatch, UpdateMoment(update: step + 1, learningRate: 0.05), firstSample: 0, stop: StopRequest())
      else { throw TrainingError(.notFinite, "step \(step)") }
    }
    let state = try #require(try engine.copyState()).canonical(slotNames: engine.optimizer.slotNames)
    return (state.predicting.trainable.array(), (state.trained ?? state.predicting).trainable.array())
  }

  private static func expectEqual(
    _ found: [Float], _ run: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    expectClose(found, try values(run), absolute: 1e-5, run, sourceLocation: sourceLocation)
  }

  @Test("filters and units of every kind of kernel are bounded as by Keras's MaxNorm")
  func maxNorm() throws {
    let found = try Self.train { $0.maxNorm = MaxNorm(limit: 0.8) }.trained
    try Self.expectEqual(found, "max_norm")
    let unbounded = try Self.train { _ in }.trained
    #expect(zip(found, unbounded).filter { abs($0 - $1) > 1e-3 }.count > 1000, "the bound does something")
  }

  @Test("the moving average is Keras's, and the parameters behind it go on as without")
  func movingAverage() throws {
    let found = try Self.train { $0.average = MovingAverage(decay: 0.8) }
    try Self.expectEqual(found.predicting, "ema")
    try Self.expectEqual(found.trained, "ema_trained")
    #expect(try Self.train { _ in }.trained.map(\.bitPattern) == found.trained.map(\.bitPattern))
  }

  @Test("steps over two minibatches are those of Keras's gradient_accumulation_steps")
  func accumulation() throws {
    let found = try Self.train(batch: 5) { $0.accumulate = 2 }.trained
    try Self.expectEqual(found, "accumulate")
  }

  @Test("weight decay by rules leaves out what Keras's exclude_from_weight_decay does")
  func decayRules() throws {
    let found = try Self.train {
      $0.optimizer = .sgd(SGD(learningRate: 0.05, momentum: 0.9, weightDecay: 0.25))
      $0.weightDecayRules = [
        WeightDecayRule(ParameterPattern("*/bias"), scale: 0),
        WeightDecayRule(ParameterPattern("depthwise*"), scale: 0),
        WeightDecayRule(ParameterPattern("*"), scale: 2),
      ]
    }
    try Self.expectEqual(found.trained, "decay_rules")
  }

  // MARK: - Plateau

  static let figures: [String: [Double]] = [
    "loss": [
      1, 0.8, 0.79, 0.7899, 0.78995, 0.79, 0.6, 0.61, 0.62, 0.63, 0.59, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6,
      0.6, 0.6,
    ],
    "accuracy": [
      0.1, 0.3, 0.3, 0.3005, 0.29, 0.31, 0.3, 0.3, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6,
    ],
  ]
  static let plateaus: [String: Plateau] = [
    "plain": Plateau(factor: 0.5, patience: 2),
    "cooldown": Plateau(factor: 0.1, patience: 2, minimumGain: 0.001, cooldown: 3),
    // With a longer patience a cooldown that never passes changes nothing here.
    "impatient": Plateau(factor: 0.5, patience: 1, minimumGain: 0.001, cooldown: 2),
    "floor": Plateau(factor: 0.3, patience: 1, minimumGain: 0, floor: 0.05),
  ]
  static let rates: [String: [Double]] = [
    "loss, plain": [
      1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625, 0.03125, 0.03125,
      0.015625, 0.015625,
    ],
    "loss, cooldown": [
      1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 1e-4, 1e-4, 1e-4,
      1e-4,
    ],
    "loss, impatient": [
      1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625, 0.03125, 0.03125, 0.015625, 0.015625,
      0.0078125, 0.0078125, 0.00390625, 0.00390625, 0.001953125,
    ],
    "accuracy, impatient": [
      1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625, 0.03125, 0.03125, 0.015625, 0.015625,
      0.0078125, 0.0078125, 0.0078125, 0.00390625, 0.00390625, 0.001953125,
    ],
    "loss, floor": [1, 1, 1, 1, 0.3, 0.09, 0.09] + [Double](repeating: 0.05, count: 13),
    "accuracy, plain": [
      1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625, 0.0625, 0.03125,
      0.03125,
    ],
    "accuracy, cooldown": [
      1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 1e-4, 1e-4, 1e-4,
      1e-4, 1e-5,
    ],
    "accuracy, floor": [1, 1, 0.3, 0.3, 0.09, 0.09] + [Double](repeating: 0.05, count: 14),
  ]

  @Test(
    "a plateau lowers the rate in the epochs in which Keras's ReduceLROnPlateau does",
    arguments: rates.keys.sorted())
  func plateau(name: String) throws {
    let parts = name.components(separatedBy: ", ")
    let rule = try #require(Self.plateaus[parts[1]])
    var state = PlateauState()
    var found: [Double] = []
    for figure in try #require(Self.figures[parts[0]]) {
      state.endEpoch(score: parts[0] == "loss" ? -figure : figure, rule)
      found.append(state.factor)
    }
    let expected = try #require(Self.rates[name])
    for (epoch, (a, b)) in zip(found, expected).enumerated() {
      #expect(abs(a / b - 1) < 1e-5, "\(name), epoch \(epoch + 1): \(a), Keras \(b)")
    }
    #expect(found.count == expected.count)
  }
}
