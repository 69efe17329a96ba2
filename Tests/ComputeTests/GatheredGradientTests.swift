import Networks
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
