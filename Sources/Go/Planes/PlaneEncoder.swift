/// Turns positions into planes: for each point a bit for each plane, eight planes to a byte, the first in the lowest bit.
///
/// - Note: not for sharing between threads.
public final class PlaneEncoder {
  /// The planes.
  public let planes: PlaneSet
  private let shape: BoardShape
  private let bytesPerPoint: Int
  private let groups: [(feature: PlaneFeature, first: Int, count: Int)]
  private let needsMoves: Bool
  /// What a move on each point would do; nothing where it is not legal.
  private let moves: UnsafeMutablePointer<MoveEffect>

  /// What a legal move does.
  private struct MoveEffect {
    var isLegal = false
    /// Stones of the opponent that are captured.
    var captured = 0
    /// Liberties of the move's chain after it, or eight where there are more.
    var liberties = 0
    /// Stones of the move's chain after it; counted where it has one liberty.
    var stones = 0
  }

  /// An encoder for boards of one size.
  public init(_ planes: PlaneSet, size: Int) {
    self.planes = planes
    shape = BoardShape.of(size)
    bytesPerPoint = planes.bytesPerPoint
    var first = 0
    groups = planes.groups.map { group in
      defer { first += group.count }
      return (group.feature, first, group.count)
    }
    needsMoves = planes.groups.contains {
      [.captureSize, .selfAtariSize, .libertiesAfter, .sensible].contains($0.feature)
    }
    moves = .allocate(capacity: shape.pointCount)
    moves.initialize(repeating: MoveEffect(), count: shape.pointCount)
  }

  deinit { moves.deallocate() }

  /// Bytes of one position.
  public var byteCount: Int { shape.pointCount * bytesPerPoint }

  /// Writes a position as the player sees it whose turn it is.
  ///
  /// - Parameter target: ``byteCount`` bytes, which it fills.
  public func encode(_ board: Board, for player: Colour, into target: UnsafeMutablePointer<UInt8>) {
    precondition(board.shape === shape, "a board of \(board.shape.size) for planes of \(shape.size)")
    target.update(repeating: 0, count: byteCount)
    if needsMoves { findEffects(board, player) }
    for (feature, first, count) in groups {
      switch feature {
      case .stones:
        set(first, at: board.stones(of: player), target)
        set(first &+ 1, at: board.stones(of: player.opponent), target)
        set(first &+ 2, at: board.empty, target)
      case .ones: set(first, at: shape.all, target)
      case .turnsSince:
        forEachStone(board) { point in
          set(first &+ min(board.age(of: point) ?? count, count) &- 1, target, point)
        }
      case .liberties:
        forEachStone(board) { point in
          let liberties = board.chains[Int(board.chainOf[point])].libertyCount
          // Stones that a record sets may have none.
          set(first &+ max(1, min(liberties, count)) &- 1, target, point)
        }
      case .captureSize:
        forEachMove(board) { point in set(first &+ min(moves[point].captured, count &- 1), target, point) }
      case .selfAtariSize:
        forEachMove(board) { point in
          if moves[point].liberties == 1 { set(first &+ min(moves[point].stones, count) &- 1, target, point) }
        }
      case .libertiesAfter:
        forEachMove(board) { point in
          set(first &+ min(moves[point].liberties, count) &- 1, target, point)
        }
      case .ladderCapture: set(first, at: board.ladderCaptures(player), target)
      case .ladderEscape: set(first, at: board.ladderEscapes(player), target)
      case .sensible:
        forEachMove(board) { point in
          if !board.isEye(point, of: player) { set(first, target, point) }
        }
      case .zeros: continue
      }
    }
  }

  /// Writes a position as numbers, 0 or 1, the planes of a point side by side: what a network reads.
  public func values(_ board: Board, for player: Colour) -> [UInt8] {
    var packed = [UInt8](repeating: 0, count: byteCount)
    packed.withUnsafeMutableBufferPointer { bytes in
      if let bytes = bytes.baseAddress { encode(board, for: player, into: bytes) }
    }
    return (0..<shape.pointCount).flatMap { point in
      (0..<planes.count).map { packed[point * bytesPerPoint + $0 >> 3] >> UInt8($0 & 7) & 1 }
    }
  }

  // MARK: - Bits

  @inline(__always)
  private func set(_ plane: Int, _ target: UnsafeMutablePointer<UInt8>, _ point: Int) {
    target[point &* bytesPerPoint &+ plane &>> 3] |= 1 &<< UInt8(truncatingIfNeeded: plane & 7)
  }

  @inline(__always)
  private func set(_ plane: Int, at points: PointSet, _ target: UnsafeMutablePointer<UInt8>) {
    points.forEach { set(plane, target, $0) }
  }

  @inline(__always)
  private func forEachStone(_ board: Board, _ body: (Int) -> Void) {
    board.stones(of: .black).forEach(body)
    board.stones(of: .white).forEach(body)
  }

  @inline(__always)
  private func forEachMove(_ board: Board, _ body: (Int) -> Void) {
    board.empty.forEach { if moves[$0].isLegal { body($0) } }
  }

  // MARK: - Moves

  private func findEffects(_ board: Board, _ player: Colour) {
    let ko = board.ko(for: player) ?? -1
    board.empty.forEach { point in
      moves[point] = point == ko ? MoveEffect() : effect(board, player.rawValue, point)
    }
  }

  /// What a stone does on an empty point that no ko forbids: it captures, or has liberties, or is not legal.
  @inline(__always)
  private func effect(_ board: Board, _ own: UInt8, _ point: Int) -> MoveEffect {
    var effect = MoveEffect(isLegal: true)
    var stones = PointSet()
    var liberties = PointSet()
    var taken = PointSet()
    var (joins, takes, emptyCount) = (false, false, 0)
    for place in 4 &* point..<4 &* point &+ 4 {
      let beside = Int(shape.neighbourList[place])
      if beside < 0 { break }
      let colour = board.colours[beside]
      if colour == 0 {
        emptyCount &+= 1
        continue
      }
      let chain = board.chains + Int(board.chainOf[beside])
      if colour == own {
        stones = stones | chain.pointee.stones
        liberties = liberties | chain.pointee.liberties
        joins = true
      } else if chain.pointee.libertyCount == 1 {
        taken = taken | chain.pointee.stones
        takes = true
      }
    }
    if takes {
      effect.captured = taken.count
      liberties = shape.neighbours(of: stones | PointSet(point)) & (board.empty | taken)
      effect.liberties = liberties.contains(point) ? liberties.count &- 1 : liberties.count
    } else if joins {
      // The point itself is a liberty of every chain that it joins.
      effect.liberties = (liberties | shape.neighbours[point] & board.empty).count &- 1
    } else {
      effect.liberties = emptyCount
    }
    guard effect.liberties > 0 else { return MoveEffect() }
    if effect.liberties == 1 { effect.stones = stones.count &+ 1 }
    return effect
  }
}
