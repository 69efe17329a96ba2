internal import Dispatch
internal import OneDNN
internal import Parallel
internal import Tensors

/// The memory in which one worker executes plans: activations, gradients of activations, scratchpad.
///
/// Used by one thread at a time. Bindings of plans to addresses are made on first use and kept.
public final class Workspace: @unchecked Sendable {
  // @unchecked because the pool gives each workspace to one worker, and a worker runs on one thread at a time.

  let arena: AlignedBuffer<UInt8>
  let scratchpad: AlignedBuffer<UInt8>
  private let scratchpadStride: Int
  /// One for each of the steps that may run at once.
  private let streams: [Stream]
  private var executions: [BoundPlan.Key: BoundPlan] = [:]

  /// - Parameter parts: how many steps of a group may run at once.
  init(arenaByteCount: Int, scratchpadByteCount: Int, parts: Int = 1) throws(ComputeError) {
    arena = AlignedBuffer(count: arenaByteCount)
    scratchpadStride = (scratchpadByteCount + 4095) & ~4095
    scratchpad = AlignedBuffer(count: scratchpadStride * parts)
    do {
      streams = try (0..<parts).map { _ throws(OneDNNError) in try Stream() }
    } catch { throw .library(layer: "workspace", error) }
  }

  /// Bytes of activations and scratchpads together.
  public var byteCount: Int { arena.byteCount + scratchpad.byteCount }

  func execution(
    of plan: Plan, weights: KernelWeights, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?, statistics: UnsafeMutablePointer<Float>?,
    shardStatistics: UnsafeMutablePointer<Float>?
  ) throws(ComputeError) -> BoundPlan {
    precondition(
      plan.arenaByteCount <= arena.count && plan.scratchpadByteCount <= scratchpadStride
        && plan.parts <= streams.count,
      "a plan needs \(plan.workspaceByteCount) bytes and the workspace has \(byteCount)")
    let key = BoundPlan.Key(
      plan: ObjectIdentifier(plan), weights: ObjectIdentifier(weights), parameters: parameters,
      gradient: gradient, statistics: statistics, shardStatistics: shardStatistics)
    if let known = executions[key] { return known }
    precondition(
      plan.kernelWeightsByteCount <= weights.buffer.count,
      "a plan reads \(plan.kernelWeightsByteCount) bytes of kernel weights, and these have \(weights.buffer.count): "
        + "make the weights after the plans that read them")
    let memory = ShardMemory(
      arena: UnsafeMutableRawPointer(arena.baseAddress), bufferOffsets: plan.bufferOffsets,
      parameters: UnsafeMutableRawPointer(mutating: parameters),
      kernelWeights: UnsafeMutableRawPointer(weights.buffer.baseAddress),
      gradient: gradient.map(UnsafeMutableRawPointer.init),
      statistics: statistics.map(UnsafeMutableRawPointer.init),
      shardStatistics: shardStatistics.map(UnsafeMutableRawPointer.init),
      scratchpad: UnsafeMutableRawPointer(scratchpad.baseAddress), scratchpadStride: scratchpadStride)
    let bound = try BoundPlan(plan, weights, memory, streams)
    // Addresses that come and go must not pile up bindings.
    if executions.count >= 256 { executions.removeAll() }
    executions[key] = bound
    return bound
  }
}

/// A plan whose operands have addresses.
final class BoundPlan {
  struct Key: Hashable {
    let plan: ObjectIdentifier
    let weights: ObjectIdentifier
    let parameters: UnsafePointer<Float>
    let gradient: UnsafeMutablePointer<Float>?
    let statistics: UnsafeMutablePointer<Float>?
    let shardStatistics: UnsafeMutablePointer<Float>?
  }

  private enum Action {
    case primitive(Execution)
    case custom(any CustomStep)
  }

  let memory: ShardMemory
  private let plan: Plan
  private let weights: KernelWeights
  private let actions: [Action]

  init(_ plan: Plan, _ weights: KernelWeights, _ memory: ShardMemory, _ streams: [Stream])
    throws(ComputeError)
  {
    self.plan = plan
    self.weights = weights
    self.memory = memory
    var actions: [Action] = []
    for step in plan.steps {
      switch step.action {
      case .custom(let custom): actions.append(.custom(custom))
      case .primitive(let primitive, let arguments):
        var tensors: [(Argument, Memory)] = []
        for (argument, operand) in arguments {
          guard let address = memory.address(of: operand) else {
            throw .noKernel(layer: step.layer, pass: step.pass.rawValue)
          }
          do { tensors.append((argument, try Memory(operand.descriptor, at: address))) } catch {
            throw .library(layer: step.layer, error)
          }
        }
        actions.append(.primitive(Execution(primitive, on: streams[step.part], tensors)))
      }
    }
    self.actions = actions
  }

  /// The whole plan.
  ///
  /// - Parameter pool: runs the steps of a group side by side; nil runs all one after another.
  func run(
    _ source: any ShardSource, _ options: ShardOptions, on pool: WorkerPool? = nil
  ) throws(ComputeError) -> ShardResult {
    precondition(
      source.sampleCount == plan.samples, "a plan for \(plan.samples) samples got \(source.sampleCount)")
    var shard = ShardContext(source: source, options: options)
    try run(actions.indices, &shard, on: pool)
    if let gradient = memory.gradient?.assumingMemoryBound(to: Float.self) {
      for gap in plan.gradientGaps { (gradient + gap.lowerBound).update(repeating: 0, count: gap.count) }
    }
    return shard.result
  }

  /// Some of the steps, for a trace, between whose two passes the caller writes gradients.
  func run(
    steps: Range<Int>, _ source: any ShardSource, on pool: WorkerPool? = nil
  ) throws(ComputeError) {
    var shard = ShardContext(source: source, options: ShardOptions(scale: 1))
    try run(steps, &shard, on: pool)
  }

  private func run(
    _ steps: Range<Int>, _ shard: inout ShardContext, on pool: WorkerPool?
  ) throws(ComputeError) {
    ThreadConfinement.confine()
    guard let pool, pool.workerCount > 1, plan.parts > 1 else {
      for index in steps { try run(index, &shard) }
      return
    }
    try pool.lead { team throws(ComputeError) in try run(steps, &shard, with: team) }
  }

  /// The steps of a group side by side.
  private func run(
    _ steps: Range<Int>, _ shard: inout ShardContext, with team: WorkerTeam
  ) throws(ComputeError) {
    var index = steps.lowerBound
    while index < steps.upperBound {
      guard let group = plan.steps[index].group else {
        try run(index, &shard)
        index += 1
        continue
      }
      let first = index
      while index < steps.upperBound, plan.steps[index].group == group { index += 1 }
      // A step of a group has memory, scratch memory and a stream of its own, and reads the shard without changing it.
      nonisolated(unsafe) let bound = self
      nonisolated(unsafe) let shared = shard
      try team.forEach(count: index - first) { part throws(ComputeError) in
        ThreadConfinement.confine()
        var own = shared
        try bound.run(first + part, &own)
        precondition(
          own.result == shared.result,
          "step '\(bound.plan.steps[first + part].implementation)' adds to the shard's sums and cannot be in a group"
        )
      }
    }
  }

  /// Nanoseconds of each step of one execution.
  func profile(_ source: any ShardSource, _ options: ShardOptions) throws(ComputeError) -> [UInt64] {
    ThreadConfinement.confine()
    var shard = ShardContext(source: source, options: options)
    var times: [UInt64] = []
    times.reserveCapacity(actions.count)
    for index in actions.indices {
      let start = DispatchTime.now().uptimeNanoseconds
      try run(index, &shard)
      times.append(DispatchTime.now().uptimeNanoseconds - start)
    }
    return times
  }

  /// Runs forward and backward until a step's results hold a NaN or an infinity.
  ///
  /// - Returns: that step's number; nil where all results are finite.
  func firstNonFinite(_ source: any ShardSource, _ options: ShardOptions) throws(ComputeError) -> Int? {
    ThreadConfinement.confine()
    var shard = ShardContext(source: source, options: options)
    for index in actions.indices {
      try run(index, &shard)
      let isFinite = plan.steps[index].results.allSatisfy { memory.isFinite($0) }
      if !isFinite || !shard.result.lossSum.isFinite { return index }
    }
    return nil
  }

  @inline(__always)
  private func run(_ index: Int, _ shard: inout ShardContext) throws(ComputeError) {
    switch actions[index] {
    case .primitive(let execution):
      do { try execution.run() } catch { throw .library(layer: plan.steps[index].layer, error) }
    case .custom(let step): try step.run(memory, &shard)
    }
  }
}
