internal import Compute
internal import Datasets
internal import Digests
internal import Foundation
internal import Networks
internal import OneDNN
internal import Parallel
internal import Synchronization
internal import Tensors

/// The memory of a training and one step over it: shards, sum, optimizer, statistics.
///
/// Parameters, gradients and optimizer slots lie in the plans' own layouts; they become canonical only in checkpoints.
final class TrainingEngine: Sendable {
  let compiled: CompiledNetwork
  let pool: WorkerPool
  /// Hands shards to ``pool``'s workers, or one after another to all of them together.
  private let shardPool: WorkerPool
  let optimizer: any Optimizer
  private let configuration: TrainingConfiguration
  private let seed: UInt64

  private let parameters: AlignedBuffer<Float>
  private let slots: AlignedBuffer<Float>
  private let statistics: AlignedBuffer<Float>
  private let weights: KernelWeights
  private let after: AfterUpdate
  /// Copies of the running average for the kernels of evaluation; nil where none is kept.
  private let averageWeights: KernelWeights?

  private let workspaces: [Workspace]
  /// One for each worker; none where samples are trained on as they are.
  private let augmenters: [Augmenter]
  private let reduction: ShardReduction
  private let slices: [UpdateSlice]
  private let ranges: [Range<Int>]
  /// The summed gradient, where it must be known whole before the first parameter moves; empty otherwise.
  private let total: AlignedBuffer<Float>
  private let shardStatistics: ShardStatistics
  private let fold: StatisticsFold
  /// The sums of each shard, a row each.
  private let shardSums: AlignedBuffer<Double>
  /// By what data are judged; its sums have the places of the training's.
  private let judged: FigureLayout
  private let lossWeights: LossWeights
  private let sliceNorms: AlignedBuffer<Double>
  /// Squared norms of the slices' parameters, for rules that scale each tensor's step.
  private let sliceWeights: AlignedBuffer<Double>
  private let sliceFinite: AlignedBuffer<Bool>
  let logits: [AlignedBuffer<Float>]
  /// Set when an update met a bad number halfway: some parameters have moved, some not, and none of it may be saved.
  private let isSpoiled = Atomic<Bool>(false)
  private let phases = Guarded(StepPhases())

  /// - Parameters:
  ///   - minibatchSizes: of all minibatches that will come, in training and evaluation.
  ///   - lossWeights: of classes or labels in training.
  ///   - start: parameters, statistics and slots to begin with; slots that it lacks are zero.
  ///   - average: of the parameters, to go on with where the configuration keeps one.
  init(
    _ compiled: CompiledNetwork, configuration: RunConfiguration, pool: WorkerPool,
    lossWeights: LossWeights, trainingSizes: Set<Int>, evaluationSizes: Set<Int>,
    start: CanonicalParameters, slots startSlots: [Checkpoint.Slot], average: CanonicalParameters? = nil
  ) throws {
    self.compiled = compiled
    self.pool = pool
    shardPool =
      configuration.training.parallelism == .intra
      ? WorkerPool(workers: 1) { ThreadConfinement.confine() } : pool
    self.configuration = configuration.training
    seed = configuration.seed
    optimizer = configuration.training.optimizer.rule

    // All plans first: memory is measured by the largest of them.
    func shardSizes(_ sizes: Set<Int>) -> Set<Int> {
      Set(sizes.flatMap { Sharding(sampleCount: $0, shardSize: compiled.shardSize).sizes })
    }
    for samples in shardSizes(trainingSizes).sorted() { _ = try compiled.trainingPlan(samples: samples) }
    for samples in shardSizes(evaluationSizes).sorted() { _ = try compiled.inferencePlan(samples: samples) }
    workspaces = try (0..<pool.workerCount).map { _ in try compiled.makeWorkspace() }
    weights = compiled.makeKernelWeights()
    let augmentation = configuration.training.augmentation
    augmenters = (0..<(augmentation.steps.isEmpty ? 0 : pool.workerCount)).map { _ in
      Augmenter(
        augmentation, sampleShape: compiled.network.inputShape, seed: configuration.seed,
        answers: AnswerForm(compiled.options.criterion, outputs: compiled.metrics.outputs))
    }

    let length = compiled.storageCount
    parameters = AlignedBuffer(count: length)
    slots = AlignedBuffer(count: length * optimizer.slotNames.count)
    statistics = AlignedBuffer(count: compiled.parameters.statisticsCount)
    statistics.copy(from: start.statistics)
    try compiled.load(start.trainable.baseAddress, into: parameters.baseAddress)
    for (index, name) in optimizer.slotNames.enumerated() {
      guard let slot = startSlots.first(where: { $0.name == name }) else { continue }
      try compiled.load(slot.values.baseAddress, into: slots.baseAddress + index * length)
    }

    let largest = trainingSizes.union(evaluationSizes).max() ?? 1
    let shards = max(Sharding(sampleCount: largest, shardSize: compiled.shardSize).count, 1)
    reduction = ShardReduction(length: length, maximumShards: shards, workers: pool.workerCount)
    after = try AfterUpdate(configuration.training, compiled, parameters: parameters, start: average)
    averageWeights = after.average.map { _ in compiled.makeKernelWeights() }
    slices = UpdateSlice.cut(compiled.segments, configuration.training)
    ranges = slices.map(\.range)
    total = AlignedBuffer(count: configuration.training.needsWholeGradient ? length : 0)
    shardStatistics = ShardStatistics(
      count: compiled.parameters.statisticsCount, shards: shards, workers: pool.workerCount)
    fold = StatisticsFold(compiled.parameters)
    self.lossWeights = lossWeights
    var criterion = compiled.options.criterion
    criterion.loss = criterion.loss.withoutSmoothing
    judged = FigureLayout(criterion, outputs: compiled.metrics.outputs)
    shardSums = AlignedBuffer(count: shards * compiled.metrics.count)
    sliceNorms = AlignedBuffer(count: slices.count)
    sliceWeights = AlignedBuffer(count: slices.count)
    sliceFinite = AlignedBuffer(count: slices.count)
    let classes = compiled.network.outputShape.elementCount
    logits = (0..<pool.workerCount).map { _ in AlignedBuffer(count: compiled.shardSize * classes) }
    try weights.refresh(from: parameters)
  }

  // MARK: - One step

  enum StepOutcome {
    case done(MetricSums)
    /// Asked to stop before all shards were done; nothing has changed.
    case stopped
    /// A number is not finite. With the policy to skip, nothing has changed; with the policy to stop, parameters may be
    /// partly updated, and the engine gives no copy of its state any more.
    case notFinite(NonFinite)
  }

  /// One minibatch: gradients of its shards, their sum in fixed order, the optimizer's update.
  ///
  /// - Parameter firstSample: running number of the minibatch's first sample over the run; it keys dropout.
  func step(
    _ minibatch: Minibatch, _ moment: UpdateMoment, firstSample: Int, stop: StopRequest
  ) throws -> StepOutcome {
    let sharding = Sharding(sampleCount: minibatch.count, shardSize: compiled.shardSize)
    let start = DispatchTime.now().uptimeNanoseconds
    let complete = try reduction.collect(
      shards: sharding.count, on: shardPool, while: { !stop.isRequested }
    ) { [self] shard, worker, gradient in
      let result = try train(minibatch, sharding[shard], firstSample, shard, worker, gradient)
      sumsMemory(ofShard: shard).update(from: result.sums, count: result.sums.count)
    }
    guard complete else { return .stopped }
    if let shard = (0..<sharding.count).first(where: { !sumsMemory(ofShard: $0)[0].isFinite }) {
      let layer = try locate(minibatch, sharding[shard], firstSample)
      return .notFinite(NonFinite(what: "the loss", samples: sharding[shard], layer: layer))
    }
    let computed = DispatchTime.now().uptimeNanoseconds
    if let slice = try update(moment) {
      if !configuration.needsWholeGradient { isSpoiled.store(true, ordering: .relaxed) }
      return .notFinite(try locateGradient(slice, minibatch, sharding, firstSample))
    }
    let updated = DispatchTime.now().uptimeNanoseconds
    fold.fold(shardStatistics, sharding, into: statistics)
    try weights.refresh(from: parameters) { [pool] count, task in
      try pool.forEach(count: count) { index, _ in try task(index) }
    }
    let end = DispatchTime.now().uptimeNanoseconds
    phases.withLock {
      $0 = StepPhases(
        shards: Double(computed - start) * 1e-9, update: Double(updated - computed) * 1e-9,
        kernelWeights: Double(end - updated) * 1e-9)
    }
    return .done(sums(of: sharding, compiled.metrics))
  }

  private func sumsMemory(ofShard shard: Int) -> UnsafeMutablePointer<Double> {
    shardSums.baseAddress + shard * compiled.metrics.count
  }

  private func sums(of sharding: Sharding, _ layout: FigureLayout) -> MetricSums {
    MetricSums(
      layout, shards: Array(shardSums.elements[..<(sharding.count * layout.count)]),
      samples: sharding.sampleCount)
  }

  /// Where the time of the last whole step went.
  var lastPhases: StepPhases { phases.withLock { $0 } }

  private func train(
    _ minibatch: Minibatch, _ range: Range<Int>, _ firstSample: Int, _ shard: Int, _ worker: Int,
    _ gradient: UnsafeMutablePointer<Float>
  ) throws -> ShardResult {
    let plan = try compiled.trainingPlan(samples: range.count)
    let result = try plan.train(
      source(minibatch, range, worker), in: workspaces[worker], weights: weights,
      parameters: parameters.baseAddress, options: options(minibatch, range, firstSample),
      gradient: gradient, statistics: shardStatistics.memory(ofWorker: worker),
      on: configuration.parallelism == .intra ? pool : nil)
    shardStatistics.keep(shard: shard, fromWorker: worker)
    return result
  }

  /// The samples of a shard as training sees them.
  private func source(_ minibatch: Minibatch, _ range: Range<Int>, _ worker: Int) -> any ShardSource {
    let shard = MinibatchShard(
      minibatch: minibatch, range: range, classWeights: lossWeights.ofClasses)
    return augmenters.isEmpty ? shard : AugmentedShard(shard: shard, augmenter: augmenters[worker])
  }

  private func options(_ minibatch: Minibatch, _ range: Range<Int>, _ firstSample: Int) -> ShardOptions {
    ShardOptions(
      scale: 1 / Float(minibatch.count), outputWeights: lossWeights.ofOutputs, seed: seed,
      firstSample: UInt64(firstSample + range.lowerBound))
  }

  /// Sums the shards' gradients slice by slice and updates the parameters.
  ///
  /// Usually one pass: a slice is summed, transformed and used while it is in cache. A bound on the global norm, and the
  /// promise to leave parameters alone when a number is bad, need two: all sums first, then all updates.
  /// - Returns: the first slice whose gradient is not finite, nil if all are.
  private func update(_ moment: UpdateMoment) throws -> Int? {
    var transform = GradientTransform()
    if case .value(let bound) = configuration.clipping { transform.bound = Float(bound) }
    guard configuration.needsWholeGradient else {
      reduction.reduce(on: pool, slices: ranges) { [self, transform] index, _, gradient in
        let count = ranges[index].count
        sliceFinite[index] = isFinite(gradient, count: count)
        if sliceFinite[index] { apply(transform, moment, index, gradient) }
      }
      after.finish(on: pool, parameters, moment)
      return sliceFinite.elements.firstIndex(of: false)
    }
    reduction.reduce(on: pool, slices: ranges) { [self] index, _, gradient in
      let range = ranges[index]
      sliceFinite[index] = isFinite(gradient, count: range.count)
      sliceNorms[index] = squaredSum(gradient, count: range.count)
      (total.baseAddress + range.lowerBound).update(from: gradient, count: range.count)
    }
    if let bad = sliceFinite.elements.firstIndex(of: false) { return bad }
    if case .norm(let bound) = configuration.clipping {
      let norm = sliceNorms.elements.reduce(0, +).squareRoot()
      if norm > bound { transform.factor = Float(bound / norm) }
    }
    if let layerwise = optimizer as? any LayerwiseOptimizer {
      applyLayerwise(layerwise, transform, moment)
    } else {
      pool.forEach(count: slices.count) { [self, transform] index, _ in
        apply(transform, moment, index, total.baseAddress + ranges[index].lowerBound)
      }
    }
    after.finish(on: pool, parameters, moment)
    return nil
  }

  /// Directions of all slices, norms of whole tensors, then the steps.
  private func applyLayerwise(
    _ optimizer: any LayerwiseOptimizer, _ transform: GradientTransform, _ moment: UpdateMoment
  ) {
    pool.forEach(count: slices.count) { [self] index, _ in
      let range = updateRange(index, total.baseAddress + ranges[index].lowerBound)
      transform.apply(to: range.gradient, count: range.count)
      optimizer.makeDirection(range, moment)
      sliceWeights[index] = squaredSum(range.parameters, count: range.count)
      sliceNorms[index] = squaredSum(range.gradient, count: range.count)
    }
    var trusts = [Double](repeating: 1, count: slices.count)
    var first = 0
    while first < slices.count {
      let segment = slices[first].segment
      let end = slices[first...].firstIndex { $0.segment != segment } ?? slices.count
      if slices[first].decayScale != 0 {
        let trust = optimizer.trust(
          weightNorm: sliceWeights.elements[first..<end].reduce(0, +).squareRoot(),
          directionNorm: sliceNorms.elements[first..<end].reduce(0, +).squareRoot())
        for index in first..<end { trusts[index] = trust }
      }
      first = end
    }
    pool.forEach(count: slices.count) { [self, trusts] index, _ in
      let range = updateRange(index, total.baseAddress + ranges[index].lowerBound)
      optimizer.apply(range, moment, trust: trusts[index])
      after.follow(slices[index], parameters, moment)
    }
  }

  private func updateRange(_ index: Int, _ gradient: UnsafeMutablePointer<Float>) -> UpdateRange {
    let slice = slices[index]
    let start = slice.range.lowerBound
    return UpdateRange(
      parameters: parameters.baseAddress + start, gradient: gradient, slots: slots.baseAddress + start,
      slotStride: parameters.count, count: slice.range.count, decayScale: slice.decayScale)
  }

  private func apply(
    _ transform: GradientTransform, _ moment: UpdateMoment, _ index: Int,
    _ gradient: UnsafeMutablePointer<Float>
  ) {
    let range = updateRange(index, gradient)
    transform.apply(to: gradient, count: range.count)
    optimizer.update(range, moment)
    after.follow(slices[index], parameters, moment)
  }

  // MARK: - Looking for bad numbers

  var partials: [(shards: Range<Int>, gradient: UnsafePointer<Float>)] { reduction.partials }

  func segment(ofSlice slice: Int) -> Int { slices[slice].segment }

  func firstNonFinite(_ minibatch: Minibatch, _ range: Range<Int>, _ firstSample: Int) throws -> StepName? {
    let gradient = AlignedBuffer<Float>(count: compiled.storageCount)
    return try compiled.trainingPlan(samples: range.count).locateNonFinite(
      source(minibatch, range, 0), in: workspaces[0], weights: weights,
      parameters: parameters.baseAddress, options: options(minibatch, range, firstSample),
      gradient: gradient.baseAddress, statistics: shardStatistics.memory(ofWorker: 0))
  }

  /// Nanoseconds of every step of a shard, on the first worker.
  func profile(_ plan: Plan, _ shard: MinibatchShard) throws -> [UInt64] {
    let gradient = AlignedBuffer<Float>(count: compiled.storageCount)
    return try plan.profile(
      shard, in: workspaces[0], weights: weights, parameters: parameters.baseAddress,
      options: ShardOptions(scale: 1 / Float(shard.sampleCount), seed: seed), gradient: gradient.baseAddress,
      statistics: shardStatistics.memory(ofWorker: 0))
  }

  // MARK: - Evaluation

  /// What evaluation takes for the parameters: their running average where there is one.
  private var evaluated: AlignedBuffer<Float> { after.average ?? parameters }

  /// To be called once before minibatches are evaluated.
  func beginEvaluation() throws {
    if let average = after.average { try averageWeights?.refresh(from: average) }
  }

  /// Figures of a minibatch with the running statistics, without smoothing and weights of classes; nil when asked to stop.
  func evaluate(_ minibatch: Minibatch, stop: StopRequest) throws -> MetricSums? {
    let sharding = Sharding(sampleCount: minibatch.count, shardSize: compiled.shardSize)
    let done = try pool.forEach(in: 0..<sharding.count, while: { _ in !stop.isRequested }) {
      [self] shard, worker in
      let range = sharding[shard]
      let plan = try compiled.inferencePlan(samples: range.count)
      let samples = MinibatchShard(minibatch: minibatch, range: range)
      try plan.infer(
        samples, in: workspaces[worker], weights: averageWeights ?? weights,
        parameters: evaluated.baseAddress, statistics: statistics.baseAddress,
        logits: logits[worker].baseAddress)
      let sums = sumsMemory(ofShard: shard)
      sums.update(repeating: 0, count: judged.count)
      try judged.add(logits[worker].baseAddress, of: samples, to: sums)
    }
    guard done == sharding.count else { return nil }
    return sums(of: sharding, judged)
  }

  // MARK: - State

  /// A copy of parameters, slots and statistics that training does not touch.
  struct StateCopy: Sendable {
    let parameters: AlignedBuffer<Float>
    let slots: AlignedBuffer<Float>
    let statistics: AlignedBuffer<Float>
    /// The running average, nil where none is kept.
    let average: AlignedBuffer<Float>?

    var buffers: [AlignedBuffer<Float>] { [parameters, slots, statistics] + (average.map { [$0] } ?? []) }
  }

  /// - Throws: ``TrainingError`` of kind `notFinite` after an update that a bad number cut short.
  func copyState() throws(TrainingError) -> StateCopy {
    try requireWholeState()
    func copy(_ buffer: AlignedBuffer<Float>) -> AlignedBuffer<Float> {
      let copy = AlignedBuffer<Float>(count: buffer.count)
      copy.copy(from: buffer)
      return copy
    }
    return StateCopy(
      parameters: copy(parameters), slots: copy(slots), statistics: copy(statistics),
      average: after.average.map(copy))
  }

  /// Hexadecimal SHA-256 of all that training changes, in the plans' layouts.
  ///
  /// To be taken between steps; nothing is copied.
  /// - Throws: ``TrainingError`` of kind `notFinite` after an update that a bad number cut short.
  func digest() throws(TrainingError) -> String {
    try requireWholeState()
    var hash = SHA256()
    for buffer in [parameters, slots, statistics] + (after.average.map { [$0] } ?? []) {
      withExtendedLifetime(buffer) { hash.update(UnsafeRawBufferPointer(buffer.elements)) }
    }
    return hash.finalize().hexadecimal
  }

  private func requireWholeState() throws(TrainingError) {
    guard !isSpoiled.load(ordering: .relaxed) else {
      throw TrainingError(
        .notFinite, "the last update met a number that is not finite: its state is not kept")
    }
  }
}

extension TrainingEngine.StateCopy {
  /// Whether every number of it is finite.
  ///
  /// An update with finite gradients can still overflow; the loss finds out only one step later.
  var isFinite: Bool {
    statistics.elements.allSatisfy(\.isFinite)
      && ([parameters, slots] + (average.map { [$0] } ?? [])).allSatisfy { buffer in
        withExtendedLifetime(buffer) { Training.isFinite(buffer.baseAddress, count: buffer.count) }
      }
  }

  /// Everything in canonical layouts.
  func canonical(
    _ compiled: CompiledNetwork, slotNames: [String]
  ) throws(ComputeError) -> Checkpoint.Values {
    func values(_ buffer: AlignedBuffer<Float>) throws(ComputeError) -> CanonicalParameters {
      let values = CanonicalParameters(layout: compiled.parameters)
      try compiled.export(buffer.baseAddress, into: values.trainable.baseAddress)
      values.statistics.copy(from: statistics)
      return values
    }
    var canonical: [Checkpoint.Slot] = []
    for (index, name) in slotNames.enumerated() {
      let slot = AlignedBuffer<Float>(count: compiled.parameters.trainableCount)
      try compiled.export(slots.baseAddress + index * compiled.storageCount, into: slot.baseAddress)
      canonical.append(Checkpoint.Slot(name: name, values: slot))
    }
    let trained = try values(parameters)
    return Checkpoint.Values(
      predicting: try average.map(values) ?? trained, trained: average == nil ? nil : trained,
      slots: canonical)
  }
}
