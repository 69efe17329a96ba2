import Compute
import Networks
import Tensors
import TestSupport
import Testing

/// Values of layers and gradients of images, against plain loops in Double.
@Suite("Layer traces")
struct LayerTraceTests {
  @Test("every layer shows its value, and gradients at all of them add up at the image")
  func lecture() throws {
    try expectMatches(
      Network(
        inputShape: [14, 12, 1],
        chain: [
          .rescale(Rescale(scale: 1 / 7.0, offset: 0.1)),
          .conv2D(Conv2D(filters: 5, kernel: Size2D(3), activation: .relu)),
          .maxPool2D(Pool2D(size: Size2D(2))),
          .conv2D(Conv2D(filters: 18, kernel: Size2D(3), activation: .relu)),
          .maxPool2D(Pool2D(size: Size2D(2))), .flatten,
          .dense(Dense(units: 10, activation: .relu)), .dense(Dense(units: 6, activation: .softmax)),
        ]))
  }

  @Test("a residual network with batch normalisation keeps its running statistics")
  func residual() throws {
    func conv(_ name: String, _ input: String, _ activation: Activation = .linear) -> Layer {
      Layer(
        name: name, inputs: [input],
        spec: .conv2D(
          Conv2D(filters: 16, kernel: Size2D(3), padding: .same, useBias: false, activation: activation)))
    }
    try expectMatches(
      Network(
        inputShape: [7, 9, 3],
        layers: [
          conv("first", Network.inputName, .relu),
          conv("a", "first"),
          Layer(name: "norm", inputs: ["a"], spec: .batchNorm(BatchNorm())),
          Layer(name: "act", inputs: ["norm"], spec: .activation(.relu)),
          conv("b", "act"),
          Layer(name: "norm2", inputs: ["b"], spec: .batchNorm(BatchNorm(scale: false))),
          Layer(name: "sum", inputs: ["norm2", "first"], spec: .add),
          Layer(name: "act2", inputs: ["sum"], spec: .activation(.relu)),
          Layer(name: "pool", inputs: ["act2"], spec: .averagePool2D(Pool2D(size: Size2D(3)))),
          Layer(name: "both", inputs: ["pool", "pool"], spec: .concat),
          Layer(name: "drop", inputs: ["both"], spec: .dropout(Dropout(rate: 0.5))),
          Layer(name: "mean", inputs: ["drop"], spec: .globalAveragePool2D),
          Layer(name: "dense", inputs: ["mean"], spec: .dense(Dense(units: 4, activation: .tanh))),
        ]))
  }

  @Test("a convolutional part takes images of another size, and layers behind it need not fit")
  func otherSize() throws {
    let network = try Network(
      inputShape: [8, 8, 3],
      chain: [
        .conv2D(Conv2D(filters: 6, kernel: Size2D(3), activation: .relu)), .flatten, .dense(Dense(units: 3)),
      ])
    try expectMatches(network, taps: [LayerTap("conv2d")], imageShape: [17, 5, 3])
    let resolved = try network.resolved()
    let values = ParameterLayout(resolved).initialValues(seed: 1)
    let own = #expect(throws: ComputeError.self) {
      try LayerTrace(resolved, values: values, taps: [LayerTap("dense")], imageShape: [9, 9, 3])
    }
    #expect(own?.description.contains("layer 'dense' belongs to the network's own image size") == true)
    let small = #expect(throws: NetworkError.self) {
      try LayerTrace(resolved, values: values, taps: [LayerTap("conv2d")], imageShape: [2, 9, 3])
    }
    #expect(small?.layer == "conv2d")
    let missing = #expect(throws: ComputeError.self) {
      try LayerTrace(resolved, values: values, taps: [LayerTap("conv2d_7")])
    }
    #expect(missing?.description.hasSuffix("no layer 'conv2d_7'; there are: conv2d, flatten, dense") == true)
  }

  @Test("a session gives the same bytes whatever it ran before, and another session too")
  func repeatable() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let values = ParameterLayout(network).initialValues(seed: 3)
    let taps = [LayerTap("conv2d_1"), LayerTap("dense_1", .beforeActivation)]
    let trace = try LayerTrace(network, values: values, taps: taps)
    let images = (0..<3).map {
      ReferenceTensor.random(network.inputShape, seed: UInt64($0), scale: 200).floats
    }
    let seeds = taps.reduce(into: [LayerTap: [Float]]()) { seeds, tap in
      seeds[tap] = (trace.shape(of: tap).map { ReferenceTensor.random($0, seed: 9).floats }) ?? []
    }
    let expected = try images.map { try trace.makeSession().gradient(of: $0, seeds: seeds) }
    #expect(Set(expected).count == 3, "other images have other gradients")
    let session = try trace.makeSession()
    for index in [2, 0, 1, 0, 2] {
      #expect(try session.gradient(of: images[index], seeds: seeds) == expected[index])
    }
  }

  // MARK: -

  private func expectMatches(
    _ network: Network, taps chosen: [LayerTap]? = nil, imageShape: Shape? = nil, samples: Int = 2,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let resolved = try network.resolved()
    let harness = try PlanHarness(
      resolved, CompileOptions(batch: 8, shard: samples, training: false), samples: samples)
    let all = network.layers.flatMap { [LayerTap($0.name), LayerTap($0.name, .beforeActivation)] }
    // All at once, and single ones, which are computed by fused kernels.
    let sets = chosen.map { [$0] } ?? [all, network.layers.map { LayerTap($0.name) }] + all.map { [$0] }
    for taps in sets {
      let trace = try LayerTrace(
        resolved, values: harness.canonical, taps: taps, imageShape: imageShape, samples: samples,
        kernels: .direct)
      let image = ReferenceTensor.random(
        Shape([samples] + trace.imageShape.dimensions), seed: 11, scale: 2)
      var seeds: [LayerTap: ReferenceTensor] = [:]
      for (index, tap) in taps.enumerated() {
        let shape = try #require(trace.shape(of: tap))
        seeds[tap] = .random(Shape([samples] + shape.dimensions), seed: UInt64(20 + index))
      }
      let expected = try ReferenceNetwork(trace.network, harness.canonical).trace(image, seeds: seeds)
      let session = try trace.makeSession()
      let values = try session.values(for: image.floats)
      for tap in taps {
        expectClose(
          try #require(values[tap]), try #require(expected.values[tap]).values, absolute: 1e-6,
          ofLargest: 2e-5,
          "\(tap)",
          sourceLocation: sourceLocation)
      }
      expectClose(
        try session.gradient(of: image.floats, seeds: seeds.mapValues(\.floats)),
        expected.imageGradient.values, absolute: 1e-7, ofLargest: 2e-5, "gradient from \(taps)",
        sourceLocation: sourceLocation)
    }
  }
}
