import Compute
import Networks
import Tensors
import TestSupport
import Testing

@Suite("Layers of modern networks against plain loops in Double, forward and backward")
struct ModernLayerTests {
  private func conv(_ filters: Int, _ activation: Activation = .linear) -> LayerSpec {
    .conv2D(Conv2D(filters: filters, kernel: Size2D(3), activation: activation))
  }

  /// The layer between a convolution and a dense layer, for one channel, a blocked layout and one with padded blocks.
  private func expectMatches(
    _ layer: LayerSpec, image: Shape = [13, 11, 3], filters: [Int] = [1, 16, 25], samples: [Int] = [1, 3],
    tolerance: Double = 2e-5, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for (index, count) in filters.enumerated() {
      let network = try Network(
        inputShape: image, chain: [conv(count), layer, .flatten, .dense(Dense(units: 4))])
      try expectMatchesReference(
        network, samples: samples[index % samples.count], tolerance: tolerance, sourceLocation: sourceLocation
      )
    }
  }

  @Test(
    "functions of one element, as layers and within convolutions and dense layers",
    arguments: Activation.allCases)
  func activations(_ activation: Activation) throws {
    try expectMatches(.activation(activation), filters: [1, 25], samples: [17, 2])
    let network = try Network(
      inputShape: [9, 7, 2],
      chain: [
        conv(25, activation), conv(6, activation), .flatten, .dense(Dense(units: 9, activation: activation)),
        .dense(Dense(units: 3)),
      ])
    try expectMatchesReference(network, samples: 3)
    // The library has no kernel for one input column or row.
    let vector = try Network(inputShape: [5], chain: [.activation(activation), .dense(Dense(units: 3))])
    try expectMatchesReference(vector, samples: 1)
  }

  @Test("leaky ReLU and ELU with numbers of their own, PReLU shared and not")
  func slopes() throws {
    for layer: LayerSpec in [
      .leakyReLU(LeakyReLU(negativeSlope: 0.3)), .leakyReLU(LeakyReLU(negativeSlope: 0)),
      .elu(ELU(alpha: 0.5)),
      .prelu(PReLU(sharesPositions: true)), .prelu(PReLU()),
    ] {
      try expectMatches(layer)
    }
    let vector = try Network(
      inputShape: [7],
      chain: [.prelu(PReLU()), .dense(Dense(units: 20)), .prelu(PReLU()), .dense(Dense(units: 3))])
    try expectMatchesReference(vector, samples: 17)
  }

  @Test("ReLU with a largest value, alone, in what comes before it, and behind a maximum pool")
  func cappedReLU() throws {
    // Values of these networks are of the order of 1, so that both ends are met.
    for largest: Float in [0.25, 1, 6] {
      let function = LayerSpec.relu(ReLU(maxValue: largest))
      try expectMatches(function, filters: [1, 25], samples: [17, 2])
      let network = try Network(
        inputShape: [13, 11, 2],
        chain: [
          conv(25, .linear), function, .maxPool2D(Pool2D(size: Size2D(2))), conv(6, .linear),
          .batchNorm(BatchNorm()), function, .flatten, .dense(Dense(units: 9)), function,
          .dense(Dense(units: 3)),
        ])
      try expectMatchesReference(network, samples: 3)
    }
  }

  @Test("ReLU with a largest value takes no step of its own where ReLU takes none")
  func fusedCappedReLU() throws {
    func steps(_ function: LayerSpec) throws -> [String] {
      let network = try Network(
        inputShape: [13, 11, 2],
        chain: [
          conv(25), function, .maxPool2D(Pool2D(size: Size2D(2))), conv(6), function, .flatten,
          .dense(Dense(units: 9)), function, .dense(Dense(units: 3)),
        ]
      ).resolved()
      let compiled = try CompiledNetwork(network, options: CompileOptions(batch: 4, shard: 4))
      return try compiled.trainingPlan(samples: 4).stepNames.map { "\($0.layer) \($0.pass.rawValue)" }
    }
    #expect(try steps(.relu(ReLU(maxValue: 6))) == steps(.activation(.relu)))
  }

  @Test("depthwise convolutions with one and several filters per channel")
  func depthwise() throws {
    let cases = [
      DepthwiseConv2D(kernel: Size2D(3), padding: .same, activation: .relu),
      DepthwiseConv2D(kernel: Size2D(3), stride: Size2D(2), padding: .same, useBias: false),
      DepthwiseConv2D(kernel: Size2D(3, 2), dilation: Size2D(2)),
      DepthwiseConv2D(kernel: Size2D(5), multiplier: 3, padding: .same),
    ]
    for (index, item) in cases.enumerated() {
      try expectMatches(.depthwiseConv2D(item), filters: [1, 25, 32], samples: [index % 2 == 0 ? 17 : 1, 3])
    }
  }

  @Test("separable convolutions with one and several filters per channel")
  func separable() throws {
    let cases = [
      SeparableConv2D(filters: 7, kernel: Size2D(3), padding: .same, activation: .relu),
      SeparableConv2D(
        filters: 16, kernel: Size2D(3), stride: Size2D(2), padding: .same, useBias: false, activation: .gelu),
      SeparableConv2D(filters: 25, kernel: Size2D(3, 2), dilation: Size2D(2)),
      SeparableConv2D(filters: 5, kernel: Size2D(5), multiplier: 3, padding: .same),
      SeparableConv2D(filters: 1, kernel: Size2D(1), multiplier: 2, activation: .tanh),
    ]
    for (index, item) in cases.enumerated() {
      try expectMatches(.separableConv2D(item), filters: [1, 25, 32], samples: [index % 2 == 0 ? 17 : 1, 3])
    }
  }

  @Test("both kernels of a separable convolution are chosen, under names of their own")
  func separableChoices() throws {
    let network = try Network(
      inputShape: [13, 11, 16],
      chain: [
        conv(16), .separableConv2D(SeparableConv2D(filters: 32, kernel: Size2D(3), padding: .same)),
        .flatten, .dense(Dense(units: 3)),
      ]
    ).resolved()
    let choices = try CompiledNetwork(network, options: CompileOptions(batch: 4, shard: 4)).choices
    for name in ["separable_conv2d/depthwise_kernel", "separable_conv2d/pointwise_kernel"] {
      for pass in Pass.allCases { #expect(choices[name, pass] != nil, "\(name) \(pass)") }
    }
    #expect(choices["separable_conv2d", .forward] == nil)
    #expect(KernelChoices(text: choices.text) == choices)
  }

  @Test("transposed convolutions")
  func transposed() throws {
    for item in [
      Conv2DTranspose(filters: 5, kernel: Size2D(3), stride: Size2D(2), padding: .same, activation: .relu),
      Conv2DTranspose(filters: 16, kernel: Size2D(4), stride: Size2D(2)),
      Conv2DTranspose(filters: 2, kernel: Size2D(2, 3), stride: Size2D(3, 2), useBias: false),
      Conv2DTranspose(filters: 3, kernel: Size2D(2), stride: Size2D(3), padding: .same, activation: .gelu),
      Conv2DTranspose(filters: 25, kernel: Size2D(3)),
    ] {
      try expectMatches(.conv2DTranspose(item), image: [7, 6, 3], filters: [1, 25], samples: [1, 3])
    }
  }

  @Test("convolutions over sequences: stride, dilation, groups, causal padding")
  func sequences() throws {
    let cases: [(Int, Conv1D, Int)] = [
      (1, Conv1D(filters: 25, kernel: 3, activation: .relu), 17),
      (25, Conv1D(filters: 7, kernel: 5, padding: .same), 1),
      (6, Conv1D(filters: 8, kernel: 3, stride: 2, padding: .same, groups: 2), 3),
      (16, Conv1D(filters: 16, kernel: 4, dilation: 3, padding: .causal, activation: .tanh), 3),
      (3, Conv1D(filters: 4, kernel: 3, stride: 2, padding: .causal, useBias: false), 2),
    ]
    for (channels, conv, samples) in cases {
      let network = try Network(
        inputShape: [29, channels], chain: [.conv1D(conv), .flatten, .dense(Dense(units: 4))])
      try expectMatchesReference(network, samples: samples)
    }
  }

  @Test("pooling, padding, cropping, repeating and normalising sequences")
  func sequenceShapes() throws {
    let layers: [LayerSpec] = [
      .maxPool1D(Pool1D(size: 2)), .averagePool1D(Pool1D(size: 3, stride: 2, padding: .same)),
      .zeroPadding1D(Margins1D(before: 2, after: 1)), .cropping1D(Margins1D(before: 0, after: 3)),
      .upSampling1D(UpSampling1D(size: 3)), .layerNorm(LayerNorm()), .positionBias, .prelu(PReLU()),
      .groupNorm(GroupNorm(groups: 2)),
      .prelu(PReLU(sharesPositions: true)), .activation(.softmax), .reshape(Reshape([3, 9, 8])),
      .localResponseNorm(LocalResponseNorm(radius: 1)),
    ]
    for layer in layers {
      let network = try Network(
        inputShape: [29, 3],
        chain: [.conv1D(Conv1D(filters: 8, kernel: 3)), layer, .flatten, .dense(Dense(units: 4))])
      try expectMatchesReference(network, samples: 3)
    }
    for layer: LayerSpec in [.globalMaxPool1D, .globalAveragePool1D] {
      let network = try Network(
        inputShape: [11, 2],
        chain: [
          .conv1D(Conv1D(filters: 25, kernel: 3, useBias: false)), .batchNorm(BatchNorm()), layer,
          .dense(Dense(units: 4)),
        ])
      try expectMatchesReference(network, samples: 5, tolerance: 1e-4)
    }
  }

  @Test("zero padding and cropping of images")
  func margins() throws {
    let margins = Margins2D(top: 1, bottom: 2, left: 0, right: 3)
    for layer: LayerSpec in [
      .zeroPadding2D(margins), .cropping2D(margins), .zeroPadding2D(Margins2D(2)), .cropping2D(Margins2D(0)),
    ] {
      try expectMatches(layer)
    }
    let first = try Network(
      inputShape: [6, 5, 2], chain: [.zeroPadding2D(margins), conv(4), .cropping2D(Margins2D(1)), .flatten])
    try expectMatchesReference(first, samples: 2)
  }

  @Test("enlarging images", arguments: Interpolation.allCases)
  func upSampling(_ interpolation: Interpolation) throws {
    for size in [Size2D(2), Size2D(3, 1), Size2D(1, 4)] {
      try expectMatches(
        .upSampling2D(UpSampling2D(size: size, interpolation: interpolation)), image: [7, 6, 3])
    }
  }

  @Test("words as vectors, with and without a padding word, frozen or trained")
  func embedding() throws {
    let words = ReferenceTensor([3, 5], [4, 0, 6, 6, 2, 0, 0, 1, 3, 4, 5, 6, 2, 2, 0])
    for embedding in [
      Embedding(vocabulary: 7, dimension: 25), Embedding(vocabulary: 7, dimension: 16, paddingWord: 0),
      Embedding(vocabulary: 7, dimension: 1, isFrozen: true),
      Embedding(vocabulary: 9, dimension: 5, paddingWord: 6),
    ] {
      let network = try Network(
        inputShape: [5],
        chain: [
          .embedding(embedding), .conv1D(Conv1D(filters: 8, kernel: 3, activation: .relu)), .globalMaxPool1D,
          .dense(Dense(units: 3)),
        ])
      try expectMatchesReference(network, samples: 3, input: words)
    }
  }

  @Test("a word outside the vocabulary is an error that names it", arguments: [7.0, -1, 2.5])
  func unknownWord(_ word: Double) throws {
    let network = try Network(
      inputShape: [2], chain: [.embedding(Embedding(vocabulary: 7, dimension: 4)), .flatten]
    ).resolved()
    let harness = try PlanHarness(network, CompileOptions(batch: 1, shard: 1), samples: 1)
    let error = #expect(throws: ComputeError.self) {
      try harness.infer(ArraySource(ReferenceTensor([1, 2], [3, word]), labels: [0]))
    }
    #expect("\(try #require(error))".contains("word \(Float(word)) at position 1"))
  }

  @Test("layer normalisation with and without scale and shift")
  func layerNorm() throws {
    for norm in [LayerNorm(), LayerNorm(epsilon: 1e-5, scale: false), LayerNorm(center: false)] {
      try expectMatches(.layerNorm(norm), filters: [16, 25], samples: [1, 17], tolerance: 5e-5)
    }
    let vector = try Network(
      inputShape: [19], chain: [.dense(Dense(units: 37)), .layerNorm(LayerNorm()), .dense(Dense(units: 3))])
    try expectMatchesReference(vector, samples: 5)
  }

  @Test("group normalisation: one group, several, one for each channel, with and without scale and shift")
  func groupNorm() throws {
    for norm in [
      GroupNorm(groups: 1), GroupNorm(groups: 4, epsilon: 1e-5, scale: false),
      GroupNorm(groups: nil, center: false),
    ] {
      try expectMatches(.groupNorm(norm), filters: [16, 24], samples: [1, 17], tolerance: 5e-5)
    }
    for groups in [5, 25, nil] {
      try expectMatches(.groupNorm(GroupNorm(groups: groups)), filters: [25], samples: [3], tolerance: 5e-5)
    }
    let vector = try Network(
      inputShape: [19],
      chain: [.dense(Dense(units: 36)), .groupNorm(GroupNorm(groups: 9)), .dense(Dense(units: 3))])
    try expectMatchesReference(vector, samples: 5)
  }

  @Test("local response normalisation with any exponent")
  func localResponseNorm() throws {
    for norm in [
      LocalResponseNorm(), LocalResponseNorm(radius: 2, bias: 2, alpha: 0.3, beta: 0.75),
      LocalResponseNorm(radius: 1, bias: 1, alpha: 0.5, beta: 1),
      LocalResponseNorm(radius: 0, alpha: 0.2, beta: 0.6),
    ] {
      try expectMatches(.localResponseNorm(norm))
    }
  }

  @Test("factors at the start leave the input as it is for other layers that take it")
  func sharedInput() throws {
    for first: LayerSpec in [
      .normalization(Normalization(mean: [0.3], variance: [0.25])), .rescale(Rescale(scale: 3, offset: 1)),
    ] {
      let network = try Network(
        inputShape: [6, 5, 3],
        layers: [
          Layer(name: "scaled", inputs: ["input"], spec: first),
          Layer(name: "plain", inputs: ["input"], spec: conv(4)),
          Layer(name: "changed", inputs: ["scaled"], spec: conv(4)),
          Layer(name: "both", inputs: ["plain", "changed"], spec: .add),
          Layer(name: "flat", inputs: ["both"], spec: .flatten),
        ])
      try expectMatchesReference(network, samples: 2)
    }
  }

  @Test("given means and variances, for each channel or for all, at the start and in the middle")
  func normalization() throws {
    let norm = Normalization(mean: [0.2, -0.1, 0.4], variance: [0.5, 2, 0.04])
    try expectMatches(.normalization(Normalization(mean: [0.3], variance: [0.25])))
    let middle = try Network(
      inputShape: [6, 5, 3], chain: [.activation(.tanh), .normalization(norm), conv(4), .flatten])
    try expectMatchesReference(middle, samples: 2)
    // The gradient of a scaled input is with respect to the scaled values; the logits tell.
    let specs: [LayerSpec] = [
      .rescale(Rescale(scale: 0.5, offset: 0.1)), .normalization(norm), conv(4), .flatten,
    ]
    for channels in [3, 20] {
      let means = (0..<channels).map { Double($0 % 5) / 10 }
      let variances = (0..<channels).map { 0.3 + Double($0 % 7) }
      let chain =
        channels == 3
        ? specs : [.normalization(Normalization(mean: means, variance: variances)), conv(4), .flatten]
      let network = try Network(inputShape: [6, 5, channels], chain: chain).resolved()
      let harness = try PlanHarness(network, CompileOptions(batch: 2, shard: 2), samples: 2)
      let input = ReferenceTensor.random([2, 6, 5, channels], seed: 4)
      let expected = ReferenceNetwork(network, harness.canonical).run(
        input, labels: [0, 1], scale: 1, training: false)
      expectClose(
        try harness.infer(ArraySource(input, labels: [0, 1])), expected.logits, absolute: 1e-6,
        ofLargest: 2e-5)
      let bytes = input.map { (($0 + 1) * 127).rounded() }
      let fromBytes = ReferenceNetwork(network, harness.canonical).run(
        bytes, labels: [0, 1], scale: 1, training: false)
      expectClose(
        try harness.infer(ArraySource(bytes, labels: [0, 1])), fromBytes.logits, absolute: 1e-6,
        ofLargest: 2e-5)
    }
  }

  @Test("squeeze-and-excite with dense layers, with convolutions, and other products", arguments: [16, 25])
  func products(_ filters: Int) throws {
    let squeezed: [Layer] = [
      Layer(name: "image", inputs: ["input"], spec: conv(filters)),
      Layer(name: "mean", inputs: ["image"], spec: .globalAveragePool2D),
      Layer(name: "narrow", inputs: ["mean"], spec: .dense(Dense(units: 4, activation: .relu))),
      Layer(name: "gate", inputs: ["narrow"], spec: .dense(Dense(units: filters, activation: .sigmoid))),
      Layer(name: "scaled", inputs: ["image", "gate"], spec: .multiply),
      Layer(name: "out", inputs: ["scaled"], spec: .flatten),
      Layer(name: "logits", inputs: ["out"], spec: .dense(Dense(units: 4))),
    ]
    try expectMatchesReference(Network(inputShape: [9, 7, 3], layers: squeezed), samples: 3)
    let one = Conv2D(filters: filters, kernel: Size2D(1), activation: .hardSigmoid)
    let folded: [Layer] = [
      Layer(name: "image", inputs: ["input"], spec: conv(filters, .silu)),
      Layer(name: "mean", inputs: ["image"], spec: .globalAveragePool2D),
      Layer(name: "square", inputs: ["mean"], spec: .reshape(Reshape([1, 1, filters]))),
      Layer(name: "gate", inputs: ["square"], spec: .conv2D(one)),
      Layer(name: "scaled", inputs: ["gate", "image", "image"], spec: .multiply),
      Layer(name: "cubes", inputs: ["scaled", "image"], spec: .multiply),
      Layer(name: "out", inputs: ["cubes"], spec: .globalMaxPool2D),
      Layer(name: "logits", inputs: ["out"], spec: .dense(Dense(units: 4))),
    ]
    try expectMatchesReference(Network(inputShape: [9, 7, 3], layers: folded), samples: 5, tolerance: 5e-5)
    let vectors: [Layer] = [
      Layer(name: "a", inputs: ["input"], spec: .dense(Dense(units: filters))),
      Layer(name: "b", inputs: ["input"], spec: .dense(Dense(units: filters, activation: .tanh))),
      Layer(name: "c", inputs: ["a", "b"], spec: .multiply),
      Layer(name: "square", inputs: ["c"], spec: .reshape(Reshape([1, 1, filters]))),
      Layer(name: "d", inputs: ["a", "square"], spec: .multiply),
      Layer(name: "out", inputs: ["d"], spec: .flatten),
    ]
    try expectMatchesReference(Network(inputShape: [6], layers: vectors), samples: 17)
  }

  @Test("the same elements under other shapes")
  func reshape() throws {
    for shape in [[9, 11, 25], [11 * 9 * 25], [99, 25], [25, 9, 11]] {
      let network = try Network(
        inputShape: [13, 11, 2],
        chain: [conv(25), .reshape(Reshape(shape)), .activation(.sigmoid), .flatten, .dense(Dense(units: 3))])
      let _ = try expectMatchesReference(
        try Network(
          inputShape: [11, 13, 2], chain: [conv(25)] + network.layers.dropFirst().map(\.spec)), samples: 2)
    }
    let first = try Network(
      inputShape: [24],
      chain: [.reshape(Reshape([4, 3, 2])), conv(3), .flatten, .reshape(Reshape([2, 3])), .flatten])
    try expectMatchesReference(first, samples: 2)
  }
}
