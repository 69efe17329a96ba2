import Go
import TestSupport
import Testing

@Suite("Board")
struct BoardTests {
  @Test("random games agree with a board of plain arrays", arguments: [2, 3, 5, 9, 19])
  func agrees(size: Int) {
    var random = SplitMix64(seed: UInt64(size))
    var positions = 0
    for _ in 0..<(size < 10 ? 30 : 2) {
      random.game(size: size, length: size * size + 20) { board, slow, colour in
        positions += 1
        guard size < 10 || positions % 8 == 0 else { return }
        // One expectation for each position: a million of them would take minutes.
        let unlike = (0..<size * size).filter { point in
          guard board[point] == slow.stones[point],
            (board.problem(colour, at: point) == nil) == slow.isLegal(colour, point),
            board.isEye(point, of: colour) == slow.isEye(point, colour),
            board.age(of: point) == slow.ages[point].map({ slow.turn - $0 + 1 })
          else { return true }
          guard slow.stones[point] != nil else { return false }
          let chain = slow.chain(point)
          return Set(board.chain(of: point).points) != chain
            || Set(board.liberties(of: point).points) != slow.liberties(chain)
        }
        #expect(unlike.isEmpty, "position \(positions)")
        #expect(board.captures.black == slow.captures[.black])
        #expect(board.captures.white == slow.captures[.white])
        #expect(Set(board.empty.points) == Set((0..<size * size).filter { slow.stones[$0] == nil }))
      }
    }
    #expect(positions > 100)
  }

  @Test("equal positions have equal numbers, however they came about")
  func hashes() {
    let (first, second) = (Board(size: 9), Board(size: 9))
    first.play(.black, at: 40)
    first.play(.white, at: 0)
    first.play(.black, at: 1)
    first.play(.white, at: 80)
    first.play(.black, at: 9)
    for (colour, point) in [(Colour.black, 1), (.black, 40), (.white, 80), (.black, 9)] {
      second.set(colour, at: point)
    }
    #expect(first[0] == nil)
    #expect(first.hash == second.hash)
    second.set(nil, at: 40)
    #expect(first.hash != second.hash)
    second.clear()
    #expect(second.hash == 0)
  }

  @Test("stones that are set or taken off leave the chains that stones put one by one would make")
  func setting() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<40 {
      let board = Board(size: 6)
      var slow = SlowBoard(size: 6)
      for _ in 0..<60 {
        let point = random.next(below: 36)
        let colour = [Colour.black, .white, nil][random.next(below: 3)]
        board.set(colour, at: point)
        slow.stones[point] = colour
        let unlike = (0..<36).filter { point in
          guard slow.stones[point] != nil else { return board[point] != nil }
          let chain = slow.chain(point)
          return Set(board.chain(of: point).points) != chain
            || Set(board.liberties(of: point).points) != slow.liberties(chain)
        }
        #expect(unlike.isEmpty)
      }
    }
  }

  @Test("an area is stones and what they alone touch")
  func area() {
    #expect(Board(size: 9).area() == 0)
    #expect(board(". X O . .\n. X O . .\n. X O O O\nX X X X X\n. . . . .").area() == 16 - 9)
    #expect(board("X .\n. .").area() == 4)
    #expect(board("X . O\n. . .\n. . .").area() == 0)
  }

  @Test("names of moves leave out I and count rows from below")
  func names() {
    let shape = BoardShape.of(19)
    #expect(MoveName.text(.stone(0), on: shape) == "A19")
    #expect(MoveName.text(.stone(3 * 19 + 15), on: shape) == "Q16")
    #expect(MoveName.text(.stone(8), on: shape) == "J19")
    #expect(MoveName.move("q16", on: shape) == .stone(3 * 19 + 15))
    #expect(MoveName.move("PASS", on: shape) == .pass)
    for bad in ["I5", "A0", "A20", "U1", "", "A", "5", "AA1", "A-1", "A１"] {
      #expect(MoveName.move(bad, on: shape) == nil, "\(bad)")
    }
    #expect(MoveName.move("T19", on: BoardShape.of(9)) == nil)
    let all = MoveName.all(on: shape)
    #expect(all.count == 362 && Set(all).count == 362 && all.last == "pass")
    for (index, name) in all.enumerated() {
      #expect(MoveName.move(name, on: shape).map { $0.index(on: shape) } == index)
    }
  }

  @Test("fixed handicaps are those of the Go Text Protocol")
  func handicaps() {
    func names(_ count: Int, _ size: Int) -> Set<String>? {
      Handicap.points(count, size: size).map {
        Set($0.map { MoveName.text(.stone($0), on: BoardShape.of(size)) })
      }
    }
    #expect(names(2, 19) == ["D4", "Q16"])
    #expect(names(3, 19) == ["D4", "Q16", "D16"])
    #expect(names(5, 19) == ["D4", "Q16", "D16", "Q4", "K10"])
    #expect(names(6, 19) == ["D4", "Q16", "D16", "Q4", "D10", "Q10"])
    #expect(names(8, 19) == ["D4", "Q16", "D16", "Q4", "D10", "Q10", "K4", "K16"])
    #expect(names(9, 19) == ["D4", "Q16", "D16", "Q4", "D10", "Q10", "K4", "K16", "K10"])
    #expect(names(2, 9) == ["C3", "G7"])
    #expect(names(5, 8) == nil)
    #expect(names(1, 19) == nil)
    #expect(names(10, 19) == nil)
  }
}
