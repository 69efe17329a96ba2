import Foundation
import TestSupport
import Testing

/// Starting from what was trained, as a user sees it.
@Suite("Fine-tuning, by the command")
struct FineTuningTests {
  private static let network =
    "[rescale: {scale: 1/255}, conv2d: {filters: 4, kernel: 3}, batch_norm, relu, global_average_pool2d, dense: {name: head, units: 3}]"

  /// A folder with data and a trained base in `Results`; commands run in it.
  private static func folder() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    _ = try Sample.config(folder, network: network, name: "base.yaml")
    try folder.write(
      try String(contentsOfFile: folder.file("base.yaml"), encoding: .utf8).replacing(
        "name: tiny", with: "name: base"), to: "base.yaml")
    let trained = try run(["train", "base.yaml", "--quiet"], folder)
    try #require(trained.code == 0, "\(trained.errors)")
    return folder
  }

  private static func run(_ arguments: [String], _ folder: TemporaryDirectory) throws -> Program.Result {
    try Program.run(arguments, in: folder.path)
  }

  private static func tuned(_ folder: TemporaryDirectory, _ training: String, epochs: Int = 3) throws {
    _ = try Sample.config(
      folder, network: network, epochs: epochs,
      more: training.split(separator: "\n").map { "  \($0)" }
        .joined(separator: "\n"), name: "tuned.yaml")
  }

  private static func runs(_ folder: TemporaryDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.file("Results/tiny")).sorted()
  }

  @Test("a run is found by its name, the log says what came, and plan, prove and inspect know of it")
  func byName() throws {
    let folder = try Self.folder()
    try Self.tuned(
      folder,
      """
      start: {checkpoint: base, layers: ["conv2d", "batch_norm"]}
      layers: [{match: "head", learning_rate_scale: 2}, {match: "*", frozen: {until: {epochs: 1}}}]
      """)
    // The last rule freezes the head, too.
    let all = try Self.run(["config", "check", "tuned.yaml"], folder)
    #expect(all.code == 78 && all.errors.contains("everything is frozen"), "\(all.errors)")
    try Self.tuned(
      folder,
      """
      start: {checkpoint: base, layers: ["conv2d", "batch_norm"]}
      layers: [{match: "head", frozen: false}, {match: "*", frozen: {until: {epochs: 1}}}]
      """)
    let check = try Self.run(["config", "check", "tuned.yaml"], folder)
    #expect(check.code == 0 && check.output.contains("begins with 2 of 3 layers"), "\(check.errors)")
    let trained = try Self.run(["train", "tuned.yaml"], folder)
    #expect(trained.code == 0, "\(trained.errors)")
    #expect(trained.output.contains("begins with 2 of 3 layers with parameters from Results/base/"))
    #expect(trained.output.contains("left out by start.layers: head"))
    #expect(trained.output.contains("from epoch 1 15 of 71 parameters are trained"), "\(trained.output)")
    let run = try #require(try Self.runs(folder).first)
    let log = try String(contentsOfFile: folder.file("Results/tiny/\(run)/log.txt"), encoding: .utf8)
    #expect(log.contains("start: taken: conv2d, batch_norm"))
    #expect(try Self.run(["inspect", "Results/tiny/\(run)/last"], folder).output.contains("began with "))
    let plan = try Self.run(["plan", "tuned.yaml", "--seconds", "0.05"], folder)
    #expect(plan.code == 0 && plan.output.contains("measured with the most of them"), "\(plan.errors)")
    let proof = try Self.run(["prove", "tuned.yaml", "--steps", "12", "--workers", "1,3"], folder)
    #expect(proof.code == 0 && proof.output.contains("the same bytes after each of 12 steps"))
  }

  @Test("another file to start from is another run; without the file the run is found and goes on")
  func otherStart() throws {
    let folder = try Self.folder()
    try FileManager.default.copyItem(
      atPath: folder.file("Results/base"), toPath: folder.file("Results/copy"))
    let first = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("Results/copy")).first)
    let checkpoints = folder.file("Results/copy/\(first)/checkpoints")
    let files = try FileManager.default.contentsOfDirectory(atPath: checkpoints).filter {
      $0.hasSuffix(".h5")
    }
    .sorted()
    try #require(files.count == 2)
    try FileManager.default.copyItem(atPath: "\(checkpoints)/\(files[1])", toPath: folder.file("start.h5"))
    try Self.tuned(folder, "start: {checkpoint: start.h5}")
    #expect(try Self.run(["train", "tuned.yaml", "--steps", "4", "--quiet"], folder).code == 0)
    #expect(try Self.runs(folder).count == 1)
    // Another one in its place.
    try FileManager.default.removeItem(atPath: folder.file("start.h5"))
    try FileManager.default.copyItem(atPath: "\(checkpoints)/\(files[0])", toPath: folder.file("start.h5"))
    #expect(try Self.run(["train", "tuned.yaml", "--quiet"], folder).code == 0)
    let both = try Self.runs(folder)
    #expect(both.count == 2)
    // None: two runs would do, and neither is meant.
    try FileManager.default.removeItem(atPath: folder.file("start.h5"))
    let unclear = try Self.run(["train", "tuned.yaml", "--quiet"], folder)
    #expect(unclear.code == 66 && unclear.errors.contains("start.h5"), "\(unclear.errors)")
    #expect(try Self.runs(folder) == both)
    for run in both {
      let state = try String(contentsOfFile: folder.file("Results/tiny/\(run)/state.json"), encoding: .utf8)
      if state.contains("finished") {
        try FileManager.default.removeItem(atPath: folder.file("Results/tiny/\(run)"))
      }
    }
    let rest = try Self.run(["train", "tuned.yaml", "--quiet"], folder)
    #expect(rest.code == 0 && rest.output.contains("3 epochs"), "\(rest.errors)")
    #expect(try Self.runs(folder).count == 1)
  }

  @Test(
    "what cannot be started from or frozen is refused with the place in the config",
    arguments: [
      ("start: {checkpoint: gone.h5}", 66, "gone.h5"),
      ("start: {checkpoint: data.h5}", 65, "is an HDF5 file but not a checkpoint"),
      (
        "start: {checkpoint: model.onnx}", 65, "`convoy import onnx"
      ),
      ("start: {checkpoint: model.keras}", 65, "`convoy import keras"),
      ("start: {checkpoint: base, layers: [\"cnv*\"]}", 78, "layers with one are conv2d, batch_norm, head"),
      ("start: {checkpoint: base, rename: {\"a*\": b}}", 78, "two names, or two with one star each"),
      ("start: {checkpoint: base, rename: {\"a*\": \"b*\"}}", 78, "has no layer 'a*'"),
      ("start: {checkpoint: base, on_mismatch: ignore}", 78, "expected one of error, skip"),
      ("start: base", 78, "found 'base'"),
      ("layers: [{match: \"nothing*\", frozen: true}]", 78, "matches no parameter"),
      ("layers: [{match: \"*\", frozen: true}]", 78, "everything is frozen"),
      ("layers: [{match: \"conv2d\"}]", 78, "says nothing of what it matches"),
      ("layers: [{match: \"conv2d\", frozen: {until: {epochs: 3}}}]", 78, "expected less than the run's 3"),
      ("layers: [{match: \"conv2d\", frozen: maybe}]", 78, "expected false, true, {until: …}"),
      ("layers: [{match: \"batch_norm/moving_mean\", frozen: true}]", 78, "batch_norm/moving_*"),
      ("layers: [{match: \"conv2d\", learning_rate_scale: 0}]", 78, "learning_rate_scale"),
    ])
  func refused(_ training: String, _ code: Int32, _ text: String) throws {
    let folder = try Self.folder()
    // As the formats begin.
    try folder.write([0x08, 0x0A] as [UInt8], to: "model.onnx")
    try folder.write([0x50, 0x4B, 0x03, 0x04] as [UInt8], to: "model.keras")
    try Self.tuned(folder, training)
    let result = try Self.run(["train", "tuned.yaml"], folder)
    #expect(result.code == code && result.errors.contains(text), "\(result.code): \(result.errors)")
    #expect(result.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("error: ") })
  }

  @Test("a network begins with layers of a run, is written out where it is kept, and goes on without the run")
  func networkFrom() throws {
    let folder = try Self.folder()
    let config = """
      name: tiny
      data:
        train: {file: data.h5, images: train/images, labels: train/labels}
      network:
        from: base
        until: global_average_pool2d
        layers: [dense: {units: 5, activation: relu}, dense: {units: 3}]
      training:
        epochs: 2
        batch: 8
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.01}}
        start: {checkpoint: base}
      """
    try folder.write(config, to: "from.yaml")
    let shown = try Self.run(["config", "show", "from.yaml", "--resolved"], folder)
    #expect(shown.code == 0 && !shown.output.contains("from:") && shown.output.contains("input: [6, 5, 1]"))
    #expect(shown.output.contains("name: global_average_pool2d") && !shown.output.contains("name: head"))
    #expect(try Self.run(["train", "from.yaml", "--steps", "3", "--quiet"], folder).code == 0)
    let run = try #require(try Self.runs(folder).first)
    try FileManager.default.moveItem(atPath: folder.file("Results/base"), toPath: folder.file("away"))
    let kept = "Results/tiny/\(run)/config.yaml"
    let rest = try Self.run(["train", kept, "--run-dir", "Results/tiny/\(run)", "--quiet"], folder)
    #expect(rest.code == 0, "\(rest.errors)")
    for (text, says) in [
      ("until: nothing", "'nothing' is no layer of"),
      ("from: gone", "there is no checkpoint or run directory"),
    ] {
      let key = String(text.prefix { $0 != ":" })
      let lines = config.split(separator: "\n").map { line in
        line.trimmingCharacters(in: .whitespaces).hasPrefix("\(key):") ? "  \(text)" : String(line)
      }
      try FileManager.default.moveItem(atPath: folder.file("away"), toPath: folder.file("Results/base"))
      try folder.write(lines.joined(separator: "\n"), to: "wrong.yaml")
      let wrong = try Self.run(["config", "check", "wrong.yaml"], folder)
      #expect(wrong.code == 78 && wrong.errors.contains("wrong.yaml:") && wrong.errors.contains(says))
      try FileManager.default.moveItem(atPath: folder.file("Results/base"), toPath: folder.file("away"))
    }
  }

  @Test(
    "an imported model's config trains on from its values",
    arguments: ["sequential-keras3", "functional-keras2", "mobile-keras3", "operations-keras3"])
  func imported(_ name: String) throws {
    let folder = try TemporaryDirectory()
    let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("InterchangeTests/Fixtures/\(name).h5").path
    let done = try Self.run(
      ["import", "keras", model, "--to", "model.h5", "--config", "tuned.yaml"], folder)
    #expect(done.code == 0, "\(done.errors)")
    let check = try Self.run(["config", "check", "tuned.yaml"], folder)
    #expect(check.code == 0 && check.output.contains("begins with "), "\(check.errors)")
    #expect(!check.output.contains("not in it") && !check.output.contains("of another shape"))
    let again = try Self.run(
      ["import", "keras", model, "--to", "other.h5", "--config", "tuned.yaml"], folder)
    #expect(again.code == 73 && !FileManager.default.fileExists(atPath: folder.file("other.h5")))
  }
}
