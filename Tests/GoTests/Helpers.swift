import Foundation
import Go
import TestSupport

/// The lines of a file in the folder of fixtures beside this file.
func fixtureLines(_ name: String, file: String = #filePath) throws -> [String] {
  let url = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)")
  return try String(decoding: Data(contentsOf: url), as: UTF8.self).split(separator: "\n").map(String.init)
}

func fixtureBytes(_ name: String, file: String = #filePath) throws -> [UInt8] {
  let url = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)")
  return [UInt8](try Data(contentsOf: url))
}

/// The points of a number in hexadecimal digits, bit p for point p.
func points(hexadecimal text: some StringProtocol) -> [Int] {
  var points: [Int] = []
  for (place, digit) in text.reversed().enumerated() {
    let value = digit.hexDigitValue ?? 0
    for bit in 0..<4 where value & 1 << bit != 0 { points.append(4 * place + bit) }
  }
  return points
}

/// A position as people draw it: X for Black, O for White, anything else but blanks for an empty point.
func board(_ drawing: String) -> Board {
  let rows = drawing.split(separator: "\n").map { $0.filter { $0 != " " } }
  let board = Board(size: rows.count)
  for (row, line) in rows.enumerated() {
    for (column, letter) in line.enumerated() where letter == "X" || letter == "O" {
      board.set(letter == "X" ? .black : .white, at: row * rows.count + column)
    }
  }
  return board
}

/// A board of plain arrays that looks everything up anew: slow, and easy to believe.
struct SlowBoard {
  let size: Int
  var stones: [Colour?]
  var ko: (point: Int, colour: Colour)?
  var ages: [Int?]
  var turn = 0
  var captures: [Colour: Int] = [.black: 0, .white: 0]

  init(size: Int) {
    self.size = size
    stones = [Colour?](repeating: nil, count: size * size)
    ages = [Int?](repeating: nil, count: size * size)
  }

  func beside(_ point: Int) -> [Int] {
    let (row, column) = (point / size, point % size)
    var found: [Int] = []
    if row > 0 { found.append(point - size) }
    if row < size - 1 { found.append(point + size) }
    if column > 0 { found.append(point - 1) }
    if column < size - 1 { found.append(point + 1) }
    return found
  }

  func across(_ point: Int) -> [Int] {
    let (row, column) = (point / size, point % size)
    return [(-1, -1), (-1, 1), (1, -1), (1, 1)].compactMap { down, right in
      let (r, c) = (row + down, column + right)
      return r >= 0 && c >= 0 && r < size && c < size ? r * size + c : nil
    }
  }

  func chain(_ point: Int) -> Set<Int> {
    guard let colour = stones[point] else { return [] }
    var found: Set<Int> = [point]
    var open = [point]
    while let next = open.popLast() {
      for other in beside(next) where stones[other] == colour && found.insert(other).inserted { open.append(other) }
    }
    return found
  }

  func liberties(_ chain: Set<Int>) -> Set<Int> {
    Set(chain.flatMap { beside($0).filter { stones[$0] == nil } })
  }

  /// The board after a move, whatever the rules say; nil on an occupied point.
  func after(_ colour: Colour, _ point: Int) -> (board: SlowBoard, taken: Set<Int>, isSuicide: Bool)? {
    guard stones[point] == nil else { return nil }
    var next = self
    next.turn += 1
    next.stones[point] = colour
    next.ages[point] = next.turn
    var taken: Set<Int> = []
    for other in beside(point) where stones[other] == colour.opponent {
      let chain = next.chain(other)
      if next.liberties(chain).isEmpty { taken.formUnion(chain) }
    }
    for stone in taken {
      next.stones[stone] = nil
      next.ages[stone] = nil
    }
    next.captures[colour, default: 0] += taken.count
    let own = next.chain(point)
    let isSuicide = next.liberties(own).isEmpty
    if isSuicide {
      for stone in own {
        next.stones[stone] = nil
        next.ages[stone] = nil
      }
      next.captures[colour.opponent, default: 0] += own.count
      taken = own
    }
    let isKo = !isSuicide && taken.count == 1 && own.count == 1 && next.liberties(own).count == 1
    next.ko = isKo ? (taken.first!, colour.opponent) : nil
    return (next, taken, isSuicide)
  }

  func isLegal(_ colour: Colour, _ point: Int) -> Bool {
    guard let next = after(colour, point), !next.isSuicide else { return false }
    return ko?.point != point || ko?.colour != colour
  }

  func isEye(_ point: Int, _ colour: Colour) -> Bool {
    guard stones[point] == nil, beside(point).allSatisfy({ stones[$0] == colour }) else { return false }
    let corners = across(point)
    return corners.count { stones[$0] == colour.opponent } <= (corners.count == 4 ? 1 : 0)
  }
}

/// Ladders on plain arrays: as many moves as the program tries, in rising order of points.
struct SlowLadder {
  enum Outcome { case caught, free, unknown }
  private var movesLeft = 400

  /// What a move of `hunter` on a liberty does to the chain of `prey`; nil where it is not legal.
  mutating func attack(_ board: SlowBoard, _ prey: Int, by hunter: Colour, at point: Int) -> Outcome? {
    guard board.isLegal(hunter, point), let next = board.after(hunter, point)?.board else { return nil }
    movesLeft -= 1
    if movesLeft < 0 { return .unknown }
    guard next.liberties(next.chain(prey)).count == 1 else { return .free }
    var outcome = Outcome.caught
    for point in next.rescues(prey).sorted() {
      switch escape(next, prey, at: point) {
      case .free: return .free
      case .unknown: outcome = .unknown
      case .caught, nil: break
      }
    }
    return outcome
  }

  /// What a move of its owner does for the chain of `prey`; nil where it is not legal.
  mutating func escape(_ board: SlowBoard, _ prey: Int, at point: Int) -> Outcome? {
    guard let colour = board.stones[prey], board.isLegal(colour, point),
      let next = board.after(colour, point)?.board
    else { return nil }
    movesLeft -= 1
    if movesLeft < 0 { return .unknown }
    let open = next.liberties(next.chain(prey))
    if open.count != 2 { return open.count > 2 ? .free : .caught }
    var outcome = Outcome.free
    for point in open.sorted() {
      switch attack(next, prey, by: colour.opponent, at: point) {
      case .caught: return .caught
      case .unknown: outcome = .unknown
      case .free, nil: break
      }
    }
    return outcome
  }
}

extension SlowBoard {
  func isCaught(_ prey: Int, by hunter: Colour, at point: Int) -> Bool {
    var ladder = SlowLadder()
    return ladder.attack(self, prey, by: hunter, at: point) == .caught
  }

  func escapes(_ prey: Int, at point: Int) -> Bool {
    var ladder = SlowLadder()
    return ladder.escape(self, prey, at: point) == .free
  }

  /// Where the chain of `prey` might be saved.
  func rescues(_ prey: Int) -> Set<Int> {
    let own = chain(prey)
    var points = liberties(own)
    for stone in own {
      for other in beside(stone) where stones[other] != nil && stones[other] != stones[prey] {
        let holder = liberties(chain(other))
        if holder.count == 1 { points.formUnion(holder) }
      }
    }
    return points
  }
}

extension SplitMix64 {
  /// Plays a game of random moves that are mostly sensible, on both boards; calls `body` before each move.
  mutating func game(
    size: Int, length: Int, _ body: (Board, SlowBoard, Colour) throws -> Void
  ) rethrows {
    let board = Board(size: size)
    var slow = SlowBoard(size: size)
    var colour = Colour.black
    for _ in 0..<length {
      try body(board, slow, colour)
      var legal = (0..<size * size).filter { slow.isLegal(colour, $0) }
      let sensible = legal.filter { !slow.isEye($0, colour) }
      if next(below: 20) > 0 { legal = sensible }
      // Near other stones, where something happens.
      let near = legal.filter { point in slow.beside(point).contains { slow.stones[$0] != nil } }
      if next(below: 3) > 0, !near.isEmpty { legal = near }
      if legal.isEmpty || next(below: 40) == 0 {
        board.pass()
        slow.turn += 1
        slow.ko = nil
      } else {
        let point = legal[next(below: legal.count)]
        board.play(colour, at: point)
        slow = slow.after(colour, point)!.board
      }
      // Now and then the same player moves again.
      if next(below: 30) > 0 { colour = colour.opponent }
    }
  }
}
