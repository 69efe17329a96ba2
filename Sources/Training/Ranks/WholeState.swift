internal import Compute
internal import Digests
internal import Parallel
internal import Tensors

/// Brings what the owners of parameters keep together: slots on the first rank, for checkpoints and digests; averages on all, for evaluations.
struct WholeState: Sendable {
  let ranks: Ranks
  let ownership: Ownership

  /// Gives all ranks the averages that each keeps of its own parameters.
  func gatherAverage(_ state: TrainingState) throws(CommunicationError) {
    guard let average = state.average else { return }
    try ranks.communicator.gather(average.baseAddress, parts: ownership.parameterParts)
  }

  /// Whether every number on every rank is finite; all ask together and get the same answer.
  func isFinite(_ state: TrainingState) throws(CommunicationError) -> Bool {
    try ranks.communicator.gather(state.isFinite).allSatisfy(\.self)
  }

  /// A copy of the whole state, on the first rank; nil on the others.
  func copy(of state: TrainingState) throws(CommunicationError) -> TrainingState? {
    if ranks.isAlone { return state.copy() }
    try gatherAverage(state)
    let slots = try gatherSlots(state)
    guard ranks.communicator.isFirst else { return nil }
    return with(slots, state.copy())
  }

  /// The whole state on every rank; its other numbers are shared, not copied.
  func everywhere(of state: TrainingState) throws(CommunicationError) -> TrainingState {
    if ranks.isAlone { return state }
    try gatherAverage(state)
    return with(try gatherSlots(state, onAll: true), state)
  }

  /// A state with all slots in place of a rank's own.
  private func with(_ slots: AlignedBuffer<Float>, _ state: TrainingState) -> TrainingState {
    TrainingState(
      compiled: state.compiled, parameters: state.parameters, slots: slots,
      slotRange: 0..<state.compiled.trainedCount, statistics: state.statistics, average: state.average)
  }

  /// The digest of the whole state, on all ranks.
  func digest(of state: TrainingState) throws(CommunicationError) -> String {
    if ranks.isAlone { return state.digest() }
    try gatherAverage(state)
    let whole = with(try gatherSlots(state), state)
    return try ranks.communicator.first(text: ranks.communicator.isFirst ? whole.digest() : "")
  }

  /// All slots in the layout of one process, on the first rank or on all; nothing on the others.
  private func gatherSlots(
    _ state: TrainingState, onAll isForAll: Bool = false
  ) throws(CommunicationError) -> AlignedBuffer<Float> {
    let (length, own) = (state.compiled.trainedCount, state.slotRange)
    let count = own.isEmpty ? 0 : state.slots.count / own.count
    // A rank may own nothing; how many slots there are, all know who own something.
    let slotCount = try ranks.communicator.gather(count).max() ?? 0
    let getsAll = isForAll || ranks.communicator.isFirst
    let slots = AlignedBuffer<Float>(count: getsAll ? length * slotCount : 0)
    for slot in 0..<slotCount {
      let part = UnsafeBufferPointer(
        start: state.slots.baseAddress + slot * own.count, count: own.count)
      let whole = slots.baseAddress + (getsAll ? slot * length : 0)
      if isForAll {
        (whole + own.lowerBound).update(from: part.baseAddress ?? UnsafePointer(whole), count: own.count)
        try ranks.communicator.gather(whole, parts: ownership.trainedParts)
      } else {
        try ranks.communicator.collect(
          UnsafeRawBufferPointer(part), into: getsAll ? UnsafeMutableRawPointer(whole) : nil,
          parts: ownership.trainedParts)
      }
    }
    return slots
  }
}
