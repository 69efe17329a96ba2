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
    let values = try read(root, "initial", compiled.parameters)
    let momentum = CanonicalParameters(layout: compiled.parameters)
    let gradient = CanonicalParameters(layout: compiled.parameters)
    let stored = AlignedBuffer<Float>(count: compiled.storageCount)
    let storedGradient = AlignedBuffer<Float>(count: compiled.storageCount)
    let loaded = try LoadedNetwork(
      compiled, parameters: stored, statistics: values.statistics, trainingShards: [16])
    let workspace = try loaded.makeWorkspace()
    let losses: [Double] = try root.dataset("losses").read(Double.self)
    #expect(losses.count == 20)
    for step in 0..<20 {
      try compiled.load(values.trainable.baseAddress, into: stored.baseAddress)
      try loaded.refresh()
      let result = try loaded.train(
        HashedSource(step: step, count: 16), in: workspace, options: ShardOptions(scale: 1 / 16),
        gradient: storedGradient.baseAddress, statistics: gradient.statistics.baseAddress)
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

  @Test(
    "whole networks: loss and gradients of the first batch, losses of 20 steps, weights and statistics after them",
    arguments: KerasNetwork.allCases)
  func modern(_ item: KerasNetwork) throws {
    let root = try File.open(Self.folder.appendingPathComponent("\(item.rawValue).h5").path).root
    let network = try item.network().resolved()
    let samples = item.samples
    // One shard holds the whole batch, so that batch normalisation sees what Keras's sees.
    let compiled = try CompiledNetwork(
      network, options: CompileOptions(batch: samples, shard: samples, inputGradient: true, kernels: .direct))
    let plan = try compiled.trainingPlan(samples: samples)
    let values = try read(root, "initial", compiled.parameters)
    let momentum = CanonicalParameters(layout: compiled.parameters)
    let gradient = CanonicalParameters(layout: compiled.parameters)
    let stored = AlignedBuffer<Float>(count: compiled.storageCount)
    let storedGradient = AlignedBuffer<Float>(count: compiled.storageCount)
    let loaded = try LoadedNetwork(
      compiled, parameters: stored, statistics: values.statistics, trainingShards: [samples],
      inferenceShards: [samples])
    let workspace = try loaded.makeWorkspace()
    func source(_ step: Int) -> HashedSource {
      HashedSource(
        first: item.first, step: step, count: samples, pixels: network.inputShape.elementCount,
        classes: network.outputShape[0], below: item == .text ? 40 : 256)
    }
    let losses: [Double] = try root.dataset("losses").read(Double.self)
    for step in 0..<20 {
      try compiled.load(values.trainable.baseAddress, into: stored.baseAddress)
      try loaded.refresh()
      let result = try loaded.train(
        source(step), in: workspace, options: ShardOptions(scale: 1 / Float(samples)),
        gradient: storedGradient.baseAddress, statistics: gradient.statistics.baseAddress)
      expectClose([result.lossSum / Double(samples)], [losses[step]], relative: 1e-4, "loss of step \(step)")
      try compiled.export(storedGradient.baseAddress, into: gradient.trainable.baseAddress)
      if step == 0 {
        let wanted = try read(root, "gradients", compiled.parameters, trainableOnly: true)
        try expectEqual(gradient, wanted, "gradient", trainableOnly: true)
        if item != .text {
          let found = plan.lastInputGradient(in: workspace).enumerated().map {
            Double($0.element) * item.inputScale[$0.offset % item.inputScale.count]
          }
          let pixels: [Float] = try root.dataset("input_gradient").read(Float.self)
          expectClose(found, pixels, ofLargest: 1e-4, "gradient of the input")
        }
      }
      for index in 0..<values.trainable.count {
        momentum.trainable[index] =
          0.9 * momentum.trainable[index] - item.learningRate * gradient.trainable[index]
        values.trainable[index] += momentum.trainable[index]
      }
      // Every normalisation here keeps 0.9 of its running statistics.
      for index in 0..<values.statistics.count {
        values.statistics[index] = 0.9 * values.statistics[index] + 0.1 * gradient.statistics[index]
      }
    }
    try expectEqual(values, try read(root, "final", compiled.parameters), "final")
    try compiled.load(values.trainable.baseAddress, into: stored.baseAddress)
    try loaded.refresh()
    let logits = AlignedBuffer<Float>(count: samples * plan.outputCount)
    try loaded.infer(source(0), in: workspace, logits: logits.baseAddress)
    let wanted: [Float] = try root.dataset("inference_logits").read(Float.self)
    expectClose(logits.array(), wanted, ofLargest: 1e-4, "logits after training")
  }

  private func expectEqual(
    _ found: CanonicalParameters, _ wanted: CanonicalParameters, _ what: String, trainableOnly: Bool = false
  ) throws {
    for parameter in found.layout.parameters where parameter.spec.isTrainable || !trainableOnly {
      expectClose(
        Array(found.values(of: parameter)), Array(wanted.values(of: parameter)), shape: parameter.spec.shape,
        ofLargest: 1e-4, "\(what) \(parameter.path)")
    }
  }

  private func read(
    _ root: Group, _ group: String, _ layout: ParameterLayout, trainableOnly: Bool = false
  ) throws -> CanonicalParameters {
    let values = CanonicalParameters(layout: layout)
    for parameter in layout.parameters where parameter.spec.isTrainable || !trainableOnly {
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
  private let pixelCount: Int

  /// - Parameter below: what pixels are taken modulo of.
  init(
    first: (pixel: Int, label: Int) = (0, 0), step: Int, count: Int, pixels: Int = 784, classes: Int = 10,
    below: Int = 256
  ) {
    pixelCount = pixels
    let firstPixel = UInt64(first.pixel + step * count * pixels)
    bytes = AlignedBuffer(
      (0..<UInt64(count * pixels)).map {
        let hashed = UInt8(
          truncatingIfNeeded: UInt32(truncatingIfNeeded: (firstPixel + $0) &* 2_654_435_761) >> 13)
        return UInt8(Int(hashed) % below)
      })
    let firstLabel = UInt64(first.label + step * count)
    labels = (0..<UInt64(count)).map { index in
      let hashed = UInt32(truncatingIfNeeded: (firstLabel + index) &* 2_246_822_519 &+ 12_345)
      return Int32((hashed >> 15) % UInt32(classes))
    }
  }

  var sampleCount: Int { labels.count }
  var element: InputElement { .uint8 }
  func pixels(at index: Int) -> UnsafeRawPointer { UnsafeRawPointer(bytes.baseAddress + index * pixelCount) }
  func target(at index: Int) -> SampleTarget { .label(labels[index]) }
}
