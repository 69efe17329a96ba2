import Foundation
import TestSupport
import Testing

@Suite("Bad input to commands")
struct BadInputTests {
  private func config(_ folder: TemporaryDirectory, _ more: String = "", data: String = "none.h5") throws
    -> String
  {
    try folder.write(
      """
      name: tiny
      data:
        train: {file: \(data), images: train/images, labels: train/labels}
      network:
        input: [28, 28, 1]
        layers: [flatten, dense: {units: 10}]
      training:
        epochs: 1
        batch: 8
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.1}}
      \(more)
      """, to: "tiny.yaml")
  }

  @Test("what is missing is named, with code 66")
  func missing() throws {
    let folder = try TemporaryDirectory()
    try expectFailure(["train", folder.file("none.yaml")], code: 66, says: "none.yaml")
    try expectFailure(
      ["train", try config(folder), "--run-dir", folder.file("run")], code: 66, says: "none.h5")
    try expectFailure(["evaluate", folder.file("run-none"), "--data", "x.h5"], code: 66, says: "run-none")
    try expectFailure(["predict", folder.file("none"), "a.png"], code: 66, says: "none")
    try expectFailure(["inspect", folder.file("none")], code: 66, says: "none")
    try expectFailure(
      ["import", "fashion-mnist", "--from", folder.file("none"), "--to", folder.file("a.h5")], code: 66,
      says: "train-images")
  }

  @Test("data that is no HDF5 is refused with code 65")
  func notHDF5() throws {
    let folder = try TemporaryDirectory()
    try folder.write("this is no HDF5 file", to: "text.h5")
    try expectFailure(
      ["train", try config(folder, data: "text.h5"), "--run-dir", folder.file("run")], code: 65,
      says: "text.h5")
    try expectFailure(["inspect", folder.file("text.h5")], code: 65, says: "text.h5")
  }

  @Test("a wrong key gets line, column and the nearest known one, with code 78")
  func wrongKey() throws {
    let folder = try TemporaryDirectory()
    let path = try config(folder, "checkpoint: {every: {epochs: 1}}")
    try expectFailure(["train", path], code: 78, says: "did you mean 'checkpoints'?")
    try expectFailure(["config", "check", path], code: 78, says: ":12:1:")
  }

  @Test("usage errors end with 64")
  func usage() throws {
    let folder = try TemporaryDirectory()
    try expectFailure(
      ["train", try config(folder), "--workers", "0"], code: 64, says: "--workers <n>",
      "expected a whole number from 1 to 4096")
    try expectFailure(["bench", "--network", "nothing"], code: 64, says: "lecture")
    try expectFailure(["predict", "x"], code: 64, says: "--data")
    try expectFailure(["unknown"], code: 64, says: "unknown")
  }

  @Test("IDX files that are cut short are refused and nothing is written")
  func truncatedIDX() throws {
    let folder = try TemporaryDirectory()
    let images = try folder.write([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3], to: "images")
    let labels = try folder.write([0, 0, 8, 1, 0, 0, 0, 2, 0, 1], to: "labels")
    try expectFailure(
      ["import", "idx", "--images", images, "--labels", labels, "--to", folder.file("a.h5")], code: 65,
      says: "images")
    #expect(!FileManager.default.fileExists(atPath: folder.file("a.h5")))
  }

  /// IDX files of `count` samples of 28×28, compressed if asked for.
  private func idx(_ folder: TemporaryDirectory, count: Int, gzip: Bool = false) throws -> [String] {
    let size = [UInt8(count >> 8), UInt8(count & 255)]
    let files: [(String, [UInt8])] = [
      (
        "images",
        [0, 0, 8, 3, 0, 0] + size + [0, 0, 0, 28, 0, 0, 0, 28]
          + (0..<count * 784).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      ), ("labels", [0, 0, 8, 1, 0, 0] + size + (0..<count).map { UInt8($0 % 10) }),
    ]
    return try files.map { name, bytes in
      let path = try folder.write(bytes, to: name)
      guard gzip else { return path }
      let process = try Process.run(
        URL(fileURLWithPath: "/usr/bin/env"), arguments: ["gzip", "-f", path])
      process.waitUntilExit()
      return path + ".gz"
    }
  }

  @Test("gzip files that are cut short or damaged are refused and nothing is written")
  func truncatedGzip() throws {
    let folder = try TemporaryDirectory()
    let paths = try idx(folder, count: 20, gzip: true)
    let sound = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    let target = folder.file("a.h5")
    func refused(_ says: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
      try expectFailure(
        ["import", "idx", "--images", paths[0], "--labels", paths[1], "--to", target], code: 65, says: says,
        sourceLocation: sourceLocation)
      #expect(try folder.contents() == ["images.gz", "labels.gz"], sourceLocation: sourceLocation)
    }
    for length in [1, 9, sound[0].count / 2, sound[0].count - 8, sound[0].count - 1] {
      try sound[0].prefix(length).write(to: URL(fileURLWithPath: paths[0]))
      try refused("images.gz")
    }
    var damaged = sound[0]
    damaged[damaged.count - 6] ^= 1
    try damaged.write(to: URL(fileURLWithPath: paths[0]))
    try refused("not valid gzip data")
    try sound[0].write(to: URL(fileURLWithPath: paths[0]))
    try sound[1].dropLast(3).write(to: URL(fileURLWithPath: paths[1]))
    try refused("labels.gz")
  }

  @Test("a dataset that cannot be trained on is refused with its reason, and no checkpoint is written")
  func unsoundData() throws {
    let folder = try TemporaryDirectory()
    let run = folder.file("run")
    func refused(
      _ data: String, code: Int32 = 65, says parts: String...,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let config = try Sample.config(folder, data: data)
      let before = try Data(contentsOf: URL(fileURLWithPath: folder.file(data)))
      let result = try Program.run(["train", config, "--run-dir", run])
      #expect(result.code == code, "\(result.errors)", sourceLocation: sourceLocation)
      #expect(
        result.errors.split(separator: "\n").count == 1, "\(result.errors)", sourceLocation: sourceLocation)
      for part in parts {
        #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file(data))) == before)
      let checkpoints = try? FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints")
      #expect((checkpoints ?? []).isEmpty, sourceLocation: sourceLocation)
    }
    try Sample.dataset(folder.file("nan.h5"), nan: true)
    try refused("nan.h5", says: "sample 3 of", "NaN or infinite")
    try Sample.dataset(folder.file("label.h5"), count: 4, labels: [0, 1, 3, 2])
    try refused("label.h5", says: "sample 2", "label 3", "3 classes")
    try Sample.dataset(folder.file("length.h5"), count: 4, labels: [0, 1, 2])
    try refused(
      "length.h5", says: "\"train/images\" has 4 samples but \"train/labels\" has 3 labels")
    try Sample.dataset(folder.file("rank.h5"), count: 4, imageShape: [4, 6, 5, 1, 1])
    try refused("rank.h5", says: "train/images")
    try Sample.dataset(folder.file("none.h5"), count: 0)
    try refused("none.h5", says: "no samples")
    try Sample.dataset(folder.file("shape.h5"), count: 4, imageShape: [4, 5, 6, 1])
    try refused("shape.h5", code: 78, says: "5×6×1", "6×5×1")
    try Sample.dataset(folder.file("names.h5"))
    let config = try Sample.config(folder, data: "names.h5")
    try expectFailure(
      ["train", config, "--run-dir", run, "--set", "data.train.images=pictures"], code: 65,
      says: "pictures", "train/images")
  }

  @Test(
    "configs that cannot be: wrong type, value out of range, shapes that do not fit; code 78 with the place")
  func badConfigs() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    for (override, says) in [
      ("training.batch=many", "training.batch"), ("training.batch=0", "training.batch"),
      ("training.optimizer.sgd.momentum=1.5", "momentum"),
    ] {
      try expectFailure(
        ["train", try Sample.config(folder), "--run-dir", folder.file("run"), "--set", override], code: 78,
        says: says)
    }
    let narrow = try Sample.config(
      folder, network: "[conv2d: {filters: 4, kernel: 7}, flatten, dense: {units: 3}]")
    try expectFailure(["train", narrow, "--run-dir", folder.file("run")], code: 78, says: "conv2d", "6×5×1")
    #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
  }

  @Test("a checkpoint of another network is refused, whether to go on from or to look at data with")
  func otherNetwork() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder)
    #expect(try Program.run(["train", config, "--run-dir", folder.file("run"), "--quiet"]).code == 0)
    let checkpoints = folder.file("run/checkpoints")
    let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted()
    let checkpoint = "\(checkpoints)/\(try #require(names.last))"
    let bytes = try Data(contentsOf: URL(fileURLWithPath: checkpoint))
    let other = try Sample.config(
      folder, network: "[flatten, dense: {units: 7}, dense: {units: 3}]", name: "other.yaml")
    try expectFailure(
      ["train", other, "--run-dir", folder.file("run-2"), "--resume", checkpoint, "--allow-changes"],
      code: 78,
      says: "another network", "dense")
    try expectFailure(
      ["train", other, "--run-dir", folder.file("run")], code: 78, says: "network.layers")
    try Sample.dataset(folder.file("wide.h5"), count: 4, imageShape: [4, 6, 7, 1])
    try expectFailure(
      [
        "evaluate", checkpoint, "--data", folder.file("wide.h5"), "--images", "train/images", "--labels",
        "train/labels",
      ], code: 65, says: "6×7×1", "6×5×1")
    #expect(try Data(contentsOf: URL(fileURLWithPath: checkpoint)) == bytes)
    #expect(try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted() == names)
  }

  // MARK: - Disks

  @Test(
    "an import onto a full disk ends with 74 and leaves what was there",
    .enabled(if: SmallFileSystem.isAvailable, Comment(rawValue: SmallFileSystem.reason)))
  func importToFullDisk() throws {
    let folder = try TemporaryDirectory()
    let disk = try SmallFileSystem(kibibytes: 100)
    let paths = try idx(folder, count: 200)
    let target = disk.file("a.h5")
    let before = Data("what was there".utf8)
    try before.write(to: URL(fileURLWithPath: target))
    try expectFailure(
      ["import", "idx", "--images", paths[0], "--labels", paths[1], "--to", target, "--overwrite"], code: 74,
      says: "no space is left")
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == ["a.h5"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == before)
  }

  @Test(
    "a training whose disk is full ends with 74, keeps the checkpoint before, and goes on when there is room again",
    .enabled(if: SmallFileSystem.isAvailable, Comment(rawValue: SmallFileSystem.reason)))
  func trainOnFullDisk() throws {
    let folder = try TemporaryDirectory()
    let disk = try SmallFileSystem(kibibytes: 400)
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder)
    let (run, whole) = (disk.file("run"), folder.file("whole"))
    #expect(try Program.run(["train", config, "--run-dir", whole, "--set", "training.epochs=4"]).code == 0)
    #expect(try Program.run(["train", config, "--run-dir", run]).code == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints").sorted()
    let digest = try Sample.digest(run)
    try disk.fill()
    let more = ["train", config, "--run-dir", run, "--set", "training.epochs=4", "--quiet"]
    let refused = try Program.run(more)
    #expect([73, 74].contains(refused.code) && refused.errors.contains("No space left"), "\(refused.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints").sorted() == names)
    #expect(try Sample.digest(run) == digest)
    try disk.free()
    #expect(try Program.run(more).code == 0)
    #expect(try Sample.digest(run) == Sample.digest(whole))
    // A disk that never had room for a checkpoint.
    let tiny = try SmallFileSystem(kibibytes: 32)
    try expectFailure(
      ["train", config, "--run-dir", tiny.file("run"), "--quiet"], code: 74, says: "No space left")
    #expect(try FileManager.default.contentsOfDirectory(atPath: tiny.file("run/checkpoints")).isEmpty)
  }

  @Test(
    "a run directory that cannot be written to is found out before training",
    .enabled(if: SmallFileSystem.isAvailable, Comment(rawValue: SmallFileSystem.reason)))
  func readOnlyDisk() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder)
    let disk = try SmallFileSystem(kibibytes: 400)
    #expect(try Program.run(["train", config, "--run-dir", disk.file("run"), "--quiet"]).code == 0)
    try disk.makeReadOnly()
    for run in ["run", "other"] {
      let result = try Program.run(["train", config, "--run-dir", disk.file(run)])
      #expect(result.code == 73 && result.errors.contains("Read-only file system"), "\(result.errors)")
      #expect(!result.output.contains("epoch"))
    }
    let idx = try idx(folder, count: 3)
    try expectFailure(
      ["import", "idx", "--images", idx[0], "--labels", idx[1], "--to", disk.file("a.h5")], code: 73,
      says: "Read-only file system")
  }

  @Test("a limit on the size of files (SIGXFSZ) is an error with 74 and not the end of the process")
  func fileSizeLimit() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder)
    // In blocks of 512 bytes: room for the log and the table, not for a checkpoint.
    try expectFailure(
      ["train", config, "--run-dir", folder.file("run"), "--quiet"], code: 74, says: "File too large",
      shell: "ulimit -f 8")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("run/checkpoints")).isEmpty)
    let paths = try idx(folder, count: 100)
    try expectFailure(
      ["import", "idx", "--images", paths[0], "--labels", paths[1], "--to", folder.file("a.h5")], code: 74,
      says: "a.h5", shell: "ulimit -f 8")
    #expect(!FileManager.default.fileExists(atPath: folder.file("a.h5")))
    #expect(try folder.contents().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("a training from files made here: finished, found again, refused when its network changes")
  func wholeTraining() throws {
    let folder = try TemporaryDirectory()
    var pixels: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 28, 0, 0, 0, 28]
    pixels += (0..<20 * 784).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let images = try folder.write(pixels, to: "images")
    let labels = try folder.write([0, 0, 8, 1, 0, 0, 0, 20] + (0..<20).map { UInt8($0 % 10) }, to: "labels")
    let data = folder.file("data.h5")
    let imported = try Program.run(["import", "idx", "--images", images, "--labels", labels, "--to", data])
    #expect(imported.code == 0, "\(imported.errors)")
    try expectFailure(
      ["import", "idx", "--images", images, "--labels", labels, "--to", data], code: 73,
      says: "exists already")
    let path = try config(folder, data: "data.h5")
    let run = folder.file("run")
    let first = try Program.run(["train", path, "--run-dir", run])
    #expect(first.code == 0 && first.output.contains("epoch 1/1"), "\(first.output)\(first.errors)")
    let second = try Program.run(["train", path, "--run-dir", run])
    #expect(
      second.code == 0 && second.output.contains("already complete"), "\(second.output)\(second.errors)")
    try expectFailure(
      ["train", path, "--run-dir", run, "--set", "training.batch=5"], code: 78, says: "training.batch")
    let rows = ["--data", data, "--images", "train/images", "--labels", "train/labels"]
    // What a network says does not depend on how many workers say it.
    let answers = try ["1", "3"].map {
      try Program.run(["predict", run] + rows + ["--rows", "0-6", "--json", "--workers", $0])
    }
    #expect(answers[0].code == 0 && answers[0].output == answers[1].output, "\(answers[0].errors)")
    #expect(try Program.run(["evaluate", run] + rows).output.contains("20 samples"))
    try expectFailure(["predict", run] + rows + ["--rows", "20"], code: 64, says: "0 to 19")
  }
}
