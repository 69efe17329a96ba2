import Compute
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

/// Holds whole trainings against Keras in float64; `Fixtures/make_keras_fixture.py` made the files.
@Suite("Networks against Keras")
struct KerasFixtureTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  @Test(
    "the lecture's CNN: loss and gradients of the first batch, losses of 20 steps, weights after them",
    arguments: [KernelSelection.direct, .costModel])
  func lecture(_ kernels: KernelSelection) throws {
    let file = try File.open(Self.folder.appendingPathComponent("lecture.h5").path)
    let root = try file.root
    let network = try Network(
      inputShape: [28, 28, 1],
      layers: [Layer(name: "rescale", inputs: ["input"], spec: .rescale(Rescale(scale: 1.0 / 255)))]
        + StandardNetwork.lecture.network().layers.map {
          Layer(name: $0.name, inputs: $0.inputs.map { $0 == "input" ? "rescale" : $0 }, spec: $0.spec)
        }
    ).resolved()
    let compiled = try CompiledNetwork(
      network, options: CompileOptions(batch: 16, shard: 16, kernels: kernels))
    let plan = try compiled.trainingPlan(samples: 16)
    let values = try read(root, "initial", compiled.parameters)
    let momentum = CanonicalParameters(layout: compiled.parameters)
    let gradient = CanonicalParameters(layout: compiled.parameters)
    let stored = AlignedBuffer<Float>(count: compiled.storageCount)
    let storedGradient = AlignedBuffer<Float>(count: compiled.storageCount)
    let weights = compiled.makeKernelWeights()
    let workspace = try compiled.makeWorkspace()
    let losses: [Double] = try root.dataset("losses").read(Double.self)
    #expect(losses.count == 20)
    for step in 0..<20 {
      try compiled.load(values.trainable.baseAddress, into: stored.baseAddress)
      try weights.refresh(from: stored)
      let result = try plan.train(
        HashedSource(step: step, count: 16), in: workspace, weights: weights, parameters: stored.baseAddress,
        options: ShardOptions(scale: 1 / 16), gradient: storedGradient.baseAddress,
        statistics: gradient.statistics.baseAddress)
      expectClose([result.lossSum / 16], [losses[step]], relative: 1e-4, "loss of step \(step)")
      try compiled.export(storedGradient.baseAddress, into: gradient.trainable.baseAddress)
      if step == 0 {
        try expectEqual(gradient, try read(root, "gradients", compiled.parameters), "gradient")
      }
      // Keras's SGD: m ← μ·m − η·g; w ← w + m.
      for index in 0..<values.trainable.count {
        momentum.trainable[index] = 0.9 * momentum.trainable[index] - 0.05 * gradient.trainable[index]
        values.trainable[index] += momentum.trainable[index]
      }
    }
    try expectEqual(values, try read(root, "final", compiled.parameters), "final")
  }

  private func expectEqual(_ found: CanonicalParameters, _ wanted: CanonicalParameters, _ what: String) throws
  {
    for parameter in found.layout.parameters {
      expectClose(
        Array(found.values(of: parameter)), Array(wanted.values(of: parameter)), shape: parameter.spec.shape,
        ofLargest: 1e-4, "\(what) \(parameter.path)")
    }
  }

  private func read(_ root: Group, _ group: String, _ layout: ParameterLayout) throws -> CanonicalParameters {
    let values = CanonicalParameters(layout: layout)
    for parameter in layout.parameters {
      let stored: [Float] = try root.dataset("\(group)/\(parameter.path)").read(Float.self)
      #expect(stored.count == parameter.range.count)
      _ = values.values(of: parameter).update(fromContentsOf: stored)
    }
    return values
  }
}

/// The pixels and labels of the fixtures: multiplicative hashing of the running index.
private struct HashedSource: ShardSource {
  private let bytes: AlignedBuffer<UInt8>
  private let labels: [Int32]

  init(step: Int, count: Int) {
    let first = UInt64(step * count * 784)
    bytes = AlignedBuffer(
      (0..<UInt64(count * 784)).map {
        UInt8(truncatingIfNeeded: UInt32(truncatingIfNeeded: (first + $0) * 2_654_435_761) >> 13)
      })
    labels = (0..<UInt64(count)).map { index in
      let hashed = UInt32(truncatingIfNeeded: (UInt64(step * count) + index) &* 2_246_822_519 &+ 12_345)
      return Int32((hashed >> 15) % 10)
    }
  }

  var sampleCount: Int { labels.count }
  var element: InputElement { .uint8 }
  func pixels(at index: Int) -> UnsafeRawPointer { UnsafeRawPointer(bytes.baseAddress + index * 784) }
  func label(at index: Int) -> Int32 { labels[index] }
}
