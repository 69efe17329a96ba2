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
    exchange = GradientExchange(slices, ownership, ranks: ranks, pool: pool)
    sums = SlicedGradient(slices, own: ownership.ownSlices, gathered, pool: pool)
    ranges = slices.map(\.range)
    total = AlignedBuffer(count: needsWholeGradient ? ownership.ownParameters.count : 0)
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
    let collected = Collected(
      reduction: gradients.reduction,
      foreign: try exchange.exchange(gradients.reduction, shards: minibatch.sharding.count),
      samples: minibatch.sharding.sampleCount)
    let exchanged = clock.now
    if let slice = try needsWholeGradient ? moveWhole(collected, moment) : moveSliceBySlice(collected, moment)
    {
      return .notFinite(slice: slice, isPartial: !needsWholeGradient)
    }
    let moved = clock.now
    try ranks.communicator.gather(state.parameters.baseAddress, parts: ownership.parameterParts)
    seconds = ranks.isAlone ? 0 : TrainingClock.seconds((exchanged - start) + (clock.now - moved))
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

  /// The gradients of a minibatch, as far as they were added up.
  private struct Collected {
    let reduction: ShardReduction
    let foreign: ForeignSums
    let samples: Int
  }

  private func moveSliceBySlice(_ collected: Collected, _ moment: UpdateMoment) throws -> Int? {
    var transform = GradientTransform()
    if case .value(let bound) = clipping { transform.bound = Float(bound) }
    try sums.forEachSlice(of: collected.reduction, with: collected.foreign, samples: collected.samples) {
      [self, transform] index, gradient in
      sliceFinite[index] = isFinite(gradient, count: ranges[index].count)
      if sliceFinite[index] { move(index, gradient, transform, moment) }
    }
    try share(sliceFinite)
    return sliceFinite.elements.firstIndex(of: false)
  }

  private func moveWhole(_ collected: Collected, _ moment: UpdateMoment) throws -> Int? {
    try sums.forEachSlice(of: collected.reduction, with: collected.foreign, samples: collected.samples) {
      [self] index, gradient in
      let range = ranges[index]
      sliceFinite[index] = isFinite(gradient, count: range.count)
      sliceNorms[index] = squaredSum(gradient, count: range.count)
      wholeGradient(index).update(from: gradient, count: range.count)
    }
    try share(sliceFinite)
    try share(sliceNorms)
    if let bad = sliceFinite.elements.firstIndex(of: false) { return bad }
    let transform = wholeTransform()
    if let layerwise = optimizer as? any LayerwiseOptimizer {
      try moveLayerwise(layerwise, transform, moment)
    } else {
      forEachOwnSlice { [self] index in move(index, wholeGradient(index), transform, moment) }
    }
    return nil
  }

  /// Where the whole gradient of an own slice is kept.
  private func wholeGradient(_ index: Int) -> UnsafeMutablePointer<Float> {
    total.baseAddress + ranges[index].lowerBound - ownership.ownParameters.lowerBound
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
    optimizer.update(range, moment)
    after.follow(slices[index], moment)
  }

  /// Directions of all slices, norms of whole tensors, then the steps.
  private func moveLayerwise(
    _ optimizer: any LayerwiseOptimizer, _ transform: GradientTransform, _ moment: UpdateMoment
  ) throws(CommunicationError) {
    forEachOwnSlice { [self] index in
      let range = updateRange(index, wholeGradient(index))
      transform.apply(to: range.gradient, count: range.count)
      optimizer.makeDirection(range, moment)
      sliceWeights[index] = squaredSum(range.parameters, count: range.count)
      sliceNorms[index] = squaredSum(range.gradient, count: range.count)
    }
    try share(sliceWeights)
    try share(sliceNorms)
    let trusts = tensorTrusts(optimizer)
    forEachOwnSlice { [self] index in
      optimizer.apply(updateRange(index, wholeGradient(index)), moment, trust: trusts[index])
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
      slots: state.slots.baseAddress + start - state.slotRange.lowerBound,
      slotStride: state.slotRange.count, count: slice.range.count, decayScale: slice.decayScale)
  }
}
