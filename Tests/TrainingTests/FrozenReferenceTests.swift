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

/// Fixtures/frozen_training.py makes the file, with Keras 3.15.1 in float64.
@Suite("Frozen layers, against Keras's trainable=False")
struct FrozenReferenceTests {
  private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/frozen.h5").path

  private static func network() throws -> Network {
    func layer(_ name: String, _ input: String, _ spec: LayerSpec) -> Layer {
      Layer(name: name, inputs: [input], spec: spec)
    }
    return try Network(
      inputShape: [9, 8, 1],
      layers: [
        layer("rescale", "input", .rescale(Rescale(scale: 1 / 255.0))),
        layer("first", "rescale", .conv2D(Conv2D(filters: 6, kernel: Size2D(3)))),
        layer("first_norm", "first", .batchNorm(BatchNorm(momentum: 0.9))),
        layer("relu", "first_norm", .activation(.relu)),
        layer("second", "relu", .conv2D(Conv2D(filters: 7, kernel: Size2D(3), useBias: false))),
        layer("second_norm", "second", .batchNorm(BatchNorm(momentum: 0.8))),
        layer("relu_1", "second_norm", .activation(.relu)),
        layer("flatten", "relu_1", .flatten),
        layer("head", "flatten", .dense(Dense(units: 5))),
      ])
  }

  private static func values(_ name: String) throws -> [Float] {
    let file = try HDF5.File.open(fixture)
    let dataset = try file.root.dataset(name)
    var values = [Float](repeating: 0, count: dataset.shape.reduce(1, *))
    try values.withUnsafeMutableBufferPointer { try dataset.read(into: $0) }
    return values
  }

  /// The network after 20 steps from the fixture's start, each of one shard: Keras takes the statistics of a batch
  /// normalisation from the whole minibatch.
  private static func train(_ rules: [LayerRule]) throws -> CanonicalParameters {
    var training = TrainingConfiguration(
      epochs: 5, batch: 10, shard: 10,
      optimizer: .sgd(SGD(learningRate: 0.05, momentum: 0.9, weightDecay: 0.1)),
      clipping: .norm(0.7), tuning: .direct)
    training.layerRules = rules
    let source = SampleSource(file: fixture, images: "images", labels: "labels")
    let configuration = RunConfiguration(
      name: "frozen", data: DataConfiguration(train: source, shuffle: false), network: try network(),
      training: training)
    let resolved = try network().resolved()
    var options = CompileOptions(batch: 10, shard: 10, kernels: .direct)
    options.frozen = TrainingPhases(training, ParameterLayout(resolved)).phases[0].frozen
    let compiled = try CompiledNetwork(resolved, options: options)
    let start = CanonicalParameters(layout: compiled.parameters)
    start.trainable.copy(from: AlignedBuffer(try values("start/trained")))
    start.statistics.copy(from: AlignedBuffer(try values("start/statistics")))
    let store = try SampleStore(
      ImageDataset(path: fixture, images: "images", labels: "labels"), memoryLimitByteCount: 1 << 20)
    let engine = try TrainingEngine(
      compiled, configuration: configuration, pool: WorkerPool(workers: 2) { ThreadConfinement.confine() },
      lossWeights: .even, trainingSizes: [10], evaluationSizes: [], start: EngineStart(trained: start))
    let reader = BatchReader(
      store, order: SampleOrder(seed: 0, count: 40, shuffle: false), batchSize: 10)
    for step in 0..<20 {
      let minibatch = try #require(try reader.next())
      guard
        case .done = try engine.step(
          minibatch, UpdateMoment(update: step + 1, learningRate: 0.05), firstSample: 0, stop: StopRequest())
      else { throw TrainingError(.notFinite, "step \(step)") }
    }
    return try engine.copyState().canonical(slotNames: engine.optimizer.slotNames).predicting
  }

  private static let rules: [(run: String, patterns: [String])] = [
    ("none", []), ("below", ["first*"]), ("middle", ["second*"]), ("norms", ["*_norm"]),
  ]

  @Test("parameters and running statistics go where Keras's go", arguments: 0..<4)
  func keras(_ index: Int) throws {
    let (run, patterns) = Self.rules[index]
    let found = try Self.train(patterns.map { LayerRule(ParameterPattern($0), freezing: .always) })
    expectClose(
      found.trainable.array(), try Self.values("\(run)/trained"), absolute: 2e-5, "\(run), parameters")
    expectClose(
      found.statistics.array(), try Self.values("\(run)/statistics"), absolute: 2e-5, "\(run), statistics")
    // What is frozen has the bytes that it began with.
    let start = try (Self.values("start/trained"), Self.values("start/statistics"))
    var kept = 0
    for parameter in found.layout.parameters
    where patterns.contains(where: {
      ParameterPattern($0).matches(layer: parameter.layer, parameter: parameter.spec.name)
    }) {
      let before = (parameter.spec.isTrainable ? start.0 : start.1)[parameter.range]
      #expect(found.values(of: parameter).map(\.bitPattern) == before.map(\.bitPattern))
      kept += 1
    }
    #expect(kept == [0, 6, 5, 8][index])
  }
}
