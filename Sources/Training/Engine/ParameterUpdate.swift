internal import Compute
internal import Parallel
internal import Synchronization
internal import Tensors

/// Sums the shards' gradients slice by slice and moves the parameters.
///
/// Usually in one pass: a slice is summed, transformed and used while it is in cache. A bound on the global norm, and the
/// promise to leave parameters alone when a number is bad, need two: all sums first, then all updates.
final class ParameterUpdate: Sendable {
  /// What became of an update.
  enum Outcome {
    case done
    /// The sum of a slice is not finite, the first one by number.
    ///
    /// - Parameter isPartial: whether some parameters have moved already.
    case notFinite(slice: Int, isPartial: Bool)
  }

  let optimizer: any Optimizer
  let slices: [UpdateSlice]
  private let state: TrainingState
  private let pool: WorkerPool
  private let clipping: GradientClipping
  private let needsWholeGradient: Bool
  private let after: AfterUpdate
  private let ranges: [Range<Int>]
  private let sums: SlicedGradient
  /// The summed gradient, where it must be known whole before the first parameter moves; empty otherwise.
  private let total: AlignedBuffer<Float>
  private let sliceNorms: AlignedBuffer<Double>
  /// Squared norms of the slices' parameters, for rules that scale each tensor's step.
  private let sliceWeights: AlignedBuffer<Double>
  private let sliceFinite: AlignedBuffer<Bool>
  /// Whether each slice is only updated when a word of it is in the minibatch.
  private let isResting: [Bool]
  /// The numbers of those slices.
  private let resting: [Int]
  /// The number of the last update that each of them has seen; 0 before the first one of this process.
  private let lastUpdates: AlignedBuffer<Int>
  /// The number of the last update before this process's first one, and of the last one; −1 before the first one.
  private let firstMissed = Atomic<Int>(-1)
  private let lastUpdate = Atomic<Int>(-1)

  /// - Throws: ``ComputeError`` where the kernel library fails.
  init(
    _ compiled: CompiledNetwork, _ configuration: TrainingConfiguration, state: TrainingState,
    pool: WorkerPool, gathered: GatheredGradients?
  ) throws(ComputeError) {
    self.state = state
    self.pool = pool
    optimizer = configuration.optimizer.rule
    clipping = configuration.clipping
    needsWholeGradient = configuration.needsWholeGradient
    after = try AfterUpdate(configuration, compiled, state)
    slices = UpdateSlice.cut(compiled.segments, configuration, gathered: gathered)
    let tables = Set((gathered?.blocks ?? []).map(\.segment))
    // A moving average, a bound on norms, and what must know all sums first, go over all parameters anyway.
    let mayRest =
      optimizer.restsWithoutGradient && configuration.average == nil && !configuration.needsWholeGradient
    let decays = optimizer.weightDecay != 0
    func rests(_ slice: UpdateSlice) -> Bool {
      mayRest && tables.contains(slice.segment) && !(decays && slice.decayScale != 0)
    }
    let isResting = slices.map(rests)
    self.isResting = isResting
    resting = isResting.indices.filter { isResting[$0] }
    sums = SlicedGradient(slices, gathered, pool: pool, leavesAlone: rests)
    lastUpdates = AlignedBuffer(count: resting.isEmpty ? 0 : slices.count)
    ranges = slices.map(\.range)
    total = AlignedBuffer(count: needsWholeGradient ? compiled.storageCount : 0)
    sliceNorms = AlignedBuffer(count: slices.count)
    sliceWeights = AlignedBuffer(count: slices.count)
    sliceFinite = AlignedBuffer(count: slices.count)
    // What no gradient comes to is fine.
    sliceFinite.elements.update(repeating: true)
  }

  /// Moves parameters, slots and average by the gradients that were collected.
  ///
  /// - Parameter samples: how many samples the minibatch has.
  /// - Throws: ``ComputeError`` where a kernel fails.
  func apply(
    _ gradients: ShardGradients, samples: Int, _ moment: UpdateMoment
  ) throws(ComputeError) -> Outcome {
    if !resting.isEmpty {
      if lastUpdate.load(ordering: .relaxed) < 0 {
        firstMissed.store(moment.update - 1, ordering: .relaxed)
      }
      lastUpdate.store(moment.update, ordering: .relaxed)
    }
    let slice =
      needsWholeGradient
      ? try applyWhole(gradients.reduction, samples, moment)
      : try applySliceBySlice(gradients.reduction, samples, moment)
    guard let slice else { return .done }
    return .notFinite(slice: slice, isPartial: !needsWholeGradient)
  }

  private func applySliceBySlice(
    _ gradients: ShardReduction, _ samples: Int, _ moment: UpdateMoment
  ) throws(ComputeError) -> Int? {
    var transform = GradientTransform()
    if case .value(let bound) = clipping { transform.bound = Float(bound) }
    try sums.forEachSlice(of: gradients, samples: samples) { [self, transform] index, gradient in
      sliceFinite[index] = isFinite(gradient, count: ranges[index].count)
      if sliceFinite[index] { move(index, gradient, transform, moment) }
    }
    after.finish(on: pool, moment)
    return sliceFinite.elements.firstIndex(of: false)
  }

  private func applyWhole(
    _ gradients: ShardReduction, _ samples: Int, _ moment: UpdateMoment
  ) throws(ComputeError) -> Int? {
    try sums.forEachSlice(of: gradients, samples: samples) { [self] index, gradient in
      let range = ranges[index]
      sliceFinite[index] = isFinite(gradient, count: range.count)
      sliceNorms[index] = squaredSum(gradient, count: range.count)
      (total.baseAddress + range.lowerBound).update(from: gradient, count: range.count)
    }
    if let bad = sliceFinite.elements.firstIndex(of: false) { return bad }
    let transform = wholeTransform()
    if let layerwise = optimizer as? any LayerwiseOptimizer {
      moveLayerwise(layerwise, transform, moment)
    } else {
      pool.forEach(count: slices.count) { [self] index, _ in
        move(index, total.baseAddress + ranges[index].lowerBound, transform, moment)
      }
    }
    after.finish(on: pool, moment)
    return nil
  }

  /// What is done to a gradient whose slices' norms are known.
  private func wholeTransform() -> GradientTransform {
    var transform = GradientTransform()
    switch clipping {
    case .none: break
    case .value(let bound): transform.bound = Float(bound)
    case .norm(let bound):
      let norm = sliceNorms.elements.reduce(0, +).squareRoot()
      if norm > bound { transform.factor = Float(bound / norm) }
    }
    return transform
  }

  private func move(
    _ index: Int, _ gradient: UnsafeMutablePointer<Float>, _ transform: GradientTransform,
    _ moment: UpdateMoment
  ) {
    let range = updateRange(index, gradient)
    if isResting[index] {
      catchUp(index, range, to: moment.update - 1)
      lastUpdates[index] = moment.update
    }
    transform.apply(to: gradient, count: range.count)
    optimizer.update(range, moment)
    after.follow(slices[index], moment)
  }

  // MARK: - Slices at rest

  /// Gives the slots of a slice at rest the bits that all updates would have given them.
  private func catchUp(_ index: Int, _ range: UpdateRange, to update: Int) {
    let missed = update - max(lastUpdates[index], firstMissed.load(ordering: .relaxed))
    if missed > 0 { optimizer.rest(range, updates: missed) }
  }

  /// Brings all slots up to the last update, before anybody reads them; between steps.
  func settle() {
    let last = lastUpdate.load(ordering: .relaxed)
    guard last >= 0 else { return }
    let count = resting.count
    pool.forEach(count: (count + 63) / 64) { [self] group, _ in
      for place in group * 64..<min((group + 1) * 64, count) {
        let index = resting[place]
        // Its gradient is not looked at.
        catchUp(index, updateRange(index, state.parameters.baseAddress), to: last)
        lastUpdates[index] = last
      }
    }
  }

  // MARK: - Layerwise rules

  /// Directions of all slices, norms of whole tensors, then the steps.
  private func moveLayerwise(
    _ optimizer: any LayerwiseOptimizer, _ transform: GradientTransform, _ moment: UpdateMoment
  ) {
    pool.forEach(count: slices.count) { [self] index, _ in
      let range = updateRange(index, total.baseAddress + ranges[index].lowerBound)
      transform.apply(to: range.gradient, count: range.count)
      optimizer.makeDirection(range, moment)
      sliceWeights[index] = squaredSum(range.parameters, count: range.count)
      sliceNorms[index] = squaredSum(range.gradient, count: range.count)
    }
    let trusts = tensorTrusts(optimizer)
    pool.forEach(count: slices.count) { [self] index, _ in
      let range = updateRange(index, total.baseAddress + ranges[index].lowerBound)
      optimizer.apply(range, moment, trust: trusts[index])
      after.follow(slices[index], moment)
    }
  }

  /// The factor of each slice's step: that of its whole tensor.
  private func tensorTrusts(_ optimizer: any LayerwiseOptimizer) -> [Double] {
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
    return trusts
  }

  private func updateRange(_ index: Int, _ gradient: UnsafeMutablePointer<Float>) -> UpdateRange {
    let slice = slices[index]
    let start = slice.range.lowerBound
    return UpdateRange(
      parameters: state.parameters.baseAddress + start, gradient: gradient,
      slots: state.slots.baseAddress + start, slotStride: state.parameters.count, count: slice.range.count,
      decayScale: slice.decayScale)
  }
}
