internal import Parallel
internal import Tensors

/// Brings the samples of coming minibatches from their file, on threads of its own.
///
/// The threads fill *windows*: the places of many coming minibatches at once. In a window every chunk of the
/// file is read and inflated once, however many of its samples are asked for, and samples go straight to the
/// places where their minibatch finds them. So the order may be a pure shuffle of all samples, and an epoch
/// costs as much as reading the file (dataset size ÷ window size) times.
///
/// A window may take nearly all of the memory: as minibatches of one are let go, the next one's samples take
/// their places. A thread that finds no more work in a window begins with the next one while others finish.
/// The first windows are short, so that the first step need not wait for a long one.
///
/// Where only some places of each minibatch are wanted, a window reaches further, and the other places have no samples.
final class SampleConveyor: Sendable {
  private let storage: SampleFile
  private let state: Monitor<ConveyorState>
  /// Whether there is a thread that reads; where the system gives none, whoever asks for minibatches does the reading.
  private let hasThreads: Bool

  /// - Parameters:
  ///   - capacity: samples in memory at the most, though never fewer than two minibatches.
  ///   - threads: how many read and inflate.
  ///   - wanted: the places of each minibatch that are read; nil for all.
  init(
    _ storage: SampleFile, schedule: BatchSchedule, capacity: Int, threads: Int, wanted: WantedPlaces? = nil
  ) {
    self.storage = storage
    state = Monitor(
      ConveyorState(storage, schedule: schedule, capacity: capacity, threads: threads, wanted: wanted))
    var started = 0
    while started < threads,
      SystemThread.start({ [storage, state] in Self.work(storage, state) })
    {
      started += 1
    }
    hasThreads = started > 0
  }

  /// Ends the threads as soon as their blocks are done; nobody waits for them.
  func cancel() { state.change { $0.isCancelled = true } }

  /// The next minibatch and where its samples lie; nil after the last.
  ///
  /// After the end, or an error, every later call gives the same.
  func next() throws -> (BatchSlice, SampleLease)? {
    if !hasThreads { try readAhead() }
    state.changeWaking { state in
      state.isAwaited = state.ready.isEmpty
      return state.isAwaited
    }
    let answer: Result<ConveyorState.Ready?, any Error> = state.wait { state in
      if let first = state.ready.popFirst() {
        state.isAwaited = false
        return .success(first)
      }
      if let failure = state.failure { return .failure(failure) }
      return state.isOver ? .success(nil) : nil
    }
    return try answer.get().map { ($0.slice, SampleLease($0, returnedTo: state)) }
  }

  /// Does the threads' work on this one until a minibatch is there, or none can come.
  private func readAhead() throws {
    let reader = BlockReader(storage, checksFinite: storage.pixelType == .float32)
    while true {
      let job = state.change { state -> ConveyorState.Job? in
        guard state.ready.isEmpty, !state.isOver, state.failure == nil else { return .stop }
        state.isAwaited = true
        return state.nextJob()
      }
      guard let job else {
        throw DatasetError(
          .inputOutput, "the memory limit leaves no room for a minibatch of \(storage.file.path)")
      }
      guard Self.carryOut(job, reader, storage, state) else { return }
    }
  }

  private static func work(_ storage: SampleFile, _ state: Monitor<ConveyorState>) {
    let reader = BlockReader(storage, checksFinite: storage.pixelType == .float32)
    while carryOut(state.wait { $0.nextJob() }, reader, storage, state) {}
  }

  /// - Returns: false when there is nothing left to do.
  private static func carryOut(
    _ job: ConveyorState.Job, _ reader: BlockReader, _ storage: SampleFile, _ state: Monitor<ConveyorState>
  ) -> Bool {
    switch job {
    case .stop: return false
    case .prepare(let number, var schedule, let sampleCount, let wanted):
      let slices = schedule.next(sampleCount: sampleCount)
      let window = SampleWindow(number: number, slices, of: storage, wanted)
      state.change { $0.prepared(window, schedule) }
    case .read(let window, let blocks):
      var failure: ConveyorState.Failure?
      for block in blocks where failure == nil {
        do {
          try reader.read(window.wanted.requests[window.wanted.blocks[block]], into: window.addresses)
        } catch {
          failure = ConveyorState.Failure(block: block, error: error)
        }
      }
      state.changeWaking { $0.finished(blocks.count, of: window, failure) }
    }
    return true
  }
}

/// Some coming minibatches, and where their samples go.
struct SampleWindow: Sendable {
  /// The window's number, from 1.
  let number: Int
  let slices: [BatchSlice]
  let wanted: SampleRequests
  /// The cell that each sample has taken, and its address, in the order of the minibatches.
  let cells: AlignedBuffer<Int32>
  let addresses: AlignedBuffer<UInt>

  init(number: Int, _ slices: [BatchSlice], of storage: SampleFile, _ places: WantedPlaces?) {
    self.number = number
    self.slices = slices
    var rows = slices.flatMap { slice in places?.rows(of: slice) ?? slice.rows }
    // A window without work would never be done.
    if let first = slices.first?.rows.first, rows.allSatisfy({ $0 == SampleRequests.unwanted }) {
      rows[0] = first
    }
    wanted = storage.requests(rows)
    cells = AlignedBuffer(repeatElement(SampleCells.none, count: rows.count))
    addresses = AlignedBuffer(count: rows.count)
  }
}

/// The memory of a minibatch's samples, which is given back when this is let go.
final class SampleLease: Sendable {
  private let ready: ConveyorState.Ready
  private let owner: Monitor<ConveyorState>

  fileprivate init(_ ready: ConveyorState.Ready, returnedTo owner: Monitor<ConveyorState>) {
    self.ready = ready
    self.owner = owner
  }

  deinit { owner.changeWaking { $0.giveBack(ready) } }

  /// Where a sample begins, by its place in the minibatch.
  func address(_ index: Int) -> UnsafeRawPointer {
    let address = ready.window.addresses.baseAddress[ready.places.lowerBound + index]
    // A place whose sample was read has an address.
    return UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped
  }
}

/// What the threads of a conveyor and its reader share.
struct ConveyorState: Sendable {
  enum Job {
    case prepare(number: Int, BatchSchedule, sampleCount: Int, WantedPlaces?)
    case read(SampleWindow, blocks: Range<Int>)
    case stop
  }

  /// A block that could not be read.
  struct Failure: Sendable {
    let block: Int
    let error: any Error
  }

  /// A minibatch whose samples are there.
  struct Ready: Sendable {
    let slice: BatchSlice
    let window: SampleWindow
    /// Its places in the window.
    let places: Range<Int>
  }

  /// A window on its way, with the blocks handed out and done.
  private struct Filling {
    let window: SampleWindow
    var nextBlock = 0
    var finishedBlocks = 0
    /// The failed block that comes first in the file.
    var failure: Failure?

    var hasBlocks: Bool { nextBlock < window.wanted.blocks.count }
    var isComplete: Bool { finishedBlocks == window.wanted.blocks.count }
    /// Whether no block is being read.
    var isQuiet: Bool { finishedBlocks == nextBlock }

    mutating func finish(_ count: Int, _ failure: Failure?) {
      finishedBlocks += count
      guard let failure else { return }
      if let earlier = self.failure, earlier.block < failure.block { return }
      self.failure = failure
    }
  }

  private var cells: SampleCells
  /// Free cells that a thread waits for; 0 where none does.
  private var neededCells = 0
  var ready = ReadyQueue()
  /// Whether the reader waits for a minibatch: then memory is no reason to wait.
  var isAwaited = false
  var isCancelled = false
  private(set) var failure: (any Error)?

  private var schedule: BatchSchedule
  private let wanted: WantedPlaces?
  private let largestWindow: Int
  private let blockCount: Int
  /// Samples of one piece of work; blocks are read several at a time where they are smaller.
  private let samplesPerJob: Int
  private var nextSampleCount: Int
  private var isPreparing = false
  private var isScheduleOver = false
  private var preparedCount = 0
  private var next: SampleWindow?
  /// Windows being filled, in order: one, and the next where all blocks of the first are handed out.
  private var filling: [Filling] = []

  init(
    _ storage: SampleFile, schedule: BatchSchedule, capacity: Int, threads: Int, wanted: WantedPlaces?
  ) {
    self.schedule = schedule
    self.wanted = wanted
    let part = wanted?.share ?? 1
    let batch = Int((Double(schedule.batchSize) * part).rounded(.up))
    let capacity = max(capacity, 2 * batch)
    cells = SampleCells(capacity: capacity, sampleByteCount: storage.sampleByteCount)
    blockCount = storage.blockCount
    samplesPerJob = max(1, min((256 << 10) / max(1, storage.sampleByteCount), capacity / 32))
    // In what a window leaves free, the first blocks of the next can be read: at least one for each thread,
    // better two.
    let share = min(max(0.125, 2 * Double(threads) / Double(blockCount)), 0.5)
    let inMemory = max(batch, min(Int(Double(capacity) * (1 - share)), capacity - 2 * batch))
    largestWindow = max(schedule.batchSize, Int(Double(inMemory) / part))
    nextSampleCount = schedule.batchSize
  }

  /// Whether no minibatch will come any more.
  var isOver: Bool { hasNothingToRead && ready.isEmpty }

  private var hasNothingToRead: Bool { isScheduleOver && !isPreparing && next == nil && filling.isEmpty }

  /// What a thread does next; nil when it must wait.
  mutating func nextJob() -> Job? {
    if isCancelled || failure != nil { return .stop }
    if let window = next, filling.count < 2, filling.allSatisfy({ !$0.hasBlocks }) {
      filling.append(Filling(window: window))
      next = nil
    }
    if next == nil, !isPreparing, !isScheduleOver {
      isPreparing = true
      let count = nextSampleCount
      // While a window meets few of the file's blocks, twice the samples are twice the work.
      nextSampleCount = min(largestWindow, count * (count < blockCount ? 2 : 8))
      preparedCount += 1
      return .prepare(number: preparedCount, schedule, sampleCount: count, wanted)
    }
    // Nothing more is read after a block that could not be read.
    guard filling.allSatisfy({ $0.failure == nil }) else { return nil }
    if let index = filling.firstIndex(where: \.hasBlocks) { return nextRead(index) }
    return hasNothingToRead ? .stop : nil
  }

  /// The next blocks of a window, as many as make a piece of work; nil where there is no memory for them.
  private mutating func nextRead(_ index: Int) -> Job? {
    let window = filling[index].window
    let blocks = window.wanted.blocks
    let first = filling[index].nextBlock
    var end = first + 1
    while end < blocks.count, blocks[end].upperBound - blocks[first].lowerBound <= samplesPerJob { end += 1 }
    // A reader who waits holds no memory that could come back: then one block may exceed the capacity, unless minibatches
    // are about to be ready.
    let mayExceed = isAwaited && index == 0
    for (end, isUrgent) in [(end, false), (first + 1, true)] where !isUrgent || mayExceed {
      let requests = window.wanted.requests[blocks[first].lowerBound..<blocks[end - 1].upperBound]
      if cells.take(requests, numbers: window.cells, addresses: window.addresses, isUrgent: isUrgent) {
        filling[index].nextBlock = end
        return .read(window, blocks: first..<end)
      }
      neededCells = requests.count
    }
    return nil
  }

  /// Takes back the memory of a minibatch, and says whether a thread waited for it.
  mutating func giveBack(_ ready: Ready) -> Bool {
    cells.giveBack(ready.places, of: ready.window.cells)
    guard neededCells > 0, cells.available >= neededCells else { return false }
    neededCells = 0
    return true
  }

  mutating func prepared(_ window: SampleWindow, _ schedule: BatchSchedule) {
    isPreparing = false
    self.schedule = schedule
    if window.slices.isEmpty { isScheduleOver = true } else { next = window }
  }

  /// Notes blocks that are done, and says whether somebody may have waited for that.
  mutating func finished(_ count: Int, of window: SampleWindow, _ failure: Failure?) -> Bool {
    guard let index = filling.firstIndex(where: { $0.window.number == window.number }) else { return false }
    filling[index].finish(count, failure)
    var isNews = false
    while let first = filling.first, first.isComplete, first.failure == nil {
      makeReady(first.window)
      filling.removeFirst()
      isNews = true
    }
    // Blocks are handed out in order, so every earlier one has its say first.
    if let first = filling.first, let failed = first.failure, first.isQuiet {
      self.failure = failed.error
      filling = []
      isNews = true
    }
    return isNews
  }

  private mutating func makeReady(_ window: SampleWindow) {
    var place = 0
    for slice in window.slices {
      let places = place..<place + slice.rows.count
      ready.append(Ready(slice: slice, window: window, places: places))
      place = places.upperBound
    }
    isAwaited = false
  }

  /// First in, first out.
  struct ReadyQueue: Sendable {
    private var items: [Ready?] = []
    private var first = 0

    var isEmpty: Bool { first == items.count }

    mutating func append(_ item: Ready) { items.append(item) }

    mutating func popFirst() -> Ready? {
      guard first < items.count else { return nil }
      let item = items[first]
      items[first] = nil
      first += 1
      if first == items.count || first > 64 {
        items.removeFirst(first)
        first = 0
      }
      return item
    }
  }
}
