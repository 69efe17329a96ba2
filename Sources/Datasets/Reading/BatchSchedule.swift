/// One minibatch's place in the training and its samples.
struct BatchSlice: Sendable {
  let epoch: Int
  let position: Int
  let isLastOfEpoch: Bool
  let rows: [Int32]
}

/// Which samples each minibatch has, epoch after epoch.
struct BatchSchedule: Sendable {
  private let order: SampleOrder
  let batchSize: Int
  private let endEpoch: Int?
  private let dropRemainder: Bool
  private var epoch: Int
  private var position: Int
  private var permutation: [Int32]?

  init(
    order: SampleOrder, batchSize: Int, epoch: Int, position: Int, endEpoch: Int?, dropRemainder: Bool
  ) {
    self.order = order
    self.batchSize = batchSize
    self.epoch = epoch
    self.position = position
    self.endEpoch = endEpoch
    self.dropRemainder = dropRemainder
  }

  /// The number of samples that an epoch uses.
  private var usedCount: Int { dropRemainder ? order.count / batchSize * batchSize : order.count }

  mutating func next() -> BatchSlice? {
    guard usedCount > 0 else { return nil }
    // With the remainder dropped, no full minibatch may be left after a position near the end.
    while position >= order.count || (dropRemainder && position + batchSize > order.count) {
      epoch += 1
      position = 0
      permutation = nil
    }
    if let endEpoch, epoch >= endEpoch { return nil }
    let samples = permutation ?? order.permutation(epoch: epoch)
    permutation = samples
    let end = min(position + batchSize, order.count)
    let left = order.count - end
    let slice = BatchSlice(
      epoch: epoch, position: position, isLastOfEpoch: left == 0 || (dropRemainder && left < batchSize),
      rows: Array(samples[position..<end]))
    position = end
    return slice
  }

  /// The next minibatches: as many as have no more than `sampleCount` samples together, but at least one.
  mutating func next(sampleCount: Int) -> [BatchSlice] {
    var slices: [BatchSlice] = []
    var total = 0
    repeat {
      guard let slice = next() else { break }
      slices.append(slice)
      total += slice.rows.count
    } while total + batchSize <= sampleCount
    return slices
  }
}
