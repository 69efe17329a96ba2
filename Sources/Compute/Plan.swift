internal import Networks
internal import OneDNN
public import Parallel
internal import Tensors

/// A network compiled for shards of one size: kernels, layouts and memory offsets, in the order in which they run.
///
/// Immutable and shared by all workers; each runs it in a ``Workspace`` of its own.
public final class Plan: Sendable {
  /// Samples of a shard that runs this plan.
  public let samples: Int
  /// Classes of the logits.
  public let classes: Int
  /// Which convolution algorithm was taken for each layer and pass.
  public let choices: KernelChoices
  let steps: [Step]
  /// Nil for a trace, whose results are ``trace``.
  let logits: Operand?
  let inputGradient: Operand?
  let bufferOffsets: [Int]
  let arenaByteCount: Int
  let scratchpadByteCount: Int
  /// Steps that may run at once.
  let parts: Int
  /// Floats of a gradient that no step writes.
  let gradientGaps: [Range<Int>]
  /// Bytes of the copies of weights that the plan may read: those that were known when it was built.
  let kernelWeightsByteCount: Int
  /// For a trace: where the visible values and their gradients lie.
  let trace: PlanBuilder.TraceOutputs?

  init(_ builder: PlanBuilder) throws(ComputeError) {
    if case .trace = builder.mode {
      let outputs = try builder.buildTrace()
      (trace, logits, classes, inputGradient) = (outputs, nil, 0, nil)
    } else {
      let outputs = try builder.build()
      if let gradient = outputs.inputGradient { builder.pin(gradient) }
      (trace, logits, inputGradient) = (nil, outputs.logits, outputs.inputGradient)
      classes = outputs.logits.descriptor.dimensions[1]
    }
    let placement = builder.planner.place()
    samples = builder.samples
    choices = builder.choices
    steps = builder.steps
    bufferOffsets = placement.offsets
    arenaByteCount = placement.byteCount
    scratchpadByteCount = builder.scratchpadByteCount
    parts = (builder.steps.map(\.part).max() ?? 0) + 1
    gradientGaps = builder.storage.gaps
    kernelWeightsByteCount = builder.storage.copyByteCount
  }

  /// What one worker needs to run the plan, besides what all share.
  public var workspaceByteCount: Int { arenaByteCount + scratchpadByteCount * parts }

  // MARK: - Running

  /// One shard forward and backward.
  ///
  /// - Parameters:
  ///   - parameters: the flat buffer, in the plan's layouts.
  ///   - gradient: out, the shard's part of the minibatch's gradient, laid out as the parameters; overwritten.
  ///   - statistics: out, the shard's means and variances, laid out as the canonical statistics.
  ///   - pool: computes the parts of layers side by side (``CompileOptions/parts``); nil computes them one after another, with
  ///     the same results.
  /// - Throws: ``ComputeError`` for a label outside the classes or a failing kernel.
  public func train(
    _ source: any ShardSource, in workspace: Workspace, weights: KernelWeights,
    parameters: UnsafePointer<Float>, options: ShardOptions, gradient: UnsafeMutablePointer<Float>,
    statistics: UnsafeMutablePointer<Float>, on pool: WorkerPool? = nil
  ) throws(ComputeError) -> ShardResult {
    let execution = try workspace.execution(
      of: self, weights: weights, parameters: parameters, gradient: gradient, statistics: nil,
      shardStatistics: statistics)
    return try execution.run(source, options, on: pool)
  }

  /// As ``train(_:in:weights:parameters:options:gradient:statistics:)``, with the nanoseconds of each of ``stepNames``.
  public func profile(
    _ source: any ShardSource, in workspace: Workspace, weights: KernelWeights,
    parameters: UnsafePointer<Float>, options: ShardOptions, gradient: UnsafeMutablePointer<Float>,
    statistics: UnsafeMutablePointer<Float>
  ) throws(ComputeError) -> [UInt64] {
    let execution = try workspace.execution(
      of: self, weights: weights, parameters: parameters, gradient: gradient, statistics: nil,
      shardStatistics: statistics)
    return try execution.profile(source, options)
  }

  /// Runs the shard again, looking after each step for results that are not finite.
  ///
  /// - Returns: the first step with a NaN or an infinity; nil where there is none.
  public func locateNonFinite(
    _ source: any ShardSource, in workspace: Workspace, weights: KernelWeights,
    parameters: UnsafePointer<Float>, options: ShardOptions, gradient: UnsafeMutablePointer<Float>,
    statistics: UnsafeMutablePointer<Float>
  ) throws(ComputeError) -> StepName? {
    let execution = try workspace.execution(
      of: self, weights: weights, parameters: parameters, gradient: gradient, statistics: nil,
      shardStatistics: statistics)
    return try execution.firstNonFinite(source, options).map { stepNames[$0] }
  }

  /// The steps in the order in which they run: layer, pass, kernel, and the layout of what they write.
  public var stepNames: [StepName] {
    steps.map { step in
      StepName(
        layer: step.layer, pass: step.pass, kernel: step.implementation,
        layout: step.results.first?.descriptor.layout.description ?? "", multiplies: step.usesWeights)
    }
  }

  /// One shard forward.
  ///
  /// - Parameters:
  ///   - statistics: the running statistics, canonical.
  ///   - logits: out, [samples, classes], row by row; not probabilities.
  public func infer(
    _ source: any ShardSource, in workspace: Workspace, weights: KernelWeights,
    parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>,
    logits: UnsafeMutablePointer<Float>
  ) throws(ComputeError) {
    guard let result = self.logits else { preconditionFailure("a trace has no logits") }
    do { try weights.refreshForInference(from: parameters, statistics: statistics) } catch {
      throw .library(layer: "weights", error)
    }
    let execution = try workspace.execution(
      of: self, weights: weights, parameters: parameters, gradient: nil,
      statistics: UnsafeMutablePointer(mutating: statistics), shardStatistics: nil)
    _ = try execution.run(source, ShardOptions(scale: 1))
    logits.update(from: execution.memory.floats(result), count: samples * classes)
  }

  /// The loss's gradient with respect to the input of the shard that `workspace` ran last.
  ///
  /// - Returns: [samples, pixels] in canonical order, channels last; empty where the network was compiled without it.
  ///   It is the gradient with respect to the rescaled input; see ``CompileOptions/inputGradient``.
  public func lastInputGradient(in workspace: Workspace) -> [Float] {
    guard let inputGradient, case .workspace(let buffer) = inputGradient.region else { return [] }
    let source = (workspace.arena.baseAddress + bufferOffsets[buffer]).withMemoryRebound(
      to: Float.self, capacity: inputGradient.descriptor.byteCount / 4
    ) { UnsafeBufferPointer(start: $0, count: inputGradient.descriptor.byteCount / 4) }
    guard inputGradient.descriptor.rank == 4, let order = FlatOrder(inputGradient.descriptor) else {
      return Array(source)
    }
    var result = [Float](repeating: 0, count: source.count)
    let count = order.columns.count
    for sample in 0..<samples {
      for (position, column) in order.columns.enumerated() where column >= 0 {
        result[sample * count + Int(column)] = source[sample * count + position]
      }
    }
    return result
  }
}

/// What a plan's step is called in tables.
public struct StepName: Hashable, Sendable {
  public let layer: String
  public let pass: Pass
  /// The kernel's own name, for instance `jit:avx512_core` or `jit_wino_4x3:avx512_core`; `ref…` is a plain loop.
  public let kernel: String
  public let layout: String
  /// Whether the step does the layer's multiplications with its weights, rather than something beside them.
  public let multiplies: Bool
}
