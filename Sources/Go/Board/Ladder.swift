/// Reads ladders: whether a chain that keeps being put into atari is caught in the end.
///
/// The hunter plays on one of the prey's two liberties, the prey runs onto the other or takes stones that hold it, and so on. With
/// three liberties the prey is free. Each question is read with at most ``nodeLimit`` moves; where these do not settle it,
/// nothing is claimed.
struct LadderReader {
  /// Moves that are tried for one question.
  static let nodeLimit = 400

  private let shape: BoardShape
  private var nodesLeft = 0

  init(_ shape: BoardShape) { self.shape = shape }

  /// A position of stones, seen from a chain that is hunted.
  struct Hunt {
    /// All stones of the prey's colour.
    var prey: PointSet
    /// All stones of the hunter's colour.
    var hunter: PointSet
    /// The point that a ko forbids to whose turn it is; −1 where there is none.
    var ko: Int
  }

  /// What reading found.
  enum Outcome {
    case caught
    case free
    /// More moves would be needed.
    case unknown
  }

  /// Whether the hunter catches a chain of two liberties by playing on one of them.
  mutating func attack(_ hunt: Hunt, chain: PointSet, at point: Int) -> Outcome {
    nodesLeft = Self.nodeLimit
    return hunterPlays(hunt, chain, at: point) ?? .free
  }

  /// Whether a chain of one liberty gets away by a move.
  mutating func escape(_ hunt: Hunt, chain: PointSet, at point: Int) -> Outcome {
    nodesLeft = Self.nodeLimit
    return preyPlays(hunt, chain, at: point) ?? .caught
  }

  /// Points where a chain in atari may be saved: its liberty, and those of the hunter's chains beside it that are in atari themselves.
  func rescues(_ hunt: Hunt, chain: PointSet) -> PointSet {
    let empty = shape.all - hunt.prey - hunt.hunter
    let around = shape.neighbours(of: chain)
    var points = around & empty
    var holders = around & hunt.hunter
    while let stone = holders.first {
      let holder = shape.connected(PointSet(stone), within: hunt.hunter)
      holders = holders - holder
      let liberties = shape.neighbours(of: holder) & empty
      if liberties.count == 1 { points = points | liberties }
    }
    return points
  }

  /// What follows a move of the hunter; nil where it is not legal.
  private mutating func hunterPlays(_ hunt: Hunt, _ chain: PointSet, at point: Int) -> Outcome? {
    guard let next = play(point, own: hunt.hunter, other: hunt.prey, ko: hunt.ko) else { return nil }
    nodesLeft -= 1
    if nodesLeft < 0 { return .unknown }
    let hunt = Hunt(prey: next.other, hunter: next.own, ko: next.ko)
    let empty = shape.all - hunt.prey - hunt.hunter
    guard (shape.neighbours(of: chain) & empty).count == 1 else { return .free }
    return preyToMove(hunt, chain)
  }

  private mutating func preyToMove(_ hunt: Hunt, _ chain: PointSet) -> Outcome {
    var best = Outcome.caught
    var points = rescues(hunt, chain: chain)
    while let point = points.popFirst() {
      switch preyPlays(hunt, chain, at: point) {
      case .free: return .free
      case .unknown: best = .unknown
      case .caught, nil: break
      }
    }
    return best
  }

  /// What follows a move of the prey; nil where it is not legal.
  private mutating func preyPlays(_ hunt: Hunt, _ chain: PointSet, at point: Int) -> Outcome? {
    guard let next = play(point, own: hunt.prey, other: hunt.hunter, ko: hunt.ko) else { return nil }
    nodesLeft -= 1
    if nodesLeft < 0 { return .unknown }
    let hunt = Hunt(prey: next.own, hunter: next.other, ko: next.ko)
    let chain = shape.connected(chain, within: hunt.prey)
    let empty = shape.all - hunt.prey - hunt.hunter
    var liberties = shape.neighbours(of: chain) & empty
    switch liberties.count {
    case 0, 1: return .caught
    case 2: break
    default: return .free
    }
    var best = Outcome.free
    while let point = liberties.popFirst() {
      switch hunterPlays(hunt, chain, at: point) {
      case .caught: return .caught
      case .unknown: best = .unknown
      case .free, nil: break
      }
    }
    return best
  }

  /// Plays a stone; nil where a ko or suicide forbids it.
  private func play(
    _ point: Int, own: PointSet, other: PointSet, ko: Int
  ) -> (own: PointSet, other: PointSet, ko: Int)? {
    guard point != ko else { return nil }
    var own = own
    own.insert(point)
    var other = other
    let empty = shape.all - own - other
    var taken = PointSet()
    var beside = shape.neighbours[point] & other
    while let stone = beside.first {
      let chain = shape.connected(PointSet(stone), within: other)
      beside = beside - chain
      if (shape.neighbours(of: chain) & empty).isEmpty { taken = taken | chain }
    }
    guard taken.isEmpty else {
      other = other - taken
      let chain = shape.connected(PointSet(point), within: own)
      let isKo =
        taken.count == 1 && chain.count == 1 && (shape.neighbours[point] & (empty | taken)).count == 1
      return (own, other, isKo ? taken.first ?? -1 : -1)
    }
    if (shape.neighbours[point] & empty).isEmpty {
      let chain = shape.connected(PointSet(point), within: own)
      guard !(shape.neighbours(of: chain) & empty).isEmpty else { return nil }
    }
    return (own, other, -1)
  }
}

extension Board {
  /// Legal moves that put a chain of the opponent, which has two liberties, into an atari from which no ladder lets it escape.
  public func ladderCaptures(_ colour: Colour) -> PointSet {
    var reader = LadderReader(shape)
    let hunt = LadderReader.Hunt(
      prey: stones(of: colour.opponent), hunter: stones(of: colour), ko: ko(for: colour) ?? -1)
    var found = PointSet()
    for (chain, liberties) in chains(of: colour.opponent, liberties: 2) {
      var points = liberties - found
      while let point = points.popFirst() {
        if problem(colour, at: point) == nil, reader.attack(hunt, chain: chain, at: point) == .caught {
          found.insert(point)
        }
      }
    }
    return found
  }

  /// Legal moves after which a chain of the player's own that was in atari has three liberties, or two and no ladder that catches it.
  public func ladderEscapes(_ colour: Colour) -> PointSet {
    var reader = LadderReader(shape)
    let hunt = LadderReader.Hunt(
      prey: stones(of: colour), hunter: stones(of: colour.opponent), ko: ko(for: colour) ?? -1)
    var found = PointSet()
    for (chain, _) in chains(of: colour, liberties: 1) {
      var points = reader.rescues(hunt, chain: chain) - found
      while let point = points.popFirst() {
        if problem(colour, at: point) == nil, reader.escape(hunt, chain: chain, at: point) == .free {
          found.insert(point)
        }
      }
    }
    return found
  }

  /// The chains of a colour that have this many liberties.
  private func chains(of colour: Colour, liberties count: Int) -> [(stones: PointSet, liberties: PointSet)] {
    var result: [(PointSet, PointSet)] = []
    var rest = stones(of: colour)
    while let stone = rest.first {
      let chain = chains[Int(chainOf[stone])]
      rest = rest - chain.stones
      if chain.libertyCount == count { result.append((chain.stones, chain.liberties)) }
    }
    return result
  }
}
