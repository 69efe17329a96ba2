internal import Compute
internal import Parallel
internal import Tensors

/// Sums the shards' gradients slice by slice and moves the parameters.
///
/// Usually in one pass: a slice is summed, transformed and used while it is in cache. A bound on the global norm, and the
/// promise to leave parameters alone when a number is bad, need two: all sums first, then all updates.
///
/// Each rank moves the parameters of its own slices and gets the others', so that all have the same afterwards.
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
  /// Whose each slice is.
  let ownership: Ownership
  private let ranks: Ranks
  private let exchange: GradientExchange
  private let sums: SlicedGradient
  /// The summed gradient of the own slices, where it must be known before the first parameter moves; empty otherwise.
  private let total: AlignedBuffer<Float>
  private let sliceNorms: AlignedBuffer<Double>
  /// Squared norms of the slices' parameters, for rules that scale each tensor's step.
  private let sliceWeights: AlignedBuffer<Double>
  private let sliceFinite: AlignedBuffer<Bool>

  /// - Throws: ``ComputeError`` where the kernel library fails.
  init(
    _ compiled: CompiledNetwork, _ configuration: TrainingConfiguration, _ slices: [UpdateSlice],
    _ ownership: Ownership, state: TrainingState, pool: WorkerPool, gathered: GatheredGradients?, ranks: Ranks
  ) throws(ComputeError) {
    self.state = state
    self.pool = pool
    self.ranks = ranks
    self.slices = slices
    self.ownership = ownership
    optimizer = configuration.optimizer.rule
    clipping = configuration.clipping
    needsWholeGradient = configuration.needsWholeGradient
    after = try AfterUpdate(configuration, compiled, state, own: ownership.ownParameters)
    rules = UpdateRule.all(configuration, compiled.segments)
    exchange = GradientExchange(slices, ownership, ranks: ranks, pool: pool)
    sums = SlicedGradient(slices, own: ownership.ownSlices, gathered, pool: pool)
    ranges = slices.map(\.range)
    total = AlignedBuffer(count: needsWholeGradient ? ownership.ownTrained.count : 0)
    sliceNorms = AlignedBuffer(count: slices.count)
    sliceWeights = AlignedBuffer(count: slices.count)
    sliceFinite = AlignedBuffer(count: slices.count)
  }

  /// Moves parameters, slots and average by the gradients that were collected.
  ///
  /// - Parameter seconds: gets the time that the exchange with other ranks took.
  /// - Throws: ``ComputeError`` where a kernel fails; ``CommunicationError``.
  func apply(
    _ gradients: ShardGradients, _ minibatch: ShardedMinibatch, _ moment: UpdateMoment,
    exchanging seconds: inout Double
  ) throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    try gradients.gatherRows(minibatch)
    seconds = ranks.isAlone ? 0 : TrainingClock.seconds(clock.now - start)
    if let slice = try needsWholeGradient
      ? moveWhole(gradients, minibatch, moment, &seconds)
      : moveSliceBySlice(gradients, minibatch, moment, &seconds)
    {
      return .notFinite(slice: slice, isPartial: !needsWholeGradient)
    }
    let moved = clock.now
    try ranks.communicator.gather(state.parameters.baseAddress, parts: ownership.parameterParts)
    if !ranks.isAlone { seconds += TrainingClock.seconds(clock.now - moved) }
    after.finish(on: pool, moment)
    return .done
  }

  /// Bytes of partial sums and parameters that this rank sends for a minibatch of so many shards.
  func bytesSent(shards: Int) -> Double {
    if ranks.isAlone { return 0 }
    let floats =
      exchange.floatsSent(shards: shards)
      + ownership.ownParameters.count * (ranks.communicator.size - 1)
    return Double(floats * MemoryLayout<Float>.stride)
  }

  /// Hands out the sums of the own slices, each to one worker.
  private func forEachSum(
    _ gradients: ShardGradients, _ minibatch: ShardedMinibatch, _ seconds: inout Double,
    _ body: @Sendable (_ slice: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
  ) throws {
    let (reduction, sharding) = (gradients.reduction, minibatch.sharding)
    try exchange.forEachBucket(reduction, shards: sharding.count, seconds: &seconds) { slices, foreign in
      sums.forEachSummed(slices, of: reduction, with: foreign, body)
    }
    try sums.forEachGathered(samples: sharding.sampleCount, body)
  }

  private func moveSliceBySlice(
    _ gradients: ShardGradients, _ minibatch: ShardedMinibatch, _ moment: UpdateMoment,
    _ seconds: inout Double
  ) throws -> Int? {
    var transform = GradientTransform()
    if case .value(let bound) = clipping { transform.bound = Float(bound) }
    try forEachSum(gradients, minibatch, &seconds) { [self, transform] index, gradient in
      sliceFinite[index] = isFinite(gradient, count: ranges[index].count)
      if sliceFinite[index] { move(index, gradient, transform, moment) }
    }
    try share(sliceFinite)
    return sliceFinite.elements.firstIndex(of: false)
  }

  private func moveWhole(
    _ gradients: ShardGradients, _ minibatch: ShardedMinibatch, _ moment: UpdateMoment,
    _ seconds: inout Double
  ) throws -> Int? {
    try forEachSum(gradients, minibatch, &seconds) { [self] index, gradient in
      let range = ranges[index]
      sliceFinite[index] = isFinite(gradient, count: range.count)
      sliceNorms[index] = squaredSum(gradient, count: range.count)
      wholeGradient(index).update(from: gradient, count: range.count)
    }
    try share(sliceFinite)
    try share(sliceNorms)
    if let bad = sliceFinite.elements.firstIndex(of: false) { return bad }
    let transform = wholeTransform()
    if optimizer is any LayerwiseOptimizer {
      try moveLayerwise(transform, moment)
    } else {
      forEachOwnSlice { [self] index in move(index, wholeGradient(index), transform, moment) }
    }
    return nil
  }

  /// Where the whole gradient of an own slice is kept.
  private func wholeGradient(_ index: Int) -> UnsafeMutablePointer<Float> {
    total.baseAddress + slices[index].trainedRange.lowerBound - ownership.ownTrained.lowerBound
  }

  private func forEachOwnSlice(_ body: @Sendable (_ slice: Int) -> Void) {
    let first = ownership.ownSlices.lowerBound
    pool.forEach(count: ownership.ownSlices.count) { index, _ in body(first + index) }
  }

  /// Gives all ranks what each has found out of its own slices.
  private func share<Value>(_ values: AlignedBuffer<Value>) throws(CommunicationError) {
    try ranks.communicator.gather(
      values.baseAddress, parts: ownership.sliceParts(stride: MemoryLayout<Value>.stride))
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
  private func moveLayerwise(
    _ transform: GradientTransform, _ moment: UpdateMoment
  ) throws(CommunicationError) {
    forEachOwnSlice { [self] index in
      let range = updateRange(index, wholeGradient(index))
      let rule = rules[slices[index].rule]
      transform.apply(to: range.gradient, count: range.count)
      layerwise(rule).makeDirection(range, rule.moment(moment))
      sliceWeights[index] = squaredSum(range.parameters, count: range.count)
      sliceNorms[index] = squaredSum(range.gradient, count: range.count)
    }
    try share(sliceWeights)
    try share(sliceNorms)
    let trusts = tensorTrusts()
    forEachOwnSlice { [self] index in
      let rule = rules[slices[index].rule]
      layerwise(rule).apply(
        updateRange(index, wholeGradient(index)), rule.moment(moment), trust: trusts[index])
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
      slots: state.slots.baseAddress + slice.trainedRange.lowerBound - state.slotRange.lowerBound,
      slotStride: state.slotRange.count, count: slice.range.count, decayScale: slice.decayScale)
  }
}
