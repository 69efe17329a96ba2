import Networks
import OneDNN
import Parallel
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Compute

/// Counts how often it runs.
private struct CountingStep: CustomStep {
  final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  let counter: Counter
  var addsToSums = false

  var name: String { "count" }
  var operands: [Operand] { [] }
  var results: [Operand] { [] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    counter.value.add(1, ordering: .relaxed)
    if addsToSums { shard.result.sums = [1] }
  }
}

@Suite("What a plan may not do in silence")
struct PlanSafetyTests {
  private static func dense() throws -> ResolvedNetwork {
    try Network(inputShape: [6], chain: [.dense(Dense(units: 3))]).resolved()
  }

  /// Runs a plan that has a group of two custom steps before everything else.
  private static func run(_ step: CountingStep, workers: Int?) throws {
    let network = try dense()
    let storage = ParameterStorage()
    let builder = PlanBuilder(
      samples: 1, mode: .training, options: CompileOptions(batch: 1, shard: 1),
      parameters: ParameterLayout(network), storage: storage,
      lowering: Lowering(network, leavingOut: .softmax))
    try builder.sideBySide(2) { _ in builder.emit(step) }
    let plan = try Plan(builder)
    let workspace = try Workspace(
      arenaByteCount: plan.arenaByteCount, scratchpadByteCount: plan.scratchpadByteCount, parts: plan.parts)
    let parameters = AlignedBuffer<Float>(count: storage.count)
    let gradient = AlignedBuffer<Float>(count: storage.count)
    let statistics = AlignedBuffer<Float>(count: 1)
    let weights = KernelWeights(storage)
    try weights.refresh(from: parameters)
    let sample = ArraySource(ReferenceTensor.random([1, 6], seed: 1), labels: [2])
    _ = try plan.train(
      sample, in: workspace, weights: weights, parameters: parameters.baseAddress,
      options: ShardOptions(scale: 1), gradient: gradient.baseAddress, statistics: statistics.baseAddress,
      on: workers.map { WorkerPool(workers: $0) })
  }

  @Test("steps of our own run in a group as they do one after another", arguments: [nil, 1, 2])
  func customStepsInGroups(workers: Int?) throws {
    let step = CountingStep(counter: CountingStep.Counter())
    try Self.run(step, workers: workers)
    #expect(step.counter.value.load(ordering: .relaxed) == 2)
  }

  @Test("a step that adds to the shard's sums cannot be in a group")
  func sumsInGroups() async throws {
    await #expect(processExitsWith: .failure) {
      try PlanSafetyTests.run(
        CountingStep(counter: CountingStep.Counter(), addsToSums: true), workers: 2)
    }
  }

  @Test("weights made before a plan that needs more of them are refused")
  func weightsBeforePlans() async throws {
    await #expect(processExitsWith: .failure) {
      let network = try PlanSafetyTests.lateNetwork()
      let compiled = try CompiledNetwork(network, options: CompileOptions(batch: 8, shard: 8))
      let weights = compiled.makeKernelWeights()
      try PlanSafetyTests.infer(compiled, weights)
    }
  }

  @Test("weights made after all plans are taken")
  func weightsAfterPlans() throws {
    let compiled = try CompiledNetwork(
      try Self.lateNetwork(), options: CompileOptions(batch: 8, shard: 8))
    _ = try compiled.inferencePlan(samples: 3)
    try Self.infer(compiled, compiled.makeKernelWeights())
  }

  /// A network whose inference reads other copies of weights than its training.
  private static func lateNetwork() throws -> ResolvedNetwork {
    try Network(
      inputShape: [8, 8, 1],
      chain: [
        .conv2D(Conv2D(filters: 16, kernel: Size2D(3))), .batchNorm(BatchNorm()), .flatten,
        .dense(Dense(units: 3)),
      ]
    ).resolved()
  }

  private static func infer(_ compiled: CompiledNetwork, _ weights: KernelWeights) throws {
    let values = compiled.parameters.initialValues(seed: 1)
    let parameters = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(values.trainable.baseAddress, into: parameters.baseAddress)
    let plan = try compiled.inferencePlan(samples: 3)
    let logits = AlignedBuffer<Float>(count: 9)
    try weights.refresh(from: parameters)
    try plan.infer(
      ArraySource(ReferenceTensor.random([3, 8, 8, 1], seed: 1), labels: [0, 1, 2]),
      in: try compiled.makeWorkspace(), weights: weights, parameters: parameters.baseAddress,
      statistics: values.statistics.baseAddress, logits: logits.baseAddress)
  }

  /// Networks that begin with each layer that has parameters.
  private static let beginnings: [(input: Shape, layer: LayerSpec)] = [
    ([7, 5, 2], .conv2D(Conv2D(filters: 3, kernel: Size2D(3)))),
    ([7, 5, 2], .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3)))),
    ([4, 3, 2], .conv2DTranspose(Conv2DTranspose(filters: 3, kernel: Size2D(2), stride: Size2D(2)))),
    ([9, 2], .conv1D(Conv1D(filters: 3, kernel: 3, padding: .causal))),
    ([6], .dense(Dense(units: 5))),
    ([4], .embedding(Embedding(vocabulary: 5, dimension: 3))),
    ([5, 4, 2], .prelu(PReLU(sharesPositions: false))),
    ([5, 4, 2], .batchNorm(BatchNorm())),
    ([5, 4, 3], .layerNorm(LayerNorm())),
    ([5, 4, 2], .positionBias),
  ]

  @Test(
    "every layer with parameters gets their gradient as a network's first layer",
    arguments: beginnings.indices)
  func firstLayers(index: Int) throws {
    let (input, layer) = Self.beginnings[index]
    let end: [LayerSpec] = input.rank == 1 && layer.kind == .dense ? [] : [.flatten]
    let network = try Network(inputShape: input, chain: [layer] + end + [.dense(Dense(units: 3))]).resolved()
    let harness = try PlanHarness(network, CompileOptions(batch: 4, shard: 4), samples: 4)
    var images = ReferenceTensor.random(Shape([4] + input.dimensions), seed: 3)
    if layer.kind == .embedding { images.values = images.values.indices.map { Double($0 % 5) } }
    let output = try harness.train(ArraySource(images, labels: [0, 1, 2, 1]), ShardOptions(scale: 1))
    for parameter in harness.compiled.parameters.parameters
    where parameter.layer == network.layers[0].name && parameter.spec.isTrainable {
      let gradient = Array(output.gradient.values(of: parameter))
      let (isFinite, isZero) = (gradient.allSatisfy(\.isFinite), gradient.allSatisfy { $0 == 0 })
      #expect(isFinite, "\(parameter.path)")
      #expect(!isZero, "\(parameter.path) has no gradient")
    }
  }
}
