/// How the shards of a minibatch are dealt to ranks: to each a range, in the ranks' order.
///
/// Every addition belongs to the tree over all shards, so that the partition changes no bit; it decides how long a step takes. A rank
/// tells the others one partial sum for each of its range's maximal nodes (``SumTree/maximalNodes(in:)``): ranges that begin
/// and end at multiples of a power of two have few, while even ranges may have many.
public struct ShardPartition: Sendable {
  /// The workers of each rank, by rank.
  public let workers: [Int]
  /// What telling one partial sum costs, in times of a shard on one worker.
  public let nodeCost: Double

  /// Takes who there is.
  ///
  /// - Parameters:
  ///   - workers: the workers of each rank, 1 or more each.
  ///   - nodeCost: what telling one partial sum costs, in times of a shard on one worker.
  public init(workers: [Int], nodeCost: Double = 0.25) {
    precondition(
      !workers.isEmpty && workers.allSatisfy { $0 >= 1 }, "every rank has a worker, got \(workers)")
    self.workers = workers
    self.nodeCost = nodeCost
  }

  /// The shards of each rank, by rank; some may have none.
  ///
  /// Of the divisions in proportion to the workers, with bounds at multiples of 1, 2, 4 and so on, the one whose slowest rank is
  /// done first; of several, the one that sends the least.
  /// - Parameter count: shards of the minibatch, 0 or more.
  public func ranges(of count: Int) -> [Range<Int>] {
    guard count > 0 else { return workers.map { _ in 0..<0 } }
    let tree = SumTree(count: count)
    var best: (time: Double, nodes: Int, ranges: [Range<Int>])?
    var unit = 1
    while unit <= count {
      let ranges = proportional(count, unit: unit)
      let nodes = ranges.map { tree.maximalNodes(in: $0).count }
      let time = ranges.indices.map { seconds(ranges[$0].count, nodes[$0], rank: $0) }.max() ?? 0
      let sent = nodes.reduce(0, +)
      if best.map({ (time, sent) < ($0.time, $0.nodes) }) ?? true { best = (time, sent, ranges) }
      unit *= 2
    }
    return best?.ranges ?? proportional(count, unit: 1)
  }

  /// How long a rank takes for its shards and for telling their sums, in times of a shard on one worker.
  private func seconds(_ shards: Int, _ nodes: Int, rank: Int) -> Double {
    Double((shards + workers[rank] - 1) / workers[rank]) + nodeCost * Double(nodes)
  }

  private func proportional(_ count: Int, unit: Int) -> [Range<Int>] {
    let all = workers.reduce(0, +)
    var (ranges, before, start) = ([Range<Int>](), 0, 0)
    for share in workers {
      before += share
      let exact = Double(count) * Double(before) / Double(all)
      let end = before == all ? count : min(max(Int((exact / Double(unit)).rounded()) * unit, start), count)
      ranges.append(start..<end)
      start = end
    }
    return ranges
  }
}
