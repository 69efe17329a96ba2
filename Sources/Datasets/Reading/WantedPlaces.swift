/// Which samples of each minibatch somebody wants the pixels of, where others take care of the rest.
public struct WantedPlaces: Sendable {
  /// The largest share of a minibatch's samples that is wanted, above 0 and at most 1.
  public let share: Double
  /// The places that are wanted, for a minibatch of an epoch that begins at a position and has so many samples.
  public let ranges: @Sendable (_ epoch: Int, _ position: Int, _ count: Int) -> [Range<Int>]

  /// Takes the places that are wanted of each minibatch.
  ///
  /// - Parameters:
  ///   - share: the largest share of a minibatch that they are; it decides how far ahead is read.
  ///   - ranges: parts of `0..<count`, for an epoch, a position in it, and a number of samples.
  public init(
    share: Double, ranges: @escaping @Sendable (_ epoch: Int, _ position: Int, _ count: Int) -> [Range<Int>]
  ) {
    precondition(share > 0 && share <= 1, "a share of \(share) cannot be wanted")
    self.share = share
    self.ranges = ranges
  }

  /// A minibatch's rows, with ``SampleRequests/unwanted`` in place of those that nobody wants.
  func rows(of slice: BatchSlice) -> [Int32] {
    var rows = [Int32](repeating: SampleRequests.unwanted, count: slice.rows.count)
    for range in ranges(slice.epoch, slice.position, slice.rows.count) {
      for place in range { rows[place] = slice.rows[place] }
    }
    return rows
  }
}

extension Augmentation {
  /// The places whose pixels some samples of a minibatch are made of: their own, and those of their partners in mixtures.
  ///
  /// - Parameter own: places of the samples, a part of `0..<count`.
  public func places(
    for own: Range<Int>, seed: UInt64, epoch: Int, position: Int, count: Int
  ) -> [Range<Int>] {
    guard steps.contains(where: \.isMix), !own.isEmpty, count > 1 else { return [own] }
    let offset = Self.partnerOffset(seed: seed, epoch: epoch, position: position, count: count)
    let (start, end) = (own.lowerBound + offset, own.upperBound + offset)
    if end <= count { return [own, start..<end] }
    if start >= count { return [own, start - count..<end - count] }
    return [own, start..<count, 0..<end - count]
  }
}
