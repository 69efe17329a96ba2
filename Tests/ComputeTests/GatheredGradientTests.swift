import Networks
import OneDNN
import Tensors
import TestSupport
import Testing

@testable import Compute

@Suite("Gradients over a whole minibatch")
struct GatheredGradientTests {
  /// Inputs and units that fill blocks and slices, and that do not.
  private static let sizes = [
    (3, 2), (16, 128), (17, 129), (40, 64), (65, 200), (130, 257), (256, 384), (33, 1),
  ]

  private func network(
    _ inputs: Int, _ units: Int, bias: Bool = true, activation: Activation = .relu
  ) throws -> Network {
    try Network(
      inputShape: [inputs],
      chain: [
        .dense(Dense(units: units, useBias: bias, activation: activation)),
        .dense(Dense(units: 5, useBias: bias)),
      ])
  }

  @Test("weights and biases of dense layers get the gradients of the definition", arguments: sizes)
  func dense(_ inputs: Int, _ units: Int) throws {
    for samples in [1, 7, 50] {
      try expectMatchesReference(
        try network(inputs, units, bias: samples != 7), samples: samples, tolerance: 5e-5, gathers: true)
    }
  }

  @Test(
    "the rows of several shards come to the gradients of their minibatch, for drawn sizes", arguments: 0..<12)
  func shards(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    func draw(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.next(below: range.count) }
    let (inputs, units, samples) = (draw(1...150), draw(1...300), draw(2...40))
    let shard = draw(1...samples)
    let network = try network(inputs, units, activation: .tanh).resolved()
    var options = CompileOptions(batch: samples, shard: shard)
    options.weightsToGather = 1
    let compiled = try CompiledNetwork(network, options: options)
    let canonical = compiled.parameters.initialValues(seed: seed)
    let parameters = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(canonical.trainable.baseAddress, into: parameters.baseAddress)
    let ranges = stride(from: 0, to: samples, by: shard).map { $0..<min($0 + shard, samples) }
    let loaded = try LoadedNetwork(
      compiled, parameters: parameters, statistics: canonical.statistics,
      trainingShards: Set(ranges.map(\.count)))
    // Where kernels' layouts do not keep some units' weights in one piece, each shard has its own gradient of a layer.
    let gathered = try GatheredGradients(compiled, minibatches: [samples], workers: 1)
    #expect(gathered != nil || !Library.instructionSet.hasPrefix("avx512"), "nothing is gathered")
    let input = ReferenceTensor.random(Shape([samples, inputs]), seed: seed + 7)
    let labels = (0..<samples).map { $0 * 3 % 5 }
    let workspace = try loaded.makeWorkspace()
    let ofShard = AlignedBuffer<Float>(count: compiled.storageCount)
    let whole = AlignedBuffer<Float>(count: compiled.storageCount)
    // In another order than that of the rows, as workers may take them.
    for range in ranges.reversed() {
      let part = ReferenceTensor(
        Shape([range.count, inputs]),
        Array(input.values[range.lowerBound * inputs..<range.upperBound * inputs]))
      _ = try loaded.train(
        ArraySource(part, labels: Array(labels[range])), in: workspace,
        options: ShardOptions(scale: 1 / Float(samples), gathered: gathered?.rows(from: range.lowerBound)),
        gradient: ofShard.baseAddress, statistics: ofShard.baseAddress)
      for index in 0..<whole.count { whole[index] += ofShard[index] }
    }
    for (index, task) in (gathered?.tasks ?? []).enumerated() {
      #expect(task.range.allSatisfy { whole[$0] == 0 }, "a shard has a gradient of what is gathered")
      let piece = AlignedBuffer<Float>(count: task.range.count)
      try gathered?.compute(index, rows: samples, into: piece.baseAddress, worker: 0)
      (whole.baseAddress + task.range.lowerBound).update(from: piece.baseAddress, count: piece.count)
    }
    let found = CanonicalParameters(layout: compiled.parameters)
    try compiled.export(whole.baseAddress, into: found.trainable.baseAddress)
    let expected = ReferenceNetwork(network, canonical).run(
      input, labels: labels, scale: 1 / Double(samples))
    for parameter in compiled.parameters.parameters {
      expectClose(
        Array(found.values(of: parameter)), try #require(expected.gradients[parameter.path]), absolute: 1e-7,
        ofLargest: 5e-5, "\(parameter.path) of \(inputs), \(units), \(samples) in shards of \(shard)")
    }
  }

  @Test(
    "images in a kernel's order in front of such a layer, and layers that are cut into parts",
    arguments: [1, 4])
  func images(parts: Int) throws {
    let network = try Network(
      inputShape: [7, 6, 3],
      chain: [
        .conv2D(Conv2D(filters: 20, kernel: Size2D(3), activation: .relu)), .flatten,
        .dense(Dense(units: 150, activation: .tanh)), .dense(Dense(units: 4)),
      ])
    try expectMatchesReference(
      network, samples: parts > 1 ? 1 : 9, tolerance: 1e-4, parts: parts, gathers: true)
  }

  @Test("bf16 gives the gradients of bf16", .enabled(if: Processor.hasBF16))
  func bf16() throws {
    for (inputs, units) in Self.sizes where inputs >= 16 && units >= 16 {
      try expectMatchesReference(
        try network(inputs, units, activation: .tanh), samples: 32, tolerance: 4e-2, precision: .bf16,
        gathers: true)
    }
  }

  @Test(
    "a layer is gathered for its weights alone, by what was chosen before, and never where that is silent")
  func choices() throws {
    let network = try network(130, 257).resolved()
    func gathered(_ change: (inout CompileOptions) -> Void) throws -> [String] {
      var options = CompileOptions(batch: 12, shard: 6)
      change(&options)
      return try CompiledNetwork(network, options: options).gatheredLayers.map(\.layer)
    }
    #expect(try gathered { _ in } == [])
    #expect(try gathered { $0.weightsToGather = 130 * 257 } == ["dense"])
    #expect(try gathered { $0.weightsToGather = 130 * 257 + 1 } == [])
    #expect(try gathered { ($0.weightsToGather, $0.training) = (1, false) } == [])
    let named = try #require(KernelChoices(text: "dense_1/gradient minibatch\n"))
    #expect(try gathered { $0.kernels = .chosen(named) } == ["dense_1"])
    // What a checkpoint of an earlier version does not name was not there.
    #expect(try gathered { ($0.kernels, $0.weightsToGather) = (.chosen(named), 1) } == ["dense", "dense_1"])
    #expect(
      try gathered { ($0.kernels, $0.weightsToGather, $0.hasAllChoices) = (.chosen(named), 1, true) }
        == ["dense_1"])
    #expect(KernelChoices(text: named.text) == named)
    #expect(KernelChoices(text: "dense/gradient often") == nil)
    var options = CompileOptions(batch: 12, shard: 6)
    options.weightsToGather = 1
    let compiled = try CompiledNetwork(network, options: options)
    #expect(compiled.choices[gathersGradientOf: "dense"] == true)
    #expect(compiled.gradientCount == 0 && compiled.storageCount > 130 * 257)
    let tasks = try #require(try GatheredGradients(compiled, minibatches: [12], workers: 1)).tasks
    // All floats of the parameters, each once.
    let places = tasks.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
    #expect(places.first?.lowerBound == 0 && places.last?.upperBound == compiled.storageCount)
    for (one, next) in zip(places, places.dropFirst()) { #expect(one.upperBound == next.lowerBound) }
  }
}
