internal import Dispatch
internal import Parallel
internal import Synchronization
internal import Tensors

/// The minibatches of a training or an evaluation, in order, from any place on.
///
/// When samples are streamed, a background queue fills *windows*: the pixels of many coming minibatches at once. In a
/// window every chunk of the file is read and inflated once, however many of its samples are asked for, and samples go
/// straight to the places where their minibatch wants them. So the order may be a pure shuffle of all samples, and the
/// work per epoch is that of reading the file (dataset size ÷ window size) times. A window takes half of the memory
/// limit: one is in use, its memory going with each minibatch let go, while the next one is filled.
///
/// - Note: ``next()`` is for one thread at a time; the minibatches it gives may go to any.
public final class BatchReader: Sendable {
  private let store: SampleStore
  private let schedule: Guarded<BatchSchedule>
  private let current = Guarded<Window?>(nil)
  private let ahead = WindowQueue()

  /// - Parameters:
  ///   - order: made for a dataset of as many samples.
  ///   - epoch: the epoch to begin in, from 0.
  ///   - position: how many samples of that epoch are done.
  ///   - endEpoch: the first epoch that is not read; nil to go on for ever.
  ///   - dropRemainder: whether a last minibatch of fewer samples is left out.
  public init(
    _ store: SampleStore, order: SampleOrder, batchSize: Int, epoch: Int = 0, position: Int = 0,
    endEpoch: Int? = nil, dropRemainder: Bool = false
  ) {
    precondition(
      order.datasetCount == store.dataset.count,
      "an order of \(order.datasetCount) samples does not fit a dataset of \(store.dataset.count)")
    precondition(batchSize > 0, "a minibatch cannot have \(batchSize) samples")
    precondition(
      epoch >= 0 && position >= 0 && position <= order.count,
      "there is no position \(position) in epoch \(epoch)")
    self.store = store
    schedule = Guarded(
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
      return schedule.withLock { $0.next() }.map { makeMinibatch($0, resident, isWholeDataset: true) }
    }
    while true {
      if let (slice, buffer) = current.withLock({ $0?.take() }) {
        return makeMinibatch(slice, buffer, isWholeDataset: false)
      }
      guard let window = try ahead.waitForWindow() else { return nil }
      current.withLock { $0 = window }
      // The first windows are short so that the first step need not wait for a long one.
      fillAhead(sampleCount: window.sampleCount * 8)
    }
  }

  // MARK: - Reading ahead

  /// Starts to fill a window of about so many samples, or of as many as memory allows.
  private func fillAhead(sampleCount: Int) {
    let limit = store.memoryLimitByteCount / 2 / max(1, store.dataset.sampleByteCount)
    let slices = schedule.withLock { $0.next(sampleCount: min(sampleCount, limit)) }
    ahead.fill { [store] check in
      guard !slices.isEmpty else { return nil }
      let buffers = try store.dataset.images.gather(slices.map(\.rows), threads: store.threads, check: check)
      return Window(slices: slices, buffers: buffers)
    }
  }

  private func makeMinibatch(_ slice: BatchSlice, _ buffer: AlignedBuffer<UInt8>, isWholeDataset: Bool)
    -> Minibatch
  {
    let dataset = store.dataset
    return Minibatch(
      epoch: slice.epoch, position: slice.position, isLastOfEpoch: slice.isLastOfEpoch,
      pixelType: dataset.pixelType, sampleShape: dataset.sampleShape, sampleIndices: slice.rows,
      labels: dataset.labels(of: slice.rows), sampleByteCount: dataset.sampleByteCount,
      buffer: buffer, isWholeDataset: isWholeDataset, targets: dataset.targets, weights: dataset.weights)
  }
}

/// Consecutive minibatches with the memory of each.
private struct Window: Sendable {
  /// The last one first.
  private var pending: [(BatchSlice, AlignedBuffer<UInt8>)]
  let sampleCount: Int

  init(slices: [BatchSlice], buffers: [AlignedBuffer<UInt8>]) {
    pending = zip(slices, buffers).reversed()
    sampleCount = slices.reduce(0) { $0 + $1.rows.count }
  }

  /// The next minibatch, which is kept here no longer; nil when all are taken.
  mutating func take() -> (BatchSlice, AlignedBuffer<UInt8>)? { pending.popLast() }
}

/// Hands one window at a time from the filling queue to the reader.
private final class WindowQueue: Sendable {
  private enum State {
    case filling
    case ready(Window?)
    case failed(any Error)
  }

  private let queue = DispatchQueue(label: "convoy.samples")
  private let state = Guarded<State>(.filling)
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
    let result = state.withLock { state in
      let result = state
      // A window must not be held here while the reader lets its minibatches go.
      if case .ready(.some) = state { state = .filling }
      return result
    }
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
