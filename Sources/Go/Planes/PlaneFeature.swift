/// What a plane, or a group of planes, says of each point, seen by the player whose turn it is.
///
/// These are the features of AlphaGo's policy network. Where the paper leaves something open, the open-source reimplementation RocAlphaGo
/// decides it here, too: a count of planes n has one plane for each number below n and one for all from n on, stones that were set
/// count as the oldest, and what a move would do is said of legal moves only.
///
/// - SeeAlso: Silver et al. 2016, "Mastering the game of Go with deep neural networks and tree search", Extended Data Table 2,
///   <https://doi.org/10.1038/nature16961>; RocAlphaGo, `AlphaGo/preprocessing/preprocessing.py`.
public enum PlaneFeature: String, Sendable, Hashable, CaseIterable {
  /// Own stones, the opponent's, and empty points.
  case stones
  /// 1 everywhere, so that the network sees where the board ends.
  case ones
  /// How many turns ago a stone was played.
  case turnsSince = "turns_since"
  /// How many liberties a stone's chain has.
  case liberties
  /// How many of the opponent's stones a move would capture.
  case captureSize = "capture_size"
  /// How many own stones a move would put into atari, its own stone among them.
  case selfAtariSize = "self_atari_size"
  /// How many liberties the chain of a move would have.
  case libertiesAfter = "liberties_after"
  /// Whether a move catches a chain in a ladder.
  case ladderCapture = "ladder_capture"
  /// Whether a move saves a chain from atari and from being caught in a ladder.
  case ladderEscape = "ladder_escape"
  /// Whether a move is legal and does not fill an eye of one's own.
  case sensible
  /// 0 everywhere.
  case zeros

  /// How many planes it may have: those of the paper are the most.
  public var counts: ClosedRange<Int> {
    switch self {
    case .stones: 3...3
    case .ones, .ladderCapture, .ladderEscape, .sensible, .zeros: 1...1
    case .turnsSince, .liberties, .captureSize, .selfAtariSize, .libertiesAfter: 1...8
    }
  }

  /// The names of its planes.
  public func names(count: Int) -> [String] {
    /// One for each number from `first` on, the last for all that are larger.
    func numbered(from first: Int, _ text: (String, Bool) -> String) -> [String] {
      (first..<first + count).map {
        let isOne = $0 == 1 && count > 1
        return text($0 == first + count - 1 ? "\($0) or more" : "\($0)", isOne)
      }
    }
    switch self {
    case .stones: return ["own stones", "opponent's stones", "empty points"]
    case .ones: return ["ones"]
    case .turnsSince: return numbered(from: 1) { "played \($0) turn\($1 ? "" : "s") ago" }
    case .liberties: return numbered(from: 1) { "\($0) \($1 ? "liberty" : "liberties")" }
    case .captureSize: return numbered(from: 0) { number, _ in "captures \(number)" }
    case .selfAtariSize: return numbered(from: 1) { number, _ in "puts \(number) into atari" }
    case .libertiesAfter: return numbered(from: 1) { "has \($0) \($1 ? "liberty" : "liberties") after it" }
    case .ladderCapture: return ["ladder capture"]
    case .ladderEscape: return ["ladder escape"]
    case .sensible: return ["sensible"]
    case .zeros: return ["zeros"]
    }
  }

  /// What it says, for references.
  public var summary: String {
    switch self {
    case .stones: "own stones, the opponent's, empty points (3 planes)"
    case .ones: "1 everywhere"
    case .turnsSince: "how many turns ago a stone was played (1 to 8 planes)"
    case .liberties: "liberties of a stone's chain (1 to 8 planes)"
    case .captureSize: "stones that a move captures, from 0 (1 to 8 planes)"
    case .selfAtariSize: "own stones that a move puts into atari (1 to 8 planes)"
    case .libertiesAfter: "liberties of the chain of a move (1 to 8 planes)"
    case .ladderCapture: "moves that catch a chain in a ladder"
    case .ladderEscape: "moves that save a chain from a ladder"
    case .sensible: "legal moves that fill no eye of one's own"
    case .zeros: "0 everywhere"
    }
  }
}
