import Go
import TestSupport
import Testing

/// Planes by their definitions, one number after another, by loops over plain arrays.
private struct SlowPlanes {
  let board: SlowBoard
  let player: Colour

  /// The number of a group's plane that is 1 on a point; nil where none is.
  func plane(_ feature: PlaneFeature, _ count: Int, _ point: Int) -> [Int] {
    let stone = board.stones[point]
    func one(_ condition: Bool) -> [Int] { condition ? [0] : [] }
    func move() -> (next: SlowBoard, taken: Set<Int>)? {
      guard board.isLegal(player, point), let next = board.after(player, point) else { return nil }
      return (next.board, next.taken)
    }
    switch feature {
    case .stones: return stone == player ? [0] : stone == nil ? [2] : [1]
    case .ones: return [0]
    case .zeros: return []
    case .turnsSince:
      guard stone != nil else { return [] }
      return [min(board.ages[point].map { board.turn - $0 + 1 } ?? 1000, count) - 1]
    case .liberties:
      return stone == nil ? [] : [min(board.liberties(board.chain(point)).count, count) - 1]
    case .captureSize: return move().map { [min($0.taken.count, count - 1)] } ?? []
    case .selfAtariSize:
      guard let (next, _) = move(), next.liberties(next.chain(point)).count == 1 else { return [] }
      return [min(next.chain(point).count, count) - 1]
    case .libertiesAfter:
      return move().map { next, _ in [min(next.liberties(next.chain(point)).count, count) - 1] } ?? []
    case .sensible: return one(board.isLegal(player, point) && !board.isEye(point, player))
    case .ladderCapture:
      return one(
        board.beside(point).contains { prey in
          board.stones[prey] == player.opponent && board.liberties(board.chain(prey)).count == 2
            && board.isCaught(prey, by: player, at: point)
        })
    case .ladderEscape:
      // Any of the player's chains in atari may be saved from any point.
      return one(
        board.stones.indices.contains { prey in
          board.stones[prey] == player && board.liberties(board.chain(prey)).count == 1
            && board.rescues(prey).contains(point) && board.escapes(prey, at: point)
        })
    }
  }
}

@Suite("Planes")
struct PlaneTests {
  private func values(_ set: PlaneSet, _ slow: SlowBoard, _ player: Colour) -> [UInt8] {
    let planes = SlowPlanes(board: slow, player: player)
    return slow.stones.indices.flatMap { point in
      set.groups.flatMap { group in
        let ones = planes.plane(group.feature, group.count, point)
        return (0..<group.count).map { UInt8(ones.contains($0) ? 1 : 0) }
      }
    }
  }

  @Test("planes are what plain loops over plain arrays say, in random games", arguments: [3, 5, 9, 13])
  func random(size: Int) {
    var random = SplitMix64(seed: UInt64(100 + size))
    let encoder = PlaneEncoder(.alphaGo, size: size)
    var (positions, ladders) = (0, 0)
    for _ in 0..<(size < 6 ? 30 : size == 9 ? 5 : 1) {
      random.game(size: size, length: size * size) { board, slow, colour in
        let expected = values(.alphaGo, slow, colour)
        let found = encoder.values(board, for: colour)
        if let bad = found.indices.first(where: { found[$0] != expected[$0] }) {
          Issue.record(
            "position \(positions): \(PlaneSet.alphaGo.planeNames[bad % 48]) on point \(bad / 48) is \(found[bad])"
          )
        }
        positions += 1
        ladders += stride(from: 44, to: found.count, by: 48).reduce(0) { $0 + Int(found[$1]) }
      }
    }
    #expect(positions >= 160 && (size < 5 || ladders > 20), "\(positions) positions, \(ladders) ladders")
  }

  @Test("planes are what plain loops say in a game that GNU Go played against itself")
  func realGame() throws {
    let record = try #require(SGFReader.games(fixtureBytes("records/self-play.sgf")).first)
    let board = Board(size: 19)
    let encoder = PlaneEncoder(.alphaGo, size: 19)
    var slow = SlowBoard(size: 19)
    var positions = 0
    let end = Replay.play(record, on: board) { colour, move, number in
      if number % 9 == 0 {
        #expect(encoder.values(board, for: colour) == values(.alphaGo, slow, colour), "move \(number)")
        positions += 1
      }
      if case .stone(let point) = move {
        slow = slow.after(colour, point)?.board ?? slow
      } else {
        slow.turn += 1
        slow.ko = nil
      }
      return true
    }
    #expect(end == .complete && positions > 20)
  }

  @Test("any set has the planes of the whole, in bits from the lowest on")
  func sets() throws {
    var random = SplitMix64(seed: 5)
    let whole = PlaneEncoder(.alphaGo, size: 9)
    for _ in 0..<40 {
      let features = PlaneFeature.allCases.shuffled(using: &random).prefix(1 + random.next(below: 8))
      let text = features.map { feature in
        "\(feature.rawValue):\(feature.counts.lowerBound + random.next(below: feature.counts.count))"
      }.joined(separator: ",")
      let set = try PlaneSet(text)
      let encoder = PlaneEncoder(set, size: 9)
      var checked = 0
      random.game(size: 9, length: 30) { board, slow, colour in
        checked += 1
        guard checked % 10 == 0 else { return }
        #expect(encoder.values(board, for: colour) == values(set, slow, colour), "\(text)")
        var packed = [UInt8](repeating: 0xAA, count: encoder.byteCount)
        packed.withUnsafeMutableBufferPointer { encoder.encode(board, for: colour, into: $0.baseAddress!) }
        let bits = (0..<81).flatMap { point -> [UInt8] in
          (0..<set.count).map { plane -> UInt8 in
            let byte = packed[point * set.bytesPerPoint + plane / 8]
            return byte >> UInt8(plane % 8) & 1
          }
        }
        #expect(bits == encoder.values(board, for: colour))
      }
    }
    #expect(whole.byteCount == 81 * 6)
  }

  @Test("ladders that go on, that run into a stone, and that a capture breaks")
  func ladders() {
    let caught = board(
      """
      . . . . . . . . .
      . . . . . . . . .
      . . X X . . . . .
      . X O O . . . . .
      . . X . . . . . .
      . . . . . . . . .
      . . . . . . . . .
      . . . . . . . . .
      . . . . . . . . .
      """)
    // White's two stones have liberties at E6 and D5: the ladder works from the right side only.
    #expect(caught.ladderCaptures(.black).points == [31])
    let broken = board(
      """
      . . . . . . . . .
      . . . . . . . . .
      . . X X . . . . .
      . X O O . . . . .
      . . X . . . . . .
      . . . . . . . . .
      . . . . . . O . .
      . . . . . . . . .
      . . . . . . . . .
      """)
    #expect(broken.ladderCaptures(.black).isEmpty)
    let running = board(
      """
      . . . . . . . . .
      . . . . . . . . .
      . . X X . . . . .
      . X O O X . . . .
      . . X . . . . . .
      . . . . . . . . .
      . . . . . . O . .
      . . . . . . . . .
      . . . . . . . . .
      """)
    #expect(running.ladderEscapes(.white).points == [39])
    running.set(nil, at: 60)
    #expect(running.ladderEscapes(.white).isEmpty)
    // A black stone that holds the ladder is itself in atari: White takes it.
    running.set(.white, at: 28 + 18)
    #expect(running.ladderEscapes(.white).isEmpty || running.liberties(of: 38).count == 1)
  }

  /// `make_fixtures.py` asked GNU Go 3.8 about each chain of two liberties: 0 for none, else a ladder.
  @Test("ladders are GNU Go's")
  func gnuGoLadders() throws {
    var (same, other) = (0, [String]())
    for line in try fixtureLines("ladders.txt") {
      let words = line.split(separator: " ")
      let size = try #require(Int(words[0]))
      let board = Board(size: size)
      for (turn, point) in words[1].split(separator: ",").enumerated() {
        board.play(turn % 2 == 0 ? .black : .white, at: try #require(Int(point)))
      }
      for word in words.dropFirst(2) {
        let parts = word.split(separator: ":").compactMap { Int($0) }
        let prey = parts[0]
        let colour = try #require(board[prey])
        let caught = board.ladderCaptures(colour.opponent)
        // Only attacks on this chain's own liberties count; another chain may share one.
        let attacks = caught & board.liberties(of: prey)
        let isCaught = attacks.points.contains {
          SlowBoard(board).isCaught(prey, by: colour.opponent, at: $0)
        }
        if isCaught == (parts[1] != 0) { same += 1 } else { other.append("\(line.prefix(60)) \(word)") }
      }
    }
    #expect(same > 1000)
    #expect(other.count * 100 <= same, "\(other.count) of \(same): \(other.prefix(5))")
  }

  @Test("sets are written and read")
  func text() throws {
    #expect(try PlaneSet("alphago") == .alphaGo && PlaneSet("48") == .alphaGo && PlaneSet("Small") == .small)
    #expect(PlaneSet.alphaGo.count == 48 && PlaneSet.small.count == 16 && PlaneSet.small.bytesPerPoint == 2)
    #expect(try PlaneSet("stones,liberties:3,zeros").text == "stones,liberties:3,zeros")
    for bad in [
      "", "stone", "stones,stones", "liberties:0", "liberties:9", "ones:2", "stones:x", "stones:", ",", "47",
    ] {
      #expect(throws: PlaneSet.Problem.self, "\(bad)") { try PlaneSet(bad) }
    }
    var random = SplitMix64(seed: 6)
    for _ in 0..<300 {
      let features = PlaneFeature.allCases.shuffled(using: &random).prefix(1 + random.next(below: 10))
      let text = features.map { feature in
        let counts = feature.counts
        let count = counts.lowerBound + random.next(below: counts.count)
        return counts.count == 1 ? feature.rawValue : "\(feature.rawValue):\(count)"
      }.joined(separator: ",")
      let set = try PlaneSet(text)
      #expect(try PlaneSet(set.text) == set)
      #expect(PlaneSet(planeNames: set.planeNames) == set, "\(text)")
      #expect(Set(set.planeNames).count == set.count)
    }
    #expect(PlaneSet(planeNames: ["red", "green", "blue"]) == nil)
    #expect(PlaneSet(planeNames: []) == nil)
    #expect(PlaneSet(planeNames: PlaneSet.small.planeNames + ["x"]) == nil)
  }
}

extension SlowBoard {
  init(_ board: Board) {
    self.init(size: board.shape.size)
    for point in stones.indices { stones[point] = board[point] }
    for colour in Colour.allCases { if let point = board.ko(for: colour) { ko = (point, colour) } }
  }
}
