/// Ranks that are threads of one process: several nodes for proofs and tests, without a network.
///
/// Each has what a process of its own would have, and they talk through a ``Communicator`` alone.
public final class RankThreads: Sendable {
  /// How many ranks there are.
  public let size: Int
  private let state: Monitor<State>

  private struct State: Sendable {
    /// What each rank of the round has to give and to take.
    var calls: [Call?]
    var arrived = 0
    var left = 0
    var round = 0
    var reason: String?
  }

  /// A rank's part of a round.
  private struct Call: @unchecked Sendable {
    // @unchecked because the addresses stay valid until the round is over, for which every rank waits.
    let outgoing: [UnsafeRawBufferPointer]
    let isGather: Bool
  }

  /// Makes this many ranks.
  public init(size: Int) {
    precondition(size >= 1, "there is at least 1 rank, got \(size)")
    self.size = size
    state = Monitor(State(calls: Array(repeating: nil, count: size)))
  }

  /// Runs `body` once for each rank, each on a thread of its own, and waits for all.
  ///
  /// - Returns: what each gave, by rank.
  /// - Throws: the error of the rank that failed first; the others then fail, too.
  public static func run<Result: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (any Communicator) throws -> Result
  ) throws -> [Result] {
    let ranks = RankThreads(size: size)
    let ended = Monitor(Ended<Result>(results: Array(repeating: nil, count: size)))
    for rank in 0..<size {
      let work: @Sendable () -> Void = {
        let communicator = RankThread(ranks: ranks, rank: rank)
        do {
          let result = try body(communicator)
          ended.change { $0.results[rank] = result }
        } catch {
          ended.change { if $0.error == nil { $0.error = error } }
          ranks.fail("rank \(rank) failed: \(error)")
        }
        ended.change { $0.count += 1 }
      }
      guard SystemThread.start(work) else {
        ranks.fail("there is no thread for rank \(rank)")
        throw CommunicationError("the system gives no thread for rank \(rank) of \(size)")
      }
    }
    return try ended.wait { $0.count == size ? $0 : nil }.get()
  }

  private struct Ended<Result: Sendable>: Sendable {
    var results: [Result?]
    var count = 0
    var error: (any Error)?

    func get() throws -> [Result] {
      if let error { throw error }
      return results.compactMap(\.self)
    }
  }

  /// Makes all calls fail, those that wait and those to come.
  fileprivate func fail(_ reason: String) { state.change { if $0.reason == nil { $0.reason = reason } } }

  /// Meets the others, copies what they have for this rank, and waits until all have done so.
  fileprivate func trade(
    _ rank: Int, _ outgoing: [UnsafeRawBufferPointer], isGather: Bool,
    take: (_ from: Int, _ bytes: UnsafeRawBufferPointer) throws(CommunicationError) -> Void
  ) throws(CommunicationError) {
    let round = state.change { state in
      state.calls[rank] = Call(outgoing: outgoing, isGather: isGather)
      state.arrived += 1
      return state.round
    }
    let met = state.wait { state -> (calls: [Call?], reason: String?)? in
      if let reason = state.reason { return ([], reason) }
      return state.arrived == self.size || state.round > round ? (state.calls, nil) : nil
    }
    if let reason = met.reason { throw CommunicationError(reason) }
    for (other, call) in met.calls.enumerated() where other != rank {
      guard let call, call.isGather == isGather else {
        throw CommunicationError("rank \(other) is at another place of the program than rank \(rank)")
      }
      try take(other, call.outgoing[rank])
    }
    state.change { state in
      state.left += 1
      guard state.left == self.size else { return }
      state.calls = Array(repeating: nil, count: self.size)
      (state.arrived, state.left) = (0, 0)
      state.round += 1
    }
    let reason = state.wait { state -> String?? in
      if state.round > round { return .some(nil) }
      return state.reason.map { .some($0) }
    }
    if let reason { throw CommunicationError(reason) }
  }
}

/// One of ``RankThreads``.
private struct RankThread: Communicator {
  let ranks: RankThreads
  let rank: Int

  var size: Int { ranks.size }
  var nodes: [String] { (0..<size).map { "thread \($0)" } }

  /// Does it all at once: the others have their part ready, or will have it before they wait for anything.
  func startExchange(
    _ outgoing: [UnsafeRawBufferPointer], _ incoming: [UnsafeMutableRawBufferPointer]
  ) throws(CommunicationError) -> Exchange {
    precondition(
      outgoing.count == size && incoming.count == size, "an exchange has one part for each of \(size) ranks")
    try ranks.trade(rank, outgoing, isGather: false) { other, bytes throws(CommunicationError) in
      guard bytes.count == incoming[other].count else {
        throw CommunicationError(
          "rank \(other) sends \(bytes.count) bytes, and rank \(rank) expects \(incoming[other].count)")
      }
      incoming[other].copyMemory(from: bytes)
    }
    return Exchange(number: 0)
  }

  func finish(_ exchange: Exchange) {}

  func gather(_ base: UnsafeMutableRawPointer, parts: [Range<Int>]) throws(CommunicationError) {
    precondition(parts.count == size, "a gather has one part for each of \(size) ranks")
    let own = UnsafeRawBufferPointer(start: base + parts[rank].lowerBound, count: parts[rank].count)
    let outgoing = [UnsafeRawBufferPointer](repeating: own, count: size)
    try ranks.trade(rank, outgoing, isGather: true) { other, bytes throws(CommunicationError) in
      guard bytes.count == parts[other].count else {
        throw CommunicationError(
          "rank \(other) has \(bytes.count) bytes, and rank \(rank) expects \(parts[other].count)")
      }
      (base + parts[other].lowerBound).copyMemory(
        from: bytes.baseAddress ?? UnsafeRawPointer(base), byteCount: bytes.count)
    }
  }

  func abort(code: Int32) { ranks.fail("rank \(rank) gave up with exit code \(code)") }
}
