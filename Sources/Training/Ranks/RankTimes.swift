internal import Parallel

/// Where an epoch's time went on each rank: `ranks.csv` in the run's directory, of trainings on several ranks.
struct RankTimes: Sendable {
  /// The ranks' phases of all steps of the epoch, by rank.
  let phases: [StepPhases]
  /// Seconds of waiting for minibatches, by rank.
  let dataWait: [Double]
  /// The nodes of the ranks, by rank.
  let nodes: [String]

  /// Gathers what each rank has measured; nil where there is one.
  init?(_ own: StepPhases, dataWait: Double, _ communicator: any Communicator) throws(CommunicationError) {
    guard !communicator.isAlone else { return nil }
    phases = try communicator.gather(own)
    self.dataWait = try communicator.gather(dataWait)
    nodes = communicator.nodes
  }

  static let columns =
    ["step", "epoch", "rank", "node", "data_wait_seconds"] + StepPhases.columns.map { "\($0)_seconds" }

  /// The rows of an epoch's end, one for each rank.
  func rows(epoch: Int, step: Int) -> [[String]] {
    phases.indices.map { rank in
      let seconds = [dataWait[rank]] + StepPhases.all.map { phases[rank][keyPath: $0] }
      return ["\(step)", "\(epoch)", "\(rank)", nodes[rank].replacing(",", with: "_")]
        + seconds.map { "\(($0 * 1000).rounded() / 1000)" }
    }
  }

  /// The rank that computed longest, against the mean, in words for the log.
  var slowest: String {
    let times = phases.map(\.shards)
    let mean = times.reduce(0, +) / Double(times.count)
    let rank = times.indices.max { times[$0] < times[$1] } ?? 0
    let excess = mean > 0 ? Int(((times[rank] / mean - 1) * 100).rounded()) : 0
    let exchange = phases.map(\.exchange).max() ?? 0
    return "slowest rank \(rank) (\(nodes[rank])), \(excess)% above the mean; exchange up to "
      + "\((exchange * 1000).rounded() / 1000) s"
  }
}

extension StepPhases {
  /// The phases' names in tables, in the order of ``all``.
  static let columns = ["shards", "waiting", "update", "exchange", "kernel_weights"]
}
