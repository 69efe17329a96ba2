/// A set of a board's points, of which there are at most 361: a bit for each, point p in bit p mod 64 of word p ÷ 64.
public struct PointSet: Hashable, Sendable {
  var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

  /// The empty set.
  @inline(__always)
  public init() { words = (0, 0, 0, 0, 0, 0) }

  @inline(__always)
  init(_ words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// The set of one point.
  @inline(__always)
  public init(_ point: Int) {
    self.init()
    insert(point)
  }

  /// The most points that a set has room for.
  static let capacity = 361

  /// Compares all words.
  public static func == (a: PointSet, b: PointSet) -> Bool {
    (a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2)
      | (a.words.3 ^ b.words.3) | (a.words.4 ^ b.words.4) | (a.words.5 ^ b.words.5) == 0
  }

  /// Feeds all words.
  public func hash(into hasher: inout Hasher) {
    for index in 0..<6 { hasher.combine(word(index)) }
  }

  @inline(__always)
  private func word(_ index: Int) -> UInt64 {
    withUnsafeBytes(of: words) { $0.loadUnaligned(fromByteOffset: index &* 8, as: UInt64.self) }
  }

  /// Whether a point is in the set.
  @inline(__always)
  public func contains(_ point: Int) -> Bool {
    word(point &>> 6) &>> UInt64(truncatingIfNeeded: point & 63) & 1 != 0
  }

  /// Puts a point into the set.
  @inline(__always)
  public mutating func insert(_ point: Int) {
    let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: point & 63)
    withUnsafeMutableBytes(of: &words) { words in
      let place = (point &>> 6) &* 8
      words.storeBytes(
        of: words.load(fromByteOffset: place, as: UInt64.self) | bit, toByteOffset: place, as: UInt64.self)
    }
  }

  /// Takes a point out of the set.
  @inline(__always)
  public mutating func remove(_ point: Int) {
    let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: point & 63)
    withUnsafeMutableBytes(of: &words) { words in
      let place = (point &>> 6) &* 8
      words.storeBytes(
        of: words.load(fromByteOffset: place, as: UInt64.self) & ~bit, toByteOffset: place, as: UInt64.self)
    }
  }

  /// Whether no point is in the set.
  @inline(__always)
  public var isEmpty: Bool {
    words.0 | words.1 | words.2 | words.3 | words.4 | words.5 == 0
  }

  /// How many points are in the set.
  @inline(__always)
  public var count: Int {
    words.0.nonzeroBitCount &+ words.1.nonzeroBitCount &+ words.2.nonzeroBitCount
      &+ words.3.nonzeroBitCount &+ words.4.nonzeroBitCount &+ words.5.nonzeroBitCount
  }

  /// The point with the smallest number; nil in the empty set.
  @inline(__always)
  public var first: Int? {
    if words.0 != 0 { return words.0.trailingZeroBitCount }
    if words.1 != 0 { return 64 &+ words.1.trailingZeroBitCount }
    if words.2 != 0 { return 128 &+ words.2.trailingZeroBitCount }
    if words.3 != 0 { return 192 &+ words.3.trailingZeroBitCount }
    if words.4 != 0 { return 256 &+ words.4.trailingZeroBitCount }
    if words.5 != 0 { return 320 &+ words.5.trailingZeroBitCount }
    return nil
  }

  /// Takes out the point with the smallest number and gives it; nil where there is none.
  @inline(__always)
  public mutating func popFirst() -> Int? {
    guard let point = first else { return nil }
    remove(point)
    return point
  }

  /// Calls `body` for each point, in rising order.
  @inline(__always)
  func forEach(_ body: (Int) -> Void) {
    for index in 0..<6 {
      var bits = word(index)
      while bits != 0 {
        body(index &* 64 &+ bits.trailingZeroBitCount)
        bits &= bits &- 1
      }
    }
  }

  /// The points, in rising order.
  public var points: [Int] {
    var points: [Int] = []
    forEach { points.append($0) }
    return points
  }

  /// The points of either set.
  @inline(__always)
  public static func | (a: PointSet, b: PointSet) -> PointSet {
    PointSet(
      (
        a.words.0 | b.words.0, a.words.1 | b.words.1, a.words.2 | b.words.2, a.words.3 | b.words.3,
        a.words.4 | b.words.4, a.words.5 | b.words.5
      ))
  }

  /// The points of both sets.
  @inline(__always)
  public static func & (a: PointSet, b: PointSet) -> PointSet {
    PointSet(
      (
        a.words.0 & b.words.0, a.words.1 & b.words.1, a.words.2 & b.words.2, a.words.3 & b.words.3,
        a.words.4 & b.words.4, a.words.5 & b.words.5
      ))
  }

  /// The points of the first set that are not in the second.
  @inline(__always)
  public static func - (a: PointSet, b: PointSet) -> PointSet {
    PointSet(
      (
        a.words.0 & ~b.words.0, a.words.1 & ~b.words.1, a.words.2 & ~b.words.2, a.words.3 & ~b.words.3,
        a.words.4 & ~b.words.4, a.words.5 & ~b.words.5
      ))
  }

  /// Every point moved to a number that is larger by `distance`, 1...63; what would lie beyond word 5 is lost.
  @inline(__always)
  func raised(by distance: UInt64) -> PointSet {
    let rest = 64 &- distance
    return PointSet(
      (
        words.0 &<< distance, words.1 &<< distance | words.0 &>> rest, words.2 &<< distance | words.1 &>> rest,
        words.3 &<< distance | words.2 &>> rest, words.4 &<< distance | words.3 &>> rest,
        words.5 &<< distance | words.4 &>> rest
      ))
  }

  /// Every point moved to a number that is smaller by `distance`, 1...63.
  @inline(__always)
  func lowered(by distance: UInt64) -> PointSet {
    let rest = 64 &- distance
    return PointSet(
      (
        words.0 &>> distance | words.1 &<< rest, words.1 &>> distance | words.2 &<< rest,
        words.2 &>> distance | words.3 &<< rest, words.3 &>> distance | words.4 &<< rest,
        words.4 &>> distance | words.5 &<< rest, words.5 &>> distance
      ))
  }
}
