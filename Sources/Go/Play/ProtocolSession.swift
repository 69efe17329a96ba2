/// A conversation in the Go Text Protocol, version 2: lines in, answers out.
///
/// Whatever comes in is answered as the protocol says, and nothing that comes in ends the program but `quit`.
/// - SeeAlso: Farnebäck 2002, "Specification of the Go Text Protocol, version 2, draft 2",
///   <https://www.lysator.liu.se/~gunnar/gtp/gtp2-spec-draft2.html>.
public final class ProtocolSession {
  private let policy: any MovePolicy
  private let name: String
  private let version: String
  private let loadFile: (String) throws -> [UInt8]
  private let shape: BoardShape
  private var game: Game
  private var player: Player
  private var komi = 7.5
  /// Whether `quit` came.
  public private(set) var isOver = false

  /// Begins with an empty board of the policy's size.
  ///
  /// - Parameters:
  ///   - name: what the program is called.
  ///   - loadFile: gives the bytes of a file that `loadsgf` names.
  public init(
    _ policy: any MovePolicy, name: String, version: String, manners: Player.Manners = Player.Manners(),
    seed: UInt64 = 0, loadFile: @escaping (String) throws -> [UInt8]
  ) {
    self.policy = policy
    self.name = name
    self.version = version
    self.loadFile = loadFile
    shape = BoardShape.of(policy.size)
    game = Game(size: policy.size)
    player = Player(manners, seed: seed)
  }

  /// Why a command failed, in the protocol's words where it has some.
  private struct Failure: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }

  /// Answers one line, which holds a command, a comment or nothing.
  ///
  /// - Returns: the answer with the empty line behind it; nil where there is none.
  public func answer(_ line: String) -> String? {
    // Section 2.2: other control characters are dropped, tabs become blanks, and a # begins a comment.
    var text = ""
    for scalar in line.unicodeScalars {
      if scalar == "#" { break }
      if scalar == "\t" {
        text.append(" ")
      } else if scalar.value >= 32, scalar.value != 127 {
        text.unicodeScalars.append(scalar)
      }
    }
    var words = text.split(separator: " ").map(String.init)
    guard let first = words.first else { return nil }
    var id = ""
    if first.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      id = first
      words.removeFirst()
      guard !words.isEmpty else { return nil }
    }
    do throws(Failure) {
      let result = try perform(words[0], Array(words.dropFirst()))
      return "=\(id)\(result.isEmpty ? "" : " \(result)")\n\n"
    } catch {
      return "?\(id) \(error.text)\n\n"
    }
  }

  // MARK: - Commands

  private static let commands:
    [(name: String, run: @Sendable (ProtocolSession, [String]) throws(Failure) -> String)] = [
      ("protocol_version", { _, _ throws(Failure) in "2" }),
      ("name", { session, _ throws(Failure) in session.name }),
      ("version", { session, _ throws(Failure) in session.version }),
      (
        "known_command",
        { _, words throws(Failure) in commands.contains { $0.name == words.first } ? "true" : "false" }
      ),
      ("list_commands", { _, _ throws(Failure) in commands.map(\.name).joined(separator: "\n") }),
      (
        "quit",
        { session, _ throws(Failure) in
          session.isOver = true
          return ""
        }
      ),
      ("boardsize", { session, words throws(Failure) in try session.boardSize(words) }),
      ("query_boardsize", { session, _ throws(Failure) in "\(session.shape.size)" }),
      (
        "clear_board",
        { session, _ throws(Failure) in
          session.begin()
          return ""
        }
      ),
      ("komi", { session, words throws(Failure) in try session.setKomi(words) }),
      ("get_komi", { session, _ throws(Failure) in session.number(session.komi) }),
      ("play", { session, words throws(Failure) in try session.play(words) }),
      ("genmove", { session, words throws(Failure) in try session.generate(words, plays: true) }),
      ("reg_genmove", { session, words throws(Failure) in try session.generate(words, plays: false) }),
      (
        "undo",
        { session, _ throws(Failure) in
          guard session.game.undo() else { throw Failure("cannot undo") }
          session.player.beginGame()
          return ""
        }
      ),
      ("showboard", { session, _ throws(Failure) in session.drawing() }),
      ("last_move", { session, _ throws(Failure) in try session.lastMove() }),
      ("fixed_handicap", { session, words throws(Failure) in try session.handicap(words) }),
      ("place_free_handicap", { session, words throws(Failure) in try session.handicap(words) }),
      ("set_free_handicap", { session, words throws(Failure) in try session.freeHandicap(words) }),
      ("loadsgf", { session, words throws(Failure) in try session.load(words) }),
      ("final_score", { session, _ throws(Failure) in session.score() }),
      // All stones count as alive: who plays by Chinese rules takes off what is dead.
      (
        "final_status_list",
        { session, words throws(Failure) in
          guard let kind = words.first, ["dead", "alive", "seki"].contains(kind) else {
            throw Failure("syntax error")
          }
          return kind == "alive" ? session.chains() : ""
        }
      ),
      ("time_settings", { _, _ throws(Failure) in "" }),
      ("time_left", { _, _ throws(Failure) in "" }),
      ("kgs-time_settings", { _, _ throws(Failure) in "" }),
      ("list_stones", { session, words throws(Failure) in try session.stones(words) }),
      ("captures", { session, words throws(Failure) in try session.captures(words) }),
      ("all_legal", { session, words throws(Failure) in try session.legal(words) }),
      ("convoy-policy", { session, words throws(Failure) in try session.candidates(words) }),
    ]

  private func perform(_ command: String, _ words: [String]) throws(Failure) -> String {
    guard let found = Self.commands.first(where: { $0.name == command }) else {
      throw Failure("unknown command")
    }
    return try found.run(self, words)
  }

  private func begin() {
    game.restart()
    player.beginGame()
  }

  private func boardSize(_ words: [String]) throws(Failure) -> String {
    guard let size = words.first.flatMap({ Int($0) }) else { throw Failure("boardsize not an integer") }
    guard size == shape.size else { throw Failure("unacceptable size") }
    begin()
    return ""
  }

  private func setKomi(_ words: [String]) throws(Failure) -> String {
    guard let value = words.first.flatMap({ Double($0) }), value.isFinite, abs(value) < 100_000 else {
      throw Failure("komi not a float")
    }
    komi = value
    return ""
  }

  private func colour(_ words: [String]) throws(Failure) -> Colour {
    switch words.first?.lowercased() {
    case "b", "black": return .black
    case "w", "white": return .white
    default: throw Failure("invalid color")
    }
  }

  private func play(_ words: [String]) throws(Failure) -> String {
    guard words.count >= 2 else { throw Failure("invalid color or coordinate") }
    let colour = try colour(words)
    if words[1].lowercased() == "resign" { return "" }
    guard let move = MoveName.move(words[1], on: shape) else { throw Failure("invalid coordinate") }
    do throws(IllegalMove) { try game.play(colour, move) } catch { throw Failure("illegal move") }
    return ""
  }

  private func generate(_ words: [String], plays: Bool) throws(Failure) -> String {
    let colour = try colour(words)
    let decision: Player.Decision
    do { decision = try decide(colour, by: policy) } catch { throw Failure("\(error)") }
    guard case .move(let move) = decision else { return "resign" }
    if plays {
      do throws(IllegalMove) { try game.play(colour, move) } catch { throw Failure("illegal move") }
    }
    return MoveName.text(move, on: shape)
  }

  private func decide(_ colour: Colour, by policy: some MovePolicy) throws -> Player.Decision {
    try player.decide(game, colour, komi: komi, by: policy)
  }

  private func handicap(_ words: [String]) throws(Failure) -> String {
    guard let count = words.first.flatMap({ Int($0) }) else { throw Failure("handicap not an integer") }
    guard let points = Handicap.points(count, size: shape.size) else { throw Failure("invalid handicap") }
    try place(points)
    return points.map { MoveName.text(.stone($0), on: shape) }.joined(separator: " ")
  }

  private func freeHandicap(_ words: [String]) throws(Failure) -> String {
    var points: [Int] = []
    for word in words {
      guard case .stone(let point)? = MoveName.move(word, on: shape), !points.contains(point) else {
        throw Failure("bad vertex list")
      }
      points.append(point)
    }
    guard points.count >= 2, points.count < shape.pointCount else { throw Failure("bad vertex list") }
    try place(points)
    return ""
  }

  private func place(_ points: [Int]) throws(Failure) {
    guard game.board.empty == shape.all, game.events.isEmpty else { throw Failure("board not empty") }
    for point in points { game.edit(.black, at: point) }
  }

  /// Loads a record's main line, up to before a move if one is named, from 1.
  private func load(_ words: [String]) throws(Failure) -> String {
    guard let path = words.first else { throw Failure("cannot load file") }
    let records: [GameRecord]
    do { records = SGFReader.games(try loadFile(path)) } catch { throw Failure("cannot load file") }
    guard let record = records.first, record.kind == 1, record.squareSize == shape.size else {
      throw Failure("cannot load file")
    }
    var limit = Int.max
    if words.count > 1 {
      guard let number = Int(words[1]), number >= 0 else { throw Failure("syntax error") }
      limit = max(0, number - 1)
    }
    var rules = game.rules
    if record.allowsSuicide { rules.allowsSuicide = true }
    let other = Game(size: shape.size, rules: rules)
    var next = Colour.black
    let end = record.enact(in: other, limit: limit) { next = $0 }
    if case .illegal = end { throw Failure("cannot load file") }
    if case .offTheBoard = end { throw Failure("cannot load file") }
    game = other
    player.beginGame()
    komi = record.komi ?? komi
    return next.word
  }

  // MARK: - Answers

  private func number(_ value: Double) -> String { value == value.rounded() ? "\(Int(value)).0" : "\(value)" }

  private func lastMove() throws(Failure) -> String {
    guard let last = game.lastMove else { throw Failure("no previous move known") }
    return "\(last.colour.word) \(MoveName.text(last.move, on: shape).uppercased())"
  }

  private func drawing() -> String {
    var last: Int?
    if case .stone(let point)? = game.lastMove?.move { last = point }
    let taken = game.board.captures
    return
      (["", "Black (X) has captured \(taken.black), White (O) \(taken.white) stones"]
      + BoardText.lines(game.board, last: last)).joined(separator: "\n")
  }

  private func score() -> String {
    let lead = Double(game.board.area()) - komi
    if lead == 0 { return "0" }
    return (lead > 0 ? "B+" : "W+") + number(abs(lead))
  }

  private func chains() -> String {
    var rest = shape.all - game.board.empty
    var lines: [String] = []
    while let stone = rest.first {
      let chain = game.board.chain(of: stone)
      rest = rest - chain
      lines.append(chain.points.map { MoveName.text(.stone($0), on: shape) }.joined(separator: " "))
    }
    return lines.joined(separator: "\n")
  }

  private func stones(_ words: [String]) throws(Failure) -> String {
    game.board.stones(of: try colour(words)).points.map { MoveName.text(.stone($0), on: shape) }
      .joined(separator: " ")
  }

  private func captures(_ words: [String]) throws(Failure) -> String {
    try colour(words) == .black ? "\(game.board.captures.black)" : "\(game.board.captures.white)"
  }

  private func legal(_ words: [String]) throws(Failure) -> String {
    let colour = try colour(words)
    return (0..<shape.pointCount).filter { game.problem(colour, .stone($0)) == nil }
      .map { MoveName.text(.stone($0), on: shape) }.joined(separator: " ")
  }

  /// The ten most probable moves, whether legal or not, with their probabilities.
  private func candidates(_ words: [String]) throws(Failure) -> String {
    let colour = try colour(words)
    do {
      let probabilities = try policy.probabilities(game.board, for: colour)
      let best = probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }.prefix(10)
      return best.map { index in
        let name = MoveName.text(Move(index: index, on: shape), on: shape)
        let thousandths = Int((probabilities[index] * 1000).rounded())
        return "\(name) \(thousandths / 10).\(thousandths % 10)%"
      }.joined(separator: "\n")
    } catch { throw Failure("\(error)") }
  }
}

extension GameRecord {
  /// Plays the record's main line in a game that is empty.
  ///
  /// - Parameters:
  ///   - limit: how many moves at most.
  ///   - next: told whose turn it is, again and again.
  /// - Returns: how far the record could be followed.
  func enact(in game: Game, limit: Int, next: (Colour) -> Void) -> Replay.End {
    let size = game.board.shape.size
    if case .implied(let points) = handicapStones {
      for point in points { game.edit(.black, at: point) }
      next(.white)
    }
    var made = 0
    for step in steps {
      switch step {
      case .edit(let index):
        for place in edits[index].places {
          guard let point = place.point(size: size) else { return .offTheBoard }
          game.edit(edits[index].colour, at: point)
        }
      case .turn(let colour): next(colour)
      case .move(let colour, let place):
        guard made < limit else { return .complete }
        made += 1
        next(colour.opponent)
        guard let place else {
          try? game.play(colour, .pass)
          continue
        }
        guard let point = place.point(size: size) else { return .offTheBoard }
        do throws(IllegalMove) { try game.play(colour, .stone(point)) } catch { return .illegal(error) }
      }
    }
    return .complete
  }
}
