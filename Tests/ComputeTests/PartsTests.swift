import Compute
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

/// One image computed in parts side by side, and products of filters.
@Suite("One image in parts")
struct PartsTests {
  private static func network() throws -> ResolvedNetwork {
    func conv(_ filters: Int) -> LayerSpec {
      .conv2D(Conv2D(filters: filters, kernel: Size2D(3), padding: .same, activation: .relu))
    }
    return try Network(
      inputShape: [13, 11, 3],
      chain: [
        conv(32), conv(40), .maxPool2D(Pool2D(size: Size2D(2))), conv(48), .batchNorm(BatchNorm()),
        .averagePool2D(Pool2D(size: Size2D(2))), conv(24),
      ]
    ).resolved()
  }

  private static let taps = [
    LayerTap("conv2d"), LayerTap("conv2d_1", .gram), LayerTap("conv2d_2", .gram), LayerTap("conv2d_3"),
    LayerTap("conv2d_3", .gram),
  ]

  private static func run(parts: Int, workers: Int?, size: Int = 13) throws -> (
    values: [LayerTap: [Float]], gradient: [Float], seeds: [LayerTap: [Float]], image: [Float]
  ) {
    let network = try network()
    let values = ParameterLayout(network).initialValues(seed: 5)
    let trace = try LayerTrace(
      network, values: values, taps: taps, imageShape: [size, 11, 3], parts: parts,
      pool: workers.map { WorkerPool(workers: $0) })
    let image = ReferenceTensor.random([size, 11, 3], seed: 2).floats
    var seeds: [LayerTap: [Float]] = [:]
    for (index, tap) in taps.enumerated() {
      let shape = try #require(trace.shape(of: tap))
      seeds[tap] = ReferenceTensor.random(shape, seed: UInt64(10 + index), scale: 0.1).floats
    }
    let session = try trace.makeSession()
    let found = try session.values(for: image)
    return (found, try session.gradient(of: image, seeds: seeds), seeds, image)
  }

  @Test("parts give what the whole gives, to rounding", arguments: [2, 3, 4])
  func partsAndWhole(parts: Int) throws {
    let whole = try Self.run(parts: 1, workers: nil)
    let cut = try Self.run(parts: parts, workers: 2)
    for tap in Self.taps {
      expectClose(
        try #require(cut.values[tap]), try #require(whole.values[tap]), ofLargest: 2e-5, tap.text)
    }
    expectClose(cut.gradient, whole.gradient, ofLargest: 2e-5, "gradient")
  }

  @Test("the number of workers changes no bit")
  func workers() throws {
    let alone = try Self.run(parts: 4, workers: 1)
    for workers in [2, 3, 8] {
      let other = try Self.run(parts: 4, workers: workers)
      #expect(other.values == alone.values)
      #expect(other.gradient == alone.gradient)
    }
  }

  @Test(
    "products of filters are sums over positions, and their gradients reach the image", arguments: [1, 4])
  func products(parts: Int) throws {
    let network = try Self.network()
    let values = ParameterLayout(network).initialValues(seed: 5)
    let maps = LayerTap("conv2d_1")
    let gram = LayerTap("conv2d_1", .gram)
    let image = ReferenceTensor.random([13, 11, 3], seed: 2).floats
    let plain = try LayerTrace(network, values: values, taps: [maps]).makeSession()
    let session = try LayerTrace(
      network, values: values, taps: [gram], parts: parts, pool: WorkerPool(workers: 2)
    ).makeSession()
    let features = try #require(try plain.values(for: image)[maps])
    let count = 40
    var expected = [Float](repeating: 0, count: count * count)
    let seed = ReferenceTensor.random([count, count], seed: 8).floats
    var featureGradient = [Float](repeating: 0, count: features.count)
    for i in 0..<count {
      for j in 0..<count {
        var sum = 0.0
        for place in stride(from: 0, to: features.count, by: count) {
          sum += Double(features[place + i]) * Double(features[place + j])
        }
        expected[i * count + j] = Float(sum)
      }
    }
    for place in stride(from: 0, to: features.count, by: count) {
      for i in 0..<count {
        var sum = 0.0
        for j in 0..<count {
          sum += Double(seed[i * count + j] + seed[j * count + i]) * Double(features[place + j])
        }
        featureGradient[place + i] = Float(sum)
      }
    }
    expectClose(
      try #require(try session.values(for: image)[gram]), expected, ofLargest: 2e-5, "products")
    let gradient = try plain.gradient(of: image, seeds: [maps: featureGradient])
    #expect(gradient.contains { $0 != 0 })
    expectClose(
      try session.gradient(of: image, seeds: [gram: seed]), gradient, ofLargest: 2e-5, "gradient")
  }

  // MARK: - Training

  /// A residual graph with numbers of channels that no block fits, groups, strides, and layers that stay whole.
  private static func trained() throws -> Network {
    func conv(
      _ filters: Int, stride: Int = 1, groups: Int = 1, bias: Bool = true, _ activation: Activation = .relu
    )
      -> LayerSpec
    {
      .conv2D(
        Conv2D(
          filters: filters, kernel: Size2D(3), stride: Size2D(stride), padding: .same, groups: groups,
          useBias: bias, activation: activation))
    }
    func layer(_ name: String, _ inputs: [String], _ spec: LayerSpec) -> Layer {
      Layer(name: name, inputs: inputs, spec: spec)
    }
    return try Network(
      inputShape: [17, 13, 3],
      layers: [
        layer("stem", ["input"], conv(40)), layer("pool", ["stem"], .maxPool2D(Pool2D(size: Size2D(2)))),
        layer("one", ["pool"], conv(48, bias: false, .linear)),
        layer("norm", ["one"], .batchNorm(BatchNorm())),
        layer("relu", ["norm"], .activation(.relu)), layer("two", ["relu"], conv(40)),
        layer("sum", ["two", "pool"], .add), layer("grouped", ["sum"], conv(40, groups: 4)),
        layer("strided", ["grouped"], conv(33, stride: 2)),
        layer("mean", ["strided"], .averagePool2D(Pool2D(size: Size2D(2)))),
        layer("whole", ["mean"], .globalAveragePool2D),
        layer("out", ["whole"], .dense(Dense(units: 7))),
      ])
  }

  @Test(
    "a training shard of one sample in parts agrees with the plain loops, every gradient",
    arguments: [2, 3, 16])
  func training(parts: Int) throws {
    try expectMatchesReference(try Self.trained(), samples: 1, parts: parts)
    try expectMatchesReference(
      try Self.trained(), samples: 1, tolerance: 1e-4, kernels: .winograd, parts: parts)
    try expectMatchesReference(try Self.trained(), samples: 1, tolerance: 5e-5, kernels: .own, parts: parts)
  }

  @Test(
    "the number of workers changes no bit of a training shard in parts, nor does computing them one after another"
  )
  func trainingWorkers() throws {
    let network = try Self.trained().resolved()
    var options = CompileOptions(batch: 4, shard: 1, kernels: .costModel)
    options.parts = 16
    let harness = try PlanHarness(network, options, samples: 1)
    let groups = try harness.compiled.trainingPlan(samples: 1).stepNames.count
    options.parts = 1
    let whole = try PlanHarness(network, options, samples: 1).compiled.trainingPlan(samples: 1).stepNames
      .count
    #expect(groups > whole + 20, "hardly anything was cut: \(groups) steps, \(whole) without parts")
    let source = ArraySource(ReferenceTensor.random([1, 17, 13, 3], seed: 5), labels: [3])
    let alone = try harness.train(source, ShardOptions(scale: 0.25)).storage.array().map(\.bitPattern)
    for workers in [1, 2, 5] {
      for _ in 0..<3 {
        let other = try harness.train(source, ShardOptions(scale: 0.25), on: WorkerPool(workers: workers))
        #expect(other.storage.array().map(\.bitPattern) == alone, "\(workers) workers")
      }
    }
  }
}
