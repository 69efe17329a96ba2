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
    let execution = try workspace.execution(
      of: plan, weights: weights, parameters: parameters.baseAddress, gradient: gradient.baseAddress,
      statistics: nil, shardStatistics: statistics.baseAddress)
    _ = try execution.run(
      sample, ShardOptions(scale: 1), on: workers.map { WorkerPool(workers: $0) })
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

  @Test("a shard of a size that was not announced is refused, even where there is a plan for it by now")
  func unannounced() async throws {
    await #expect(processExitsWith: .failure) {
      let compiled = try CompiledNetwork(
        try PlanSafetyTests.lateNetwork(), options: CompileOptions(batch: 8, shard: 8))
      let loaded = try PlanSafetyTests.load(compiled, inferenceShards: [8])
      _ = try compiled.inferencePlan(samples: 3)
      _ = try PlanSafetyTests.infer(loaded)
    }
  }

  @Test("what is compiled after a network was loaded changes nothing for it")
  func laterPlans() throws {
    let options = CompileOptions(batch: 8, shard: 8)
    let alone = try Self.load(CompiledNetwork(try Self.lateNetwork(), options: options), inferenceShards: [3])
    let expected = try Self.infer(alone)
    #expect(expected.contains { $0 != 0 })
    let compiled = try CompiledNetwork(try Self.lateNetwork(), options: options)
    let loaded = try Self.load(compiled, inferenceShards: [3])
    let workspace = try loaded.makeWorkspace()
    for samples in [5, 64] { _ = try compiled.inferencePlan(samples: samples) }
    _ = try compiled.trainingPlan(samples: 2)
    #expect(try Self.infer(loaded, workspace) == expected)
    let later = try Self.load(compiled, inferenceShards: [3, 64])
    #expect(try Self.infer(later) == expected)
  }

  @Test("networks that share plans take the same workspace, each with values of its own")
  func sharedPlans() throws {
    let compiled = try CompiledNetwork(
      try Self.lateNetwork(), options: CompileOptions(batch: 8, shard: 8))
    let loaded = try Self.load(compiled, inferenceShards: [3])
    let halves = AlignedBuffer<Float>(loaded.parameters.elements.map { $0 / 2 })
    let other = try LoadedNetwork(sharing: loaded, parameters: halves)
    let workspace = try loaded.makeWorkspace()
    let first = try Self.infer(loaded, workspace)
    let second = try Self.infer(other, workspace)
    #expect(first != second)
    #expect(try Self.infer(loaded, workspace) == first && Self.infer(other, workspace) == second)
    halves.copy(from: loaded.parameters)
    try other.refresh()
    #expect(try Self.infer(other, workspace) == first)
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

  private static func load(
    _ compiled: CompiledNetwork, inferenceShards: Set<Int>
  ) throws -> LoadedNetwork {
    let values = compiled.parameters.initialValues(seed: 1)
    let parameters = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(values.trainable.baseAddress, into: parameters.baseAddress)
    return try LoadedNetwork(
      compiled, parameters: parameters, statistics: values.statistics, inferenceShards: inferenceShards)
  }

  /// Logits of three samples.
  private static func infer(_ loaded: LoadedNetwork, _ workspace: Workspace? = nil) throws -> [Float] {
    let logits = AlignedBuffer<Float>(count: 9)
    try loaded.infer(
      ArraySource(ReferenceTensor.random([3, 8, 8, 1], seed: 1), labels: [0, 1, 2]),
      in: try workspace ?? loaded.makeWorkspace(), logits: logits.baseAddress)
    return logits.array()
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
    ([5, 4, 3], .groupNorm(GroupNorm(groups: 3))),
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
