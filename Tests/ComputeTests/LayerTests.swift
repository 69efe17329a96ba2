import Compute
import Networks
import Tensors
import TestSupport
import Testing

@Suite("Layers against plain loops in Double, forward and backward")
struct LayerTests {
  struct ConvolutionCase: Sendable, CustomStringConvertible {
    var height = 13
    var width = 11
    var channels: Int
    var conv: Conv2D
    var samples = 3

    var description: String {
      "\(height)×\(width)×\(channels), \(conv.filters)@\(conv.kernel.height)×\(conv.kernel.width) "
        + "\(conv.padding) stride \(conv.stride.height),\(conv.stride.width) dilation \(conv.dilation.height) "
        + "groups \(conv.groups) \(conv.activation) ×\(samples)"
    }
  }

  static let convolutions: [ConvolutionCase] = [
    ConvolutionCase(channels: 1, conv: Conv2D(filters: 25, kernel: Size2D(3), activation: .relu)),
    ConvolutionCase(
      channels: 25, conv: Conv2D(filters: 50, kernel: Size2D(3), activation: .relu), samples: 17),
    ConvolutionCase(channels: 3, conv: Conv2D(filters: 8, kernel: Size2D(3, 5), padding: .same), samples: 1),
    ConvolutionCase(
      channels: 25, conv: Conv2D(filters: 7, kernel: Size2D(3), stride: Size2D(2), padding: .same)),
    ConvolutionCase(
      channels: 16, conv: Conv2D(filters: 32, kernel: Size2D(1), stride: Size2D(2), useBias: false)),
    ConvolutionCase(
      channels: 5, conv: Conv2D(filters: 9, kernel: Size2D(3), dilation: Size2D(2), activation: .tanh)),
    ConvolutionCase(
      channels: 12,
      conv: Conv2D(filters: 8, kernel: Size2D(3), padding: .same, groups: 4, activation: .sigmoid)),
    ConvolutionCase(channels: 32, conv: Conv2D(filters: 32, kernel: Size2D(3), padding: .same, groups: 32)),
    ConvolutionCase(channels: 32, conv: Conv2D(filters: 64, kernel: Size2D(3), padding: .same, groups: 2)),
    ConvolutionCase(
      channels: 2, conv: Conv2D(filters: 4, kernel: Size2D(5, 2), stride: Size2D(3, 1), padding: .same)),
    ConvolutionCase(height: 1, width: 1, channels: 25, conv: Conv2D(filters: 6, kernel: Size2D(1))),
    ConvolutionCase(
      height: 7, width: 7, channels: 2, conv: Conv2D(filters: 3, kernel: Size2D(2), stride: Size2D(3))),
    ConvolutionCase(
      channels: 48, conv: Conv2D(filters: 20, kernel: Size2D(5), padding: .same, activation: .relu)),
  ]

  @Test("convolution", arguments: convolutions)
  func convolution(_ item: ConvolutionCase) throws {
    let network = try Network(
      inputShape: [item.height, item.width, item.channels],
      chain: [.conv2D(item.conv), .flatten, .dense(Dense(units: 5))])
    try expectMatchesReference(network, samples: item.samples)
  }

  @Test(
    "Winograd's convolution stays within its wider bound",
    .enabled(if: Processor.hasWinograd, Processor.noWinograd),
    arguments: [(1, 25), (25, 50), (64, 64), (16, 48)])
  func winograd(_ channels: Int, _ filters: Int) throws {
    // F(4×4, 3×3) multiplies rounding errors by about 10; the bound is documented in Sources/README.md.
    let conv = Conv2D(filters: filters, kernel: Size2D(3), padding: .same, activation: .relu)
    let network = try Network(
      inputShape: [13, 11, channels],
      chain: [.conv2D(conv), .conv2D(conv), .flatten, .dense(Dense(units: 5))])
    try expectMatchesReference(network, samples: 5, tolerance: 2e-4, kernels: .winograd)
  }

  /// What our own kernels serve: every padding, images smaller than a tile, activations that they do not know, too.
  static let minimal: [ConvolutionCase] = [
    ConvolutionCase(channels: 1, conv: Conv2D(filters: 25, kernel: Size2D(3), activation: .relu)),
    ConvolutionCase(
      channels: 25, conv: Conv2D(filters: 50, kernel: Size2D(3), activation: .relu), samples: 17),
    ConvolutionCase(
      height: 3, width: 4, channels: 64,
      conv: Conv2D(filters: 64, kernel: Size2D(3), padding: .same, useBias: false)),
    ConvolutionCase(
      height: 5, width: 3, channels: 40, conv: Conv2D(filters: 33, kernel: Size2D(3), activation: .elu)),
    ConvolutionCase(
      channels: 17, conv: Conv2D(filters: 32, kernel: Size2D(3), padding: .same, activation: .sigmoid)),
    ConvolutionCase(
      channels: 17, conv: Conv2D(filters: 31, kernel: Size2D(3), padding: .same, activation: .sigmoid)),
    ConvolutionCase(
      channels: 5, conv: Conv2D(filters: 9, kernel: Size2D(3), padding: .same, activation: .silu), samples: 1
    ),
    ConvolutionCase(
      height: 2, width: 2, channels: 160,
      conv: Conv2D(filters: 144, kernel: Size2D(3), padding: .same, activation: .tanh)),
  ]

  @Test(
    "our own kernels of Winograd are as close as direct ones",
    .enabled(if: Processor.hasOwn, Processor.noOwn),
    arguments: minimal)
  func own(_ item: ConvolutionCase) throws {
    // The first convolution's gradient of the image is ours, too, since the harness asks for it.
    let second = Conv2D(filters: 18, kernel: Size2D(3), padding: .same, activation: .relu)
    let network = try Network(
      inputShape: [item.height, item.width, item.channels],
      chain: [
        .conv2D(item.conv), .batchNorm(BatchNorm()), .conv2D(second), .flatten, .dense(Dense(units: 5)),
      ])
    try expectMatchesReference(network, samples: item.samples, tolerance: 5e-5, kernels: .own)
  }

  @Test(
    "each pass by itself may be ours, beside the library's kernels for the others",
    .enabled(if: Processor.hasOwn, Processor.noOwn), arguments: Pass.allCases)
  func ownPass(_ pass: Pass) throws {
    let conv = Conv2D(filters: 24, kernel: Size2D(3), padding: .same, activation: .relu)
    let network = try Network(
      inputShape: [9, 7, 20], chain: [.conv2D(conv), .conv2D(conv), .flatten, .dense(Dense(units: 5))])
    var choices = KernelChoices()
    for layer in ["conv2d", "conv2d_1"] {
      for other in Pass.allCases { choices[layer, other] = other == pass ? .own : .direct }
    }
    let options = CompileOptions(batch: 8, shard: 4, kernels: .chosen(choices))
    let compiled = try CompiledNetwork(network.resolved(), options: options)
    #expect(Pass.allCases.allSatisfy { compiled.choices["conv2d_1", $0] == choices["conv2d_1", $0] })
    try expectMatchesReference(network, samples: 4, tolerance: 5e-5, kernels: .chosen(choices))
  }

  static let pools: [Pool2D] = [
    Pool2D(size: Size2D(2)), Pool2D(size: Size2D(3), stride: Size2D(2), padding: .same),
    Pool2D(size: Size2D(2, 3), stride: Size2D(3, 1)),
    Pool2D(size: Size2D(3), stride: Size2D(1), padding: .same),
  ]

  @Test("maximum and average pooling", arguments: pools, [1, 25])
  func pooling(_ pool: Pool2D, _ filters: Int) throws {
    for layer in [LayerSpec.maxPool2D(pool), .averagePool2D(pool)] {
      let network = try Network(
        inputShape: [13, 11, 2],
        chain: [
          .conv2D(Conv2D(filters: filters, kernel: Size2D(3))), layer, .flatten, .dense(Dense(units: 4)),
        ])
      try expectMatchesReference(network, samples: 3)
    }
  }

  @Test("ReLU behind a maximum pool equals ReLU in front of it", arguments: [1, 17])
  func movedReLU(_ samples: Int) throws {
    let network = try Network(
      inputShape: [14, 12, 1],
      chain: [
        .conv2D(Conv2D(filters: 25, kernel: Size2D(3), activation: .relu)),
        .maxPool2D(Pool2D(size: Size2D(2))), .flatten, .dense(Dense(units: 4)),
      ])
    try expectMatchesReference(network, samples: samples)
  }

  @Test("global pooling of any channel count", arguments: [5, 16, 25])
  func globalPooling(_ filters: Int) throws {
    for layer in [LayerSpec.globalAveragePool2D, .globalMaxPool2D] {
      let network = try Network(
        inputShape: [9, 7, 3],
        chain: [
          .conv2D(Conv2D(filters: filters, kernel: Size2D(3), activation: .tanh)), layer,
          .dense(Dense(units: 4)),
        ])
      try expectMatchesReference(network, samples: 5)
    }
  }

  @Test("dense layers, with and without bias, every activation", arguments: Activation.allCases)
  func dense(_ activation: Activation) throws {
    let network = try Network(
      inputShape: [37],
      chain: [
        .dense(Dense(units: 19, activation: activation)), .dense(Dense(units: 64, useBias: false)),
        .activation(activation), .dense(Dense(units: 3)),
      ])
    for samples in [1, 17] { try expectMatchesReference(network, samples: samples) }
  }

  @Test("activations behind a flattened image whose channels are padded", arguments: Activation.allCases)
  func flattened(_ activation: Activation) throws {
    let network = try Network(
      inputShape: [5, 4, 3],
      chain: [
        .conv2D(Conv2D(filters: 5, kernel: Size2D(2))), .flatten, .activation(activation),
        .dropout(Dropout(rate: 0)),
        .dense(Dense(units: 3)),
      ])
    try expectMatchesReference(network, samples: 4)
  }

  @Test("softmax at the end, label smoothing, a network that ends in flatten")
  func outputs() throws {
    let softmax = try Network(inputShape: [9], chain: [.dense(Dense(units: 5, activation: .softmax))])
    try expectMatchesReference(softmax, samples: 3, labelSmoothing: 0.1)
    let separate = try Network(inputShape: [9], chain: [.dense(Dense(units: 5)), .activation(.softmax)])
    try expectMatchesReference(separate, samples: 3)
    let board = try Network(
      inputShape: [5, 5, 4],
      chain: [
        .conv2D(Conv2D(filters: 6, kernel: Size2D(3), padding: .same, activation: .relu)),
        .conv2D(Conv2D(filters: 1, kernel: Size2D(1), useBias: false)), .flatten, .positionBias,
      ])
    try expectMatchesReference(board, samples: 3, labelSmoothing: 0.1)
  }

  @Test("batch normalisation with and without ReLU, scale and shift", arguments: [5, 16, 25])
  func batchNorm(_ filters: Int) throws {
    for norm in [BatchNorm(), BatchNorm(scale: false), BatchNorm(center: false)] {
      let network = try Network(
        inputShape: [7, 6, 3],
        chain: [
          .conv2D(Conv2D(filters: filters, kernel: Size2D(3), useBias: false)), .batchNorm(norm),
          .activation(.relu), .conv2D(Conv2D(filters: 4, kernel: Size2D(3))), .batchNorm(norm), .flatten,
          .dense(Dense(units: 8)), .batchNorm(norm), .dense(Dense(units: 3)),
        ])
      try expectMatchesReference(network, samples: 6, tolerance: 2e-4)
    }
  }

  @Test("batch normalisation behind a concatenation has a generated kernel", arguments: [36, 40, 45])
  func batchNormOfJoined(_ channels: Int) throws {
    func conv(_ filters: Int) -> LayerSpec {
      .conv2D(Conv2D(filters: filters, kernel: Size2D(3), padding: .same))
    }
    let network = try Network(
      inputShape: [7, 6, 3],
      layers: [
        Layer(name: "few", inputs: ["input"], spec: conv(12)),
        Layer(name: "more", inputs: ["few"], spec: conv(channels - 12)),
        Layer(name: "joined", inputs: ["few", "more"], spec: .concat),
        Layer(name: "norm", inputs: ["joined"], spec: .batchNorm(BatchNorm())),
        Layer(name: "relu", inputs: ["norm"], spec: .activation(.relu)),
        Layer(name: "last", inputs: ["relu"], spec: conv(5)),
        Layer(name: "wide", inputs: ["joined", "last"], spec: .concat),
        Layer(name: "mean", inputs: ["wide"], spec: .globalAveragePool2D),
        Layer(name: "out", inputs: ["mean"], spec: .dense(Dense(units: 3))),
      ])
    try expectMatchesReference(network, samples: 5, tolerance: 2e-4)
    let compiled = try CompiledNetwork(try network.resolved(), options: CompileOptions(batch: 5))
    let kernels = try compiled.trainingPlan(samples: 5).stepNames.map(\.kernel).filter {
      $0.contains("bnorm")
    }
    #expect(kernels.count == 2 && kernels.allSatisfy { $0.contains("jit") }, "\(kernels)")
  }

  @Test("a residual block with a projected shortcut, shared inputs and concatenation")
  func graph() throws {
    func conv(_ filters: Int, _ kernel: Int, stride: Int = 1) -> LayerSpec {
      .conv2D(Conv2D(filters: filters, kernel: Size2D(kernel), stride: Size2D(stride), padding: .same))
    }
    let network = try Network(
      inputShape: [9, 8, 3],
      layers: [
        Layer(name: "scale", inputs: ["input"], spec: .rescale(Rescale(scale: 0.5, offset: -0.1))),
        Layer(name: "a", inputs: ["scale"], spec: conv(6, 3)),
        Layer(name: "b", inputs: ["a"], spec: conv(10, 3, stride: 2)),
        Layer(name: "b1", inputs: ["b"], spec: .activation(.relu)),
        Layer(name: "c", inputs: ["b1"], spec: conv(10, 3)),
        Layer(name: "shortcut", inputs: ["a"], spec: conv(10, 1, stride: 2)),
        Layer(name: "sum", inputs: ["c", "shortcut", "b1"], spec: .add),
        Layer(name: "sum1", inputs: ["sum"], spec: .activation(.relu)),
        Layer(name: "joined", inputs: ["sum1", "b", "c"], spec: .concat),
        Layer(name: "late", inputs: ["joined"], spec: .rescale(Rescale(scale: 2, offset: 0.25))),
        Layer(name: "f", inputs: ["late"], spec: .flatten),
        Layer(name: "g", inputs: ["joined"], spec: .globalAveragePool2D),
        Layer(name: "fg", inputs: ["f", "g"], spec: .concat),
        Layer(name: "out", inputs: ["fg"], spec: .dense(Dense(units: 4))),
      ])
    // The gradient of a rescaled input is with respect to the rescaled values; the reference's is not.
    try expectMatchesReference(withoutFirstRescale(network), samples: 3)
  }

  private func withoutFirstRescale(_ network: Network) throws -> Network {
    try Network(
      inputShape: network.inputShape,
      layers: network.layers.dropFirst().map {
        Layer(name: $0.name, inputs: $0.inputs.map { $0 == "scale" ? "input" : $0 }, spec: $0.spec)
      })
  }

  @Test(
    "the networks of the benchmark have no reference kernel and match",
    arguments: [KernelSelection.direct, .winograd, .own])
  func lecture(_ kernels: KernelSelection) throws {
    try expectMatchesReference(
      try StandardNetwork.lecture.network(), samples: 5, tolerance: kernels == .direct ? 5e-5 : 5e-4,
      kernels: kernels)
  }

  @Test("a short last shard uses the same parameters as full ones")
  func shortShard() throws {
    let network = try StandardNetwork.lecture.network()
    for samples in [1, 3, 15] {
      try expectMatchesReference(network, samples: samples, tolerance: 5e-5, shard: 16)
    }
  }
}
