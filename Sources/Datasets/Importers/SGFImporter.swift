internal import Foundation
public import Go
internal import Parallel
internal import Synchronization
internal import Tensors

/// Turns records of Go games into positions with the move that was made in each.
///
/// A sample is the board before a move as the player sees it whose turn it is, `[H, W, C]` with a channel for each plane, held as
/// bits (``BitPacking``); its class is the point of the move, row by row, or the last class for a pass. Beside them stands how many moves
/// were made before. Games stay in the order in which they were found, and positions in that of the game.
public struct SGFImporter: DatasetImporter {
  /// Files, folders and archives.
  public var paths: [String]
  /// What a position becomes.
  public var planes: PlaneSet
  /// Rows and columns of the boards; games on other boards are left out.
  public var size: Int
  /// Whether games with a handicap are taken.
  public var handicap: Bool
  /// Players, one of whom takes part in each game; empty for all games.
  public var players: [String]
  /// How games are divided.
  public var split: GameSplit

  /// An importer of all games on boards of 19 rows.
  public init(
    _ paths: [String], planes: PlaneSet = .small, size: Int = 19, handicap: Bool = true,
    players: [String] = [], split: GameSplit = GameSplit()
  ) {
    precondition(BoardShape.sizes.contains(size), "boards have \(BoardShape.sizes) rows, not \(size)")
    self.paths = paths
    self.planes = planes
    self.size = size
    self.handicap = handicap
    self.players = players
    self.split = split
  }

  /// The share of the progress that reading takes.
  private static let readingShare = 0.25

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    let filter = GameFilter(size: size, handicap: handicap, players: players)
    let files = try RecordFiles(paths, check: output.check)
    var collection = GameCollection(filter)
    let others = try files.forEachBatch(check: output.check) { batch, done in
      collection.add(batch, threads: output.threads)
      try progress(Self.readingShare * Double(done) / Double(max(1, files.byteCount)))
    }
    guard !collection.games.isEmpty else {
      let reasons = notes(collection, files, others: others)
      throw DatasetError(
        .badData,
        "no game can be used" + (reasons.isEmpty ? "" : ": \(reasons.joined(separator: "; "))"))
    }
    var (parts, splitNotes) = try split.parts(of: collection.games)
    if split.test > 0 || split.testFrom != nil, !parts.contains(where: { $0.name == "test" }) {
      splitNotes.append(
        "no game of \(collection.games.count) is for testing, by \(split.testFrom.map { "the first day \($0)" } ?? "a share of \(split.test)")"
      )
    }
    let writer = try DatasetWriter(output)
    let shape = BoardShape.of(size)
    let names = MoveName.all(on: shape)
    let total = Double(collection.games.reduce(0) { $0 + $1.positionCount })
    var done = 0
    var counts: [(name: String, count: Int)] = []
    for part in parts {
      let games = part.games.map { collection.games[$0] }
      let positions = GamePositions(games, planes: planes, size: size)
      let packing = BitPacking(channels: planes.count)
      try writer.writeImages(
        "\(part.name)/images", sampleShape: [size, size, packing.bytesPerPoint], pixelType: .uint8,
        capacity: positions.count,
        facts: DatasetWriter.ImageFacts(packing: packing, channelNames: planes.planeNames)
      ) { memory in
        let count = positions.write(into: memory, threads: output.threads)
        done += count
        try progress(Self.readingShare + (1 - Self.readingShare) * Double(done) / total)
        return count
      }
      try writer.writeLabels("\(part.name)/labels", positions.labels.array(), classNames: names)
      try writer.writeMoves("\(part.name)/\(DatasetWriter.moves)", positions.moveNumbers.array())
      counts.append((part.name, positions.count))
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: counts, sampleShape: [size, size, planes.count], classNames: names,
      notes: notes(collection, files, others: others) + splitNotes,
      details: parts.map { part in
        "\(part.name): \(counted(part.games.count, "game"))"
          + (part.days.map { $0.first == $0.last ? " of \($0.first)" : ", \($0.first) to \($0.last)" } ?? "")
      })
  }

  private func notes(_ collection: GameCollection, _ files: RecordFiles, others: [String]) -> [String] {
    var notes = LeftOut.allCases.compactMap { reason in
      collection.leftOut[reason].map { reason.text($0, collection.filter) }
    }
    if collection.edited > 0 {
      notes.append("\(counted(collection.edited, "game")) set stones after moves; they were set there, too")
    }
    if collection.implied > 0 {
      notes.append(
        "\(counted(collection.implied, "game")) with a handicap and without its stones; they were put on the star points"
      )
    }
    for name in players
    where !collection.games.contains(where: { $0.record.black == name || $0.record.white == name }) {
      notes.append("no game that is learnt from has the player \(name)")
    }
    notes += files.circles.map { "\($0) leads back to a folder that it is in, and was passed over" }
    notes += [
      SplitRemarks.passedOver(files.passedOver, "of folders, neither .sgf nor archive"),
      SplitRemarks.passedOver(others, "of archives, not .sgf (archives in archives must be unpacked)"),
    ].compactMap(\.self)
    return notes
  }
}

/// The positions of games on their way into a file: several threads write them, each to its place.
private final class GamePositions {
  let count: Int
  let labels: AlignedBuffer<Int32>
  let moveNumbers: AlignedBuffer<Int32>
  private let games: [CollectedGame]
  private let planes: PlaneSet
  private let size: Int
  private var next = 0
  private var nextGame = 0
  private var nextInGame = 0

  init(_ games: [CollectedGame], planes: PlaneSet, size: Int) {
    self.games = games
    self.planes = planes
    self.size = size
    count = games.reduce(0) { $0 + $1.positionCount }
    labels = AlignedBuffer(count: count)
    moveNumbers = AlignedBuffer(count: count)
  }

  /// Some positions of one game.
  private struct Piece: Sendable {
    let game: Int
    let positions: Range<Int>
    /// Where the first goes, among all positions and in the memory.
    let place: Int
    let offset: Int
  }

  /// Writes the next positions, as many as there is room for, and says how many these were.
  func write(into memory: UnsafeMutableRawBufferPointer, threads: Int) -> Int {
    let byteCount = size * size * planes.bytesPerPoint
    let wanted = min(memory.count / byteCount, count - next)
    guard wanted > 0, let start = memory.baseAddress else { return 0 }
    var pieces: [Piece] = []
    var given = 0
    while given < wanted {
      let left = games[nextGame].positionCount - nextInGame
      let taken = min(left, wanted - given)
      pieces.append(
        Piece(
          game: nextGame, positions: nextInGame..<nextInGame + taken, place: next + given, offset: given))
      given += taken
      nextInGame += taken
      if taken == left { (nextGame, nextInGame) = (nextGame + 1, 0) }
    }
    next += given
    let target = PositionMemory(start.assumingMemoryBound(to: UInt8.self))
    let (games, planes, size, labels, moveNumbers) = (games, planes, size, labels, moveNumbers)
    let work = Atomic<Int>(0)
    WorkerThreads.share(among: max(1, min(threads, pieces.count))) { [pieces] _ in
      let board = Board(size: size)
      let encoder = PlaneEncoder(planes, size: size)
      while true {
        let index = work.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < pieces.count else { return }
        let piece = pieces[index]
        var number = 0
        Replay.play(games[piece.game].record, on: board) { colour, move, moveNumber in
          if number >= piece.positions.lowerBound {
            let place = number - piece.positions.lowerBound
            encoder.encode(
              board, for: colour, into: target.start + (piece.offset + place) * byteCount)
            labels.baseAddress[piece.place + place] = Int32(move.index(on: board.shape))
            moveNumbers.baseAddress[piece.place + place] = Int32(min(moveNumber, Int(UInt16.max)))
          }
          number += 1
          return number < piece.positions.upperBound
        }
      }
    }
    return given
  }
}

/// Memory that several threads write to.
private struct PositionMemory: @unchecked Sendable {
  // @unchecked because each piece of work has places of its own, and the owner waits for all.
  let start: UnsafeMutablePointer<UInt8>
  init(_ start: UnsafeMutablePointer<UInt8>) { self.start = start }
}
