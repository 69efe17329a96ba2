internal import Parallel
internal import Tensors

/// The minibatches of a training or an evaluation, in order, from any place on.
///
/// Streamed or from memory, they are the same bytes in the same order. Streamed ones are read ahead.
///
/// - Note: ``next()`` is for one thread at a time; the minibatches it gives may go to any.
public final class BatchReader: Sendable {
  private let store: SampleStore
  private let schedule: Guarded<BatchSchedule>
  /// Reads ahead; nil when all samples are in memory.
  private let conveyor: SampleConveyor?

  /// A reader that begins at any place of any epoch.
  ///
  /// - Parameters:
  ///   - order: made for a dataset of as many samples as the store's.
  ///   - epoch: the epoch to begin in, from 0.
  ///   - position: how many samples of that epoch are done.
  ///   - endEpoch: the first epoch that is not read; nil to go on without end.
  ///   - dropRemainder: whether a last minibatch of fewer samples is left out.
  ///   - wanted: the places of each minibatch whose pixels are read; the others must not be looked at. nil for all.
  public init(
    _ store: SampleStore, order: SampleOrder, batchSize: Int, epoch: Int = 0, position: Int = 0,
    endEpoch: Int? = nil, dropRemainder: Bool = false, wanted: WantedPlaces? = nil
  ) {
    precondition(
      order.datasetCount == store.dataset.count,
      "an order of \(order.datasetCount) samples does not fit a dataset of \(store.dataset.count)")
    precondition(batchSize > 0, "a minibatch cannot have \(batchSize) samples")
    precondition(
      epoch >= 0 && position >= 0 && position <= order.count,
      "there is no position \(position) in epoch \(epoch)")
    self.store = store
    let schedule = BatchSchedule(
      order: order, batchSize: batchSize, epoch: epoch, position: position, endEpoch: endEpoch,
      dropRemainder: dropRemainder)
    self.schedule = Guarded(schedule)
    conveyor =
      store.isResident
      ? nil
      : SampleConveyor(
        store.dataset.images, schedule: schedule,
        capacity: store.memoryLimitByteCount / max(1, store.dataset.sampleByteCount), threads: store.threads,
        wanted: wanted)
  }

  deinit { conveyor?.cancel() }

  /// The next minibatch; nil after the last of the last epoch, or when only full ones are wanted and none
  /// ever is.
  ///
  /// Waits when reading is slower than the caller.
  ///
  /// - Throws: ``DatasetError`` for damaged data, or when reading fails; every later call throws the same.
  public func next() throws -> Minibatch? {
    if let conveyor {
      return try conveyor.next().map { makeMinibatch($0, .leased($1)) }
    }
    guard let resident = store.resident else { return nil }
    return schedule.withLock { $0.next() }.map { makeMinibatch($0, .dataset(resident)) }
  }

  private func makeMinibatch(_ slice: BatchSlice, _ pixels: Minibatch.Pixels) -> Minibatch {
    let dataset = store.dataset
    return Minibatch(
      epoch: slice.epoch, position: slice.position, isLastOfEpoch: slice.isLastOfEpoch,
      pixelType: dataset.pixelType, sampleShape: dataset.sampleShape, sampleIndices: slice.rows,
      labels: dataset.labels(of: slice.rows), sampleByteCount: dataset.sampleByteCount, pixels: pixels,
      targets: dataset.targets, weights: dataset.weights, packing: dataset.packing)
  }
}
