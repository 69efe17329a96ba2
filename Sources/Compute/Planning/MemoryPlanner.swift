/// Places buffers that are used during intervals of steps into one arena, so that those never needed together share memory.
struct MemoryPlanner {
  private struct Interval {
    var byteCount: Int
    var first: Int
    var last: Int
  }

  private var intervals: [Interval] = []

  /// - Returns: the new buffer's number.
  mutating func add(byteCount: Int) -> Int {
    intervals.append(Interval(byteCount: (byteCount + 127) & ~63, first: .max, last: .min))
    return intervals.count - 1
  }

  mutating func use(_ buffer: Int, atStep step: Int) {
    intervals[buffer].first = min(intervals[buffer].first, step)
    intervals[buffer].last = max(intervals[buffer].last, step)
  }

  /// Places the largest buffer first, each at the lowest offset that is free during its whole interval.
  ///
  /// - Returns: each buffer's offset in bytes, a multiple of 64, and the arena's size.
  func place() -> (offsets: [Int], byteCount: Int) {
    var offsets = [Int](repeating: 0, count: intervals.count)
    var placed: [Int] = []
    var total = 64
    let order = intervals.indices.sorted {
      intervals[$0].byteCount != intervals[$1].byteCount
        ? intervals[$0].byteCount > intervals[$1].byteCount : $0 < $1
    }
    for buffer in order where intervals[buffer].first <= intervals[buffer].last {
      let interval = intervals[buffer]
      let neighbours = placed.filter {
        intervals[$0].first <= interval.last && interval.first <= intervals[$0].last
      }.sorted { offsets[$0] < offsets[$1] }
      var offset = 0
      for other in neighbours {
        if offset + interval.byteCount <= offsets[other] { break }
        offset = max(offset, offsets[other] + intervals[other].byteCount)
      }
      offsets[buffer] = offset
      total = max(total, offset + interval.byteCount)
      placed.append(buffer)
    }
    return (offsets, total)
  }
}
