/// Stones on a board, with chains and their liberties kept from move to move.
///
/// A chain is a set of stones of one colour that are connected along lines; its liberties are the empty points beside it.
/// The board knows captures, suicide and the simple ko; ``Game`` also knows earlier positions.
///
/// - Note: not for sharing between threads.
public final class Board {
  /// The points without stones.
  public let shape: BoardShape
  /// 0 for an empty point, else the colour's raw value.
  let colours: UnsafeMutablePointer<UInt8>
  /// The chain of each stone: the number of its place in ``chains``.
  let chainOf: UnsafeMutablePointer<Int16>
  /// Chains by number; those that no stone names are not in use.
  let chains: UnsafeMutablePointer<Chain>
  /// The turn in which each stone came, for ``age(of:)``; 0 for stones that were set.
  private let turns: UnsafeMutablePointer<Int32>
  private var stones = (PointSet(), PointSet())
  /// The points without stones.
  public private(set) var empty: PointSet
  /// The point that a simple ko forbids to ``koPlayer``; −1 where there is none.
  private var koPoint = -1
  private var koPlayer = Colour.black
  /// How many moves were made, passes included.
  public private(set) var turn = 0
  /// Stones that black and white took from the opponent.
  public private(set) var captures = (black: 0, white: 0)
  /// A number for the position of stones; equal positions have equal numbers.
  public private(set) var hash: UInt64 = 0

  struct Chain {
    var stones = PointSet()
    var liberties = PointSet()
    var stoneCount = 0
    var libertyCount = 0
  }

  /// An empty board.
  ///
  /// - Parameter size: rows and columns, in ``BoardShape/sizes``.
  public init(size: Int) {
    shape = BoardShape.of(size)
    let count = shape.pointCount
    colours = .allocate(capacity: count)
    chainOf = .allocate(capacity: count)
    chains = .allocate(capacity: count)
    turns = .allocate(capacity: count)
    colours.initialize(repeating: 0, count: count)
    chainOf.initialize(repeating: -1, count: count)
    chains.initialize(repeating: Chain(), count: count)
    turns.initialize(repeating: 0, count: count)
    empty = shape.all
  }

  deinit {
    colours.deallocate()
    chainOf.deallocate()
    chains.deallocate()
    turns.deallocate()
  }

  /// Takes all stones off and begins anew.
  public func clear() {
    let count = shape.pointCount
    colours.update(repeating: 0, count: count)
    chainOf.update(repeating: -1, count: count)
    turns.update(repeating: 0, count: count)
    stones = (PointSet(), PointSet())
    empty = shape.all
    koPoint = -1
    turn = 0
    captures = (0, 0)
    hash = 0
  }

  /// The point that a simple ko forbids to a player; nil where there is none.
  @inline(__always)
  public func ko(for colour: Colour) -> Int? { koPoint >= 0 && koPlayer == colour ? koPoint : nil }

  /// The colour of the stone on a point; nil where there is none.
  @inline(__always)
  public subscript(point: Int) -> Colour? {
    precondition(point >= 0 && point < shape.pointCount, "there is no point \(point)")
    return Colour(rawValue: colours[point])
  }

  /// All stones of a colour.
  @inline(__always)
  public func stones(of colour: Colour) -> PointSet { colour == .black ? stones.0 : stones.1 }

  /// The stones that are connected with a stone, itself included.
  public func chain(of point: Int) -> PointSet {
    precondition(self[point] != nil, "there is no stone on point \(point)")
    return chains[Int(chainOf[point])].stones
  }

  /// The liberties of the chain of a stone.
  public func liberties(of point: Int) -> PointSet {
    precondition(self[point] != nil, "there is no stone on point \(point)")
    return chains[Int(chainOf[point])].liberties
  }

  /// How many turns ago a stone was played, from 1 for the last move on; nil for a stone that was set, and where there is none.
  @inline(__always)
  public func age(of point: Int) -> Int? {
    let played = Int(turns[point])
    return played > 0 && colours[point] != 0 ? turn &- played &+ 1 : nil
  }

  // MARK: - Moves

  /// Why a stone may not be played on a point; nil where it may, as far as the position alone tells.
  @inline(__always)
  public func problem(_ colour: Colour, at point: Int, allowsSuicide: Bool = false) -> IllegalMove? {
    guard colours[point] == 0 else { return .occupied }
    guard point != koPoint || colour != koPlayer else { return .ko }
    let neighbours = shape.neighbours[point]
    if !(neighbours & empty).isEmpty { return nil }
    let own = colour.rawValue
    var joins = false
    for place in 4 &* point..<4 &* point &+ 4 {
      let beside = Int(shape.neighbourList[place])
      if beside < 0 { break }
      let liberties = chains[Int(chainOf[beside])].libertyCount
      if colours[beside] == own {
        if liberties > 1 { return nil }
        joins = true
      } else if liberties == 1 {
        return nil
      }
    }
    return allowsSuicide && joins ? nil : .suicide
  }

  /// Plays a stone that may be played, takes off what it captures, or itself where suicide is allowed.
  ///
  /// - Returns: the points of the stones that were taken off.
  @discardableResult
  public func play(_ colour: Colour, at point: Int) -> PointSet {
    precondition(colours[point] == 0, "there is a stone on point \(point) already")
    turn &+= 1
    put(colour, at: point)
    turns[point] = Int32(truncatingIfNeeded: turn)
    let opponent = colour.opponent.rawValue
    var taken = PointSet()
    for place in 4 &* point..<4 &* point &+ 4 {
      let beside = Int(shape.neighbourList[place])
      if beside < 0 { break }
      if colours[beside] == opponent, chains[Int(chainOf[beside])].libertyCount == 0 {
        taken = taken | takeOff(Int(chainOf[beside]), colour.opponent)
      }
    }
    let own = Int(chainOf[point])
    if taken.isEmpty {
      koPoint = -1
      if chains[own].libertyCount == 0 {
        taken = takeOff(own, colour)
        count(taken.count, takenBy: colour.opponent)
      }
      return taken
    }
    let number = taken.count
    count(number, takenBy: colour)
    let isKo = number == 1 && chains[own].stoneCount == 1 && chains[own].libertyCount == 1
    koPoint = isKo ? taken.first ?? -1 : -1
    koPlayer = colour.opponent
    return taken
  }

  private func count(_ number: Int, takenBy colour: Colour) {
    if colour == .black { captures.black &+= number } else { captures.white &+= number }
  }

  /// Makes a turn without a stone.
  public func pass() {
    turn &+= 1
    koPoint = -1
  }

  /// Puts a stone on a point, or takes one off, without a turn: nothing is captured.
  ///
  /// A ko is forgotten.
  public func set(_ colour: Colour?, at point: Int) {
    koPoint = -1
    guard self[point] != colour else { return }
    if let old = self[point] {
      // The chain may fall apart: its other stones are put back one by one.
      let chain = Int(chainOf[point])
      let ages = chains[chain].stones.points.filter { $0 != point }.map { ($0, turns[$0]) }
      _ = takeOff(chain, old)
      for (other, turn) in ages {
        put(old, at: other)
        turns[other] = turn
      }
    }
    if let colour {
      put(colour, at: point)
      turns[point] = 0
    }
  }

  // MARK: - Chains

  /// Puts a stone on an empty point and connects it; chains of the opponent may be left without liberties.
  @inline(__always)
  private func put(_ colour: Colour, at point: Int) {
    colours[point] = colour.rawValue
    empty.remove(point)
    if colour == .black { stones.0.insert(point) } else { stones.1.insert(point) }
    hash ^= Zobrist.number(point, colour)
    var chain = Chain()
    chain.stones = PointSet(point)
    chain.liberties = shape.neighbours[point] & empty
    // The number of the largest chain stays, so that few stones are renamed.
    var largest = -1
    var joined = (-1, -1, -1, -1)
    for place in 0..<4 {
      let beside = Int(shape.neighbourList[4 &* point &+ place])
      if beside < 0 { break }
      guard colours[beside] != 0 else { continue }
      let number = Int(chainOf[beside])
      guard colours[beside] == colour.rawValue else {
        if chains[number].liberties.contains(point) {
          chains[number].liberties.remove(point)
          chains[number].libertyCount &-= 1
        }
        continue
      }
      if number == joined.0 || number == joined.1 || number == joined.2 { continue }
      joined = (number, joined.0, joined.1, joined.2)
      chain.stones = chain.stones | chains[number].stones
      chain.liberties = chain.liberties | chains[number].liberties
      if largest < 0 || chains[number].stoneCount > chains[largest].stoneCount { largest = number }
    }
    // A chain's number is the point of one of its stones, so that the number of an empty point is free.
    let number = largest < 0 ? point : largest
    if largest < 0 {
      chainOf[point] = Int16(truncatingIfNeeded: point)
    } else {
      (chain.stones - chains[largest].stones).forEach { chainOf[$0] = Int16(truncatingIfNeeded: number) }
    }
    chain.liberties.remove(point)
    chain.stoneCount = chain.stones.count
    chain.libertyCount = chain.liberties.count
    chains[number] = chain
  }

  /// Takes a chain off the board, which gives liberties to its neighbours.
  private func takeOff(_ number: Int, _ colour: Colour) -> PointSet {
    let taken = chains[number].stones
    let other = colour.opponent.rawValue
    empty = empty | taken
    if colour == .black { stones.0 = stones.0 - taken } else { stones.1 = stones.1 - taken }
    taken.forEach { point in
      colours[point] = 0
      chainOf[point] = -1
      turns[point] = 0
      hash ^= Zobrist.number(point, colour)
    }
    taken.forEach { point in
      for place in 4 &* point..<4 &* point &+ 4 {
        let beside = Int(shape.neighbourList[place])
        if beside < 0 { break }
        guard colours[beside] == other else { continue }
        let neighbour = Int(chainOf[beside])
        if !chains[neighbour].liberties.contains(point) {
          chains[neighbour].liberties.insert(point)
          chains[neighbour].libertyCount &+= 1
        }
      }
    }
    return taken
  }
}

/// Random numbers for points and colours, the same in every run; a position's number is the exclusive or of its stones' numbers.
///
/// - SeeAlso: Zobrist 1970, "A new hashing method with application for game playing".
enum Zobrist {
  private static let numbers: [UInt64] = {
    var state: UInt64 = 0
    return (0..<2 * PointSet.capacity).map { _ in
      // SplitMix64 (Steele, Lea & Flood 2014).
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }()

  @inline(__always)
  static func number(_ point: Int, _ colour: Colour) -> UInt64 {
    numbers[2 &* point &+ (colour == .black ? 0 : 1)]
  }
}
