import Compute
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Compute

/// Inference of one sample by several workers together.
@Suite("One sample shared by workers")
struct SharedSampleTests {
  /// Layers large enough to be cut: of few and of many channels, of numbers that no block fits, strided, in groups, with batch
  /// normalisations to be multiplied in, and functions that our kernels do not have.
  private static func residual() throws -> Network {
    func conv(
      _ filters: Int, kernel: Int = 3, stride: Int = 1, groups: Int = 1, useBias: Bool = true,
      _ activation: Activation = .linear
    ) -> LayerSpec {
      .conv2D(
        Conv2D(
          filters: filters, kernel: Size2D(kernel), stride: Size2D(stride), padding: .same, groups: groups,
          useBias: useBias, activation: activation))
    }
    return try Network(
      inputShape: [40, 36, 3],
      layers: [
        Layer(name: "first", inputs: ["input"], spec: conv(16, kernel: 5, .relu)),
        Layer(name: "narrow", inputs: ["first"], spec: conv(16, .elu)),
        Layer(name: "odd", inputs: ["narrow"], spec: conv(100, kernel: 5, useBias: false)),
        Layer(name: "odd_norm", inputs: ["odd"], spec: .batchNorm(BatchNorm())),
        Layer(name: "odd_relu", inputs: ["odd_norm"], spec: .activation(.relu)),
        Layer(name: "pool", inputs: ["odd_relu"], spec: .maxPool2D(Pool2D(size: Size2D(2)))),
        Layer(name: "a", inputs: ["pool"], spec: conv(64)),
        Layer(name: "a_norm", inputs: ["a"], spec: .batchNorm(BatchNorm())),
        Layer(name: "a_relu", inputs: ["a_norm"], spec: .activation(.relu)),
        Layer(name: "b", inputs: ["a_relu"], spec: conv(64)),
        Layer(name: "b_norm", inputs: ["b"], spec: .batchNorm(BatchNorm())),
        Layer(name: "shortened", inputs: ["pool"], spec: conv(64, kernel: 1, useBias: false)),
        Layer(name: "short", inputs: ["shortened"], spec: .batchNorm(BatchNorm())),
        Layer(name: "sum", inputs: ["b_norm", "short"], spec: .add),
        Layer(name: "grouped", inputs: ["sum"], spec: conv(96, groups: 2, .relu)),
        Layer(name: "strided", inputs: ["grouped"], spec: conv(224, stride: 2, .tanh)),
        Layer(name: "deep", inputs: ["strided"], spec: conv(224, .relu)),
        Layer(name: "flat", inputs: ["deep"], spec: .flatten),
        Layer(name: "out", inputs: ["flat"], spec: .dense(Dense(units: 7))),
      ])
  }

  @Test(
    "the same bytes on any number of workers, and what one worker computes alone, to rounding",
    arguments: [true, false],
    [KernelSelection.costModel, .direct, .own])
  func workers(training: Bool, kernels: KernelSelection) throws {
    let network = try Self.residual().resolved()
    let harness = try PlanHarness(
      network,
      CompileOptions(batch: 1, shard: 1, training: training, kernels: kernels), samples: 1,
      sharesSamples: true)
    let source = ArraySource(ReferenceTensor.random([1, 40, 36, 3], seed: 3), labels: [2])
    let alone = try harness.infer(source)
    let first = try harness.infer(source, sharedBy: WorkerPool(workers: 1))
    expectClose(first, alone, ofLargest: 2e-5, "shared by one worker")
    for workers in [2, 3, 5, 16] {
      for _ in 0..<5 {
        let shared = try harness.infer(source, sharedBy: WorkerPool(workers: workers))
        #expect(shared.map(\.bitPattern) == first.map(\.bitPattern), "\(workers) workers")
      }
    }
    // Also those with a batch normalisation in them; filters of the library's kernels, tiles of ours.
    let more: [KernelSelection: [String]] = [.direct: ["deep"], .own: ["narrow", "deep"]]
    let groups = harness.loaded.plan(1, .sharedInference).steps
      .filter { $0.group != nil }.map(\.layer)
    #expect(Set(groups).isSuperset(of: ["odd", "a", "b", "shortened", "strided"] + (more[kernels] ?? [])))
  }

  /// Two or three convolutions of any size, windows and groups, with a batch normalisation or a pool between, a hundred times.
  private static let drawn: [Network] = {
    var random = SplitMix64(seed: 77)
    func pick<T>(_ values: [T]) -> T { values[random.next(below: values.count)] }
    var result: [Network] = []
    while result.count < 100 {
      var channels = 1 + random.next(below: 70)
      let input = [2 + random.next(below: 34), 2 + random.next(below: 34), channels]
      var layers: [LayerSpec] = []
      for _ in 0..<2 + random.next(below: 2) {
        let groups = pick([1, 1, 1, 2, 4].filter { channels.isMultiple(of: $0) })
        let filters = groups * (1 + random.next(below: 260 / groups))
        layers.append(
          .conv2D(
            Conv2D(
              filters: filters, kernel: Size2D(pick([1, 3, 3, 3, 5])), stride: Size2D(pick([1, 1, 1, 2])),
              padding: .same, groups: groups, useBias: pick([true, false]),
              activation: pick([.linear, .linear, .relu, .sigmoid]))))
        layers += pick([
          [], [.batchNorm(BatchNorm()), .activation(.relu)], [.batchNorm(BatchNorm())],
          [.averagePool2D(Pool2D(size: Size2D(1)))],
        ])
        channels = filters
      }
      layers += [.flatten, .dense(Dense(units: 5))]
      if let network = try? Network(inputShape: Shape(input), chain: layers) { result.append(network) }
    }
    return result
  }()

  @Test("drawn networks of one sample", arguments: 0..<100)
  func drawnNetworks(_ index: Int) throws {
    let network = try Self.drawn[index].resolved()
    for kernels in [KernelSelection.costModel, .own] {
      let harness = try PlanHarness(
        network, CompileOptions(batch: 1, shard: 1, training: false, kernels: kernels), samples: 1,
        sharesSamples: true)
      let source = ArraySource(
        ReferenceTensor.random(Shape([1] + network.inputShape.dimensions), seed: UInt64(index)), labels: [0])
      let first = try harness.infer(source, sharedBy: WorkerPool(workers: 1))
      expectClose(first, try harness.infer(source), ofLargest: 4e-5, "\(network.layers.map(\.name))")
      for workers in [2, 4] {
        let shared = try harness.infer(source, sharedBy: WorkerPool(workers: workers))
        #expect(shared.map(\.bitPattern) == first.map(\.bitPattern), "\(workers) workers")
      }
    }
  }

  @Test("a layer of each kind, small as it is", arguments: EveryLayerTests.examples)
  func eachKind(_ example: LayerExample) throws {
    var words = false
    if case .embedding = example.spec { words = true }
    let network = try example.network(
      before: words ? [] : [.activation(.tanh)], after: [.flatten, .dense(Dense(units: 3))]
    ).resolved()
    let harness = try PlanHarness(
      network, CompileOptions(batch: 1, shard: 1), samples: 1, sharesSamples: true)
    let shape = Shape([1] + network.inputShape.dimensions)
    let input =
      words
      ? ReferenceTensor(shape, (0..<shape.elementCount).map { Double($0 % 2) })
      : ReferenceTensor.random(shape, seed: 4)
    let source = ArraySource(input, labels: [1])
    expectClose(
      try harness.infer(source, sharedBy: WorkerPool(workers: 2)), try harness.infer(source), ofLargest: 2e-5,
      "\(example)")
  }
}
