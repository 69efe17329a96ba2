/// The order in which the results of shards are added: a binary tree that depends on their number alone.
///
/// Leaves are the shards `0..<count`. On every level neighbours are paired, left to right; an odd one out moves up as it
/// is. So node `j` of level `k` is the sum of shards `j·2ᵏ ..< (j+1)·2ᵏ`, as far as they exist:
///
///     count 5:  ((s0 + s1) + (s2 + s3)) + s4
///
/// Floating-point addition is not associative: fixing the tree fixes every bit of the sum, whoever adds what and when.
public struct SumTree: Hashable, Sendable {
  /// The number of leaves.
  public let count: Int

  /// Makes the tree over this many leaves.
  ///
  /// - Parameter count: number of leaves, 1 or more.
  public init(count: Int) {
    precondition(count >= 1, "a sum needs at least 1 term, got \(count)")
    self.count = count
  }

  /// A partial sum: node `index` of `level`.
  public struct Node: Hashable, Sendable {
    /// The distance from the leaves, whose level is 0.
    public let level: Int
    /// The place among the nodes of the level, from the left.
    public let index: Int

    /// The node of one shard alone.
    public static func leaf(_ shard: Int) -> Node { Node(level: 0, index: shard) }
    var parent: Node { Node(level: level + 1, index: index >> 1) }
    var left: Node { Node(level: level - 1, index: index << 1) }
    var right: Node { Node(level: level - 1, index: index << 1 | 1) }
    var sibling: Node { Node(level: level, index: index ^ 1) }
    var isLeft: Bool { index & 1 == 0 }
  }

  /// The level of the root: the smallest `k` with `2ᵏ ≥ count`.
  public var height: Int { Int.bitWidth - (count - 1).leadingZeroBitCount }
  /// The sum of all.
  public var root: Node { Node(level: height, index: 0) }

  /// The leaves under a node; empty where the tree has no such node.
  public func leaves(of node: Node) -> Range<Int> {
    min(node.index << node.level, count)..<min((node.index + 1) << node.level, count)
  }

  func contains(_ node: Node) -> Bool { !leaves(of: node).isEmpty }

  /// The fewest nodes that together stand for a range of shards, from the left: all that is known of the sum by who has
  /// these shards alone.
  ///
  /// Each is the highest node for its leaves: an odd one out stands where it is added to something.
  /// - Parameter shards: a part of `0..<count`.
  public func maximalNodes(in shards: Range<Int>) -> [Node] {
    precondition(
      shards.isEmpty || (shards.lowerBound >= 0 && shards.upperBound <= count),
      "shards \(shards) are not of 0..<\(count)")
    func nodes(_ node: Node) -> [Node] {
      let leaves = leaves(of: node)
      if leaves.isEmpty || !leaves.overlaps(shards) { return [] }
      if shards.lowerBound <= leaves.lowerBound, leaves.upperBound <= shards.upperBound { return [node] }
      return nodes(node.left) + nodes(node.right)
    }
    return nodes(root)
  }

  /// How many maximal nodes a range has, without making them.
  ///
  /// - Parameter shards: a part of `0..<count`.
  /// - Complexity: O(log(count)²).
  public func nodeCount(in shards: Range<Int>) -> Int {
    var (start, nodes) = (shards.lowerBound, 0)
    while start < shards.upperBound {
      var level = start == 0 ? height : min(start.trailingZeroBitCount, height)
      while min(start + 1 << level, count) > shards.upperBound { level -= 1 }
      start = min(start + 1 << level, count)
      nodes += 1
    }
    return nodes
  }

  /// Follows an odd one out upwards, to the node at which it is added to something, or to the root.
  func raised(_ node: Node) -> Node {
    var node = node
    while node.level < height, !contains(node.sibling) { node = node.parent }
    return node
  }

  /// The sum of doubles in the tree's order, for losses and norms.
  public static func sum(_ terms: [Double]) -> Double {
    var terms = terms
    while terms.count > 1 {
      terms = stride(from: 0, to: terms.count, by: 2).map { index in
        index + 1 < terms.count ? terms[index] + terms[index + 1] : terms[index]
      }
    }
    return terms.first ?? 0
  }

  /// The sum of rows of doubles, element by element, in the tree's order.
  ///
  /// - Parameter rows: one after another, each of `width`; at least one.
  public static func sumRows(_ rows: [Double], width: Int) -> [Double] {
    precondition(
      width > 0 && rows.count.isMultiple(of: width), "\(rows.count) numbers are not rows of \(width)")
    var rows = rows
    let count = rows.count / width
    var step = 1
    while step < count {
      for row in stride(from: 0, to: count - step, by: 2 * step) {
        for column in 0..<width { rows[row * width + column] += rows[(row + step) * width + column] }
      }
      step *= 2
    }
    return Array(rows.prefix(width))
  }
}
