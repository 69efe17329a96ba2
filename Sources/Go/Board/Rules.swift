/// What a move may not do besides taking an occupied point.
public struct Rules: Sendable, Hashable {
  /// Which repetitions are forbidden.
  public enum Repetition: String, Sendable, Hashable, CaseIterable {
    /// Taking back at once a single stone that took a single stone.
    case ko
    /// Any position of stones that was on the board before.
    case positional
    /// Any position of stones that was on the board before with the same player to move.
    case situational
  }

  /// Which repetitions are forbidden.
  public var repetition: Repetition
  /// Whether a move may leave its own stones without liberties, which are then taken off.
  ///
  /// A single stone may never do so: that would be a pass.
  public var allowsSuicide: Bool

  /// By default the rules that all others have in common.
  public init(repetition: Repetition = .ko, allowsSuicide: Bool = false) {
    self.repetition = repetition
    self.allowsSuicide = allowsSuicide
  }
}

/// Why a move is against the rules.
public enum IllegalMove: String, Error, Sendable, Hashable, CaseIterable {
  /// The point has a stone already.
  case occupied
  /// It takes back a stone that just took one.
  case ko
  /// It would repeat an earlier position.
  case repetition
  /// It would leave its own stones without liberties.
  case suicide
}
