/// Plays a record's main line on a board.
public enum Replay {
  /// How far a record could be followed.
  public enum End: Sendable, Hashable {
    /// To its end.
    case complete
    /// Up to a move that the rules forbid.
    case illegal(IllegalMove)
    /// Up to a move, or a stone to be set, that does not lie on the board.
    case offTheBoard
    /// Up to a second move of the same player in a row: one of the opponent's is missing.
    case twice
  }

  /// Plays as much of a record as can be trusted.
  ///
  /// Stones are set wherever the record does so. A handicap that the record writes as moves of Black, or leaves out, is set, too
  /// (``GameRecord/handicapMoves``, ``GameRecord/handicapStones``). After stones were set, and after the record said whose turn it is, either player may move.
  /// - Parameters:
  ///   - board: cleared first; of the record's size.
  ///   - allowsTwice: whether the same player may move twice in a row.
  ///   - body: called before each move that can be made with the player, the move, and how many moves were made before it;
  ///     false ends the replay as if the record ended there.
  /// - Returns: why the replay ended.
  @discardableResult @inline(__always)
  public static func play(
    _ record: GameRecord, on board: Board, allowsTwice: Bool = false,
    _ body: (Colour, Move, Int) -> Bool = { _, _, _ in true }
  ) -> End {
    let size = board.shape.size
    board.clear()
    if case .implied(let points) = record.handicapStones {
      for point in points { board.set(.black, at: point) }
    }
    var handicap = record.handicapMoves
    var last: Colour?
    var number = 0
    for step in record.steps {
      switch step {
      case .edit(let index):
        for place in record.edits[index].places {
          guard let point = place.point(size: size) else { return .offTheBoard }
          board.set(record.edits[index].colour, at: point)
        }
        last = nil
      case .turn: last = nil
      case .move(let colour, let place):
        guard let place else {
          if last == colour, !allowsTwice { return .twice }
          guard body(colour, .pass, number) else { return .complete }
          board.pass()
          last = colour
          number &+= 1
          continue
        }
        guard let point = place.point(size: size) else { return .offTheBoard }
        if handicap > 0 {
          handicap -= 1
          board.set(colour, at: point)
          continue
        }
        if last == colour, !allowsTwice { return .twice }
        if let problem = board.problem(colour, at: point, allowsSuicide: record.allowsSuicide) {
          return .illegal(problem)
        }
        guard body(colour, .stone(point), number) else { return .complete }
        board.play(colour, at: point)
        last = colour
        number &+= 1
      }
    }
    return .complete
  }
}
