internal import Compute
internal import Digests
internal import Networks
internal import Tensors

/// All numbers that training changes, in the plans' layouts; they become canonical only in checkpoints.
///
/// The buffers are shared, not copied, with whoever gets this value; ``copy()`` makes one that training does not touch.
struct TrainingState: Sendable {
  /// Says how the buffers are laid out.
  let compiled: CompiledNetwork
  let parameters: AlignedBuffer<Float>
  /// The optimizer's slots, one after another, each laid out as the trained parameters of ``slotRange``.
  let slots: AlignedBuffer<Float>
  /// The place of the trained parameters that slots are kept for: all, or those that a rank owns.
  let slotRange: Range<Int>
  /// The running statistics of batch normalisation, in canonical order.
  let statistics: AlignedBuffer<Float>
  /// The running average of the parameters; nil where none is kept.
  let average: AlignedBuffer<Float>?

  private var buffers: [AlignedBuffer<Float>] {
    [parameters, slots, statistics] + (average.map { [$0] } ?? [])
  }

  /// A copy that training does not touch.
  func copy() -> TrainingState {
    func copy(_ buffer: AlignedBuffer<Float>) -> AlignedBuffer<Float> {
      let copy = AlignedBuffer<Float>(count: buffer.count)
      copy.copy(from: buffer)
      return copy
    }
    return TrainingState(
      compiled: compiled, parameters: copy(parameters), slots: copy(slots), slotRange: slotRange,
      statistics: copy(statistics),
      average: average.map(copy))
  }

  /// A hexadecimal SHA-256 of all bytes; nothing is copied.
  func digest() -> String {
    var hash = SHA256()
    for buffer in buffers {
      withExtendedLifetime(buffer) { hash.update(UnsafeRawBufferPointer(buffer.elements)) }
    }
    return hash.finalize().hexadecimal
  }

  /// Whether every number of it is finite.
  ///
  /// An update with finite gradients can still overflow; the loss finds out only one step later.
  var isFinite: Bool {
    statistics.elements.allSatisfy(\.isFinite)
      && ([parameters, slots] + (average.map { [$0] } ?? [])).allSatisfy { buffer in
        withExtendedLifetime(buffer) { Training.isFinite(buffer.baseAddress, count: buffer.count) }
      }
  }
}

// MARK: - From and to canonical layouts

extension TrainingState {
  /// - Parameters:
  ///   - slotNames: the optimizer's slots, in their order.
  ///   - slotRange: the place of the parameters that slots are kept for; nil for all.
  ///   - start: the parameters and statistics to begin with.
  ///   - startSlots: the slots to begin with; one that is missing begins with zeros.
  ///   - keepsAverage: whether there is a running average.
  ///   - startAverage: the average to go on with; nil begins with the parameters.
  /// - Throws: ``ComputeError`` where the kernel library fails.
  init(
    _ compiled: CompiledNetwork, slotNames: [String], slotRange: Range<Int>? = nil,
    start: CanonicalParameters, slots startSlots: [Checkpoint.Slot], keepsAverage: Bool,
    average startAverage: CanonicalParameters?
  ) throws(ComputeError) {
    self.compiled = compiled
    let length = compiled.storageCount
    let slotRange = slotRange ?? 0..<compiled.trainedCount
    self.slotRange = slotRange
    parameters = AlignedBuffer(count: length)
    slots = AlignedBuffer(count: slotRange.count * slotNames.count)
    statistics = AlignedBuffer(count: compiled.parameters.statisticsCount)
    average = keepsAverage ? AlignedBuffer(count: length) : nil
    statistics.copy(from: start.statistics)
    try compiled.load(start.trainable.baseAddress, into: parameters.baseAddress)
    for (index, name) in slotNames.enumerated() {
      guard let slot = startSlots.first(where: { $0.name == name }) else { continue }
      let place = slots.baseAddress + index * slotRange.count
      if slotRange.count == compiled.trainedCount {
        try compiled.loadTrained(slot.values.baseAddress, into: place)
      } else {
        let whole = AlignedBuffer<Float>(count: compiled.trainedCount)
        try compiled.loadTrained(slot.values.baseAddress, into: whole.baseAddress)
        place.update(from: whole.baseAddress + slotRange.lowerBound, count: slotRange.count)
      }
    }
    guard let average else { return }
    if let startAverage {
      try compiled.load(startAverage.trainable.baseAddress, into: average.baseAddress)
    } else {
      average.copy(from: parameters)
    }
  }

  /// Everything in canonical layouts; only of a state with all slots.
  func canonical(slotNames: [String]) throws(ComputeError) -> Checkpoint.Values {
    func values(_ buffer: AlignedBuffer<Float>) throws(ComputeError) -> CanonicalParameters {
      let values = CanonicalParameters(layout: compiled.parameters)
      try compiled.export(buffer.baseAddress, into: values.trainable.baseAddress)
      values.statistics.copy(from: statistics)
      return values
    }
    var canonical: [Checkpoint.Slot] = []
    for (index, name) in slotNames.enumerated() {
      let slot = AlignedBuffer<Float>(count: compiled.parameters.trainableCount)
      try compiled.exportTrained(
        slots.baseAddress + index * compiled.trainedCount, into: slot.baseAddress)
      canonical.append(Checkpoint.Slot(name: name, values: slot))
    }
    let trained = try values(parameters)
    return Checkpoint.Values(
      predicting: try average.map(values) ?? trained, trained: average == nil ? nil : trained,
      slots: canonical,
      stateless: Set(compiled.segments.filter { !$0.isTrained }.map(\.parameter.path)))
  }
}
