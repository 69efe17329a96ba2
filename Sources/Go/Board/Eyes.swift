extension Board {
  /// Whether a point is an eye of a colour as far as its surroundings tell: its own stones on all lines, and across the corners
  /// too few of the opponent's to take it away.
  ///
  /// In the middle of the board that is at most one, at its edge none.
  public func isEye(_ point: Int, of colour: Colour) -> Bool {
    let own = stones(of: colour)
    guard colours[point] == 0, (shape.neighbours[point] - own).isEmpty else { return false }
    let diagonals = shape.diagonals[point]
    let hostile = (diagonals & stones(of: colour.opponent)).count
    return hostile <= (diagonals.count == 4 ? 1 : 0)
  }

  /// Whether a move is legal, as far as the position alone tells, and does not fill an eye of the player's own.
  @inline(__always)
  public func isSensible(_ colour: Colour, at point: Int) -> Bool {
    problem(colour, at: point) == nil && !isEye(point, of: colour)
  }
}
