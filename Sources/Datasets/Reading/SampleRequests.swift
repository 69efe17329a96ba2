/// Samples wanted from a file, in the blocks in which they are read.
///
/// A request is a number: the sample's row in the upper half, its place in the result in the lower half.
struct SampleRequests: Sendable {
  /// Block after block in the order of the file; within a block in no certain order.
  let requests: [UInt64]
  let blocks: [Range<Int>]

  /// Stands for a row that nobody wants.
  static let unwanted: Int32 = -1

  /// - Parameters:
  ///   - rows: rows of the dataset, or ``unwanted``; the place of each is its position here.
  ///   - samplesPerBlock: neighbouring samples that are read together.
  ///   - blockCount: how many blocks the whole dataset has.
  init(_ rows: some Collection<Int32>, samplesPerBlock: Int, blockCount: Int) {
    precondition(rows.count <= Int(UInt32.max), "too many samples to read at once")
    let size = UInt32(clamping: samplesPerBlock)
    var requests = [UInt64](repeating: 0, count: rows.count { $0 != Self.unwanted })
    var blocks: [Range<Int>] = []
    if blockCount <= 4 * requests.count {
      // Counted, then placed: faster than sorting, which the readers do within their blocks.
      var next = [Int32](repeating: 0, count: blockCount + 1)
      for row in rows where row != Self.unwanted { next[Int(UInt32(row) / size) + 1] += 1 }
      for block in 0..<blockCount {
        let (start, end) = (Int(next[block]), Int(next[block] + next[block + 1]))
        next[block + 1] = Int32(end)
        if start < end { blocks.append(start..<end) }
      }
      for (place, row) in rows.enumerated() where row != Self.unwanted {
        let block = Int(UInt32(row) / size)
        requests[Int(next[block])] = SampleRequests.request(row, place)
        next[block] += 1
      }
    } else {
      requests = rows.enumerated().compactMap { place, row in
        row == Self.unwanted ? nil : SampleRequests.request(row, place)
      }
      requests.sort()
      var start = 0
      while start < requests.count {
        let block = row(requests[start]) / samplesPerBlock
        var end = start + 1
        while end < requests.count, row(requests[end]) / samplesPerBlock == block { end += 1 }
        blocks.append(start..<end)
        start = end
      }
    }
    self.requests = requests
    self.blocks = blocks
  }

  private static func request(_ row: Int32, _ place: Int) -> UInt64 {
    UInt64(UInt32(row)) << 32 | UInt64(UInt32(truncatingIfNeeded: place))
  }
}

/// The row of a request.
func row(_ request: UInt64) -> Int { Int(request >> 32) }

/// The place of a request.
func place(_ request: UInt64) -> Int { Int(request & 0xffff_ffff) }
