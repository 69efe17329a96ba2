internal import Digests
internal import Go
internal import Parallel
internal import Tensors

/// A game that is learnt from, and what of it.
struct CollectedGame: Sendable {
  let record: GameRecord
  /// How many of its moves are learnt from: those that could be followed, passes among them.
  let positionCount: Int
  /// The first bytes of a digest of what happens in it.
  let digest: UInt64
}

/// Which games are wanted.
struct GameFilter: Sendable {
  let size: Int
  let handicap: Bool
  /// Names of players, one of whom takes part; empty for all games.
  let players: [String]
}

/// Why a game, or the rest of one, is not learnt from.
enum LeftOut: Hashable, Sendable, CaseIterable {
  case noGame, otherKind, otherSize, otherPlayers, handicap, missingHandicap, noMoves, again
  case restIllegal, restTwice, restOffTheBoard, restCut

  /// One line for people.
  func text(_ count: Int, _ filter: GameFilter) -> String {
    func games(_ reason: String) -> String { "left out \(counted(count, "game")): \(reason)" }
    func rests(_ reason: String) -> String {
      "left out the rest of \(counted(count, "game")) \(reason); the moves before are kept"
    }
    return switch self {
    case .noGame: "passed over \(counted(count, "file")) without a game"
    case .otherKind: games("they are not Go")
    case .otherSize: games("their board is not \(filter.size)×\(filter.size)")
    case .otherPlayers: games("none of the wanted players takes part")
    case .handicap: games("they have a handicap, or stones that were set")
    case .missingHandicap: games("it is not clear where their handicap stones are")
    case .noMoves: games("they have no moves, or not one that can be made")
    case .again: games("the same moves are in an earlier game")
    case .restIllegal: rests("from a move on that the rules forbid")
    case .restTwice: rests("from where the same player moves twice in a row")
    case .restOffTheBoard: rests("from a move or stone on that is not on the board")
    case .restCut: rests("where the file ends inside it")
    }
  }
}

/// Games out of many records, each once, with counts of what is not learnt from.
struct GameCollection {
  let filter: GameFilter
  private(set) var games: [CollectedGame] = []
  private(set) var leftOut: [LeftOut: Int] = [:]
  /// Games in which stones were set after moves.
  private(set) var edited = 0
  /// Games whose handicap stones are not in the record and were put on the fixed points.
  private(set) var implied = 0
  private var known: Set<[UInt8]> = []

  init(_ filter: GameFilter) { self.filter = filter }

  /// What one record gives.
  private struct Finding: Sendable {
    var game: CollectedGame?
    var digest: [UInt8] = []
    var leftOut: LeftOut?
    var isEdited = false
    var isImplied = false
  }

  /// Reads records side by side, and takes their games in order.
  mutating func add(_ files: [(name: String, bytes: [UInt8])], threads: Int) {
    let filter = filter
    let found = files.map { _ in FindingPlace() }
    let perPiece = max(1, files.count / (8 * threads))
    WorkerThreads.perform((files.count + perPiece - 1) / perPiece, workers: threads) { piece in
      let board = Board(size: filter.size)
      for index in piece * perPiece..<min((piece + 1) * perPiece, files.count) {
        let findings = Self.read(files[index].bytes, filter, board)
        found[index].findings.withLock { $0 = findings }
      }
    }
    for place in found {
      for finding in place.findings.withLock({ $0 }) { take(finding) }
    }
  }

  private final class FindingPlace: Sendable {
    let findings = Guarded<[Finding]>([])
  }

  private mutating func take(_ finding: Finding) {
    guard let game = finding.game else {
      if let reason = finding.leftOut { leftOut[reason, default: 0] += 1 }
      return
    }
    guard known.insert(finding.digest).inserted else {
      leftOut[.again, default: 0] += 1
      return
    }
    if let reason = finding.leftOut { leftOut[reason, default: 0] += 1 }
    if finding.isEdited { edited += 1 }
    if finding.isImplied { implied += 1 }
    games.append(game)
  }

  private static func read(_ bytes: [UInt8], _ filter: GameFilter, _ board: Board) -> [Finding] {
    let records = SGFReader.games(bytes)
    return records.isEmpty ? [Finding(leftOut: .noGame)] : records.map { read($0, filter, board) }
  }

  private static func read(_ record: GameRecord, _ filter: GameFilter, _ board: Board) -> Finding {
    func without(_ reason: LeftOut) -> Finding { Finding(leftOut: reason) }
    guard record.kind == 1 else { return without(.otherKind) }
    guard record.squareSize == filter.size else { return without(.otherSize) }
    guard
      filter.players.isEmpty || filter.players.contains(where: { $0 == record.black || $0 == record.white })
    else { return without(.otherPlayers) }
    if !filter.handicap, record.handicap >= 2 || record.hasSetup { return without(.handicap) }
    let stones = record.handicapStones
    guard stones != .missing else { return without(.missingHandicap) }
    var count = 0
    let end = Replay.play(record, on: board) { _, _, _ in
      count += 1
      return true
    }
    let reason: LeftOut? =
      switch end {
      case .illegal: .restIllegal
      case .twice: .restTwice
      case .offTheBoard: .restOffTheBoard
      case .complete: record.isCut ? .restCut : nil
      }
    guard count > 0 else { return without(.noMoves) }
    let digest = SHA256.digest(of: record.moveBytes).bytes
    return Finding(
      game: CollectedGame(
        record: record, positionCount: count, digest: digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }),
      digest: Array(digest.prefix(16)), leftOut: reason, isEdited: record.isEditedLater,
      isImplied: stones != .shown)
  }
}

extension GameRecord {
  /// Whether stones are set before the first move.
  fileprivate var hasSetup: Bool {
    for step in steps {
      switch step {
      case .edit: return true
      case .move: return false
      case .turn: continue
      }
    }
    return false
  }

  /// Whether stones are set after a move.
  fileprivate var isEditedLater: Bool {
    var hasMoved = false
    for step in steps {
      switch step {
      case .edit where hasMoved: return true
      case .move: hasMoved = true
      case .edit, .turn: continue
      }
    }
    return false
  }

  /// What happens, as bytes that differ where games do.
  fileprivate var moveBytes: [UInt8] {
    var bytes = [UInt8(truncatingIfNeeded: size.columns)]
    for step in steps {
      switch step {
      case .move(let colour, let place):
        bytes += [colour.rawValue, UInt8(bitPattern: place?.x ?? -2), UInt8(bitPattern: place?.y ?? -2)]
      case .turn(let colour): bytes += [4 + colour.rawValue]
      case .edit(let index):
        bytes += [8 + (edits[index].colour?.rawValue ?? 0)]
        for place in edits[index].places {
          bytes += [UInt8(bitPattern: place.x), UInt8(bitPattern: place.y)]
        }
      }
    }
    return bytes
  }
}
