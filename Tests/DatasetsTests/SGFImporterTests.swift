import Foundation
import Go
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Random games as records, with a day for each.
private func records(_ count: Int, size: Int = 9, length: Int = 40, seed: UInt64 = 1) -> [String] {
  var random = SplitMix64(seed: seed)
  return (0..<count).map { number in
    let board = Board(size: size)
    var text = "(;GM[1]SZ[\(size)]PB[player \(number % 3)]PW[w]DT[2019-01-\(10 + number)]"
    var colour = Colour.black
    for _ in 0..<length {
      let legal = (0..<size * size).filter { board.isSensible(colour, at: $0) }
      let name = colour == .black ? "B" : "W"
      if legal.isEmpty || random.next(below: 20) == 0 {
        board.pass()
        text += ";\(name)[]"
      } else {
        let point = legal[random.next(below: legal.count)]
        board.play(colour, at: point)
        let letters = [point % size, point / size].map { String(UnicodeScalar(UInt8(97 + $0))) }.joined()
        text += ";\(name)[\(letters)]"
      }
      colour = colour.opponent
    }
    return text + ")"
  }
}

private func write(_ records: [String], to folder: String) throws {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  for (number, text) in records.enumerated() {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(100 + number).sgf"))
  }
}

@Suite("importing records of Go games")
struct SGFImporterTests {
  @Test("samples are the positions before moves, with the moves as classes")
  func samples() throws {
    try withTemporaryFolder { folder in
      let texts = records(4)
      try write(texts, to: "\(folder)/games")
      let planes = try PlaneSet("stones,ones,turns_since:3,liberties:2,sensible,zeros")
      let summary = try SGFImporter(
        ["\(folder)/games"], planes: planes, size: 9, split: GameSplit(.date, test: 0)
      ).write(to: "\(folder)/go.h5")
      #expect(summary.counts.map(\.count) == [160] && summary.sampleShape == [9, 9, 11])
      let (dataset, bytes, labels) = try contents("\(folder)/go.h5")
      #expect(dataset.sampleShape == [9, 9, 11] && dataset.sampleByteCount == 81 * 2)
      #expect(dataset.planes == planes && dataset.channelNames == planes.planeNames)
      #expect(dataset.classNames?.count == 82 && dataset.classNames?.first == "A9")
      let encoder = PlaneEncoder(planes, size: 9)
      let board = Board(size: 9)
      var (row, passes) = (0, 0)
      for text in texts {
        Replay.play(SGFReader.games(Array(text.utf8))[0], on: board) { colour, move, number in
          let expected = encoder.values(board, for: colour)
          #expect(Array(bytes[row * expected.count..<(row + 1) * expected.count]) == expected, "row \(row)")
          #expect(labels[row] == Int32(move.index(on: board.shape)))
          #expect(dataset.moveNumbers?[row] == Int32(number))
          if move == .pass { passes += 1 }
          row += 1
          return true
        }
      }
      #expect(row == 160 && passes > 0)
    }
  }

  @Test("the file is the same on any number of threads, from a folder and from archives")
  func determinism() throws {
    try withTemporaryFolder { folder in
      try write(records(60), to: "\(folder)/games")
      func bytes(_ paths: [String], threads: Int, _ name: String) throws -> Data {
        let path = "\(folder)/\(name).h5"
        try SGFImporter(paths, size: 9, split: GameSplit(.game, test: 0.2, validation: 0.2)).write(
          to: path, threads: threads)
        return try Data(contentsOf: URL(fileURLWithPath: path))
      }
      let first = try bytes(["\(folder)/games"], threads: 1, "a")
      #expect(try bytes(["\(folder)/games"], threads: 3, "b") == first)
      #expect(try bytes(["\(folder)/games"], threads: 8, "c") == first)
    }
  }

  /// `make_records.py` packed the same three records.
  @Test(
    "archives give what their files do",
    arguments: ["zip", "7z", "tar", "tar.gz", "tar.xz", "tar.bz2", "tar.zst"])
  func archives(ending: String) throws {
    try withTemporaryFolder { folder in
      func samples(_ path: String, _ name: String) throws -> [UInt8] {
        let output = "\(folder)/\(name).h5"
        let summary = try SGFImporter([path], size: 9, split: GameSplit(.date, test: 0)).write(to: output)
        #expect(summary.counts.map(\.count) == [36])
        if name == "archive" { #expect(summary.notes.contains { $0.contains("not .sgf") }) }
        return try contents(output).bytes
      }
      let packed = try samples(fixture("records/games.\(ending)"), "archive")
      #expect(try samples(fixture("records/games"), "folder") == packed)
    }
  }

  @Test("a folder's archives are known by their bytes, and what is neither record nor archive is said")
  func foldersOfArchives() throws {
    try withTemporaryFolder { folder in
      let games = "\(folder)/games"
      try FileManager.default.createDirectory(atPath: "\(games)/more", withIntermediateDirectories: true)
      let names = ["records/games.7z": "more/games.7z.001", "records/one.sgf.gz": "packed"]
      for (source, name) in names {
        try FileManager.default.copyItem(atPath: fixture(source), toPath: "\(games)/\(name)")
      }
      try Data("licence".utf8).write(to: URL(fileURLWithPath: "\(games)/LICENSE"))
      #expect(mkfifo("\(games)/pipe.sgf", 0o600) == 0)
      let summary = try SGFImporter([games], size: 9, split: GameSplit(.date, test: 0)).write(
        to: "\(folder)/a.h5")
      // The compressed record is one of the archive's three, so that it is there twice.
      #expect(summary.counts.map(\.count) == [36])
      #expect(summary.notes.contains { $0.contains("an earlier game") })
      #expect(
        summary.notes.contains(
          "passed over 2 files of folders, neither .sgf nor archive, such as \(games)/LICENSE"))
    }
  }

  @Test("links that lead back end, and are said")
  func circles() throws {
    try withTemporaryFolder { folder in
      let games = "\(folder)/games"
      try write(records(2), to: games)
      for name in ["l", "m"] {
        try FileManager.default.createSymbolicLink(atPath: "\(games)/\(name)", withDestinationPath: ".")
      }
      let summary = try SGFImporter([games], size: 9, split: GameSplit(.date, test: 0)).write(
        to: "\(folder)/a.h5")
      #expect(
        summary.notes.count { $0.hasSuffix("leads back to a folder that it is in, and was passed over") } == 2
      )
      #expect(!summary.notes.contains { $0.contains("earlier game") })
    }
  }

  @Test("players without a game and a test split without games are said")
  func nothingFound() throws {
    try withTemporaryFolder { folder in
      try write(records(3), to: "\(folder)/games")
      let split = GameSplit(.game, test: 1e-9)
      let wanted = SGFImporter(["\(folder)/games"], size: 9, players: ["w", "nobody"], split: split)
      #expect(
        try wanted.write(to: "\(folder)/b.h5").notes.contains(
          "no game that is learnt from has the player nobody"))
      let notes = try SGFImporter(["\(folder)/games"], size: 9, split: split).write(to: "\(folder)/a.h5")
        .notes
      #expect(notes.contains { $0 == "no game of 3 is for testing, by a share of 1e-09" })
    }
  }

  @Test("planes of another meaning are refused beside those of a training")
  func otherPlanes() throws {
    try withTemporaryFolder { folder in
      try write(records(2), to: "\(folder)/games")
      func dataset(_ planes: String) throws -> ImageDataset {
        let path = "\(folder)/\(planes).h5"
        _ = try SGFImporter(
          ["\(folder)/games"], planes: PlaneSet(planes), size: 9, split: GameSplit(.date, test: 0)
        ).write(to: path)
        return try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      }
      let (own, other) = (try dataset("stones,ones"), try dataset("ones,stones"))
      try own.checkOrigin(nil, channels: own.channelNames)
      let message = datasetError(.badData) {
        try other.checkOrigin(nil, channels: own.channelNames, role: "data.test")
      }
      #expect(message.contains("has other channels: number 0 is 'ones', not 'own stones'"))
    }
  }

  @Test("one compressed record is read, too")
  func compressedRecord() throws {
    try withTemporaryFolder { folder in
      let summary = try SGFImporter(
        [fixture("records/one.sgf.gz")], size: 9, split: GameSplit(.date, test: 0)
      ).write(to: "\(folder)/a.h5")
      #expect(summary.counts.map(\.count) == [12])
    }
  }

  @Test("archives that unpack to very much are refused")
  func bombs() throws {
    try withTemporaryFolder { folder in
      // 400 MiB of blanks in some 400 KiB, and a single file of 100 MiB.
      let text = datasetError(.badData) {
        _ = try SGFImporter([fixture("records/many-blanks.tar.bz2")], size: 9).write(to: "\(folder)/a.h5")
      }
      #expect(text.contains("unpacks to more than") || text.contains("MiB"), "\(text)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/a.h5"))
    }
  }

  @Test("damaged archives are bad data, or give what could be read; they never crash")
  func damagedArchives() throws {
    var random = SplitMix64(seed: 4)
    try withTemporaryFolder { folder in
      var refused = 0
      for ending in ["zip", "7z", "tar.gz", "tar.xz", "tar.zst"] {
        let sound = [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture("records/games.\(ending)"))))
        for round in 0..<25 {
          var bytes = sound
          if round % 5 == 0 { bytes.removeLast(random.next(below: bytes.count - 8)) }
          for _ in 0..<3 { bytes[random.next(below: bytes.count)] = UInt8(random.next(below: 256)) }
          let path = "\(folder)/x.\(ending)"
          try Data(bytes).write(to: URL(fileURLWithPath: path))
          do {
            try SGFImporter([path], size: 9, split: GameSplit(.date, test: 0)).write(
              to: "\(folder)/x.h5", overwrite: true)
          } catch let error as DatasetError {
            #expect(error.kind == .badData && !error.description.contains("\n"), "\(error)")
            refused += 1
          }
        }
      }
      #expect(refused > 60)
    }
  }

  @Test("what is left out is counted")
  func counts() throws {
    try withTemporaryFolder { folder in
      let games = [
        "(;GM[1]SZ[9];B[aa];W[bb])", "(;GM[1]SZ[9];B[aa];W[bb]C[again])", "(;GM[2]SZ[9];B[aa])",
        "(;GM[1]SZ[19];B[aa])", "(;GM[1]SZ[9:7];B[aa])", "(;GM[1]SZ[9])", "(;GM[1]SZ[9];B[cc];W[cc];B[dd])",
        "(;GM[1]SZ[9];B[ee];B[cc])", "(;GM[1]SZ[9];B[ff];W[zz])", "(;GM[1]SZ[9];B[gg];W[hh",
        "(;GM[1]SZ[9]HA[2];B[aa];W[bb])", "(;GM[1]SZ[9]HA[2];W[aa];B[bb])", "nothing here",
        "(;GM[1]SZ[9];B[ih];AB[aa];W[ii])",
      ]
      try write(games, to: "\(folder)/games")
      let summary = try SGFImporter(["\(folder)/games"], size: 9, split: GameSplit(.date, test: 0)).write(
        to: "\(folder)/a.h5")
      #expect(summary.counts.map(\.count) == [2 + 1 + 1 + 1 + 1 + 2 + 2])
      let notes = summary.notes.joined(separator: "\n")
      for text in [
        "passed over 1 file without a game", "left out 1 game: they are not Go",
        "left out 2 games: their board is not 9×9", "left out 1 game: they have no moves",
        "left out 1 game: the same moves", "left out 1 game: it is not clear where",
        "the rest of 1 game from a move on that the rules forbid",
        "the rest of 1 game from where the same player",
        "the rest of 1 game from a move or stone on that is not on the board",
        "the rest of 1 game where the file ends",
        "1 game set stones after moves", "1 game with a handicap and without its stones",
      ] { #expect(notes.contains(text), "\(text)\n\n\(notes)") }
      let without = try SGFImporter(
        ["\(folder)/games"], size: 9, handicap: false, split: GameSplit(.date, test: 0)
      ).write(to: "\(folder)/b.h5")
      #expect(without.notes.contains { $0.contains("left out 2 games: they have a handicap") })
      let text = datasetError(.badData) {
        _ = try SGFImporter(["\(folder)/games"], size: 13).write(to: "\(folder)/c.h5")
      }
      #expect(text.contains("no game can be used") && text.contains("not 13×13"))
    }
  }

  @Test("players are chosen by their names")
  func players() throws {
    try withTemporaryFolder { folder in
      try write(records(9), to: "\(folder)/games")
      let summary = try SGFImporter(
        ["\(folder)/games"], size: 9, players: ["player 1"], split: GameSplit(.date, test: 0)
      ).write(to: "\(folder)/a.h5")
      #expect(summary.counts.map(\.count) == [120])
    }
  }

  @Test("by date the latest days are for testing, by game no game is in two splits")
  func splits() throws {
    try withTemporaryFolder { folder in
      try write(records(20), to: "\(folder)/games")
      func counts(_ split: GameSplit) throws -> [String] {
        let summary = try SGFImporter(["\(folder)/games"], size: 9, split: split).write(
          to: "\(folder)/a.h5", overwrite: true)
        return summary.counts.map { "\($0.name) \($0.count / 40)" }
      }
      #expect(try counts(GameSplit(.date, test: 0.1)) == ["train 18", "test 2"])
      #expect(
        try counts(GameSplit(.date, test: 0.1, validation: 0.2)) == ["train 14", "validation 4", "test 2"])
      #expect(try counts(GameSplit(.date, testFrom: "2019-01-25")) == ["train 15", "test 5"])
      #expect(try counts(GameSplit(.date, test: 0)) == ["train 20"])
      let byGame = try counts(GameSplit(.game, test: 0.3))
      #expect(byGame == (try counts(GameSplit(.game, test: 0.3))))
      #expect(byGame.count == 2 && byGame != ["train 14", "test 0"])
      #expect(try counts(GameSplit(.game, test: 0.3, seed: 1)) != byGame)
      datasetError(.badData) { _ = try counts(GameSplit(.date, testFrom: "2000-01-01")) }
      // No position of a game is in two splits, except where games begin alike.
      _ = try counts(GameSplit(.game, test: 0.3))
      let (train, test) = (try contents("\(folder)/a.h5"), try contents("\(folder)/a.h5", "test"))
      let size = 81 * 16
      func late(_ data: (dataset: ImageDataset, bytes: [UInt8], labels: [Int32])) -> Set<[UInt8]> {
        Set(
          (0..<data.dataset.count).filter { data.dataset.moveNumbers![$0] > 10 }.map {
            Array(data.bytes[$0 * size..<($0 + 1) * size])
          })
      }
      #expect(late(train).isDisjoint(with: late(test)))
    }
  }
}

@Suite("samples held as bits")
struct BitPackingTests {
  /// The same samples, a byte for each number.
  private func unpacked(_ packed: String, to path: String) throws {
    let (dataset, bytes, labels) = try contents(packed)
    let writer = try DatasetWriter(path: path)
    try writer.writeSplit(
      "train", sampleShape: dataset.sampleShape, labels: labels, classNames: dataset.classNames ?? []
    ) { range, memory in
      let size = dataset.sampleShape.elementCount
      bytes.withUnsafeBytes {
        memory.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[range.lowerBound * size..<range.upperBound * size]))
      }
    }
    try writer.finish()
  }

  private func withPair(_ planes: String, _ body: (String, String, String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try write(records(3, size: 5, length: 20), to: "\(folder)/games")
      try SGFImporter(
        ["\(folder)/games"], planes: PlaneSet(planes), size: 5, split: GameSplit(.date, test: 0)
      ).write(to: "\(folder)/packed.h5")
      try unpacked("\(folder)/packed.h5", to: "\(folder)/plain.h5")
      try body("\(folder)/packed.h5", "\(folder)/plain.h5", folder)
    }
  }

  @Test(
    "augmented or not, packed samples are the unpacked ones",
    arguments: ["small", "stones", "alphago", "stones,liberties:6"])
  func augmentation(planes: String) throws {
    try withPair(planes) { packed, plain, _ in
      let (a, b) = (try contents(packed).dataset, try contents(plain).dataset)
      #expect(a.sampleShape == b.sampleShape && a.sampleByteCount < b.sampleByteCount)
      let rows = Array(0..<a.count)
      let (left, right) = (try a.samples(rows), try b.samples(rows))
      #expect(left.bytes == right.bytes && left.pixels == right.pixels && left.pixelSpan == right.pixelSpan)
      let steps = Augmentation([
        .boardSymmetry(RandomSymmetry(answer: .board)),
        .padAndCrop(PadAndCrop(padding: .init(rows: 1, columns: 1), answer: .nowhere)),
        .mixup(Mixup(alpha: 0.4, probability: 0.5)),
      ])
      for augmentation in [Augmentation([]), Augmentation([.boardSymmetry(RandomSymmetry())]), steps] {
        let augmenter = Augmenter(augmentation, sampleShape: a.sampleShape, seed: 5)
        for row in rows {
          func bytes(_ batch: Minibatch) -> [UInt8] {
            let start = augmenter.pixels(row, of: batch).assumingMemoryBound(to: UInt8.self)
            return Array(UnsafeBufferPointer(start: start, count: a.sampleShape.elementCount))
          }
          #expect(bytes(left) == bytes(right))
        }
      }
    }
  }

  @Test("streamed or from memory, batches of packed samples are the same")
  func reading() throws {
    try withPair("small") { packed, plain, _ in
      func bytes(_ path: String, limit: Int) throws -> [[UInt8]] {
        let dataset = try contents(path).dataset
        let reader = BatchReader(
          try SampleStore(dataset, memoryLimitByteCount: limit),
          order: SampleOrder(seed: 2, count: dataset.count, shuffle: true), batchSize: 7, endEpoch: 2)
        var all: [[UInt8]] = []
        while let batch = try reader.next() { all.append(batch.bytes) }
        return all
      }
      let expected = try bytes(plain, limit: 1 << 30)
      #expect(try bytes(packed, limit: 1 << 30) == expected)
      #expect(try bytes(packed, limit: 0) == expected)
    }
  }

  @Test("repacking and splitting keep bits, names and move numbers")
  func copies() throws {
    try withPair("stones,ones,zeros") { packed, _, folder in
      let file = try DatasetFile(packed)
      #expect(file.others.isEmpty)
      try file.repack(
        to: DatasetOutput("\(folder)/again.h5", storage: DatasetStorage(compressionLevel: 4)))
      let (a, b) = (try contents(packed), try contents("\(folder)/again.h5"))
      #expect(a.bytes == b.bytes && a.labels == b.labels)
      #expect(
        a.dataset.channelNames == b.dataset.channelNames && a.dataset.moveNumbers == b.dataset.moveNumbers)
      #expect(b.dataset.packing == BitPacking(channels: 5) && b.dataset.moveNumbers != nil)
      try file.split(
        file.splits[0], into: [("train", 0.5), ("rest", 0.5)], seed: 1,
        to: DatasetOutput("\(folder)/parts.h5"))
      let rest = try contents("\(folder)/parts.h5", "rest")
      #expect(rest.dataset.moveNumbers?.count == rest.dataset.count && rest.dataset.planes != nil)
    }
  }

  @Test("a check sees zeros and ones, and takes positions in two splits for natural")
  func check() throws {
    try withPair("stones,ones") { packed, _, folder in
      let report = try DatasetFile(packed).report()
      #expect(report.splits[0].pixels == PixelSpan(.uint8, low: 0, high: 1))
      #expect(report.splits[0].constantSamples == 0 && !report.hasErrors)
      #expect(report.splits[0].duplicates > 0)
      try write(["(;SZ[5]DT[2019-01-01];B[cc])", "(;SZ[5]DT[2019-01-02];B[dd])"], to: "\(folder)/two")
      try SGFImporter(["\(folder)/two"], size: 5, split: GameSplit(.date, test: 0.5)).write(
        to: "\(folder)/two.h5")
      let two = try DatasetFile("\(folder)/two.h5").report()
      #expect(two.splits.map(\.leaks).reduce(0, +) == 1 && !two.hasErrors)
      #expect(two.findings.contains { $0.text.contains("as games begin alike") })
    }
  }

  @Test("spans and constant samples do not see the bits behind the last channel")
  func spans() {
    let packing = BitPacking(channels: 11)
    func span(_ bytes: [UInt8]) -> [UInt8] {
      let span = bytes.withUnsafeBytes(packing.span)
      return [span.low, span.high]
    }
    #expect(span([0, 0xF8, 0, 0]) == [0, 0])
    #expect(span([0xFF, 0x07, 0xFF, 0xFF]) == [1, 1])
    #expect(span([0xFF, 0x03, 0xFF, 0xFF]) == [0, 1])
    #expect(span([0, 0, 1, 0]) == [0, 1])
  }

  @Test("any channels are unpacked bit by bit", arguments: [1, 3, 7, 8, 9, 16, 24, 48])
  func unpacking(channels: Int) {
    var random = SplitMix64(seed: UInt64(channels))
    let packing = BitPacking(channels: channels)
    let bytes = (0..<6 * packing.bytesPerPoint).map { _ in UInt8(random.next(below: 256)) }
    let batch = Minibatch(
      epoch: 0, position: 0, isLastOfEpoch: true, pixelType: .uint8, sampleShape: [2, 3, channels],
      sampleIndices: [0], labels: [0], sampleByteCount: bytes.count, pixels: .own(AlignedBuffer(bytes)),
      packing: packing)
    let expected = (0..<6).flatMap { point in
      (0..<channels).map { channel -> UInt8 in
        let byte = bytes[point * packing.bytesPerPoint + channel / 8]
        return byte >> UInt8(channel % 8) & 1
      }
    }
    #expect(batch.bytes == expected)
    #expect(batch.pixels == expected.map(Float.init))
  }

  @Test("files whose bits do not fit their shape are refused")
  func refusals() throws {
    try withTemporaryFolder { folder in
      for (type, shape, channels) in [
        (NumberType.uint8, [2, 3, 3, 2], 17), (.uint8, [2, 3, 3, 2], 8), (.float32, [2, 3, 3, 2], 16),
        (.uint8, [2, 9, 2], 16), (.uint8, [2, 3, 3, 2], 0), (.uint8, [2, 3, 3, 2], -1),
      ] {
        let path = "\(folder)/x.h5"
        let file = try File.create(path, overwrite: true)
        do {
          let images = try file.root.makeDataset("images", type: type, shape: shape)
          try images.attributes.write(BitPacking.attribute, channels)
          try images.write([UInt8](repeating: 0, count: shape.reduce(1, *)))
          try file.root.makeDataset("labels", type: .uint8, shape: [2]).write([UInt8](repeating: 0, count: 2))
        }
        try file.close()
        let text = datasetError(.badData) {
          _ = try ImageDataset(path: path, images: "images", target: .labels("labels"))
        }
        #expect(text.contains(BitPacking.attribute))
      }
    }
  }
}
