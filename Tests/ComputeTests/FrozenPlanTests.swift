import Foundation
import Networks
import Tensors
import TestSupport
import Testing

@testable import Compute

@Suite("Plans in which a part is frozen")
struct FrozenPlanTests {
  private static let samples = 5

  /// An example with something to learn before and behind it, and samples for it.
  private static func network(_ example: LayerExample) throws -> (ResolvedNetwork, ReferenceTensor) {
    let tail: [LayerSpec] = [.flatten, .dense(Dense(units: 3))]
    if case .embedding(let embedding) = example.spec {
      let count = samples * example.input[0]
      let words = ReferenceTensor(
        Shape([samples] + example.input.dimensions), (0..<count).map { Double($0 * 5 % embedding.vocabulary) }
      )
      return (try example.network(after: tail).resolved(), words)
    }
    // A convolution of single places keeps the shape.
    let channels = example.input.dimensions.last ?? 1
    let before: [LayerSpec] =
      switch example.input.rank {
      case 3: [.conv2D(Conv2D(filters: channels, kernel: Size2D(1), activation: .tanh))]
      case 2: [.conv1D(Conv1D(filters: channels, kernel: 1, activation: .tanh))]
      default: [.dense(Dense(units: channels, activation: .tanh))]
      }
    let network = try example.network(before: before, after: tail).resolved()
    return (network, ReferenceTensor.random(Shape([samples] + example.input.dimensions), seed: 5))
  }

  private static func harness(_ network: ResolvedNetwork, frozen: Set<String>) throws
    -> PlanHarness
  {
    var options = CompileOptions(
      batch: 64, shard: samples, kernels: .direct,
      criterion: Criterion(
        loss: .softmaxCrossEntropy(SoftmaxCrossEntropy()), targets: .classes, outputs: network.outputShape[0])
    )
    options.frozen = frozen
    return try PlanHarness(network, options, samples: samples)
  }

  @Test(
    "drawn parameters around a layer of each kind: those that are trained get the gradients of plain loops in Double",
    arguments: EveryLayerTests.examples)
  func drawn(_ example: LayerExample) throws {
    let (network, input) = try Self.network(example)
    let labels = (0..<Self.samples).map { $0 * 7 % 3 }
    let parameters = ParameterLayout(network).parameters.filter { $0.spec.isTrainable && !$0.spec.isFrozen }
    var random = SplitMix64(seed: UInt64(parameters.count))
    for draw in 0..<4 {
      // Statistics stay those of the shard: others are compared with Keras, and with inference below.
      var frozen = Set(parameters.filter { _ in random.next(below: 2) == 0 }.map(\.path))
      if draw == 0 { frozen = Set(parameters.filter { $0.layer == "layer" }.map(\.path)) }
      if frozen.count == parameters.count { frozen.remove("after_1/bias") }
      let harness = try Self.harness(network, frozen: frozen)
      let expected = ReferenceNetwork(network, harness.canonical).run(
        input, labels: labels, scale: 1.0 / 64)
      let found = try harness.train(ArraySource(input, labels: labels), ShardOptions(scale: 1 / 64))
      expectClose([found.result.lossSum], [expected.lossSum], relative: 1e-4, "loss")
      for parameter in parameters {
        let segment = try #require(harness.compiled.segments.first { $0.parameter.path == parameter.path })
        #expect(segment.isTrained == !frozen.contains(parameter.path))
        guard segment.isTrained else { continue }
        expectClose(
          Array(found.gradient.values(of: parameter)), try #require(expected.gradients[parameter.path]),
          absolute: 1e-7, ofLargest: 1e-4, "\(parameter.path) where \(frozen.sorted()) are frozen")
      }
    }
  }

  @Test(
    "where all but the last layer is frozen, training computes what inference does",
    arguments: EveryLayerTests.examples)
  func inference(_ example: LayerExample) throws {
    let (network, input) = try Self.network(example)
    let labels = (0..<Self.samples).map { $0 * 7 % 3 }
    let frozen = Set(ParameterLayout(network).parameters.filter { $0.layer != "after_1" }.map(\.path))
    let harness = try Self.harness(network, frozen: frozen)
    let expected = ReferenceNetwork(network, harness.canonical).run(
      input, labels: labels, scale: 1, training: false)
    let found = try harness.train(ArraySource(input, labels: labels), ShardOptions(scale: 1))
    var loss = 0.0
    var gradient = [Double](repeating: 0, count: 3)
    for (sample, label) in labels.enumerated() {
      let row = Array(expected.logits.values[sample * 3..<sample * 3 + 3])
      let powers = row.map { exp($0) }
      let sum = powers[0] + powers[1] + powers[2]
      loss += log(sum) - row[label]
      for index in 0..<3 { gradient[index] += powers[index] / sum }
      gradient[label] -= 1
    }
    expectClose([found.result.lossSum], [loss], relative: 1e-4, "loss")
    let names = try harness.compiled.trainingPlan(samples: Self.samples).stepNames
    #expect(!names.contains { $0.pass != .forward && $0.layer != "after_1" })
    // The bias's gradient is that of the logits.
    let bias = try #require(harness.compiled.parameters.parameters.first { $0.path == "after_1/bias" })
    expectClose(
      Array(found.gradient.values(of: bias)), gradient.map { Float($0) }, absolute: 1e-6, ofLargest: 1e-4,
      "bias")
  }
}
