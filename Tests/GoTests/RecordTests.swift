import Go
import TestSupport
import Testing

@Suite("Game records")
struct RecordTests {
  /// What GNU Go 3.8 has on the board after `loadsgf`; `make_fixtures.py` asked it.
  @Test("records end with GNU Go's stones")
  func gnuGo() throws {
    let lines = try fixtureLines("records.txt")
    #expect(lines.count >= 18)
    for line in lines {
      let words = line.split(separator: " ")
      let name = String(words[0])
      let record = try #require(SGFReader.games(fixtureBytes("records/\(name)")).first, "\(name)")
      let size = try #require(record.squareSize)
      #expect(size == Int(words[2]), "\(name)")
      let board = Board(size: size)
      let end = Replay.play(record, on: board, allowsTwice: true)
      #expect(end == .complete, "\(name)")
      #expect(board.stones(of: .black).points == points(hexadecimal: words[3]), "\(name)")
      #expect(board.stones(of: .white).points == points(hexadecimal: words[4]), "\(name)")
      #expect(board.captures.black == Int(words[5]) && board.captures.white == Int(words[6]), "\(name)")
    }
  }

  private func game(_ text: String) -> GameRecord { SGFReader.games(Array(text.utf8))[0] }

  private func moves(_ record: GameRecord, twice: Bool = false) -> (text: String, end: Replay.End) {
    let board = Board(size: record.squareSize ?? 19)
    var text: [String] = []
    let end = Replay.play(record, on: board, allowsTwice: twice) { colour, move, _ in
      text.append((colour == .black ? "B " : "W ") + MoveName.text(move, on: board.shape))
      return true
    }
    return (text.joined(separator: " "), end)
  }

  @Test("only the first of all variations counts")
  func variations() throws {
    let record = game("(;SZ[9];B[aa](;W[bb](;B[cc])(;B[dd](;W[ee])))(;W[ff];B[gg]))")
    #expect(moves(record).text == "B A9 W B8 B C7")
    let deep = String(repeating: "(;B[aa]", count: 100_000) + String(repeating: ")", count: 100_000)
    #expect(SGFReader.games(Array(deep.utf8)).map(\.moveCount) == [100_000])
    let open = String(repeating: "(", count: 300_000) + ";B[aa]"
    #expect(SGFReader.games(Array(open.utf8)).count == 1)
  }

  @Test("a file may have several trees, and anything around them")
  func trees() {
    let games = SGFReader.games(Array("x(y)[z (;SZ[9];B[aa]) ]] (;SZ[13];B[aa];W[bb])(;SZ[19])".utf8))
    #expect(games.map(\.squareSize) == [9, 13, 19])
    #expect(games.map(\.moveCount) == [1, 2, 0])
    #expect(SGFReader.games(Array("no game (here) [at all]".utf8)).isEmpty)
    #expect(SGFReader.games([]).isEmpty)
  }

  @Test("a file may lack its first parenthesis")
  func noParenthesis() {
    let games = SGFReader.games(Array("\n;GM[1]SZ[9];B[aa](;W[bb])(;W[cc];B[dd]))(;SZ[9];B[ee])".utf8))
    #expect(games.map { moves($0).text } == ["B A9 W B8", "B E5"])
    #expect(games.allSatisfy { !$0.isCut })
    #expect(SGFReader.games(Array("; a remark (;SZ[9];B[aa])".utf8)).map(\.moveCount) == [1])
  }

  @Test("points are taken off where the record does so")
  func addEmpty() {
    let board = Board(size: 9)
    Replay.play(game("(;SZ[9]AB[aa][bb][cc];W[ee]AE[aa:bb];B[dd])"), on: board)
    #expect(board.stones(of: .black).points == [20, 30])
  }

  @Test("several moves in a node are made in their order")
  func severalMoves() {
    #expect(moves(game("(;SZ[9];B[aa]W[bb];B[cc]W[dd])")).text == "B A9 W B8 B C7 W D6")
  }

  @Test("names may have small letters, values may hide brackets")
  func names() {
    let record = game("(;GaMe[1]SiZe[9]PlayerBlack[a\\]b\\\\];Black[cc]C[;W[dd\\]];White[ee])")
    #expect(record.squareSize == 9)
    #expect(record.black == "a]b\\")
    #expect(moves(record).text == "B C7 W E5")
  }

  @Test("a file that is cut gives the moves before the cut")
  func cut() {
    let whole = "(;SZ[9];B[aa];W[bb];B[cc])"
    let counts = (0...whole.utf8.count).map {
      SGFReader.games(Array(whole.utf8.prefix($0))).first?.moveCount ?? -1
    }
    #expect(counts == counts.sorted() && counts.last == 3 && counts.first == -1)
    #expect(SGFReader.games(Array("(;SZ[9];B[aa];W[b".utf8)).map(\.isCut) == [true])
    #expect(SGFReader.games(Array("(;SZ[9];B[aa](;W[bb])(;W[c".utf8)).map(\.isCut) == [false])
    #expect(!game(whole).isCut)
  }

  @Test("passes are empty, or tt on boards of up to 19 rows")
  func passes() {
    #expect(moves(game("(;SZ[19];B[tt];W[];B[ ];W[ss])")).text == "B pass W pass B pass W T1")
    #expect(game("(;SZ[21];B[tt])").steps == [.move(.black, GameRecord.Place(x: 19, y: 19))])
  }

  @Test("komi is points, whether in hundredths or in stones")
  func komi() {
    for (text, points) in [
      ("6.5", 6.5), ("650", 6.5), ("375", 7.5), ("3.75", 7.5), ("0", 0), ("-5.5", -5.5), ("7", 7),
      ("750", 7.5),
    ] {
      #expect(game("(;KM[\(text)])").komi == points, "\(text)")
    }
    #expect(game("(;KM[six])").komi == nil)
    #expect(game("(;SZ[9])").komi == nil)
  }

  @Test("days are read where they are written as numbers")
  func days() {
    for (text, day) in [
      ("2019-10-11", "2019-10-11"), ("2006-01-13,14", "2006-01-13"), ("1998-02", "1998-02"), ("1998", "1998"),
      ("2019-99-99", "2019"), ("2019-12-32", "2019-12"),
      ("August 1, 2001", nil), ("", nil), ("11-10-2019", nil),
    ] {
      #expect(game("(;DT[\(text)])").date == day, "\(text)")
    }
  }

  @Test("text is UTF-8, or bytes where it is not")
  func text() {
    let latin = Array("(;PB[Andr".utf8) + [0xE9] + Array("]PW[李世石]SZ[9])".utf8)
    let record = SGFReader.games(latin)[0]
    #expect(record.black == "André")
    #expect(record.white == "李世石")
    #expect(record.squareSize == 9)
  }

  @Test("in encodings of two bytes the second may look like a bracket or a backslash")
  func wideLetters() {
    // 0x95 0x5C and 0x83 0x5D are letters of Shift JIS.
    let name: [UInt8] = [0x95, 0x5C, 0x83, 0x5D]
    func bytes(_ encoding: String) -> [UInt8] {
      Array("(;CA[\(encoding)]PB[".utf8) + name + Array("]SZ[9];B[aa];W[bb])".utf8)
    }
    let record = SGFReader.games(bytes("Shift_JIS"))[0]
    #expect(record.squareSize == 9 && record.moveCount == 2)
    #expect(SGFReader.games(bytes("GB18030"))[0].moveCount == 2)
    // A record that was converted to UTF-8, and says still what it was.
    let converted = SGFReader.games(Array("(;CA[GBK]PB[中]SZ[9];B[aa];W[bb])".utf8))[0]
    #expect(converted.squareSize == 9 && converted.moveCount == 2 && converted.black == "中")
  }

  @Test("stones are set where the record does so, then either player may move")
  func edits() throws {
    let record = game("(;SZ[9];B[ee];W[ec];AB[cc][dc]AW[ag:cg]AE[ee]PL[W];W[fe];B[aa])")
    let board = Board(size: 9)
    #expect(Replay.play(record, on: board) == .complete)
    #expect(board[40] == nil && board[20] == .black && board[54] == .white && board[56] == .white)
    #expect(moves(record).text == "B E5 W E7 W F5 B A9")
    #expect(moves(game("(;SZ[9]AB[aa][bb]PL[W];B[cc])")).text == "B C7")
    #expect(Replay.play(game("(;SZ[9]AB[ja];B[aa])"), on: board) == .offTheBoard)
  }

  @Test("a replay ends at what cannot be right")
  func ends() {
    #expect(moves(game("(;SZ[9];B[aa];W[aa];B[bb])")).end == .illegal(.occupied))
    #expect(moves(game("(;SZ[9];B[aa];B[bb];W[cc])")).end == .twice)
    #expect(moves(game("(;SZ[9];B[aa];B[bb];W[cc])")).text == "B A9")
    #expect(moves(game("(;SZ[9];B[aa];B[bb];W[cc])"), twice: true).text == "B A9 B B8 W C7")
    #expect(moves(game("(;SZ[9];B[aa];W[jj];B[bb])")).end == .offTheBoard)
    #expect(moves(game("(;SZ[9];B[ab];W[ee];B[ba];W[aa])")).end == .illegal(.suicide))
    #expect(moves(game("(;SZ[9];B[aa];W[a];B[bb])")).end == .offTheBoard)
    // Black's group of two on the edge dies by its own move where the rules let it.
    let suicide = ";B[aa];W[ba];B[ee];W[bb];B[ef];W[ac];B[ab]"
    #expect(moves(game("(;SZ[9]\(suicide))")).end == .illegal(.suicide))
    let board = Board(size: 9)
    #expect(Replay.play(game("(;SZ[9]RU[NZ]\(suicide))"), on: board) == .complete)
    #expect(board[0] == nil && board[9] == nil && board.captures.white == 2)
  }

  @Test("handicap stones are set, played, or implied")
  func handicaps() {
    #expect(game("(;SZ[19]HA[2]AB[pd][dp];W[dd])").handicapStones == .shown)
    #expect(game("(;SZ[19]HA[2];W[dd])").handicapStones == .implied([15 * 19 + 3, 3 * 19 + 15]))
    #expect(game("(;SZ[19]HA[2];B[dd];W[pp])").handicapStones == .missing)
    #expect(game("(;SZ[19]HA[0];W[dd])").handicapStones == .shown)
    let played = game("(;SZ[19]HA[2];B[pd];B[dp];W[dd];B[pp])")
    #expect(played.handicapMoves == 2 && played.handicapStones == .shown)
    #expect(moves(played).text == "W D16 B Q4")
    #expect(moves(game("(;SZ[19]HA[2];W[pd];B[dd])")).end == .illegal(.occupied))
  }

  @Test("records that are damaged anywhere are read without harm")
  func damaged() {
    var random = SplitMix64(seed: 77)
    let seed = Array("(;GM[1]SZ[9]AB[aa:bb]KM[375]DT[2019-10-11](;B[ee];W[ec](;B[])(;B[cc]C[x\\]]));)".utf8)
    var games = 0
    for _ in 0..<20_000 {
      var bytes = seed
      for _ in 0...random.next(below: 4) {
        let place = random.next(below: bytes.count)
        switch random.next(below: 3) {
        case 0: bytes[place] = UInt8(random.next(below: 256))
        case 1: bytes.remove(at: place)
        default: bytes.insert(seed[random.next(below: seed.count)], at: place)
        }
      }
      for record in SGFReader.games(bytes) {
        games += 1
        guard let size = record.squareSize, BoardShape.sizes.contains(size) else { continue }
        Replay.play(record, on: Board(size: size))
      }
    }
    #expect(games > 10_000)
  }
}
