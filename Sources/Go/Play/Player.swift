internal import Foundation

/// What a network says of a position: how good each move seems to the player whose turn it is.
public protocol MovePolicy: AnyObject {
  /// Rows and columns of the boards that it knows.
  var size: Int { get }
  /// The probability of each move, the pass last; they add up to 1.
  func probabilities(_ board: Board, for colour: Colour) throws -> [Double]
}

/// Plays by a policy alone, without looking ahead.
///
/// Of the moves that are legal and bring back no earlier position, that fill no eye of its own and do not only lose stones, it takes
/// the one that the policy holds for the most probable.
public struct Player {
  /// How a player behaves at the end of a game.
  public struct Manners: Sendable, Hashable {
    /// Whether it gives up a game that is lost by far.
    public var resigns: Bool
    /// How freely it chooses: 0 always takes the most probable move, 1 each as often as the policy says.
    public var temperature: Double

    /// By default it resigns, and takes the most probable move.
    public init(resigns: Bool = true, temperature: Double = 0) {
      self.resigns = resigns
      self.temperature = temperature
    }
  }

  /// What a player does.
  public enum Decision: Sendable, Hashable {
    /// A turn.
    case move(Move)
    /// It gives up.
    case resign
  }

  /// How it behaves.
  public var manners: Manners
  /// Turns in a row in which it was behind by far.
  private var hopelessTurns = 0
  private var random: SplitMix

  /// A player, with the seed of its choices.
  public init(_ manners: Manners = Manners(), seed: UInt64 = 0) {
    self.manners = manners
    random = SplitMix(state: seed)
  }

  /// Forgets the game before.
  public mutating func beginGame() { hopelessTurns = 0 }

  /// How many points behind, as a share of the board, is lost, late in a game.
  private static let hopelessShare = 0.25

  /// Chooses for the player whose turn it is; nothing is played.
  ///
  /// - It passes when no such move is left, when the policy holds a pass for the most probable, or when the opponent has passed and it
  ///   is ahead with all stones on the board; and when a game has become longer than three times the number of points.
  /// - It resigns when it has been behind for five turns in a row, by a quarter of the board, after as many turns as four tenths of
  ///   the points; points are counted with all stones on the board.
  public mutating func decide(
    _ game: Game, _ colour: Colour, komi: Double, by policy: some MovePolicy
  ) throws -> Decision {
    let board = game.board
    let points = board.shape.pointCount
    let lead = (colour == .black ? 1 : -1) * (Double(board.area()) - komi)
    let isLate = Double(board.turn) > 0.4 * Double(points)
    hopelessTurns = isLate && -lead > Self.hopelessShare * Double(points) ? hopelessTurns + 1 : 0
    if manners.resigns, hopelessTurns >= 5 { return .resign }
    if let last = game.lastMove, last.colour == colour.opponent, last.move == .pass, lead > 0 {
      return .move(.pass)
    }
    if board.turn > 3 * points { return .move(.pass) }
    let probabilities = try policy.probabilities(board, for: colour)
    let moves = Self.sensible(game, colour)
    guard !moves.isEmpty else { return .move(.pass) }
    let best = moves.max { (probabilities[$0], $1) < (probabilities[$1], $0) } ?? moves[0]
    // Early passes are what records say of games that went on elsewhere.
    if isLate, probabilities[points] > probabilities[best] { return .move(.pass) }
    return .move(.stone(manners.temperature > 0 ? draw(moves, probabilities) : best))
  }

  private mutating func draw(_ moves: [Int], _ probabilities: [Double]) -> Int {
    // p^(1/T), without leaving the range of numbers.
    let largest = moves.map { probabilities[$0] }.max() ?? 0
    guard largest > 0 else { return moves[0] }
    let weights = moves.map { pow(probabilities[$0] / largest, 1 / manners.temperature) }
    var rest = Double(random.next() >> 11) * 0x1p-53 * weights.reduce(0, +)
    for (move, weight) in zip(moves, weights) {
      rest -= weight
      if rest < 0 { return move }
    }
    return moves[moves.count - 1]
  }

  /// Moves that may be worth something: legal, new, no own eye filled, and no stones thrown away for nothing.
  static func sensible(_ game: Game, _ colour: Colour) -> [Int] {
    let board = game.board
    return board.empty.points.filter { point in
      game.problem(colour, .stone(point)) == nil && !board.isEye(point, of: colour)
        && !game.repeats(colour, at: point) && !board.throwsAway(colour, at: point)
    }
  }
}

extension Board {
  /// Whether a legal move captures nothing and puts two or more own stones into atari.
  func throwsAway(_ colour: Colour, at point: Int) -> Bool {
    var stones = PointSet(point)
    var open = shape.neighbours[point] & empty
    for place in 4 * point..<4 * point + 4 {
      let beside = Int(shape.neighbourList[place])
      if beside < 0 { break }
      guard colours[beside] != 0 else { continue }
      let chain = chains[Int(chainOf[beside])]
      if colours[beside] == colour.rawValue {
        stones = stones | chain.stones
        open = open | chain.liberties
      } else if chain.libertyCount == 1 {
        return false
      }
    }
    open.remove(point)
    return open.count == 1 && stones.count > 2
  }
}

/// SplitMix64 (Steele, Lea & Flood 2014), for choices between moves.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
