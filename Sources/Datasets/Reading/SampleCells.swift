internal import Tensors

/// Memory for samples, in numbered cells: taken when a sample is read, given back when its minibatch is let go.
///
/// It is made in slabs when it is first needed, and kept, so that reading on and on costs the system no new
/// pages. Cells are handed out in the order in which they came back, so that samples read in the order of the
/// file mostly lie in that order in memory, too.
struct SampleCells: Sendable {
  /// How many samples may be held, unless somebody who holds them all waits for more.
  let capacity: Int
  private let sampleByteCount: Int
  private let samplesPerSlab: Int
  private var slabs: [AlignedBuffer<UInt8>] = []
  /// A queue: the numbers from `firstFree` on.
  private var free: [Int32] = []
  private var firstFree = 0

  init(capacity: Int, sampleByteCount: Int) {
    precondition(capacity > 0, "there must be a place for a sample")
    self.capacity = capacity
    self.sampleByteCount = sampleByteCount
    samplesPerSlab = max(1, min(capacity, (2 << 20) / max(1, sampleByteCount)))
  }

  private var madeCount: Int { slabs.count * samplesPerSlab }
  private var freeCount: Int { free.count - firstFree }
  /// Cells that can be taken without exceeding the capacity.
  var available: Int { freeCount + max(0, capacity - madeCount) }

  /// Takes a cell for each request, and notes its number and address at the request's place.
  ///
  /// - Parameter isUrgent: whether to exceed the capacity rather than fail.
  /// - Returns: whether there were enough; when not, none is taken.
  mutating func take(
    _ requests: ArraySlice<UInt64>, numbers: AlignedBuffer<Int32>, addresses: AlignedBuffer<UInt>,
    isUrgent: Bool
  ) -> Bool {
    while freeCount < requests.count {
      guard isUrgent || madeCount < capacity else { return false }
      let first = madeCount
      // The last slab within the capacity may be shorter; its missing numbers are never given out.
      let count = first < capacity ? min(samplesPerSlab, capacity - first) : samplesPerSlab
      slabs.append(AlignedBuffer(count: count * sampleByteCount))
      free.append(contentsOf: Int32(first)..<Int32(first + count))
    }
    for request in requests {
      let place = Datasets.place(request)
      let number = Int(free[firstFree])
      firstFree += 1
      let (slab, offset) = number.quotientAndRemainder(dividingBy: samplesPerSlab)
      numbers.baseAddress[place] = Int32(number)
      addresses.baseAddress[place] =
        UInt(bitPattern: slabs[slab].baseAddress) + UInt(offset * sampleByteCount)
    }
    if firstFree > free.count / 2 {
      free.removeFirst(firstFree)
      firstFree = 0
    }
    return true
  }

  /// The number at places that have taken no cell.
  static let none: Int32 = -1

  mutating func giveBack(_ range: Range<Int>, of numbers: AlignedBuffer<Int32>) {
    for number in numbers.elements[range] where number != Self.none { free.append(number) }
  }
}
