import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Compute

/// Samples in memory, as a plan reads them.
struct ArraySource: ShardSource {
  let floats: AlignedBuffer<Float>
  let labels: [Int]
  /// Vectors in place of labels, one after another; empty for labels.
  var values = AlignedBuffer<Float>(count: 0)
  /// Empty for 1 each.
  var weights: [Double] = []
  let pixelCount: Int

  init(_ tensor: ReferenceTensor, labels: [Int]) {
    floats = tensor.makeBuffer()
    self.labels = labels
    pixelCount = tensor.values.count / labels.count
  }

  var sampleCount: Int { labels.count }
  var element: InputElement { .float32 }
  func pixels(at index: Int) -> UnsafeRawPointer { UnsafeRawPointer(floats.baseAddress + index * pixelCount) }
  func target(at index: Int) -> SampleTarget {
    values.count == 0
      ? .label(Int32(labels[index])) : .values(values.baseAddress + index * (values.count / labels.count))
  }
  func weight(at index: Int) -> Double { weights.isEmpty ? 1 : weights[index] }
}

/// A compiled network with values, to run one shard at a time.
final class PlanHarness {
  let compiled: CompiledNetwork
  let canonical: CanonicalParameters
  let loaded: LoadedNetwork

  /// Random values for every parameter, biases and statistics included, so that no term hides at zero.
  init(
    _ network: ResolvedNetwork, _ options: CompileOptions, samples: Int, sharesSamples: Bool = false,
    seed: UInt64 = 1
  ) throws {
    compiled = try CompiledNetwork(network, options: options)
    canonical = compiled.parameters.initialValues(seed: seed)
    for parameter in compiled.parameters.parameters
    where !["kernel", "embeddings"].contains(parameter.spec.name) {
      let random = ReferenceTensor.random(parameter.spec.shape, seed: seed + 99, scale: 0.4)
      let shift: Float = ["gamma", "moving_variance"].contains(parameter.spec.name) ? 1 : 0.05
      for (index, value) in random.floats.enumerated() {
        canonical.values(of: parameter)[index] = value + shift
      }
    }
    let parameters = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(canonical.trainable.baseAddress, into: parameters.baseAddress)
    loaded = try LoadedNetwork(
      compiled, parameters: parameters, statistics: canonical.statistics,
      trainingShards: options.training ? [samples] : [], inferenceShards: [samples],
      sharesSamples: sharesSamples)
  }

  struct Output {
    var result: ShardResult
    /// Canonical, trainable parameters.
    var gradient: CanonicalParameters
    var inputGradient: [Float]
    var storage: AlignedBuffer<Float>
  }

  func train(_ source: ArraySource, _ options: ShardOptions, on pool: WorkerPool? = nil) throws -> Output {
    let workspace = try loaded.makeWorkspace()
    let plan = try compiled.trainingPlan(samples: source.sampleCount)
    let shard = AlignedBuffer<Float>(count: compiled.gradientCount)
    let gradient = CanonicalParameters(layout: compiled.parameters)
    let gathered = try GatheredGradients(compiled, minibatches: [source.sampleCount], workers: 1)
    var options = options
    options.gathered = gathered?.rows(from: 0)
    // Whatever a worker left behind must not matter.
    shard.fill(with: .nan)
    let result = try loaded.train(
      source, in: workspace, options: options, gradient: shard.baseAddress,
      statistics: gradient.statistics.baseAddress, on: pool)
    let storage = try whole(shard, gathered, samples: source.sampleCount)
    try compiled.export(storage.baseAddress, into: gradient.trainable.baseAddress)
    return Output(
      result: result, gradient: gradient, inputGradient: plan.lastInputGradient(in: workspace),
      storage: storage)
  }

  /// A shard's gradient and those that are taken over a minibatch, laid out as the parameters.
  private func whole(
    _ shard: AlignedBuffer<Float>, _ gathered: GatheredGradients?, samples: Int
  ) throws -> AlignedBuffer<Float> {
    let storage = AlignedBuffer<Float>(count: compiled.storageCount)
    storage.fill(with: .nan)
    for segment in compiled.segments {
      guard segment.isTrained else {
        (storage.baseAddress + segment.range.lowerBound).update(repeating: 0, count: segment.range.count)
        continue
      }
      guard let range = segment.gradientRange else { continue }
      (storage.baseAddress + segment.range.lowerBound).update(
        from: shard.baseAddress + range.lowerBound, count: range.count)
    }
    guard let gathered else { return storage }
    for (index, task) in gathered.tasks.enumerated() {
      let piece = AlignedBuffer<Float>(count: task.range.count)
      piece.fill(with: .nan)
      try gathered.compute(index, rows: samples, into: piece.baseAddress, worker: 0)
      (storage.baseAddress + task.range.lowerBound).update(from: piece.baseAddress, count: piece.count)
    }
    return storage
  }

  /// - Parameter pool: shares one sample; nil is for the usual plan.
  func infer(_ source: ArraySource, sharedBy pool: WorkerPool? = nil) throws -> [Float] {
    let plan = try compiled.inferencePlan(samples: source.sampleCount)
    let logits = AlignedBuffer<Float>(count: source.sampleCount * plan.outputCount)
    try loaded.infer(source, in: try loaded.makeWorkspace(), logits: logits.baseAddress, sharedBy: pool)
    return logits.array()
  }
}

/// Holds loss, logits, every gradient and every statistic of a plan against the reference.
///
/// - Parameters:
///   - tolerance: allowed difference as a share of each tensor's largest element.
///   - parts: into how many the layers of one sample are cut.
///   - gathers: takes the gradients of all dense layers over the whole minibatch.
func expectMatchesReference(
  _ network: Network, samples: Int, tolerance: Double = 2e-5, kernels: KernelSelection = .direct,
  shard: Int? = nil, precision: ComputePrecision = .fp32, labelSmoothing: Float = 0,
  input: ReferenceTensor? = nil, parts: Int = 1, allowsReferenceKernels: Bool = false,
  gathers: Bool = false,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let resolved = try network.resolved()
  var options = CompileOptions(
    batch: 64, shard: shard ?? samples, precision: precision, inputGradient: true, kernels: kernels,
    criterion: Criterion(
      loss: .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: labelSmoothing)), targets: .classes,
      outputs: resolved.outputShape[0]))
  options.parts = parts
  if gathers { options.weightsToGather = 1 }
  let harness = try PlanHarness(resolved, options, samples: samples)
  let slow = Set(
    try [harness.compiled.trainingPlan(samples: samples), harness.compiled.inferencePlan(samples: samples)]
      .flatMap(\.stepNames).filter { $0.kernel.contains("ref") }.map {
        "\($0.layer) \($0.pass): \($0.kernel)"
      })
  if !allowsReferenceKernels, !slow.isEmpty {
    Issue.record("reference kernels: \(slow.sorted())", sourceLocation: sourceLocation)
  }
  let input = input ?? ReferenceTensor.random(Shape([samples] + resolved.inputShape.dimensions), seed: 5)
  let labels = (0..<samples).map { $0 * 7 % resolved.outputShape[0] }
  let source = ArraySource(input, labels: labels)
  let scale = Float(1) / 64
  let expected = ReferenceNetwork(resolved, harness.canonical).run(
    input, labels: labels, scale: Double(scale), labelSmoothing: Double(labelSmoothing))
  let output = try harness.train(
    source, ShardOptions(scale: scale), on: parts > 1 ? WorkerPool(workers: 2) : nil)
  expectClose(
    [output.result.lossSum], [expected.lossSum], relative: tolerance, "loss", sourceLocation: sourceLocation)
  for parameter in harness.compiled.parameters.parameters {
    let wanted =
      parameter.spec.isTrainable ? expected.gradients[parameter.path] : expected.statistics[parameter.path]
    let found = Array(output.gradient.values(of: parameter))
    expectClose(
      found, try #require(wanted, sourceLocation: sourceLocation), absolute: 1e-7, ofLargest: tolerance,
      parameter.path, sourceLocation: sourceLocation)
  }
  if let inputGradient = expected.gradients[Network.inputName] {
    expectClose(
      output.inputGradient, inputGradient, absolute: 1e-7, ofLargest: tolerance, "gradient of the input",
      sourceLocation: sourceLocation)
  } else {
    #expect(output.inputGradient.isEmpty, sourceLocation: sourceLocation)
  }
  let inference = ReferenceNetwork(resolved, harness.canonical).run(
    input, labels: labels, scale: 1, training: false)
  expectClose(
    try harness.infer(source), inference.logits, absolute: 1e-6, ofLargest: tolerance, "logits",
    sourceLocation: sourceLocation)
}
