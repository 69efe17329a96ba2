import Foundation
import TestSupport
import Testing

@testable import Training

/// Runs the probe program, with its system calls watched or disturbed by `Tests/FaultShim/fault_shim.c`.
enum FaultShim {
  struct Outcome {
    let status: Int32
    /// Whether a signal ended it.
    let wasKilled: Bool
    let output: String
    let errors: String

    /// The word for the ``TrainingError/Kind`` that ended it, if an error did.
    var kind: String? { status == 1 ? errors.split(separator: ":").first.map(String.init) : nil }
  }

  /// The shims, each compiled once by the C compiler that comes with Swift.
  private static let library = compiled("fault_shim")
  private static let stackLibrary = compiled("stack_shim")

  private static func compiled(_ name: String) -> Result<String, any Error> {
    Result {
      let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("FaultShim/\(name).c").path
      let target = FileManager.default.temporaryDirectory
        .appendingPathComponent("\(name)-\(ProcessInfo.processInfo.processIdentifier).so").path
      let outcome = try launch(
        "/usr/bin/env", ["clang", "-O1", "-shared", "-fPIC", "-o", target, source, "-ldl"], [:])
      guard outcome.status == 0 else {
        throw TrainingError(.missingInput, "no C compiler: \(outcome.errors)")
      }
      return target
    }
  }

  /// Runs the probe so that signals to itself come while its stack's register points into data.
  static func runWithStackAmidData(_ arguments: [String]) throws -> Outcome {
    try launch(try probe, arguments, ["LD_PRELOAD": try stackLibrary.get()])
  }

  /// The probe lies beside the tests.
  private static var probe: String {
    get throws {
      let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      let own = Bundle.main.bundleURL
      for folder in [bundle, own, own.deletingLastPathComponent()] {
        let path = folder.appendingPathComponent("CheckpointProbe").path
        if FileManager.default.isExecutableFile(atPath: path) { return path }
      }
      throw TrainingError(.missingInput, "CheckpointProbe was not built")
    }
  }

  /// Runs the probe; `faults` are the shim's variables without their prefix.
  static func run(
    _ arguments: [String], in folder: String, faults: [String: String]? = [:], shell: String? = nil
  ) throws -> Outcome {
    var environment: [String: String] = [:]
    if let faults {
      environment = [
        "LD_PRELOAD": try library.get(), "FAULT_ROOT": folder,
        "FAULT_LOG": folder + ".log",
      ]
      for (name, value) in faults { environment["FAULT_\(name)"] = value }
    }
    if let shell {
      return try launch("/bin/sh", ["-c", "\(shell); exec \"$@\"", "sh", try probe] + arguments, environment)
    }
    return try launch(try probe, arguments, environment)
  }

  private static func launch(
    _ program: String, _ arguments: [String], _ extra: [String: String]
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(extra) { $1 }
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.runBounded()
    let texts = [output, errors].map {
      String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
      output: texts[0], errors: texts[1])
  }
}

/// One recorded call that changed or flushed a file.
struct RecordedCall: Equatable {
  enum Kind: Character {
    case create = "o"
    case write = "w"
    case flush = "s"
    case truncate = "t"
    case rename = "n"
    case unlink = "u"
    /// Not a call: the place where the shim disturbed one.
    case disturbance = "!"
  }

  let kind: Kind
  let path: String
  let target: String
  let data: [UInt8]
  let offset: Int

  /// Reads the shim's log.
  static func read(_ path: String) throws -> [RecordedCall] {
    guard let bytes = FileManager.default.contents(atPath: path).map(Array.init) else { return [] }
    var calls: [RecordedCall] = []
    var position = 0
    func number(_ size: Int) -> Int {
      defer { position += size }
      return (0..<size).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
    }
    func block() -> [UInt8] {
      let count = number(4)
      defer { position += count }
      return Array(bytes[position..<position + count])
    }
    while position < bytes.count {
      let letter = Character(Unicode.Scalar(bytes[position]))
      position += 1
      let path = String(decoding: block(), as: UTF8.self)
      let target = String(decoding: block(), as: UTF8.self)
      let data = block()
      let offset = number(8)
      if let kind = Kind(rawValue: letter) {
        calls.append(RecordedCall(kind: kind, path: path, target: target, data: data, offset: offset))
      }
    }
    return calls
  }
}
