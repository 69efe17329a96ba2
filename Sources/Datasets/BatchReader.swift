internal import Dispatch
internal import Synchronization
internal import Tensors

/// The minibatches of a training or an evaluation, in order, from any place on.
///
/// When samples are streamed, a background queue fills *windows*: the pixels of many coming minibatches at once. In a
/// window every chunk of the file is read and inflated once, however many of its samples are asked for, and samples go
/// straight to the places where their minibatch wants them. So the order may be a pure shuffle of all samples, and the
/// work per epoch is that of reading the file (dataset size ÷ window size) times. Windows take a third of the memory
/// limit: one in use, one being filled, one that the last minibatch may still hold.
///
/// - Note: ``next()`` is for one thread at a time; the minibatches it gives may go to any.
public final class BatchReader: Sendable {
  private let store: SampleStore
  private let schedule: Mutex<BatchSchedule>
  private let current = Mutex<Window?>(nil)
  private let ahead = WindowQueue()

  /// - Parameters:
  ///   - order: of as many samples as the dataset has.
  ///   - epoch: the epoch to begin in, from 0.
  ///   - position: how many samples of that epoch are done.
  ///   - endEpoch: the first epoch that is not read; nil to go on for ever.
  ///   - dropRemainder: whether a last minibatch of fewer samples is left out.
  public init(
    _ store: SampleStore, order: SampleOrder, batchSize: Int, epoch: Int = 0, position: Int = 0,
    endEpoch: Int? = nil, dropRemainder: Bool = false
  ) {
    precondition(
      order.count == store.dataset.count,
      "an order of \(order.count) samples does not fit a dataset of \(store.dataset.count)")
    precondition(batchSize > 0, "a minibatch cannot have \(batchSize) samples")
    precondition(
      epoch >= 0 && position >= 0 && position <= order.count,
      "there is no position \(position) in epoch \(epoch)")
    self.store = store
    schedule = Mutex(
      BatchSchedule(
        order: order, batchSize: batchSize, epoch: epoch, position: position, endEpoch: endEpoch,
        dropRemainder: dropRemainder))
    if !store.isResident { fillAhead(sampleCount: batchSize) }
  }

  deinit { ahead.cancel() }

  /// The next minibatch; nil after the last of the last epoch, or when no minibatch is ever full.
  ///
  /// Waits when reading is slower than the caller.
  ///
  /// - Throws: ``DatasetError`` for damaged data; it throws the same again when called again.
  public func next() throws -> Minibatch? {
    if let resident = store.resident {
      return schedule.withLock { $0.next() }.map { makeMinibatch($0, resident, firstSlot: nil) }
    }
    while true {
      let minibatch = current.withLock { window -> Minibatch? in
        guard let (slice, slot) = window?.take() else { return nil }
        return window.map { makeMinibatch(slice, $0.buffer, firstSlot: slot) }
      }
      if let minibatch { return minibatch }
      // Let go of the used window before waiting, so that its memory can go.
      current.withLock { $0 = nil }
      guard let window = try ahead.waitForWindow() else { return nil }
      current.withLock { $0 = window }
      // The first windows are short so that the first step need not wait for a long one.
      fillAhead(sampleCount: window.sampleCount * 8)
    }
  }

  // MARK: - Reading ahead

  /// Starts to fill a window of about so many samples, or of as many as memory allows.
  private func fillAhead(sampleCount: Int) {
    let limit = store.memoryLimitByteCount / 3 / max(1, store.dataset.sampleByteCount)
    let slices = schedule.withLock { $0.next(sampleCount: min(sampleCount, limit)) }
    ahead.fill { [store] check in
      guard !slices.isEmpty else { return nil }
      let rows = slices.flatMap(\.rows)
      let images = store.dataset.images
      let buffer = AlignedBuffer<UInt8>(count: rows.count * images.sampleByteCount)
      try images.gather(rows, into: buffer, threads: store.threads, check: check)
      return Window(buffer: buffer, slices: slices)
    }
  }

  private func makeMinibatch(_ slice: BatchSlice, _ buffer: AlignedBuffer<UInt8>, firstSlot: Int?)
    -> Minibatch
  {
    let dataset = store.dataset
    return Minibatch(
      epoch: slice.epoch, position: slice.position, isLastOfEpoch: slice.isLastOfEpoch,
      pixelType: dataset.pixelType, sampleShape: dataset.sampleShape, sampleIndices: slice.rows,
      labels: slice.rows.map { dataset.labels[Int($0)] }, sampleByteCount: dataset.sampleByteCount,
      buffer: buffer, firstSlot: firstSlot)
  }
}

/// The pixels of consecutive minibatches.
private struct Window: Sendable {
  let buffer: AlignedBuffer<UInt8>
  let slices: [BatchSlice]
  private var taken = 0
  private var slot = 0

  init(buffer: AlignedBuffer<UInt8>, slices: [BatchSlice]) {
    self.buffer = buffer
    self.slices = slices
  }

  var sampleCount: Int { slices.reduce(0) { $0 + $1.rows.count } }

  /// The next minibatch and the place of its first sample; nil when all are taken.
  mutating func take() -> (BatchSlice, slot: Int)? {
    guard taken < slices.count else { return nil }
    defer {
      slot += slices[taken].rows.count
      taken += 1
    }
    return (slices[taken], slot)
  }
}

/// Hands one window at a time from the filling queue to the reader.
private final class WindowQueue: Sendable {
  private enum State {
    case filling
    case ready(Window?)
    case failed(any Error)
  }

  private let queue = DispatchQueue(label: "convoy.samples")
  private let state = Mutex<State>(.filling)
  private let filled = DispatchSemaphore(value: 0)
  private let isCancelled = Atomic<Bool>(false)

  /// Stops the filling that is under way as soon as its block is done; nobody waits for it.
  func cancel() { isCancelled.store(true, ordering: .relaxed) }

  /// Starts `work` on the queue; it gets a check that throws once the reader is gone.
  func fill(_ work: @escaping @Sendable (@Sendable () throws -> Void) throws -> Window?) {
    queue.async { [self] in
      let result: State
      do {
        result = .ready(
          try work { [self] in
            if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
          })
      } catch {
        result = .failed(error)
      }
      state.withLock { $0 = result }
      filled.signal()
    }
  }

  /// The window that was being filled; nil at the end of all minibatches.
  ///
  /// The end and errors stay.
  func waitForWindow() throws -> Window? {
    filled.wait()
    let result = state.withLock { $0 }
    switch result {
    case .filling: preconditionFailure("a window was announced before it was filled")
    case .ready(let window?): return window
    case .ready(nil):
      filled.signal()
      return nil
    case .failed(let error):
      filled.signal()
      throw error
    }
  }
}
