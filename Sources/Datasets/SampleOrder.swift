internal import Tensors

/// The order in which a training sees its samples: a pure function of seed and epoch.
///
/// Nothing needs saving but the position, and going to any position costs nothing.
public struct SampleOrder: Sendable, Hashable {
  public let seed: UInt64
  public let count: Int
  /// False for the order of the file, as evaluation uses it.
  public let isShuffled: Bool

  /// - Parameter count: the number of samples, at most 2³¹ − 1.
  public init(seed: UInt64, count: Int, shuffle: Bool) {
    precondition(count >= 0 && count <= Int(Int32.max), "\(count) samples cannot be ordered")
    self.seed = seed
    self.count = count
    self.isShuffled = shuffle
  }

  /// The samples of an epoch, in its order; every sample once, every permutation as likely as any other.
  ///
  /// - SeeAlso: Durstenfeld, "Algorithm 235: Random permutation", CACM 1964 (the Fisher–Yates shuffle in place).
  public func permutation(epoch: Int) -> [Int32] {
    precondition(epoch >= 0, "epoch \(epoch) is negative")
    var order = (0..<Int32(count)).map { $0 }
    guard isShuffled else { return order }
    var random = RandomStream(seed: seed, purpose: .sampleOrder, a: UInt64(epoch))
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, random.nextInteger(below: last + 1))
    }
    return order
  }
}
