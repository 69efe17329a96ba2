import Go
import TestSupport
import Testing

@Suite("Rules")
struct RulesTests {
  static let files: [(name: String, rules: Rules)] = [
    ("ko-19", Rules()), ("ko-9", Rules()), ("ko-5", Rules()),
    ("positional-4", Rules(repetition: .positional)), ("situational-4", Rules(repetition: .situational)),
    ("suicide-5", Rules(allowsSuicide: true)),
  ]

  /// Random games with the moves that GNU Go 3.8 calls legal; `make_fixtures.py` asked it.
  @Test("legal moves are GNU Go's", arguments: files.indices)
  func legal(index: Int) throws {
    let (name, rules) = Self.files[index]
    var (positions, forbidden) = (0, 0)
    for line in try fixtureLines("legal-\(name).txt") {
      let words = line.split(separator: " ")
      let size = try #require(Int(words[0]))
      let game = Game(size: size, rules: rules)
      var colour = Colour.black
      for word in words.dropFirst() {
        let parts = word.split(separator: ":")
        let expected = points(hexadecimal: parts[0])
        let legal = (0..<size * size).filter { game.problem(colour, .stone($0)) == nil }
        try #require(legal == expected, "\(name), position \(positions)")
        let unlike = (0..<size * size).filter { game.board[$0] == nil && !legal.contains($0) }
        forbidden += unlike.count
        positions += 1
        try game.play(colour, parts[1] == "pass" ? .pass : .stone(#require(Int(parts[1]))))
        colour = colour.opponent
      }
    }
    #expect(positions >= 900 && forbidden > 100, "\(positions) positions, \(forbidden) empty points forbidden")
  }

  @Test("taking back gives the game that was there before")
  func undo() throws {
    var random = SplitMix64(seed: 8)
    for repetition in Rules.Repetition.allCases {
      let game = Game(size: 5, rules: Rules(repetition: repetition))
      game.edit(.white, at: 12)
      var states: [(hash: UInt64, legal: [Int])] = []
      var colour = Colour.black
      func legal() -> [Int] { (0..<25).filter { game.problem(colour, .stone($0)) == nil } }
      for _ in 0..<60 {
        states.append((game.board.hash, legal()))
        let points = legal()
        let move = points.isEmpty ? Move.pass : .stone(points[random.next(below: points.count)])
        try game.play(colour, move)
        colour = colour.opponent
      }
      for state in states.reversed() {
        #expect(game.undo())
        colour = colour.opponent
        #expect(game.board.hash == state.hash)
        #expect(legal() == state.legal)
      }
      #expect(!game.undo())
      #expect(game.board[12] == .white)
    }
  }

  @Test("an illegal move changes nothing and says why")
  func reasons() throws {
    let game = Game(size: 5, rules: Rules(repetition: .positional))
    for (colour, point) in [(Colour.black, 1), (.black, 5), (.black, 7), (.white, 2), (.white, 8), (.white, 12)] {
      game.edit(colour, at: point)
    }
    #expect(game.problem(.white, .stone(0)) == .suicide)
    #expect(game.problem(.white, .stone(1)) == .occupied)
    try game.play(.black, .stone(11))
    let hash = game.board.hash
    #expect(throws: IllegalMove.occupied) { try game.play(.white, .stone(11)) }
    #expect(game.board.hash == hash && game.moves.count == 1)
    // White takes the stone on 7, and Black may not take back at once.
    try game.play(.white, .stone(6))
    #expect(game.board[7] == nil)
    #expect(game.problem(.black, .stone(7)) == .ko)
    try game.play(.black, .pass)
    try game.play(.white, .pass)
    // The ko is over, but the position was there.
    #expect(game.repeats(.black, at: 7) == (game.problem(.black, .stone(7)) == .repetition))
  }
}
