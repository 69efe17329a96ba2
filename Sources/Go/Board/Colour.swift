/// The colour of a player and of the player's stones.
public enum Colour: UInt8, Sendable, Hashable, CaseIterable {
  /// Black, who begins where there is no handicap.
  case black = 1
  /// White.
  case white = 2

  /// The other colour.
  @inline(__always)
  public var opponent: Colour { self == .black ? .white : .black }

  /// The colour's name in lower case.
  public var word: String { self == .black ? "black" : "white" }

  var index: Int { self == .black ? 0 : 1 }
}

/// A turn: a stone on a point, or none.
public enum Move: Sendable, Hashable {
  /// A stone on a point, row by row from the upper left corner.
  case stone(Int)
  /// No stone.
  case pass

  /// The number of the move among a board's moves: the point, or for a pass the number of points.
  public func index(on shape: BoardShape) -> Int {
    switch self {
    case .stone(let point): point
    case .pass: shape.pointCount
    }
  }

  /// The move of a number.
  public init(index: Int, on shape: BoardShape) {
    precondition((0...shape.pointCount).contains(index), "there is no move \(index)")
    self = index == shape.pointCount ? .pass : .stone(index)
  }
}

/// Names of moves as the Go Text Protocol writes them: `Q16`, `pass`; columns from A without I, rows from below.
public enum MoveName {
  private static let letters = Array("ABCDEFGHJKLMNOPQRST")

  /// The name of a move.
  public static func text(_ move: Move, on shape: BoardShape) -> String {
    guard case .stone(let point) = move else { return "pass" }
    let (row, column) = point.quotientAndRemainder(dividingBy: shape.size)
    return "\(letters[column])\(shape.size - row)"
  }

  /// The letter of a column, counted from 0.
  public static func column(_ column: Int) -> Character { letters[column] }

  /// The move of a name, in upper or lower case; nil for what is no move on the board.
  public static func move(_ text: String, on shape: BoardShape) -> Move? {
    let text = text.uppercased()
    if text == "PASS" { return .pass }
    guard let first = text.first, let column = letters.firstIndex(of: first), column < shape.size,
      text.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }), let row = Int(text.dropFirst()),
      (1...shape.size).contains(row)
    else { return nil }
    return .stone((shape.size - row) * shape.size + column)
  }

  /// The names of all moves by their numbers, the pass last.
  public static func all(on shape: BoardShape) -> [String] {
    (0...shape.pointCount).map { text(Move(index: $0, on: shape), on: shape) }
  }
}
