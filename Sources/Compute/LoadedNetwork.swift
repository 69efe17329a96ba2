internal import Networks
internal import OneDNN
public import Parallel
public import Tensors

/// A compiled network with values in it, ready to train and to infer: plans, parameters, statistics, and the copies of the
/// parameters that kernels read.
///
/// All plans are compiled before any copy or workspace is made, and only these plans run here: none can read a copy that does
/// not exist, or memory that is too small for it. Several of these may share their plans, each with parameters of its own.
/// Shared by all workers; each runs shards in a ``Workspace`` of its own.
public final class LoadedNetwork: Sendable {
  /// What the plans were compiled from.
  public let compiled: CompiledNetwork
  /// The trainable parameters, in the plans' layouts.
  public let parameters: AlignedBuffer<Float>
  /// The running statistics of batch normalisations, in canonical order.
  public let statistics: AlignedBuffer<Float>
  let weights: KernelWeights
  private let plans: [CompiledNetwork.PlanKey: Plan]

  /// Compiles what is not compiled yet, and makes the copies that kernels read of the parameters as they are now.
  ///
  /// - Parameters:
  ///   - parameters: ``CompiledNetwork/storageCount`` floats in the plans' layouts, which the network reads in place.
  ///   - statistics: as many floats as the layout of ``CompiledNetwork/parameters`` has statistics, read in place.
  ///   - trainingShards: the sizes in samples of all shards that will be trained on. A network that was compiled for training
  ///     has the plan of a full shard in any case.
  ///   - inferenceShards: the sizes in samples of all shards that will be inferred.
  ///   - sharesSamples: whether shards of one sample will be inferred by several workers together.
  /// - Throws: ``ComputeError`` where a layer has no kernel.
  public convenience init(
    _ compiled: CompiledNetwork, parameters: AlignedBuffer<Float>, statistics: AlignedBuffer<Float>,
    trainingShards: Set<Int> = [], inferenceShards: Set<Int> = [], sharesSamples: Bool = false
  ) throws(ComputeError) {
    try self.init(
      compiled,
      plans: try compiled.plans(
        training: trainingShards, inference: inferenceShards, shared: sharesSamples ? [1] : []),
      parameters: parameters, statistics: statistics)
  }

  /// Shares the plans of another network, and so its workspaces; the statistics are the same buffer.
  ///
  /// - Parameter parameters: other values in the same layouts.
  /// - Throws: ``ComputeError`` where the kernel library fails.
  public convenience init(
    sharing other: LoadedNetwork, parameters: AlignedBuffer<Float>
  ) throws(ComputeError) {
    try self.init(
      other.compiled, plans: other.plans, parameters: parameters, statistics: other.statistics)
  }

  private init(
    _ compiled: CompiledNetwork, plans: [CompiledNetwork.PlanKey: Plan], parameters: AlignedBuffer<Float>,
    statistics: AlignedBuffer<Float>
  ) throws(ComputeError) {
    precondition(
      parameters.count == compiled.storageCount,
      "expected \(compiled.storageCount) floats of parameters, got \(parameters.count)")
    precondition(
      statistics.count >= compiled.parameters.statisticsCount,
      "expected \(compiled.parameters.statisticsCount) statistics, got \(statistics.count)")
    self.compiled = compiled
    self.plans = plans
    self.parameters = parameters
    self.statistics = statistics
    weights = compiled.makeKernelWeights()
    try refresh()
  }

  /// Brings the kernels' copies up to date: the one call after parameters or statistics have changed.
  ///
  /// Copies of what ``CompileOptions/frozen`` names are made once, with the network.
  /// - Parameter pool: writes copies side by side; nil writes one after another.
  /// - Throws: ``ComputeError`` where the kernel library fails.
  public func refresh(on pool: WorkerPool? = nil) throws(ComputeError) {
    do { try weights.refresh(from: parameters, statistics: statistics, on: pool) } catch {
      throw .library(layer: "weights", error)
    }
  }

  /// Makes memory for one worker, enough for each of the plans.
  ///
  /// - Throws: ``ComputeError`` where the kernel library cannot make a stream.
  public func makeWorkspace() throws(ComputeError) -> Workspace {
    let all = plans.values
    return try Workspace(
      arenaByteCount: all.map(\.arenaByteCount).max() ?? 64,
      scratchpadByteCount: all.map(\.scratchpadByteCount).max() ?? 64, parts: all.map(\.parts).max() ?? 1)
  }

  /// The plan for shards of this many samples.
  ///
  /// Asking for a size that was not announced is a programmer's mistake.
  func plan(_ samples: Int, _ mode: PlanMode) -> Plan {
    guard let plan = plans[CompiledNetwork.PlanKey(samples: samples, mode: mode)] else {
      let known = plans.keys.filter { $0.mode == mode }.map(\.samples).sorted()
      preconditionFailure("no plan for a shard of \(samples) samples; there are plans for \(known)")
    }
    return plan
  }
}

extension LoadedNetwork {
  /// Runs one shard forward and backward.
  ///
  /// - Parameters:
  ///   - source: as many samples as one of the announced training shards has.
  ///   - workspace: one of this network's, which no other shard uses at the same time.
  ///   - gradient: out, the shard's part of the minibatch's gradient, laid out as the parameters; overwritten.
  ///   - statistics: out, the shard's means and variances, laid out as the canonical statistics.
  ///   - pool: computes the parts of layers side by side (``CompileOptions/parts``); nil computes them one after another, with
  ///     the same results.
  /// - Throws: ``ComputeError`` for a label outside the classes or a failing kernel.
  public func train(
    _ source: any ShardSource, in workspace: Workspace, options: ShardOptions,
    gradient: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>,
    on pool: WorkerPool? = nil
  ) throws(ComputeError) -> ShardResult {
    try training(source, workspace, gradient, statistics).run(source, options, on: pool)
  }

  /// Trains as ``train(_:in:options:gradient:statistics:on:)`` does, and takes the time of each step.
  ///
  /// - Returns: nanoseconds, in the order of the plan's ``Plan/stepNames``.
  /// - Throws: ``ComputeError`` for a label outside the classes or a failing kernel.
  public func profile(
    _ source: any ShardSource, in workspace: Workspace, options: ShardOptions,
    gradient: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>
  ) throws(ComputeError) -> [UInt64] {
    try training(source, workspace, gradient, statistics).profile(source, options)
  }

  /// Runs the shard again, looking after each step for results that are not finite.
  ///
  /// - Returns: the first step with a NaN or an infinity; nil where there is none.
  /// - Throws: ``ComputeError`` for a label outside the classes or a failing kernel.
  public func locateNonFinite(
    _ source: any ShardSource, in workspace: Workspace, options: ShardOptions,
    gradient: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>
  ) throws(ComputeError) -> StepName? {
    let step = try training(source, workspace, gradient, statistics).firstNonFinite(source, options)
    return step.map { plan(source.sampleCount, .training).stepNames[$0] }
  }

  /// Runs one shard forward, with the running statistics.
  ///
  /// - Parameters:
  ///   - source: as many samples as one of the announced inference shards has.
  ///   - workspace: one of this network's, which no other shard uses at the same time.
  ///   - logits: out, [samples, classes], row by row; not probabilities.
  ///   - pool: computes the parts of layers side by side, where the shard is one sample and the network was loaded for that; the
  ///     number of its workers changes no bit. Nil is for shards that other workers' shards run beside.
  /// - Throws: ``ComputeError`` where a kernel fails.
  public func infer(
    _ source: any ShardSource, in workspace: Workspace, logits: UnsafeMutablePointer<Float>,
    sharedBy pool: WorkerPool? = nil
  ) throws(ComputeError) {
    let plan = plan(source.sampleCount, pool == nil ? .inference : .sharedInference)
    guard let result = plan.logits else { preconditionFailure("a trace has no logits") }
    do {
      try weights.refreshForInference(from: parameters.baseAddress, statistics: statistics.baseAddress)
    } catch { throw .library(layer: "weights", error) }
    let execution = try workspace.execution(
      of: plan, weights: weights, parameters: parameters.baseAddress, gradient: nil,
      statistics: statistics.baseAddress, shardStatistics: nil)
    _ = try execution.run(source, ShardOptions(scale: 1), on: pool)
    logits.update(from: execution.memory.floats(result), count: plan.samples * plan.outputCount)
  }

  private func training(
    _ source: any ShardSource, _ workspace: Workspace, _ gradient: UnsafeMutablePointer<Float>,
    _ statistics: UnsafeMutablePointer<Float>
  ) throws(ComputeError) -> BoundPlan {
    try workspace.execution(
      of: plan(source.sampleCount, .training), weights: weights, parameters: parameters.baseAddress,
      gradient: gradient, statistics: self.statistics.baseAddress, shardStatistics: statistics)
  }
}
