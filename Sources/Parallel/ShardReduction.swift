internal import Tensors

/// Sums the gradients of a minibatch's shards over a ``SumTree``, in two passes over the same workers.
///
/// ``collect(shards:on:while:_:)`` computes shards into buffers from a fixed store. While there is room every shard keeps
/// its own buffer; when room gets short, workers add up finished neighbours of the tree, which frees a buffer each.
/// ``reduce(on:slices:_:)`` then goes over slices of the flat buffer, adds what is left in the tree's order while the slice
/// is in cache, and hands it to the optimizer. Since every addition belongs to the tree, how many buffers there are,
/// how many workers, and who finished first change no bit.
///
/// Where several ranks share a minibatch, each collects a part of its shards and ``pack(_:slices:on:into:)`` gives what it knows of the sum;
/// who owns a slice goes on with that of the others (``ForeignSums``). Whose shards are whose changes no bit either.
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
  ///   - collectsParts: whether a part of a minibatch's shards may be collected, which leaves more sums unfinished.
  ///   - byteBudget: memory to use for buffers, beyond ``neededBuffers(shards:workers:ofPart:)``, which are always there (or one
  ///     for each shard if those are fewer).
  public init(
    length: Int, maximumShards: Int, workers: Int, collectsParts: Bool = false, byteBudget: Int = 64 << 20
  ) {
    precondition(
      length % Lanes.scalarCount == 0, "\(length) floats are not a multiple of \(Lanes.scalarCount)")
    precondition(maximumShards >= 1, "a minibatch has at least 1 shard, got \(maximumShards)")
    precondition(workers >= 1, "a reduction needs at least 1 worker, got \(workers)")
    self.length = length
    bufferCount = Self.bufferCount(
      length: length, maximumShards: maximumShards, workers: workers, collectsParts: collectsParts,
      byteBudget: byteBudget)
    storage = AlignedBuffer(count: bufferCount * length)
    let rows = SumTree(count: maximumShards).height + 1
    scratch = (0..<workers).map { _ in AlignedBuffer(count: rows * ShardReduction.sliceLength) }
  }

  /// How many gradient buffers a reduction takes, by what ``init(length:maximumShards:workers:collectsParts:byteBudget:)`` is told.
  public static func bufferCount(
    length: Int, maximumShards: Int, workers: Int, collectsParts: Bool = false, byteBudget: Int = 64 << 20
  ) -> Int {
    let needed = neededBuffers(shards: maximumShards, workers: workers, ofPart: collectsParts)
    let affordable = byteBudget / max(length * MemoryLayout<Float>.stride, 1)
    return min(maximumShards, max(needed, affordable))
  }

  /// How many buffers let every worker but one go on to the end of a minibatch, however long that one takes for its shard.
  ///
  /// Around a shard that is missing, the sums of up to log₂ shards − 1 complete subtrees wait on either side. Each worker holds
  /// a buffer, and each of the others may have finished a shard whose neighbour is still being computed. Sums at both ends of a
  /// part wait for shards of others.
  static func neededBuffers(shards: Int, workers: Int, ofPart isPart: Bool = false) -> Int {
    let height = SumTree(count: shards).height
    let whole = max(2 * workers + height + 1, 2 * workers + 2 * height - 4)
    return isPart ? whole + 2 * height + 1 : whole
  }

  // MARK: - Collecting

  /// Computes the gradients of the shards of a minibatch.
  ///
  /// - Parameters:
  ///   - shards: how many the minibatch has.
  ///   - part: those that are computed here; nil for all.
  ///   - mayContinue: asked before each shard; once it says no, shards in hand are finished and the rest is left out.
  ///   - body: writes the gradient of a shard, all `length` floats of it.
  /// - Returns: false when some shards were left out; there is nothing to reduce then.
  public func collect<Failure: Error>(
    shards: Int, part: Range<Int>? = nil, on pool: WorkerPool,
    while mayContinue: @Sendable () -> Bool = { true },
    _ body:
      @Sendable (_ shard: Int, _ worker: Int, _ gradient: UnsafeMutablePointer<Float>) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    precondition(pool.workerCount <= scratch.count, "made for \(scratch.count) workers")
    let part = part ?? 0..<shards
    state.withLock { state in
      state.tree = SumTree(count: shards)
      state.notStarted = part.count
      state.free = Array((0..<bufferCount).reversed())
      state.reserved = Array(repeating: nil, count: pool.workerCount)
      state.finished.removeAll(keepingCapacity: true)
    }
    var next = part.lowerBound
    while next < part.upperBound {
      // A worker that finds no buffer leaves the pass instead of waiting. What then is left over starts another pass; with
      // nothing in flight all neighbours can be added, so at least one buffer is free and every pass gets further.
      next = try pool.forEach(
        in: next..<part.upperBound, while: { worker in mayContinue() && self.reserve(for: worker) }
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
      if next < part.upperBound, !mayContinue() { return false }
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
  ///   - foreign: what others know of the sum, where not all shards were collected here.
  ///   - body: gets the sum of a slice in memory that is its own for the call.
  public func reduce<Failure: Error>(
    on pool: WorkerPool, slices: [Range<Int>], with foreign: ForeignSums = ForeignSums(),
    _ body:
      @Sendable (_ slice: Int, _ worker: Int, _ gradient: UnsafeMutablePointer<Float>) throws(Failure) ->
      Void
  ) throws(Failure) {
    let program = state.withLock { state in
      SumProgram(state.tree) { node in
        state.finished[node] ?? foreign.nodes.firstIndex(of: node).map { self.bufferCount + $0 }
      }
    }
    let operands = Operands((0..<bufferCount).map { UnsafePointer(address(of: $0)) } + foreign.origins)
    try pool.forEach(count: slices.count) { slice, worker throws(Failure) in
      let row = self.run(program, operands, slices[slice], worker)
      try body(slice, worker, row)
    }
  }

  /// Writes what the collected shards give of a sum: of each slice, the partial sums of some nodes.
  ///
  /// - Parameters:
  ///   - nodes: all of whose shards were collected.
  ///   - slices: ranges of the flat buffer, multiples of the lanes, none longer than ``sliceLength``.
  ///   - target: where the sum of a node's slice goes.
  public func pack(
    _ nodes: [SumTree.Node], slices: [Range<Int>], on pool: WorkerPool,
    into target: @Sendable (_ node: Int, _ slice: Int) -> UnsafeMutablePointer<Float>
  ) {
    let programs = state.withLock { state in
      nodes.map { SumProgram(state.tree, of: $0) { state.finished[$0] } }
    }
    let operands = Operands((0..<bufferCount).map { UnsafePointer(address(of: $0)) })
    pool.forEach(count: slices.count) { slice, worker in
      for (node, program) in programs.enumerated() {
        let row = self.run(program, operands, slices[slice], worker)
        target(node, slice).update(from: row, count: slices[slice].count)
      }
    }
  }

  /// Addresses that workers share.
  private struct Operands: @unchecked Sendable {
    // @unchecked because nobody writes what they point to while programs run.
    let addresses: [UnsafePointer<Float>]
    init(_ addresses: [UnsafePointer<Float>]) { self.addresses = addresses }
  }

  /// The sum of one slice, in a worker's own memory.
  private func run(
    _ program: SumProgram, _ operands: Operands, _ range: Range<Int>, _ worker: Int
  ) -> UnsafeMutablePointer<Float> {
    precondition(
      range.count <= ShardReduction.sliceLength && range.count % Lanes.scalarCount == 0,
      "slice \(range) is too long, or not a multiple of \(Lanes.scalarCount)")
    let row = scratch[worker].baseAddress
    operands.addresses.withUnsafeBufferPointer { operands in
      guard let base = operands.baseAddress else { return }
      program.run(
        base, offset: range.lowerBound, count: range.count, scratch: row,
        rowLength: ShardReduction.sliceLength)
    }
    return row
  }

  /// Finished partial sums in order, with the shards each stands for: where to look for a number gone bad.
  public var partials: [(shards: Range<Int>, gradient: UnsafePointer<Float>)] {
    state.withLock { state in
      state.finished.map { (state.tree.leaves(of: $0.key), $0.value) }
    }.sorted { $0.0.lowerBound < $1.0.lowerBound }
      .map { ($0.0, UnsafePointer(address(of: $0.1))) }
  }
}

/// Partial sums of shards that others computed.
public struct ForeignSums: @unchecked Sendable {
  // @unchecked because whoever makes it keeps the memory, and nobody writes it meanwhile.

  /// The nodes of the minibatch's tree that they are.
  let nodes: [SumTree.Node]
  /// The address that element 0 of each would have.
  let origins: [UnsafePointer<Float>]

  /// None.
  public init() { (nodes, origins) = ([], []) }

  /// Takes partial sums of a part of the flat buffer.
  ///
  /// - Parameters:
  ///   - sums: nodes, and where their sums of the part begin.
  ///   - part: the first element that they have of the flat buffer.
  public init(_ sums: [(node: SumTree.Node, start: UnsafePointer<Float>)], from part: Int) {
    nodes = sums.map(\.node)
    origins = sums.map { $0.start - part }
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
