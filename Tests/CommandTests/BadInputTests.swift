import Foundation
import TestSupport
import Testing

/// Runs the built program and looks at what a user sees.
struct Program {
  struct Result {
    let code: Int32
    let output: String
    let errors: String
  }

  /// The program beside the test bundle.
  static let path: String = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let beside = bundle.appendingPathComponent("convoy").path
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return root.appendingPathComponent(".build/debug/convoy").path
  }()

  static func run(_ arguments: [String]) throws -> Result {
    let process = Process()
    let (out, err) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardOutput = out
    process.standardError = err
    try process.run()
    let output = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let errors = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Result(code: process.terminationStatus, output: output, errors: errors)
  }
}

@Suite("Bad input to commands")
struct BadInputTests {
  private func expect(
    _ arguments: [String], code: Int32, says part: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Program.run(arguments)
    #expect(result.code == code, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
    #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
    #expect(!result.errors.contains("Fatal"), sourceLocation: sourceLocation)
  }

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
    try expect(["train", folder.file("none.yaml")], code: 66, says: "none.yaml")
    try expect(
      ["train", try config(folder), "--run-dir", folder.file("run")], code: 66, says: "none.h5")
    try expect(["evaluate", folder.file("run-none"), "--data", "x.h5"], code: 66, says: "run-none")
    try expect(["predict", folder.file("none"), "a.png"], code: 66, says: "none")
    try expect(["inspect", folder.file("none")], code: 66, says: "none")
    try expect(
      ["import", "fashion-mnist", "--from", folder.file("none"), "--to", folder.file("a.h5")], code: 66,
      says: "train-images")
  }

  @Test("data that is no HDF5 is refused with code 65")
  func notHDF5() throws {
    let folder = try TemporaryDirectory()
    try folder.write("this is no HDF5 file", to: "text.h5")
    try expect(
      ["train", try config(folder, data: "text.h5"), "--run-dir", folder.file("run")], code: 65,
      says: "text.h5")
    try expect(["inspect", folder.file("text.h5")], code: 65, says: "text.h5")
  }

  @Test("a wrong key gets line, column and the nearest known one, with code 78")
  func wrongKey() throws {
    let folder = try TemporaryDirectory()
    let path = try config(folder, "checkpoint: {every: {epochs: 1}}")
    try expect(["train", path], code: 78, says: "did you mean 'checkpoints'?")
    try expect(["config", "check", path], code: 78, says: ":12:1:")
  }

  @Test("usage errors end with 64")
  func usage() throws {
    let folder = try TemporaryDirectory()
    try expect(["train", try config(folder), "--workers", "0"], code: 64, says: "--workers takes 1 or more")
    try expect(["bench", "--network", "nothing"], code: 64, says: "lecture")
    try expect(["predict", "x"], code: 64, says: "--data")
    try expect(["unknown"], code: 64, says: "unknown")
  }

  @Test("IDX files that are cut short are refused and nothing is written")
  func truncatedIDX() throws {
    let folder = try TemporaryDirectory()
    let images = try folder.write([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3], to: "images")
    let labels = try folder.write([0, 0, 8, 1, 0, 0, 0, 2, 0, 1], to: "labels")
    try expect(
      ["import", "idx", "--images", images, "--labels", labels, "--to", folder.file("a.h5")], code: 65,
      says: "images")
    #expect(!FileManager.default.fileExists(atPath: folder.file("a.h5")))
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
    try expect(
      ["import", "idx", "--images", images, "--labels", labels, "--to", data], code: 73,
      says: "exists already")
    let path = try config(folder, data: "data.h5")
    let run = folder.file("run")
    let first = try Program.run(["train", path, "--run-dir", run])
    #expect(first.code == 0 && first.output.contains("epoch 1/1"), "\(first.output)\(first.errors)")
    let second = try Program.run(["train", path, "--run-dir", run])
    #expect(
      second.code == 0 && second.output.contains("already complete"), "\(second.output)\(second.errors)")
    try expect(
      ["train", path, "--run-dir", run, "--set", "training.batch=5"], code: 78, says: "training.batch")
    let rows = ["--data", data, "--images", "train/images", "--labels", "train/labels"]
    // What a network says does not depend on how many workers say it.
    let answers = try ["1", "3"].map {
      try Program.run(["predict", run] + rows + ["--rows", "0-6", "--json", "--workers", $0])
    }
    #expect(answers[0].code == 0 && answers[0].output == answers[1].output, "\(answers[0].errors)")
    #expect(try Program.run(["evaluate", run] + rows).output.contains("20 samples"))
    try expect(["predict", run] + rows + ["--rows", "20"], code: 64, says: "0 to 19")
  }
}
