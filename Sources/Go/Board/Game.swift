/// A game from its beginning on: turns, what is forbidden because it was there before, and taking turns back.
public final class Game {
  /// Something that changed the board.
  public enum Event: Sendable, Hashable {
    /// A turn.
    case move(Colour, Move)
    /// A point whose stone was set or taken off without a turn.
    case edit(Colour?, at: Int)
  }

  /// The stones as they are now.
  public let board: Board
  /// What is forbidden.
  public let rules: Rules
  /// All that happened, in order.
  public private(set) var events: [Event] = []
  /// What was on the board, with the players whose turn it was then: 1 for black, 2 for white, 3 for both.
  private var earlier: [UInt64: UInt8] = [:]

  /// A game on an empty board.
  public init(size: Int, rules: Rules = Rules()) {
    board = Board(size: size)
    self.rules = rules
  }

  /// The moves of both players, in order.
  public var moves: [(colour: Colour, move: Move)] {
    events.compactMap { event in
      if case .move(let colour, let move) = event { (colour, move) } else { nil }
    }
  }

  /// The last turn; nil where there was none, or where stones were set since.
  public var lastMove: (colour: Colour, move: Move)? {
    guard case .move(let colour, let move)? = events.last else { return nil }
    return (colour, move)
  }

  /// Why a move is against the rules; nil where it is legal.
  public func problem(_ colour: Colour, _ move: Move) -> IllegalMove? {
    guard case .stone(let point) = move else { return nil }
    if let problem = board.problem(colour, at: point, allowsSuicide: rules.allowsSuicide) { return problem }
    return rules.repetition != .ko && repeats(colour, at: point, rules.repetition) ? .repetition : nil
  }

  /// Whether a stone that the position allows would bring back an earlier position of stones.
  public func repeats(_ colour: Colour, at point: Int, _ repetition: Rules.Repetition = .positional) -> Bool {
    guard repetition != .ko else { return false }
    var hash = board.hash ^ Zobrist.number(point, colour)
    let taken = board.wouldTake(colour, at: point)
    let owner = taken.contains(point) ? colour : colour.opponent
    taken.forEach { hash ^= Zobrist.number($0, owner) }
    guard let players = earlier[hash] else { return false }
    return repetition == .positional || players & colour.opponent.rawValue != 0
  }

  /// Makes a move.
  ///
  /// - Throws: ``IllegalMove``, and nothing changes.
  public func play(_ colour: Colour, _ move: Move) throws(IllegalMove) {
    if let problem = problem(colour, move) { throw problem }
    if events.isEmpty { note(next: colour) }
    switch move {
    case .stone(let point): board.play(colour, at: point)
    case .pass: board.pass()
    }
    events.append(.move(colour, move))
    note(next: colour.opponent)
  }

  /// Sets a stone or takes it off, without a turn; earlier positions are forgotten.
  public func edit(_ colour: Colour?, at point: Int) {
    board.set(colour, at: point)
    events.append(.edit(colour, at: point))
    earlier = [:]
    note(next: .black)
    note(next: .white)
  }

  private func note(next: Colour) { earlier[board.hash, default: 0] |= next.rawValue }

  /// Takes back the last turn; false where there is none.
  public func undo() -> Bool {
    guard case .move? = events.last else { return false }
    let kept = events.dropLast()
    restart()
    for event in kept { repeatEvent(event) }
    return true
  }

  /// Takes all stones off and forgets everything.
  public func restart() {
    board.clear()
    events = []
    earlier = [:]
  }

  private func repeatEvent(_ event: Event) {
    switch event {
    case .edit(let colour, let point): edit(colour, at: point)
    case .move(let colour, let move):
      // It was legal when it was made.
      try? play(colour, move)
    }
  }
}

extension Board {
  /// The stones that a move would take off, without making it: the opponent's, or else its own with the point itself.
  func wouldTake(_ colour: Colour, at point: Int) -> PointSet {
    var taken = PointSet()
    var own = PointSet(point)
    var hasLiberty = !(shape.neighbours[point] & empty).isEmpty
    for place in 4 * point..<4 * point + 4 {
      let beside = Int(shape.neighbourList[place])
      if beside < 0 { break }
      guard colours[beside] != 0 else { continue }
      let chain = chains[Int(chainOf[beside])]
      if colours[beside] == colour.rawValue {
        own = own | chain.stones
        if chain.libertyCount > 1 { hasLiberty = true }
      } else if chain.libertyCount == 1 {
        taken = taken | chain.stones
      }
    }
    return taken.isEmpty && !hasLiberty ? own : taken
  }
}
