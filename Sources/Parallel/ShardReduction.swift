internal import Tensors

/// Sums the gradients of a minibatch's shards over a ``SumTree``, in two passes over the same workers.
///
/// ``collect(shards:on:while:_:)`` computes shards into buffers from a fixed store. While there is room every shard keeps
/// its own buffer; when room gets short, workers add up finished neighbours of the tree, which frees a buffer each.
/// ``reduce(on:slices:_:)`` then goes over slices of the flat buffer, adds what is left in the tree's order while the slice
/// is in cache, and hands it to the optimizer. Since every addition belongs to the tree, how many buffers there are,
/// how many workers, and who finished first change no bit.
public final class ShardReduction: Sendable {
  /// Floats of one gradient buffer.
  public let length: Int
  /// Gradient buffers that shards and their partial sums share.
  public let bufferCount: Int
  /// All buffers one after the other, each on a cache line.
  private let storage: AlignedBuffer<Float>
  private let state = Guarded(State())
  private let scratch: [AlignedBuffer<Float>]

  /// Elements of the slices that ``reduce(on:slices:_:)`` takes at most; five such rows fit into a first-level cache.
  public static let sliceLength = 2048

  fileprivate struct State {
    var tree = SumTree(count: 1)
    var notStarted = 0
    /// Buffers without contents.
    var free: [Int] = []
    /// Buffers promised to a worker, by worker.
    var reserved: [Int?] = []
    /// Finished partial sums that no worker is adding at the moment.
    var finished: [SumTree.Node: Int] = [:]
  }

  /// Takes all memory that minibatches of up to this many shards need.
  ///
  /// - Parameters:
  ///   - length: floats of a gradient, a multiple of the lanes.
  ///   - maximumShards: the most shards of any minibatch.
  ///   - workers: how many workers the pool has that will collect.
  ///   - byteBudget: memory to use for buffers, beyond ``neededBuffers(shards:workers:)``, which are always there (or one for
  ///     each shard if those are fewer).
  public init(length: Int, maximumShards: Int, workers: Int, byteBudget: Int = 64 << 20) {
    precondition(
      length % Lanes.scalarCount == 0, "\(length) floats are not a multiple of \(Lanes.scalarCount)")
    precondition(maximumShards >= 1, "a minibatch has at least 1 shard, got \(maximumShards)")
    precondition(workers >= 1, "a reduction needs at least 1 worker, got \(workers)")
    let needed = Self.neededBuffers(shards: maximumShards, workers: workers)
    let affordable = byteBudget / max(length * MemoryLayout<Float>.stride, 1)
    self.length = length
    bufferCount = min(maximumShards, max(needed, affordable))
    storage = AlignedBuffer(count: bufferCount * length)
    let rows = SumTree(count: maximumShards).height + 1
    scratch = (0..<workers).map { _ in AlignedBuffer(count: rows * ShardReduction.sliceLength) }
  }

  /// How many buffers let every worker but one go on to the end of a minibatch, however long that one takes for its shard.
  ///
  /// Around a shard that is missing, the sums of up to log₂ shards − 1 complete subtrees wait on either side. Each worker holds
  /// a buffer, and each of the others may have finished a shard whose neighbour is still being computed.
  static func neededBuffers(shards: Int, workers: Int) -> Int {
    let height = SumTree(count: shards).height
    return max(2 * workers + height + 1, 2 * workers + 2 * height - 4)
  }

  // MARK: - Collecting

  /// Computes the gradients of `shards` shards.
  ///
  /// - Parameters:
  ///   - mayContinue: asked before each shard; once it says no, shards in hand are finished and the rest is left out.
  ///   - body: writes the gradient of a shard, all `length` floats of it.
  /// - Returns: false when some shards were left out; there is nothing to reduce then.
  public func collect<Failure: Error>(
    shards: Int, on pool: WorkerPool, while mayContinue: @Sendable () -> Bool = { true },
    _ body:
      @Sendable (_ shard: Int, _ worker: Int, _ gradient: UnsafeMutablePointer<Float>) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    precondition(pool.workerCount <= scratch.count, "made for \(scratch.count) workers")
    state.withLock { state in
      state.tree = SumTree(count: shards)
      state.notStarted = shards
      state.free = Array((0..<bufferCount).reversed())
      state.reserved = Array(repeating: nil, count: pool.workerCount)
      state.finished.removeAll(keepingCapacity: true)
    }
    var next = 0
    while next < shards {
      // A worker that finds no buffer leaves the pass instead of waiting. What then is left over starts another pass; with
      // nothing in flight all neighbours can be added, so at least one buffer is free and every pass gets further.
      next = try pool.forEach(
        in: next..<shards, while: { worker in mayContinue() && self.reserve(for: worker) }
      ) { shard, worker throws(Failure) in
        let buffer = self.takeReserved(by: worker)
        try body(shard, worker, self.address(of: buffer))
        self.finish(.leaf(shard), buffer: buffer, workers: pool.workerCount)
      }
      state.withLock { state in
        for worker in state.reserved.indices {
          if let buffer = state.reserved[worker] { state.free.append(buffer) }
          state.reserved[worker] = nil
        }
      }
      if next < shards, !mayContinue() { return false }
    }
    return true
  }

  /// Sets a buffer aside for a worker's next shard; false when there is none, even after adding up neighbours.
  private func reserve(for worker: Int) -> Bool {
    while true {
      let found = state.withLock { state in
        if state.reserved[worker] == nil { state.reserved[worker] = state.free.popLast() }
        return state.reserved[worker] != nil
      }
      if found { return true }
      guard let pair = state.withLock({ $0.takePair() }) else { return false }
      merge(pair)
    }
  }

  private func takeReserved(by worker: Int) -> Int {
    state.withLock { state in
      state.notStarted -= 1
      let buffer = state.reserved[worker]
      state.reserved[worker] = nil
      precondition(buffer != nil, "worker \(worker) has no buffer reserved")
      return buffer ?? 0
    }
  }

  private func finish(_ node: SumTree.Node, buffer: Int, workers: Int) {
    state.withLock { $0.finished[$0.tree.raised(node)] = buffer }
    while let pair = state.withLock({ state in
      state.free.count < min(workers, state.notStarted) ? state.takePair() : nil
    }) {
      merge(pair)
    }
  }

  private func address(of buffer: Int) -> UnsafeMutablePointer<Float> {
    storage.baseAddress + buffer * length
  }

  fileprivate struct Pair {
    let parent: SumTree.Node
    let left: Int
    let right: Int
  }

  private func merge(_ pair: Pair) {
    let left = address(of: pair.left)
    add(left, address(of: pair.right), into: left, count: length)
    state.withLock { state in
      state.finished[state.tree.raised(pair.parent)] = pair.left
      state.free.append(pair.right)
    }
  }

  // MARK: - Reducing

  /// Hands out the sum of all shards, slice by slice, each to one worker.
  ///
  /// - Parameters:
  ///   - slices: ranges of the flat buffer, multiples of the lanes, none longer than ``sliceLength``.
  ///   - body: gets the sum of a slice in memory that is its own for the call.
  public func reduce<Failure: Error>(
    on pool: WorkerPool, slices: [Range<Int>],
    _ body:
      @Sendable (_ slice: Int, _ worker: Int, _ gradient: UnsafeMutablePointer<Float>) throws(Failure) ->
      Void
  ) throws(Failure) {
    let program = state.withLock { state in SumProgram(state.tree) { state.finished[$0] } }
    try pool.forEach(count: slices.count) { slice, worker throws(Failure) in
      let range = slices[slice]
      precondition(
        range.count <= ShardReduction.sliceLength && range.count % Lanes.scalarCount == 0,
        "slice \(range) is too long, or not a multiple of \(Lanes.scalarCount)")
      let row = self.scratch[worker].baseAddress
      program.run(
        partials: self.storage.baseAddress + range.lowerBound, stride: self.length, count: range.count,
        scratch: row, rowLength: ShardReduction.sliceLength)
      try body(slice, worker, row)
    }
  }

  /// Finished partial sums in order, with the shards each stands for: where to look for a number gone bad.
  public var partials: [(shards: Range<Int>, gradient: UnsafePointer<Float>)] {
    state.withLock { state in
      state.finished.map { (state.tree.leaves(of: $0.key), $0.value) }
    }.sorted { $0.0.lowerBound < $1.0.lowerBound }
      .map { ($0.0, UnsafePointer(address(of: $0.1))) }
  }
}

extension ShardReduction.State {
  /// Takes out two finished neighbours, the lowest ones first.
  fileprivate mutating func takePair() -> ShardReduction.Pair? {
    let lefts = finished.keys.filter { $0.isLeft && finished[$0.sibling] != nil }
    guard let node = lefts.min(by: { ($0.level, $0.index) < ($1.level, $1.index) }),
      let left = finished.removeValue(forKey: node),
      let right = finished.removeValue(forKey: node.sibling)
    else { return nil }
    return ShardReduction.Pair(parent: node.parent, left: left, right: right)
  }
}
