import Go
import TestSupport
import Testing

/// Prefers points by a fixed order that looks random.
private final class Fixed: MovePolicy {
  let size: Int
  var pass = 0.0
  init(size: Int) { self.size = size }

  func probabilities(_ board: Board, for colour: Colour) -> [Double] {
    let weights = (0..<size * size).map { Double(1 + ($0 * 2_654_435_761) % 97) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum * (1 - pass) } + [pass]
  }
}

@Suite("Go Text Protocol")
struct ProtocolTests {
  private func session(_ size: Int = 9, pass: Double = 0, resigns: Bool = true) -> ProtocolSession {
    let policy = Fixed(size: size)
    policy.pass = pass
    return ProtocolSession(
      policy, name: "Test", version: "1", manners: Player.Manners(resigns: resigns),
      loadFile: { try fixtureBytes("records/\($0)") })
  }

  @Test("answers are those of the specification")
  func answers() {
    let session = session()
    for (line, answer) in [
      ("protocol_version", "= 2\n\n"), ("7 name", "=7 Test\n\n"), ("version", "= 1\n\n"),
      ("known_command play", "= true\n\n"), ("known_command nothing", "= false\n\n"),
      ("known_command", "= false\n\n"), ("nothing", "? unknown command\n\n"),
      ("12 nothing", "?12 unknown command\n\n"),
      ("boardsize 9", "=\n\n"), ("boardsize 19", "? unacceptable size\n\n"),
      ("boardsize x", "? boardsize not an integer\n\n"),
      ("boardsize", "? boardsize not an integer\n\n"), ("komi 6.5", "=\n\n"),
      ("komi x", "? komi not a float\n\n"),
      ("komi nan", "? komi not a float\n\n"), ("get_komi", "= 6.5\n\n"), ("3 play black C3", "=3\n\n"),
      ("play w c3", "? illegal move\n\n"), ("play white Z3", "? invalid coordinate\n\n"),
      ("play green C4", "? invalid color\n\n"), ("play white", "? invalid color or coordinate\n\n"),
      ("PLAY white C4", "? unknown command\n\n"), ("play WHITE pass", "=\n\n"),
      ("last_move", "= white PASS\n\n"),
      ("undo", "=\n\n"), ("undo", "=\n\n"), ("undo", "? cannot undo\n\n"),
      ("last_move", "? no previous move known\n\n"),
      ("time_settings 0 5 1", "=\n\n"), ("time_left b 10 0", "=\n\n"), ("final_score", "= W+6.5\n\n"),
      ("komi 0", "=\n\n"), ("final_score", "= 0\n\n"), ("fixed_handicap 2", "= C3 G7\n\n"),
      ("fixed_handicap 2", "? board not empty\n\n"), ("list_stones black", "= G7 C3\n\n"),
      ("final_score", "= B+81.0\n\n"), ("clear_board", "=\n\n"),
      ("fixed_handicap 99", "? invalid handicap\n\n"),
      ("set_free_handicap A1 B2 C3", "=\n\n"), ("clear_board", "=\n\n"),
      ("set_free_handicap A1 A1", "? bad vertex list\n\n"),
      ("set_free_handicap A1 pass", "? bad vertex list\n\n"), ("list_stones black", "=\n\n"),
      ("loadsgf ko.sgf", "= white\n\n"), ("loadsgf ko.sgf 3", "= black\n\n"),
      ("list_stones white", "= E7\n\n"),
      ("loadsgf ko.sgf abc", "? syntax error\n\n"), ("loadsgf ko.sgf -1", "? syntax error\n\n"),
      ("loadsgf missing.sgf", "? cannot load file\n\n"), ("list_stones white", "= E7\n\n"),
      ("final_status_list dead", "=\n\n"), ("final_status_list x", "? syntax error\n\n"), ("quit", "=\n\n"),
    ] {
      #expect(session.answer(line) == answer, "\(line)")
    }
    #expect(session.isOver)
  }

  @Test("a record is replayed by its own rules, where these let a player take off stones of one's own")
  func suicide() {
    for (rules, answer) in [("NZ", "= white\n\n"), ("Japanese", "? cannot load file\n\n")] {
      // White's stones at A9 and A8 close the last liberty of their own chain.
      let record = "(;SZ[9]RU[\(rules)];B[ba];W[gg];B[bb];W[gf];B[ac];W[aa];B[ge];W[ab];B[fe])"
      let session = ProtocolSession(
        Fixed(size: 9), name: "Test", version: "1", manners: Player.Manners(resigns: true),
        loadFile: { _ in Array(record.utf8) })
      #expect(session.answer("loadsgf x.sgf") == answer)
    }
  }

  @Test("comments, empty lines and control characters are passed over")
  func lines() {
    let session = session()
    #expect(session.answer("") == nil)
    #expect(session.answer("# a remark") == nil)
    #expect(session.answer("   \t ") == nil)
    #expect(session.answer("17") == nil)
    #expect(session.answer("5\tname # who") == "=5 Test\n\n")
    #expect(session.answer("na\u{1}me\r") == "= Test\n\n")
  }

  @Test("every command that is listed is known, and whatever comes in is answered in the protocol's form")
  func anything() throws {
    let session = session()
    let list = try #require(session.answer("list_commands"))
    let commands = list.dropFirst(2).split(separator: "\n").map(String.init)
    #expect(
      Set(commands).isSuperset(of: [
        "protocol_version", "name", "version", "known_command", "list_commands", "quit", "boardsize",
        "clear_board",
        "komi", "play", "genmove", "undo", "showboard", "final_score", "time_settings",
      ]))
    var random = SplitMix64(seed: 12)
    let words =
      commands + [
        "b", "w", "black", "A1", "J9", "pass", "resign", "-5", "9", "1e400", "ä", "[", "99999999999999999999",
      ]
    for _ in 0..<3000 {
      let line = (0...random.next(below: 4)).map { _ in words[random.next(below: words.count)] }.joined(
        separator: " ")
      guard let answer = session.answer(line) else { continue }
      #expect(
        answer.hasSuffix("\n\n") && (answer.hasPrefix("=") || answer.hasPrefix("?")), "\(line): \(answer)")
      #expect(!answer.dropLast(2).contains("\n\n"), "\(line)")
    }
  }

  @Test("a game against itself has legal moves only, and ends", arguments: [2, 3, 5, 9])
  func ends(size: Int) throws {
    let session = session(size)
    let referee = Game(size: size, rules: Rules(repetition: .positional))
    var (passes, turns) = (0, 0)
    var colour = Colour.black
    while passes < 2 {
      let answer = try #require(session.answer("genmove \(colour.word)"))
      let name = answer.dropFirst(2).dropLast(2)
      if name == "resign" { break }
      let move = try #require(MoveName.move(String(name), on: referee.board.shape))
      if case .stone(let point) = move { #expect(!referee.board.isEye(point, of: colour)) }
      try referee.play(colour, move)
      passes = move == .pass ? passes + 1 : 0
      colour = colour.opponent
      turns += 1
      try #require(turns < 4 * size * size + 10)
    }
    #expect(turns > size)
  }

  @Test("it passes after a pass when it is ahead, and not when it is behind")
  func passing() {
    let session = session()
    for line in ["komi 6.5", "play b E5", "play w pass"] { _ = session.answer(line) }
    // Black has all the board.
    #expect(session.answer("genmove b") == "= pass\n\n")
    #expect(session.answer("genmove w") != "= pass\n\n")
    let other = self.session()
    for line in ["komi 200", "play b E5", "play w pass"] { _ = other.answer(line) }
    #expect(other.answer("genmove b") != "= pass\n\n")
  }

  @Test("it resigns late in games that are lost by far, unless told not to", arguments: [true, false])
  func resigning(resigns: Bool) {
    let session = session(resigns: resigns)
    // White has two stones, Black lives everywhere.
    for column in "ABCDEFGHJ" { for row in [3, 5, 7] { _ = session.answer("play b \(column)\(row)") } }
    for _ in 0..<10 { _ = session.answer("play b pass") }
    var answers: [String] = []
    for _ in 0..<6 {
      answers.append(session.answer("genmove w") ?? "")
      _ = session.answer("play b pass")
    }
    #expect(answers.contains("= resign\n\n") == resigns, "\(answers)")
  }

  @Test("what a policy thinks is told, and a drawing shows the board")
  func drawing() throws {
    let session = session()
    _ = session.answer("play b E5")
    let board = try #require(session.answer("showboard"))
    #expect(board.contains(" 5 . . + . (X) . + . . 5") || board.contains("(X)"), "\(board)")
    let lines = try #require(session.answer("convoy-policy w")).split(separator: "\n")
    #expect(lines.count == 10 && lines.allSatisfy { $0.hasSuffix("%") })
  }
}
