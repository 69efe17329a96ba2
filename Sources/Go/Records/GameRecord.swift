/// A game as a record tells it: the main line, which takes the first of all variations.
public struct GameRecord: Sendable {
  /// A point of the board as a record names it; it may lie off the board.
  public struct Place: Sendable, Hashable {
    /// The column, from 0 at the left.
    public var x: Int8
    /// The row, from 0 at the top.
    public var y: Int8

    /// A place by its column and row.
    public init(x: Int8, y: Int8) { (self.x, self.y) = (x, y) }

    /// The point's number on a board of this size; nil where it lies off the board.
    @inline(__always)
    public func point(size: Int) -> Int? {
      x >= 0 && y >= 0 && Int(x) < size && Int(y) < size ? Int(y) &* size &+ Int(x) : nil
    }
  }

  /// What a node of the record does to the board.
  public enum Step: Sendable, Hashable {
    /// A stone is played; nil for a pass.
    case move(Colour, Place?)
    /// Stones are set, nil for those taken off; the index is one of ``edits``.
    case edit(Int)
    /// The record says whose turn it is.
    case turn(Colour)
  }

  /// Points that are given a stone, or lose theirs.
  public struct Edit: Sendable, Hashable {
    /// The stones that are set; nil takes a stone off.
    public var colour: Colour?
    /// Where.
    public var places: [Place]
  }

  /// What the game is, by the format's numbers: 1 for Go.
  public var kind = 1
  /// Columns and rows; 19 by 19 where the record does not say.
  public var size = (columns: 19, rows: 19)
  /// The number of handicap stones that the record names; 0 where it names none.
  public var handicap = 0
  /// The points that White gets; nil where the record does not say, or does not say it in numbers.
  public var komi: Double?
  /// The day of the game, as `2019-10-11`, or as much of it as is known; nil where it is not written so.
  public var date: String?
  /// The name of the player of the black stones.
  public var black = ""
  /// The name of the player of the white stones.
  public var white = ""
  /// The result as it is written: `B+3.5`, `W+R`.
  public var result = ""
  /// The rules as they are written: `Japanese`.
  public var rules = ""
  /// What happens, in order.
  public var steps: [Step] = []
  /// Stones that are set.
  public var edits: [Edit] = []
  /// Whether the record ends before its end: the file is cut.
  public var isCut = false

  /// How many moves the main line has, passes included.
  public var moveCount: Int { steps.count { if case .move = $0 { true } else { false } } }

  /// The size of a square board; nil for others.
  public var squareSize: Int? { size.columns == size.rows ? size.columns : nil }
}

extension GameRecord {
  /// The moves of the handicap that a record writes as moves of Black instead of stones that are set.
  ///
  /// Before White's first move Black has as many moves as the handicap has stones.
  public var handicapMoves: Int {
    guard handicap >= 2 else { return 0 }
    var count = 0
    for step in steps {
      switch step {
      case .edit: return 0
      case .turn: continue
      case .move(.black, .some): count += 1
      case .move: return count == handicap ? count : 0
      }
    }
    return count == handicap ? count : 0
  }

  /// Whether the record's rules let a player take off stones of one's own: those of New Zealand, of Ing, and of Tromp and Taylor.
  public var allowsSuicide: Bool {
    let word = rules.lowercased()
    return ["nz", "new zealand", "goe", "ing", "tromp"].contains { word.hasPrefix($0) }
  }

  /// What a record says of a handicap's stones.
  public enum HandicapStones: Sendable, Hashable {
    /// Nothing has to be added: there is no handicap, or the record sets its stones or plays them.
    case shown
    /// The record leaves the stones out and White moves first: they stand on the fixed points, as GNU Go, too, puts them there.
    case implied([Int])
    /// It is not clear where they are.
    case missing
  }

  /// Where the stones of the handicap are.
  public var handicapStones: HandicapStones {
    guard handicap >= 2, handicapMoves == 0 else { return .shown }
    for step in steps {
      switch step {
      case .edit(let index):
        if edits[index].colour == .black { return .shown }
      case .move(let colour, _):
        guard colour == .white, let size = squareSize,
          let points = Handicap.points(handicap, size: size)
        else { return .missing }
        return .implied(points)
      case .turn: continue
      }
    }
    return .shown
  }
}
