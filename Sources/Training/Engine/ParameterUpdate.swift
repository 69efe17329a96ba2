internal import Compute
internal import Parallel
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
  /// The rules by which slices move.
  private let rules: [UpdateRule]
  private let clipping: GradientClipping
  private let needsWholeGradient: Bool
  private let after: AfterUpdate
  private let ranges: [Range<Int>]
  private let sums: SlicedGradient
  /// The summed gradient of all trained parameters, where it must be known whole before the first one moves; empty otherwise.
  private let total: AlignedBuffer<Float>
  private let sliceNorms: AlignedBuffer<Double>
  /// Squared norms of the slices' parameters, for rules that scale each tensor's step.
  private let sliceWeights: AlignedBuffer<Double>
  private let sliceFinite: AlignedBuffer<Bool>

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
    rules = UpdateRule.all(configuration, compiled.segments)
    slices = UpdateSlice.cut(compiled.segments, configuration, tasks: gathered?.tasks ?? [])
    sums = SlicedGradient(slices, gathered, pool: pool)
    ranges = slices.map(\.range)
    total = AlignedBuffer(count: needsWholeGradient ? compiled.trainedCount : 0)
    sliceNorms = AlignedBuffer(count: slices.count)
    sliceWeights = AlignedBuffer(count: slices.count)
    sliceFinite = AlignedBuffer(count: slices.count)
  }

  /// Moves parameters, slots and average by the gradients that were collected.
  ///
  /// - Parameter samples: how many samples the minibatch has.
  /// - Throws: ``ComputeError`` where a kernel fails.
  func apply(
    _ gradients: ShardGradients, samples: Int, _ moment: UpdateMoment
  ) throws(ComputeError) -> Outcome {
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
      let count = ranges[index].count
      sliceFinite[index] = isFinite(gradient, count: count)
      sliceNorms[index] = squaredSum(gradient, count: count)
      whole(index).update(from: gradient, count: count)
    }
    if let bad = sliceFinite.elements.firstIndex(of: false) { return bad }
    let transform = wholeTransform()
    if optimizer is any LayerwiseOptimizer {
      moveLayerwise(transform, moment)
    } else {
      pool.forEach(count: slices.count) { [self] index, _ in move(index, whole(index), transform, moment) }
    }
    after.finish(on: pool, moment)
    return nil
  }

  /// A slice's place in the whole gradient.
  private func whole(_ index: Int) -> UnsafeMutablePointer<Float> {
    total.baseAddress + slices[index].trainedRange.lowerBound
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
    transform.apply(to: gradient, count: range.count)
    let rule = rules[slices[index].rule]
    rule.optimizer.update(range, rule.moment(moment))
    after.follow(slices[index], moment)
  }

  /// Directions of all slices, norms of whole tensors, then the steps.
  private func moveLayerwise(_ transform: GradientTransform, _ moment: UpdateMoment) {
    pool.forEach(count: slices.count) { [self] index, _ in
      let range = updateRange(index, whole(index))
      let rule = rules[slices[index].rule]
      transform.apply(to: range.gradient, count: range.count)
      layerwise(rule).makeDirection(range, rule.moment(moment))
      sliceWeights[index] = squaredSum(range.parameters, count: range.count)
      sliceNorms[index] = squaredSum(range.gradient, count: range.count)
    }
    let trusts = tensorTrusts()
    pool.forEach(count: slices.count) { [self] index, _ in
      let rule = rules[slices[index].rule]
      layerwise(rule).apply(
        updateRange(index, whole(index)), rule.moment(moment), trust: trusts[index])
      after.follow(slices[index], moment)
    }
  }

  private func layerwise(_ rule: UpdateRule) -> any LayerwiseOptimizer {
    guard let optimizer = rule.optimizer as? any LayerwiseOptimizer else {
      preconditionFailure("the rules of an optimizer are of its kind")
    }
    return optimizer
  }

  /// The factor of each slice's step: that of its whole tensor.
  private func tensorTrusts() -> [Double] {
    var trusts = [Double](repeating: 1, count: slices.count)
    var first = 0
    while first < slices.count {
      let segment = slices[first].segment
      let end = slices[first...].firstIndex { $0.segment != segment } ?? slices.count
      if slices[first].decayScale != 0 {
        let trust = layerwise(rules[slices[first].rule]).trust(
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
      slots: state.slots.baseAddress + slice.trainedRange.lowerBound,
      slotStride: state.compiled.trainedCount, count: slice.range.count, decayScale: slice.decayScale)
  }
}
