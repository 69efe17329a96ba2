/// How the shards of a minibatch are dealt to ranks: to each a range, in the ranks' order.
///
/// Every addition belongs to the tree over all shards, so that the partition changes no bit; it decides how long a step takes. A rank
/// tells the others one partial sum for each of its range's maximal nodes (``SumTree/maximalNodes(in:)``): ranges that begin
/// and end at multiples of a power of two have few, while even ranges may have many.
public struct ShardPartition: Hashable, Sendable {
  /// The workers of each rank, by rank.
  public let workers: [Int]
  /// What telling one partial sum costs, in times of a shard on one worker.
  public let nodeCost: Double

  /// Takes who there is.
  ///
  /// - Parameters:
  ///   - workers: the workers of each rank, 1 or more each.
  ///   - nodeCost: what telling one partial sum costs, in times of a shard on one worker, 0 or more; a ``StepCostModel`` knows it.
  public init(workers: [Int], nodeCost: Double = 0.25) {
    precondition(
      !workers.isEmpty && workers.allSatisfy { $0 >= 1 }, "every rank has a worker, got \(workers)")
    precondition(nodeCost >= 0 && nodeCost.isFinite, "a partial sum costs 0 or more, got \(nodeCost)")
    self.workers = workers
    self.nodeCost = nodeCost
  }

  /// The shards of each rank, by rank; some may have none.
  ///
  /// Up to 384 shards and 256 ranks no other division takes less time (``time(_:)``), and of those that take as long none sends fewer partial
  /// sums in all. Beyond, the best of some is taken: those with bounds at multiples of a power of two, and those in proportion to the workers.
  /// - Parameter count: shards of the minibatch, 0 or more.
  public func ranges(of count: Int) -> [Range<Int>] {
    guard count > 0 else { return workers.map { _ in 0..<0 } }
    if workers.count == 1 { return [0..<count] }
    let search = PartitionSearch(workers: workers, tree: SumTree(count: count))
    if search.isWhole { return fastest(search) }
    var candidates = proportional(count)
    if workers.count <= Self.mostSearchedRanks { candidates.insert(fastest(search), at: 0) }
    let times = candidates.map(time)
    let best = times.indices.min { times[$0] < times[$1] } ?? 0
    return candidates[best]
  }

  fileprivate static let mostSearchedRanks = 256

  /// The fastest division that a search can find.
  private func fastest(_ search: PartitionSearch) -> [Range<Int>] {
    // The fewest turns that any division needs, and then the price of having less to tell.
    let least = search.fewestTurns(nodes: search.mostNodes)
    var best = (time: time(turns: least, nodes: search.mostNodes), turns: least, nodes: search.mostNodes)
    for nodes in 1..<search.mostNodes {
      guard time(turns: least, nodes: nodes) < best.time else { break }
      let turns = search.fewestTurns(nodes: nodes)
      let time = time(turns: turns, nodes: nodes)
      if time < best.time { best = (time, turns, nodes) }
    }
    return search.ranges(turns: best.turns, nodes: best.nodes)
  }

  /// Divisions in proportion to the workers, with bounds at multiples of 1, 2, 4 and so on.
  private func proportional(_ count: Int) -> [[Range<Int>]] {
    let all = workers.reduce(0, +)
    var divisions: [[Range<Int>]] = []
    var unit = 1
    while unit <= count {
      var (ranges, before, start) = ([Range<Int>](), 0, 0)
      for own in workers {
        before += own
        let exact = Double(count) * Double(before) / Double(all)
        let end =
          before == all ? count : min(max(Int((exact / Double(unit)).rounded()) * unit, start), count)
        ranges.append(start..<end)
        start = end
      }
      divisions.append(ranges)
      unit *= 2
    }
    return divisions
  }

  /// How long ranks take together for their shards and for telling their sums, in times of a shard on one worker: as long as the slowest in
  /// each.
  ///
  /// - Parameter ranges: the shards of each rank, by rank, together all shards of the minibatch.
  public func time(_ ranges: [Range<Int>]) -> Double {
    let count = ranges.last?.upperBound ?? 0
    guard count > 0 else { return 0 }
    let tree = SumTree(count: count)
    return time(
      turns: zip(ranges, workers).map { ($0.count + $1 - 1) / $1 }.max() ?? 0,
      nodes: ranges.map { tree.nodeCount(in: $0) }.max() ?? 0)
  }

  private func time(turns: Int, nodes: Int) -> Double { Double(turns) + nodeCost * Double(nodes) }
}

/// Looks for divisions in which no rank takes more than some turns of its workers, nor tells more than some partial sums.
///
/// Every choice follows from numbers alone, so that all ranks come to the same division.
private struct PartitionSearch {
  private let workers: [Int]
  private let tree: SumTree
  /// What all bounds but the last are multiples of.
  private let unit: Int
  /// The bounds that ranges may have, ascending, with both ends.
  private let bounds: [Int]
  /// The workers of the first ranks, by their number.
  private let before: [Int]

  init(workers: [Int], tree: SumTree) {
    self.workers = workers
    self.tree = tree
    let most = max(384, 2 * workers.count)
    var unit = 1
    while tree.count > most * unit { unit *= 2 }
    self.unit = unit
    bounds = Array(stride(from: 0, to: tree.count, by: unit)) + [tree.count]
    before = workers.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
  }

  /// Whether every shard may be a bound, among ranks of which there are not too many.
  var isWhole: Bool { unit == 1 && workers.count <= ShardPartition.mostSearchedRanks }

  /// At least as many maximal nodes as any range has.
  var mostNodes: Int { 2 * tree.height + 1 }

  /// The fewest turns in which all ranks are done that tell up to so many sums each.
  func fewestTurns(nodes: Int) -> Int {
    let least = (tree.count + before[workers.count] - 1) / before[workers.count]
    if reach(turns: least, nodes: nodes) { return least }
    // The whole tree is one node, so that the first rank can always take everything.
    var (missed, enough) = (least, min(2 * least, tree.count))
    while enough < tree.count, !reach(turns: enough, nodes: nodes) {
      missed = enough
      enough = min(2 * enough, tree.count)
    }
    while enough - missed > 1 {
      let middle = (missed + enough) / 2
      if reach(turns: middle, nodes: nodes) { enough = middle } else { missed = middle }
    }
    return enough
  }

  /// Whether ranks can take all shards within these limits.
  private func reach(turns: Int, nodes: Int) -> Bool {
    search(turns: turns, nodes: nodes) { _, _, _ in }
  }

  /// The division within these limits that sends the fewest sums in all; there must be one.
  func ranges(turns: Int, nodes: Int) -> [Range<Int>] {
    var starts = workers.map { _ in [Int](repeating: 0, count: bounds.count) }
    let isFound = search(turns: turns, nodes: nodes) { rank, end, start in starts[rank][end] = start }
    precondition(isFound, "\(tree.count) shards cannot be dealt to \(workers) in \(turns) turns")
    var (ranges, end) = ([Range<Int>](), bounds.count - 1)
    for rank in workers.indices.reversed() {
      let start = starts[rank][end]
      ranges.append(bounds[start]..<bounds[end])
      end = start
    }
    return ranges.reversed()
  }

  /// Goes through the bounds at which ranks may end within these limits, and the fewest sums that they have sent in all by then.
  ///
  /// - Parameter note: is told where a rank's range begins that ends at a bound, each time that this gets better.
  /// - Returns: whether the last rank can end at the end.
  private func search(
    turns: Int, nodes: Int, note: (_ rank: Int, _ end: Int, _ start: Int) -> Void
  ) -> Bool {
    let never = Int.max
    var fewest = [Int](repeating: never, count: bounds.count)
    fewest[0] = 0
    for (rank, own) in workers.enumerated() {
      let room = turns * own
      // The ranks that follow must be able to take the rest.
      let behind = max(tree.count - turns * (before[workers.count] - before[rank + 1]), 0)
      let first = min((behind + unit - 1) / unit, bounds.count - 1)
      var next = [Int](repeating: never, count: bounds.count)
      for (start, sent) in fewest.enumerated() where sent != never {
        var end = max(start, first)
        while end < bounds.count, bounds[end] - bounds[start] <= room {
          let count = tree.nodeCount(in: bounds[start]..<bounds[end])
          if count <= nodes, sent + count < next[end] {
            next[end] = sent + count
            note(rank, end, start)
          }
          end += 1
        }
      }
      fewest = next
    }
    return fewest[bounds.count - 1] != never
  }
}
