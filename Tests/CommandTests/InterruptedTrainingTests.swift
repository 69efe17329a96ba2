import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Trainings that are stopped, killed, extended and changed, as processes.
@Suite("Interrupted trainings")
struct InterruptedTrainingTests {
  /// A folder with data and a config of so many epochs of 5 steps.
  private func prepare(
    epochs: Int, network: String = "[flatten, dense: {units: 3}]", more: String = ""
  ) throws -> (folder: TemporaryDirectory, config: String) {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    return (folder, try Sample.config(folder, network: network, epochs: epochs, more: more))
  }

  private func rows(_ run: String) throws -> [Substring] {
    try String(contentsOfFile: "\(run)/metrics.csv", encoding: .utf8).split(separator: "\n").dropFirst() + []
  }

  private func hasCheckpoint(_ run: String) -> Bool {
    let names = try? FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints")
    return (names ?? []).contains { $0.hasPrefix("checkpoint-") }
  }

  @Test(
    "SIGTERM, SIGINT, SIGUSR1 and SIGHUP end a training with 75 and a checkpoint; the same command goes on to the same bytes"
  )
  func signals() throws {
    let (folder, config) = try prepare(epochs: 120)
    let (run, whole) = (folder.file("run"), folder.file("whole"))
    #expect(try Program.run(["train", config, "--run-dir", whole, "--quiet"]).code == 0)
    var stops = 0
    for (index, signal) in [SIGTERM, SIGINT, SIGUSR1, SIGHUP].enumerated() {
      let program = try Program.start([
        "train", config, "--run-dir", run, "--workers", "\(index + 1)", "--quiet",
      ])
      let before = (try? rows(run).count) ?? 0
      try program.wait { ((try? rows(run).count) ?? 0) > before }
      program.send(signal)
      let result = try program.finish()
      #expect([0, 75].contains(result.code) && !result.wasKilled, "\(result.errors)")
      if result.code == 75 {
        stops += 1
        #expect(hasCheckpoint(run) && result.output.contains("the same command resumes there"))
      }
    }
    #expect(stops > 0)
    #expect(try Program.run(["train", config, "--run-dir", run, "--quiet"]).code == 0)
    #expect(try Sample.digest(run) == Sample.digest(whole))
    #expect(try rows(run).count == 120)
  }

  @Test("killed three times with batch norm, dropout and augmentation, a training comes to the same bytes")
  func killed() throws {
    let (folder, config) = try prepare(
      epochs: 60,
      network: "[conv2d: {filters: 4, kernel: 3}, batch_norm, relu, dropout: {rate: 0.3}, flatten, "
        + "dense: {units: 3}]",
      more: "  augmentation: [flip_horizontal, pad_and_crop: {padding: 1}, random_erasing, mixup]\n"
        + "checkpoints: {every: {steps: 1}}")
    let (run, whole) = (folder.file("run"), folder.file("whole"))
    #expect(try Program.run(["train", config, "--run-dir", whole, "--quiet"]).code == 0)
    for workers in 1...3 {
      let program = try Program.start([
        "train", config, "--run-dir", run, "--workers", "\(workers)", "--quiet",
      ])
      let before = (try? rows(run).count) ?? 0
      try program.wait { ((try? rows(run).count) ?? 0) > before + 2 }
      program.send(SIGKILL)
      #expect(try program.finish().wasKilled)
    }
    #expect(try Program.run(["train", config, "--run-dir", run, "--quiet"]).code == 0)
    #expect(try Sample.digest(run) == Sample.digest(whole))
    #expect(try rows(run).count == 60)
  }

  @Test("under nohup a training does not stop when the terminal goes")
  func nohup() throws {
    let (folder, config) = try prepare(epochs: 40)
    let run = folder.file("run")
    let program = try Program.start(["train", config, "--run-dir", run, "--quiet"], shell: "trap '' HUP")
    try program.wait { hasCheckpoint(run) }
    program.send(SIGHUP)
    #expect(try program.finish().code == 0)
  }

  @Test("a second SIGINT ends the process at once and leaves the checkpoint before intact")
  func secondInterrupt() throws {
    let folder = try TemporaryDirectory()
    // One shard of this takes long enough that the second signal comes before the first is obeyed.
    try Sample.dataset(folder.file("data.h5"), count: 24, imageShape: [24, 256, 256, 1])
    let config = try folder.write(
      """
      name: slow
      data:
        train: {file: data.h5, images: train/images, labels: train/labels}
      network:
        input: [256, 256, 1]
        layers: [conv2d: {filters: 24, kernel: 5}, conv2d: {filters: 24, kernel: 5}, global_average_pool2d, dense: {units: 3}]
      training:
        epochs: 50
        batch: 12
        shard: 12
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.001}}
      checkpoints: {every: {steps: 1}}
      """, to: "slow.yaml")
    let run = folder.file("run")
    let program = try Program.start(["train", config, "--run-dir", run, "--workers", "1", "--quiet"])
    try program.wait { hasCheckpoint(run) }
    program.send(SIGINT)
    usleep(30_000)
    let start = Date()
    program.send(SIGINT)
    let result = try program.finish()
    #expect(result.code == 130, "\(result.code) \(result.errors)")
    #expect(Date().timeIntervalSince(start) < 5)
    #expect(try Sample.digest(run).contains("contents SHA-256"))
  }

  @Test("a second training in a run directory ends with 77 and says who holds it; a killed one holds nothing")
  func lock() throws {
    let (folder, config) = try prepare(epochs: 100_000)
    let run = folder.file("run")
    let first = try Program.start(["train", config, "--run-dir", run, "--quiet"])
    try first.wait { hasCheckpoint(run) }
    try expectFailure(
      ["train", config, "--run-dir", run], code: 77, says: "process \(first.pid) on ", " since ",
      "another directory")
    #expect(first.isRunning)
    first.send(SIGKILL)
    _ = try first.finish()
    let next = try Program.start(["train", config, "--run-dir", run, "--quiet"])
    let before = try rows(run).count
    try next.wait { ((try? rows(run).count) ?? 0) > before }
    next.send(SIGTERM)
    #expect(try next.finish().code == 75)
  }

  @Test("more epochs find the same run directory and go on to what a longer training gives")
  func extended() throws {
    let (folder, config) = try prepare(epochs: 2)
    func train(_ place: String, _ more: String...) throws {
      let cwd = folder.file(place)
      try FileManager.default.createDirectory(atPath: cwd, withIntermediateDirectories: true)
      let result = try Program.run(["train", config, "--quiet"] + more, in: cwd)
      #expect(result.code == 0, "\(result.errors)")
    }
    func runs(_ place: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.file("\(place)/Results/tiny")).sorted()
        .map { folder.file("\(place)/Results/tiny/\($0)") }
    }
    try train("a")
    try train("a", "--set", "training.epochs=4", "--set", "checkpoints.every={steps: 3}")
    try train("b", "--set", "training.epochs=4")
    #expect(try runs("a").count == 1)
    #expect(try Sample.digest(runs("a")[0]) == Sample.digest(runs("b")[0]))
    #expect(try rows(runs("a")[0]).count == 4)
    // Another training has another place.
    try train("a", "--set", "seed=9")
    #expect(try runs("a").count == 2)
    // Where the learning rate is stretched over the epochs, more of them are another training, too.
    try train("c", "--set", "training.schedule={cosine: {floor: 0.1}}")
    try train("c", "--set", "training.schedule={cosine: {floor: 0.1}}", "--set", "training.epochs=3")
    #expect(try runs("c").count == 2)
  }

  @Test("a run that an earlier version named is found by the config that it keeps")
  func earlierName() throws {
    let (folder, config) = try prepare(epochs: 2)
    func train(_ more: String...) throws -> String {
      let result = try Program.run(["train", config] + more, in: folder.path)
      #expect(result.code == 0, "\(result.errors)")
      return result.output
    }
    let results = folder.file("Results/tiny")
    func runs() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: results).sorted() }
    _ = try train("--quiet")
    let name = try #require(try runs().first)
    #expect(name.count == 10 && name.allSatisfy(\.isHexDigit))
    try FileManager.default.moveItem(atPath: "\(results)/\(name)", toPath: "\(results)/0123abcd")
    #expect(try train().contains("Results/tiny/0123abcd"))
    #expect(try runs() == ["0123abcd"])
    // Another training is not mistaken for it.
    _ = try train("--quiet", "--set", "seed=5")
    #expect(try runs().count == 2)
  }

  @Test("a refusal names every key that differs and no other; --allow-changes goes on")
  func changes() throws {
    let (folder, config) = try prepare(epochs: 2)
    let arguments = ["train", config, "--run-dir", folder.file("run"), "--quiet"]
    #expect(try Program.run(arguments).code == 0)
    let changed =
      arguments + [
        "--set", "training.batch=5", "--set", "seed=3", "--set", "training.epochs=3", "--set",
        "checkpoints.every={steps: 4}",
      ]
    let refused = try Program.run(changed)
    #expect(refused.code == 78)
    #expect(
      refused.errors.contains("training.batch was 8 and is 5")
        && refused.errors.contains("seed was 0 and is 3"))
    let reason = refused.errors.split(separator: "\n").first { $0.hasPrefix("error: ") } ?? ""
    #expect(!reason.contains("epochs") && !reason.contains("checkpoints.every"), "\(refused.errors)")
    #expect(try Program.run(changed + ["--allow-changes"]).code == 0)
  }

  @Test(
    "--resume never refuses a used directory, --resume FILE goes on from it, in a directory without later ones"
  )
  func resumeChoices() throws {
    let (folder, config) = try prepare(epochs: 2, more: "checkpoints: {every: {steps: 3}, keep: {last: 9}}")
    let run = folder.file("run")
    #expect(try Program.run(["train", config, "--run-dir", run, "--quiet"]).code == 0)
    try expectFailure(
      ["train", config, "--run-dir", run, "--resume", "never"], code: 73, says: "--run-dir", "step 10")
    let middle = "\(run)/checkpoints/checkpoint-s0000000006.h5"
    try expectFailure(
      ["train", config, "--run-dir", run, "--resume", middle], code: 73, says: "step 10", "another --run-dir")
    let other = folder.file("other")
    #expect(try Program.run(["train", config, "--run-dir", other, "--resume", middle, "--quiet"]).code == 0)
    #expect(try Sample.digest(other) == Sample.digest(run))
    try expectFailure(
      ["train", config, "--run-dir", folder.file("x"), "--resume", folder.file("none.h5")], code: 66,
      says: "none.h5")
  }

  @Test("an import that is stopped by a signal ends with 75 and leaves no file")
  func importStopped() throws {
    let folder = try TemporaryDirectory()
    let count = 30_000
    let size = [UInt8(count >> 8), UInt8(count & 255)]
    var state: UInt32 = 1
    let pixels = (0..<count * 784).map { _ -> UInt8 in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    let images = try folder.write(
      [0, 0, 8, 3, 0, 0] + size + [0, 0, 0, 28, 0, 0, 0, 28] + pixels, to: "images")
    let labels = try folder.write(
      [0, 0, 8, 1, 0, 0] + size + [UInt8](repeating: 1, count: count), to: "labels")
    let program = try Program.start(
      [
        "import", "idx", "--images", images, "--labels", labels, "--to", folder.file("a.h5"), "--compress",
        "9",
      ])
    try program.wait { (try? folder.contents().contains { $0.hasSuffix(".part") }) == true }
    program.send(SIGTERM)
    let result = try program.finish()
    #expect(result.code == 75 && !result.wasKilled, "\(result.errors)")
    #expect(try folder.contents() == ["images", "labels"])
  }
}
