import Foundation
import HDF5
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Runs the built program and looks at what a user sees.
struct Program {
  struct Result {
    let code: Int32
    /// The signal that ended it, if one did; `code` is then its number.
    let wasKilled: Bool
    let output: String
    let errors: String
  }

  /// The program beside the test bundle.
  static let path: String = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let beside = bundle.appendingPathComponent("convoy").path
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    return "\(projectFolder)/.build/debug/convoy"
  }()

  static let projectFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// Runs it to its end.
  ///
  /// - Parameters:
  ///   - folder: its working directory, that of the tests unless told.
  ///   - shell: commands of a shell that becomes the program afterwards, such as limits.
  ///   - program: another program than this project's.
  static func run(
    _ arguments: [String], in folder: String? = nil, shell: String? = nil, program: String = path
  ) throws -> Result {
    try RunningProgram(arguments, in: folder, shell: shell, program: program).finish()
  }

  static func start(
    _ arguments: [String], in folder: String? = nil, shell: String? = nil
  ) throws -> RunningProgram {
    try RunningProgram(arguments, in: folder, shell: shell)
  }
}

/// The program while it runs.
final class RunningProgram {
  private let process = Process()
  private let files: TemporaryDirectory

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  fileprivate init(
    _ arguments: [String], in folder: String?, shell: String?, program: String = Program.path
  ) throws {
    files = try TemporaryDirectory()
    process.executableURL = URL(fileURLWithPath: shell == nil ? program : "/bin/sh")
    process.arguments =
      shell.map { ["-c", "\($0); exec \"$@\"", "sh", program] + arguments } ?? arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    // Files, not pipes: nobody has to read while it runs.
    for name in ["output", "errors"] {
      try files.write("", to: name)
    }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files.file("output")))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files.file("errors")))
    try process.runBounded()
  }

  /// What it has printed so far.
  var output: String { (try? text("output")) ?? "" }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until `condition` holds or the program ends; at most a minute.
  func wait(until condition: () -> Bool) throws {
    let end = Date(timeIntervalSinceNow: 60)
    while process.isRunning, !condition() {
      try #require(Date() < end, "nothing happened for a minute")
      usleep(2000)
    }
  }

  func finish() throws -> Program.Result {
    process.waitUntilExit()
    return Program.Result(
      code: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
      output: try text("output"), errors: try text("errors"))
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: files.file(name))), as: UTF8.self)
  }
}

/// Runs the program and expects a failure that a user can read.
func expectFailure(
  _ arguments: [String], code: Int32, says parts: String..., shell: String? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let result = try Program.run(arguments, shell: shell)
  #expect(
    result.code == code && !result.wasKilled, "\(arguments): \(result.errors)", sourceLocation: sourceLocation
  )
  for part in parts {
    #expect(
      result.errors.contains(part), "\(part) is not in: \(result.errors)", sourceLocation: sourceLocation)
  }
  #expect(!result.errors.contains("Fatal"), sourceLocation: sourceLocation)
  // The argument parser adds its usage; every other error is one line each.
  if code != 64 {
    let lines = result.errors.split(separator: "\n")
    #expect(
      lines.allSatisfy { $0.hasPrefix("error: ") || $0.hasPrefix("warning: ") }, "\(result.errors)",
      sourceLocation: sourceLocation)
  }
}

/// Small files to try commands on.
enum Sample {
  /// A dataset of noise, `[count, 6, 5, 1]` with three classes.
  ///
  /// - Parameter change: alters what is written.
  @discardableResult
  static func dataset(
    _ path: String, count: Int = 40, labels: [Int32]? = nil, imageShape: [Int]? = nil, nan: Bool = false
  ) throws -> String {
    let file = try HDF5.File.create(path, overwrite: true)
    do {
      let shape = imageShape ?? [count, 6, 5, 1]
      let elements = shape.reduce(1, *)
      if nan {
        var pixels = (0..<elements).map { Float($0 % 7) / 7 }
        if elements > 100 { pixels[100] = .nan }
        try file.root.makeDataset("train/images", type: .float32, shape: shape).write(pixels)
      } else {
        try file.root.makeDataset("train/images", type: .uint8, shape: shape)
          .write((0..<elements).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0) })
      }
      let labels = labels ?? (0..<count).map { Int32($0 % 3) }
      let dataset = try file.root.makeDataset("train/labels", type: .int32, shape: [labels.count])
      try dataset.write(labels)
      try dataset.attributes.write("class_names", ["a", "b", "c"])
    }
    try file.close()
    return path
  }

  /// A config for it: 5 steps per epoch.
  static func config(
    _ folder: TemporaryDirectory, data: String = "data.h5", network: String = "[flatten, dense: {units: 3}]",
    epochs: Int = 2, more: String = "", name: String = "tiny.yaml"
  ) throws -> String {
    try folder.write(
      """
      name: tiny
      data:
        train: {file: \(data), images: train/images, labels: train/labels}
      network:
        input: [6, 5, 1]
        layers: \(network)
      training:
        epochs: \(epochs)
        batch: 8
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.01, momentum: 0.9}}
      \(more)
      """, to: name)
  }

  /// What two trainings must agree on, as `convoy inspect` shows it.
  static func digest(_ run: String) throws -> String {
    let folder = "\(run)/checkpoints"
    let newest = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("checkpoint-") }.max()
    )
    let result = try Program.run(["inspect", "\(folder)/\(newest)"])
    let line = result.output.split(separator: "\n").first { $0.hasPrefix("contents SHA-256 ") }
    return String(try #require(line, "\(result.output)\(result.errors)"))
  }
}
