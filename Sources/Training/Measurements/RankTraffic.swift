internal import Compute
public import Parallel

/// What ranks that train together tell each other.
public struct RankTraffic: Sendable {
  /// How many ranks there are.
  public let ranks: Int
  /// Bytes that this rank sends in a full step: partial sums, parameters, and rows and words for gradients over the whole minibatch.
  public let bytesSent: Double
  /// The network between them as it was measured; nil where it was not.
  public let network: Interconnect?
}

extension Benchmark {
  /// What this rank tells the others; nil where it is alone.
  public func traffic() throws -> RankTraffic? {
    let ranks = engine.ranks
    if ranks.isAlone { return nil }
    return RankTraffic(
      ranks: ranks.communicator.size,
      bytesSent: engine.bytesSent(samples: configuration.training.samplesPerStep), network: ranks.interconnect
    )
  }
}
