import Compute
import Foundation
import Networks
import Tensors
import TestSupport
import Testing

/// `Fixtures/losses.json`, which `Fixtures/make_losses.py` makes.
private struct LossFixture: Decodable {
  struct Case: Decodable {
    let loss: String
    let smoothing: Float
    let delta: Float
    let gamma: Float?
    let alpha: Float?
    /// Mean weighted loss before each step.
    let losses: [Double]
    let kernel: [Double]
    let bias: [Double]
    let labels: [Int]?
    let values: [Float]?
  }

  let samples: Int
  let inputs: Int
  let outputs: Int
  let rate: Double
  let x: [Double]
  let kernel: [Double]
  let bias: [Double]
  let weights: [Double]
  let cases: [Case]
}

extension LossFixture.Case {
  fileprivate var criterion: Criterion {
    let loss: Loss =
      switch self.loss {
      case "softmax_cross_entropy": .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: smoothing))
      case "sigmoid_cross_entropy": .sigmoidCrossEntropy(SigmoidCrossEntropy(labelSmoothing: smoothing))
      case "sigmoid_focal_cross_entropy":
        .sigmoidFocalCrossEntropy(
          SigmoidFocalCrossEntropy(gamma: gamma ?? 2, alpha: alpha, labelSmoothing: smoothing))
      case "mean_squared_error": .meanSquaredError
      case "mean_absolute_error": .meanAbsoluteError
      default: .huber(Huber(delta: delta))
      }
    return Criterion(loss: loss, targets: labels == nil ? .values : .classes, outputs: 3)
  }
}

@Suite("Losses of Keras")
struct KerasLossTests {
  @Test("five steps under each loss, with weights of samples, end where Keras's do")
  func steps() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/losses.json")
    let fixture = try JSONDecoder().decode(LossFixture.self, from: Data(contentsOf: url))
    #expect(fixture.cases.count == 12)
    let network = try Network(
      inputShape: [fixture.inputs], chain: [.dense(Dense(units: fixture.outputs))]
    ).resolved()
    for item in fixture.cases {
      let harness = try PlanHarness(
        network,
        CompileOptions(
          batch: fixture.samples, shard: fixture.samples, kernels: .direct, criterion: item.criterion),
        samples: fixture.samples)
      func put(_ name: String, _ values: [Double]) throws {
        let parameter = try #require(
          harness.compiled.parameters.parameters.first { $0.spec.name == name })
        for (index, value) in values.enumerated() {
          harness.canonical.values(of: parameter)[index] = Float(value)
        }
      }
      try put("kernel", fixture.kernel)
      try put("bias", fixture.bias)
      var source = ArraySource(
        ReferenceTensor(Shape([fixture.samples, fixture.inputs]), fixture.x),
        labels: item.labels ?? [Int](repeating: 0, count: fixture.samples))
      if let values = item.values { source.values = AlignedBuffer(values) }
      source.weights = fixture.weights
      #expect(item.losses.count == 5)
      let what = "\(item.loss), smoothing \(item.smoothing), delta \(item.delta)"
      for (step, loss) in item.losses.enumerated() {
        try harness.compiled.load(
          harness.canonical.trainable.baseAddress, into: harness.loaded.parameters.baseAddress)
        try harness.loaded.refresh()
        let output = try harness.train(source, ShardOptions(scale: 1 / Float(fixture.samples)))
        expectClose(
          [output.result.lossSum / Double(fixture.samples)], [loss], relative: 1e-5, "\(what), step \(step)")
        for index in 0..<harness.canonical.trainable.count {
          harness.canonical.trainable[index] -= Float(fixture.rate) * output.gradient.trainable[index]
        }
      }
      for (name, expected) in [("kernel", item.kernel), ("bias", item.bias)] {
        let parameter = try #require(
          harness.compiled.parameters.parameters.first { $0.spec.name == name })
        expectClose(
          Array(harness.canonical.values(of: parameter)), expected, absolute: 2e-6, relative: 1e-5,
          "\(what), \(name)")
      }
    }
  }
}
