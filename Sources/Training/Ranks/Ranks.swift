internal import Datasets
internal import Glibc
public import Parallel

/// The ranks that take the steps of a training together, and how shards are dealt to them.
public struct Ranks: Sendable {
  /// This rank, and its ways to the others.
  public let communicator: any Communicator
  /// The shards of each rank, by rank, for minibatches of so many shards.
  public let partition: @Sendable (_ shards: Int) -> [Range<Int>]
  /// The network between the ranks, as far as it was measured; nil where nothing of it was.
  public let interconnect: Interconnect?
  /// Whether somebody has said how shards are dealt.
  let isDealt: Bool

  /// A training in one process.
  public init() { self.init(SoleRank()) }

  /// Takes ranks and how shards are dealt to them; by default as evenly as is cheap.
  ///
  /// - Parameters:
  ///   - interconnect: the network between them as it was measured; the same on all ranks.
  ///   - partition: must be the same on all ranks, and give all shards in the ranks' order.
  public init(
    _ communicator: any Communicator, interconnect: Interconnect? = nil,
    partition: (@Sendable (_ shards: Int) -> [Range<Int>])? = nil
  ) {
    self.communicator = communicator
    self.interconnect = interconnect
    isDealt = partition != nil
    let size = communicator.size
    self.partition =
      partition ?? { ShardPartition(workers: Array(repeating: 1, count: size)).ranges(of: $0) }
  }
}

extension Ranks {
  var isAlone: Bool { communicator.isAlone }
  var rank: Int { communicator.rank }

  /// The shards that this rank computes of a minibatch.
  func own(_ sharding: Sharding) -> Range<Int> { partition(sharding.count)[rank] }

  /// The samples that this rank computes of a minibatch, by their places in it.
  func ownPlaces(_ sharding: Sharding) -> Range<Int> {
    sharding.samples(of: own(sharding))
  }

  /// The samples whose pixels this rank reads; nil for all.
  ///
  /// - Parameters:
  ///   - batch: samples of a minibatch.
  ///   - augmentation: what makes samples of several.
  func wantedPlaces(
    batch: Int, shardSize: Int, augmentation: Augmentation = .none, seed: UInt64 = 0
  ) -> WantedPlaces? {
    if isAlone { return nil }
    let own = ownPlaces(Sharding(sampleCount: batch, shardSize: shardSize)).count
    let share = Double(own) / Double(max(batch, 1)) * (augmentation.mixes ? 2 : 1)
    // A short minibatch may be divided otherwise.
    return WantedPlaces(share: min(max(share, 1 / Double(max(batch, 1))), 1)) {
      [self] epoch, position, count in
      augmentation.places(
        for: ownPlaces(Sharding(sampleCount: count, shardSize: shardSize)), seed: seed, epoch: epoch,
        position: position, count: count)
    }
  }

  /// Whether every rank did what it had to do; none goes on where one did not.
  ///
  /// A signal that one of them got asks all of them to stop.
  func agree(_ isDone: Bool, stop: StopRequest) throws(CommunicationError) -> Bool {
    if isAlone { return isDone }
    let states = try communicator.gather(RankState(isDone: isDone, signal: stop.signalNumber ?? 0))
    if states.allSatisfy(\.isDone) { return true }
    if let signal = states.first(where: { $0.signal != 0 })?.signal { stop.request(signal: signal) }
    return false
  }

  private struct RankState: BitwiseCopyable {
    let isDone: Bool
    let signal: Int32
  }

  /// Does work that may take some ranks long and others no time, each for itself; none goes on before all are done.
  ///
  /// Meanwhile ranks tell each other that they are there, so that nobody who waits takes the others for lost.
  /// - Throws: what `work` throws, on the rank where it does; ``CommunicationError``.
  func workingApart<Result: Sendable>(
    stop: StopRequest, _ work: @escaping @Sendable () throws -> Result
  ) throws -> Result {
    if isAlone { return try work() }
    let outcome = Monitor<Swift.Result<Result, any Error>?>(nil)
    let run: @Sendable () -> Void = {
      let result = Swift.Result { try work() }
      outcome.change { $0 = result }
    }
    if !SystemThread.start(run) { run() }
    while true {
      let result = outcome.change { $0 }
      if case .failure(let error)? = result { throw error }
      if try agree(result != nil, stop: stop), let result { return try result.get() }
      usleep(20_000)
    }
  }

  /// What the rank with the lowest number found, of those that found something.
  func firstFound(_ own: NonFinite?) throws(CommunicationError) -> NonFinite? {
    if isAlone { return own }
    return try communicator.gather(text: own?.text ?? "").lazy.compactMap { NonFinite(text: $0) }.first
  }
}

extension NonFinite {
  private static let separator: Character = "\u{0}"

  /// The place as one text, for other ranks.
  fileprivate var text: String {
    let fields = [what, "\(samples.lowerBound)", "\(samples.upperBound)", layer ?? ""]
    return fields.joined(separator: String(Self.separator))
  }

  fileprivate init?(text: String) {
    let fields = text.split(separator: Self.separator, omittingEmptySubsequences: false).map(String.init)
    guard fields.count == 4, let first = Int(fields[1]), let end = Int(fields[2]), first <= end else {
      return nil
    }
    self.init(what: fields[0], samples: first..<end, layer: fields[3].isEmpty ? nil : fields[3])
  }
}
