internal import Networks
internal import OneDNN
internal import Tensors

/// A network compiled for shards of one size: kernels, layouts and memory offsets, in the order in which they run.
///
/// Immutable and shared by all workers. It says what would run; a ``LoadedNetwork`` runs it.
public final class Plan: Sendable {
  /// Samples of a shard that runs this plan.
  public let samples: Int
  /// How many outputs the network has; 0 for a trace.
  public let outputCount: Int
  /// Which convolution algorithm was taken for each layer and pass.
  public let choices: KernelChoices
  let steps: [Step]
  /// Where the outputs are; nil for a trace, whose results are in ``trace``.
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
  /// Where the visible values of a trace and their gradients lie; nil for other plans.
  let trace: PlanBuilder.TraceOutputs?

  init(_ builder: PlanBuilder) throws(ComputeError) {
    if case .trace = builder.mode {
      let outputs = try builder.buildTrace()
      (trace, logits, outputCount, inputGradient) = (outputs, nil, 0, nil)
    } else {
      let outputs = try builder.build()
      if let gradient = outputs.inputGradient { builder.pin(gradient) }
      (trace, logits, inputGradient) = (nil, outputs.logits, outputs.inputGradient)
      outputCount = outputs.logits.descriptor.dimensions[1]
    }
    let placement = builder.planner.place()
    samples = builder.samples
    choices = builder.choices
    steps = builder.steps
    bufferOffsets = placement.offsets
    arenaByteCount = placement.byteCount
    scratchpadByteCount = builder.scratchpadByteCount
    parts = (builder.steps.map(\.part).max() ?? 0) + 1
    gradientGaps = builder.storage.gradientGaps
    kernelWeightsByteCount = builder.storage.copyByteCount
  }

  /// What one worker needs to run the plan, besides what all share.
  public var workspaceByteCount: Int { arenaByteCount + scratchpadByteCount * parts }

  // MARK: - Looking at it

  /// The steps in the order in which they run: layer, pass, kernel, and the layout of what they write.
  public var stepNames: [StepName] {
    steps.map { step in
      StepName(
        layer: step.layer, pass: step.pass, kernel: step.implementation,
        layout: step.results.first?.descriptor.layout.description ?? "", multiplies: step.usesWeights)
    }
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
  /// The layer that the step belongs to.
  public let layer: String
  /// The pass that the step belongs to.
  public let pass: Pass
  /// The kernel's own name, for instance `jit:avx512_core` or `jit_wino_4x3:avx512_core`; `ref…` is a plain loop.
  public let kernel: String
  /// The layout of what the step writes.
  public let layout: String
  /// Whether the step does the layer's multiplications with its weights, rather than something beside them.
  public let multiplies: Bool
}
