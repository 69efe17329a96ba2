import Datasets
import Digests
import Foundation
import Glibc
import HDF5
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Data staged on a node's own disk")
struct StagingTests {
  /// Bytes of no meaning, from a seed.
  private static func bytes(_ count: Int, seed: UInt64) -> Data {
    var stream = RandomStream(seed: seed, purpose: .synthetic)
    return Data((0..<count).map { _ in UInt8(stream.nextInteger(below: 256)) })
  }

  private static func contents(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// The names in a folder that somebody looks at.
  private static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasSuffix(".lock") }.sorted()
  }

  @Test("a file is copied once, and anew when it has changed, whatever its length and date")
  func copies() throws {
    let folder = try TemporaryFolder()
    let (source, stage) = (folder("data.h5"), StagingFolder(path: folder("stage/deep")))
    // From nothing to more than a piece.
    for (turn, count) in [0, 1, 7, 8, 9, 4096, 8 << 20, (8 << 20) + 5].enumerated() {
      let bytes = Self.bytes(min(count, 5000), seed: UInt64(turn))
      try (bytes + Data(count: count - bytes.count)).write(to: URL(fileURLWithPath: source))
      let first = try stage.copy(of: source)
      #expect(first.isNew && first.byteCount == count)
      let again = try stage.copy(of: source)
      #expect(!again.isNew && again.path == first.path)
      #expect(try Self.contents(first.path) == Self.contents(source))
      #expect(try Self.names(in: stage.path).count == 2)
    }
    // Other contents of the same length, with the date that the file had.
    var status = stat()
    #expect(stat(source, &status) == 0)
    try Self.bytes(5000, seed: 99).write(to: URL(fileURLWithPath: source))
    var times = [status.st_atim, status.st_mtim]
    #expect(truncate(source, (8 << 20) + 5) == 0 && utimensat(AT_FDCWD, source, &times, 0) == 0)
    let changed = try stage.copy(of: source)
    #expect(changed.isNew)
    #expect(try Self.contents(changed.path) == Self.contents(source))
  }

  @Test("files of one name in two folders have copies of their own, and a link leads to its file's")
  func names() throws {
    let folder = try TemporaryFolder()
    let stage = StagingFolder(path: folder("stage"))
    var paths: Set<String> = []
    for place in ["a", "b"] {
      try FileManager.default.createDirectory(atPath: folder(place), withIntermediateDirectories: true)
      try Self.bytes(100, seed: UInt64(place.utf8.first ?? 0)).write(
        to: URL(fileURLWithPath: folder("\(place)/data.h5")))
      let copy = try stage.copy(of: folder("\(place)/data.h5"))
      #expect(try Self.contents(copy.path) == Self.contents(folder("\(place)/data.h5")))
      paths.insert(copy.path)
    }
    #expect(paths.count == 2)
    #expect(symlink(folder("a/data.h5"), folder("link.h5")) == 0)
    let linked = try stage.copy(of: folder("link.h5"))
    #expect(!linked.isNew && paths.contains(linked.path))
    // As long as a name may be.
    let long = folder(String(repeating: "n", count: 252) + ".h5")
    try Self.bytes(10, seed: 1).write(to: URL(fileURLWithPath: long))
    #expect(try Self.contents(stage.copy(of: long).path) == Self.bytes(10, seed: 1))
  }

  @Test("a copy that somebody touched is compared, and one that somebody spoiled is made anew")
  func spoiled() throws {
    let folder = try TemporaryFolder()
    let (source, stage) = (folder("data.h5"), StagingFolder(path: folder("stage")))
    let bytes = Self.bytes(3000, seed: 4)
    try bytes.write(to: URL(fileURLWithPath: source))
    let path = try stage.copy(of: source).path
    #expect(utimensat(AT_FDCWD, path, nil, 0) == 0)
    #expect(try !stage.copy(of: source).isNew)
    let damages: [(String, () throws -> Void)] = [
      ("a byte", { try Self.bytes(3000, seed: 5).write(to: URL(fileURLWithPath: path)) }),
      ("an end", { truncate(path, 2999) }),
      ("no copy", { try FileManager.default.removeItem(atPath: path) }),
      ("no record", { try FileManager.default.removeItem(atPath: "\(path).json") }),
      ("no sound record", { try "{".write(toFile: "\(path).json", atomically: false, encoding: .utf8) }),
      (
        "a link in its place",
        {
          try FileManager.default.removeItem(atPath: path)
          try bytes.write(to: URL(fileURLWithPath: folder("other")))
          symlink(folder("other"), path)
        }
      ),
    ]
    for (what, damage) in damages {
      try damage()
      let copy = try stage.copy(of: source)
      #expect(copy.isNew && copy.path == path, "\(what)")
      #expect(try Self.contents(path) == bytes, "\(what)")
      var status = stat()
      #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG, "\(what)")
    }
  }

  @Test("whoever wants a file at the same time gets one copy, made once")
  func together() throws {
    let folder = try TemporaryFolder()
    let source = folder("data.h5")
    let bytes = Self.bytes(20_000, seed: 6) + Data(count: 24 << 20)
    try bytes.write(to: URL(fileURLWithPath: source))
    let copies = try RankThreads.run(5) { _ in
      try StagingFolder(path: folder("stage")).copy(of: source)
    }
    #expect(copies.count { $0.isNew } == 1 && Set(copies.map(\.path)).count == 1)
    #expect(try Self.contents(copies[0].path) == bytes)
    #expect(try Self.names(in: folder("stage")).count == 2)
    // Whoever keeps the lock for ever only costs time.
    let name = URL(fileURLWithPath: copies[0].path).lastPathComponent
    let lock = folder("stage/.\(name).lock")
    let holder = open(lock, O_RDWR)
    #expect(holder >= 0 && flock(holder, LOCK_EX) == 0)
    defer { close(holder) }
    try bytes.dropLast().write(to: URL(fileURLWithPath: source))
    let impatient = try StagingFolder(path: folder("stage"), patience: 0.1).copy(of: source)
    #expect(impatient.isNew && impatient.byteCount == bytes.count - 1)
  }

  /// Asked to end.
  private struct Ended: Error {}

  @Test("a copy that is not finished leaves nothing, and what a killed process leaves is removed")
  func unfinished() throws {
    let folder = try TemporaryFolder()
    let (source, stage) = (folder("data.h5"), StagingFolder(path: folder("stage")))
    try Data(count: 40 << 20).write(to: URL(fileURLWithPath: source))
    for ending in 1...9 {
      var asked = 0
      #expect(throws: Ended.self) {
        try stage.copy(of: source) {
          asked += 1
          if asked == ending { throw Ended() }
        }
      }
      #expect(try Self.names(in: stage.path).isEmpty)
    }
    // A number that no process has.
    try Data(count: 100).write(to: URL(fileURLWithPath: folder("stage/.abc.\(Int32.max).part")))
    #expect(try stage.copy(of: source).isNew)
    #expect(try Self.names(in: stage.path).count == 2)
  }

  @Test("a file that changes while it is copied is refused")
  func changing() throws {
    let folder = try TemporaryFolder()
    let (source, stage) = (folder("data.h5"), StagingFolder(path: folder("stage")))
    try Data(count: 20 << 20).write(to: URL(fileURLWithPath: source))
    var asked = 0
    let error = #expect(throws: TrainingError.self) {
      try stage.copy(of: source) {
        asked += 1
        guard asked == 2 else { return }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: source))
        try file.seekToEnd()
        try file.write(contentsOf: Data([1]))
      }
    }
    #expect(error?.kind == .inputOutput && error?.description.contains("changed while it was copied") == true)
    #expect(try Self.names(in: stage.path).isEmpty)
  }

  @Test(
    "where there is not enough room, one line says how much is missing, and nothing half stays",
    .enabled(if: SmallFileSystem.isAvailable, "\(SmallFileSystem.reason)"))
  func room() throws {
    let folder = try TemporaryFolder()
    let disk = try SmallFileSystem(kibibytes: 4096)
    let (source, stage) = (folder("data.h5"), StagingFolder(path: disk.file("stage")))
    try Self.bytes(3 << 20, seed: 1).write(to: URL(fileURLWithPath: source))
    let path = try stage.copy(of: source).path
    // There is no room for both; nobody wants the one of a file that is gone.
    try Self.bytes(3 << 20, seed: 2).write(to: URL(fileURLWithPath: source))
    #expect(try stage.copy(of: source).isNew)
    #expect(try Self.contents(path) == Self.contents(source))
    try Data(count: 5 << 20).write(to: URL(fileURLWithPath: source))
    let error = #expect(throws: TrainingError.self) { try stage.copy(of: source) }
    #expect(error?.kind == .inputOutput)
    #expect(
      error?.description.contains("has no room for \(source) (5120 KiB): ") == true,
      "\(String(describing: error))")
    #expect(try !Self.names(in: stage.path).contains { $0.hasSuffix(".h5") || $0.hasSuffix(".part") })
    // Room that others take meanwhile.
    try Data(count: 3 << 20).write(to: URL(fileURLWithPath: source))
    var isFull = false
    let late = #expect(throws: TrainingError.self) {
      try stage.copy(of: source) {
        if !isFull { try disk.fill() }
        isFull = true
      }
    }
    #expect(late?.kind == .inputOutput && late?.description.contains("No space left") == true)
    #expect(try !Self.names(in: stage.path).contains { $0.hasSuffix(".h5") || $0.hasSuffix(".part") })
  }

  // MARK: - Trainings

  @Test("a training with staged data comes to the same bytes, on any ranks, and reads nothing but the copy")
  func trainings() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let plain = try SmallRun.configuration(data: folder("data.h5"), epochs: 2)
    try SmallRun.train(plain, in: folder("plain"))
    let expected = try SmallRun.digests(in: folder("plain"))
    for limit in [1 << 30, 83 * 72 / 3] {
      for ranks in [1, 2, 3] {
        var staged = plain
        staged.data.stage = folder("stage-\(limit)-\(ranks)")
        staged.data.memoryLimitBytes = limit
        let run = folder("run-\(limit)-\(ranks)")
        let notes = try RankThreads.run(ranks) { [staged] communicator in
          var request = RunRequest(
            configuration: staged, resolvedConfiguration: "\(staged.seed)\n", directory: run, workers: 1)
          request.ranks = Ranks(communicator)
          let record = Recorder()
          let isComplete = try Run(request, stop: record.stop, observer: record).train()
          #expect(isComplete)
          return record.notes
        }
        #expect(notes.joined().count { $0.contains("data was copied to") } == 1, "\(notes)")
        #expect(try SmallRun.digests(in: run) == expected)
      }
    }
    // Its identity is that of the file: it goes on without the copy, and with it.
    var longer = plain
    longer.training.epochs = 3
    longer.data.stage = folder("stage-other")
    let (isComplete, record) = try SmallRun.train(longer, in: folder("plain"))
    #expect(isComplete && record.warnings.isEmpty && record.steps.count == 5)
  }

  @Test("what a file shows of other files is refused, since a copy would not have it")
  func virtual() throws {
    let folder = try TemporaryFolder()
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("DatasetsTests/Fixtures").path
    for name in try FileManager.default.contentsOfDirectory(atPath: fixtures)
    where name.hasSuffix(".h5") {
      try FileManager.default.copyItem(atPath: "\(fixtures)/\(name)", toPath: folder(name))
    }
    var data = DataConfiguration(
      train: SampleSource(file: folder("kinds.h5"), images: "virtual/other", labels: "labels"))
    data.stage = folder("stage")
    for images in ["virtual/other", "virtual/deep"] {
      data.train.images = images
      let error = #expect(throws: TrainingError.self) {
        try StagedData(data, ranks: Ranks(), stop: StopRequest())
      }
      #expect(
        error?.kind == .configuration && error?.description.contains("shows samples of other files") == true)
      #expect(throws: TrainingError.self) { try data.stagingNote() }
    }
    data.train.images = "virtual/own"
    let staged = try StagedData(data, ranks: Ranks(), stop: StopRequest())
    #expect(staged.data.train.file.hasPrefix(folder("stage")))
    #expect(try staged.data.train.open().count == data.train.open().count)
  }

  @Test("ranks that wait for another's work hear from it, and its error ends them all")
  func apart() throws {
    let values = try RankThreads.run(3) { communicator in
      try Ranks(communicator).workingApart(stop: StopRequest()) {
        if communicator.rank == 1 { usleep(200_000) }
        return communicator.rank * 10
      }
    }
    #expect(values == [0, 10, 20])
    let error = #expect(throws: (any Error).self) {
      try RankThreads.run(3) { communicator in
        try Ranks(communicator).workingApart(stop: StopRequest()) {
          if communicator.rank == 2 { throw Ended() }
        }
      }
    }
    #expect(error is Ended)
  }
}
