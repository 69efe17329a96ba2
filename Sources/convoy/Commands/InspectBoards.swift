internal import Datasets
internal import Go
internal import ImageFiles
internal import Insight
internal import Parallel
internal import Paths
internal import Reporting
internal import Training

/// Positions of Go, drawn with what a network says of the moves.
struct BoardInspection {
  /// A position with its title.
  typealias Entry = (title: String, view: BoardView)

  /// Positions of a dataset, in rows of it.
  ///
  /// - Parameter policy: nil draws the positions alone.
  static func entries(
    of dataset: ImageDataset, rows: [Int], policy: NetworkPolicy?
  ) throws -> [Entry] {
    guard let planes = dataset.planes else {
      throw CommandError.badData(
        "\(dataset.path): \"\(dataset.imagesName)\" holds no positions of Go, whose planes have names")
    }
    let minibatch = try dataset.samples(rows)
    return try rows.enumerated().compactMap { index, row in
      let values = minibatch.withSample(index) { Array($0) }
      guard var view = BoardView(planes: planes, values: values, size: dataset.sampleShape[0]) else { return nil }
      if let policy { view.probabilities = try policy.probabilities(of: values) }
      if !dataset.labels.isEmpty { view.played = Int(dataset.labels[row]) }
      let before = dataset.moveNumbers.map { ", after \(counted(Int($0[row]), "move"))" } ?? ""
      return ("row \(row)\(before): X is to move", view)
    }
  }

  /// The position before a move of a record, counted from 1; nil stands for the position at its end.
  static func entry(record path: String, move number: Int?, policy: NetworkPolicy) throws -> Entry {
    let bytes: [UInt8]
    do { bytes = try WholeFile.read(path, limit: 64 << 20) } catch {
      throw CommandError.missing("\(path): \(error)")
    }
    guard let record = SGFReader.games(bytes).first else {
      throw CommandError.badData("\(path) is no record of a game (.sgf)")
    }
    guard record.squareSize == policy.size else {
      throw CommandError.badData(
        "\(path) has a board of \(record.size.columns)×\(record.size.rows), but the network knows \(policy.size)×\(policy.size)")
    }
    let board = Board(size: policy.size)
    var found: (colour: Colour, move: Move)?
    var (last, made) = (Colour.white, 0)
    Replay.play(record, on: board, allowsTwice: true) { colour, move, before in
      if before + 1 == number {
        found = (colour, move)
        return false
      }
      (last, made) = (colour, before + 1)
      return true
    }
    if let number, found == nil {
      throw CommandError.usage("--move \(number): \(path) has \(counted(made, "move")) that can be followed")
    }
    let colour = found?.colour ?? last.opponent
    var view = BoardView(board)
    view.probabilities = try policy.probabilities(board, for: colour)
    view.played = found?.move.index(on: board.shape)
    let title =
      "\(PathText.readable(path)), after \(counted(made, "move")): \(colour.word) (\(colour == .black ? "X" : "O")) is to move"
    return (title, view)
  }

  static func show(_ entries: [Entry]) {
    for entry in entries { print("\(entry.title)\n\(entry.view.text())\n") }
  }

  /// Draws positions into one picture.
  static func write(_ entries: [Entry], to path: String) throws {
    let sheet = PictureSheet(
      title: "", tiles: entries.map { PictureSheet.Tile($0.view.image(), [$0.title]) }, scale: 1)
    try ImageFile.write(sheet.picture(), to: path)
  }
}

extension InspectCommand {
  /// Draws what a network says of positions of a dataset, or of a record.
  func showMoves(_ found: (path: String, checkpoint: Checkpoint)) throws {
    if let sheet {
      try overwrite.check("--sheet", sheet, inputs: InputFiles([path, data, record]))
    }
    let policy = try NetworkPolicy(
      found.path, found.checkpoint, flips: .eight, workers: Cores.available().count, stop: StopSignals.request)
    let entries: [BoardInspection.Entry]
    if let record {
      entries = [try BoardInspection.entry(record: record, move: move, policy: policy)]
    } else {
      let name = images ?? "test/images"
      let target = TargetName(beside: name, .classes)
      let dataset = try found.checkpoint.matched(
        ImageDataset(path: data ?? "", images: name, target: target))
      let rows = try rows.map { try RowList.parse($0, count: dataset.count) }
      entries = try BoardInspection.entries(
        of: dataset, rows: rows ?? Array(0..<min(samples, 3, dataset.count)), policy: policy)
    }
    BoardInspection.show(entries)
    guard let sheet else { return }
    try BoardInspection.write(entries, to: sheet)
    TerminalOutput.printPath(sheet)
  }
}
