import Experiments
import Foundation
import TestSupport

/// Damages the shipped configurations many times over and reads each in this process.
///
///     ConfigurationFuzz CONFIGS ROUNDS SEED
///
/// Every one has to be read or refused within 100 ms of this thread's time and 64 MiB of memory beyond what the process
/// had at first, and what is read has to be written and read again as the same. The first that is not ends the program with
/// 1 and stays in the folder for temporary files, as does one that makes it trap.
@main
struct ConfigurationFuzz {
  private static let allowedSeconds = 0.1
  private static let allowedBytes = 64 << 20

  private let folder: String
  private let path: String
  private let meter = Meter()
  private var (accepted, refused, sweeps) = (0, 0, 0)

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let rounds = Int(arguments[2]), let seed = UInt64(arguments[3]), rounds > 0
    else {
      print("usage: ConfigurationFuzz CONFIGS ROUNDS SEED")
      exit(64)
    }
    var fuzz = ConfigurationFuzz(folder: arguments[1], seed: seed)
    try fuzz.run(rounds: rounds, seed: seed)
  }

  private init(folder: String, seed: UInt64) {
    self.folder = folder
    path =
      FileManager.default.temporaryDirectory.appendingPathComponent("ConfigurationFuzz-\(seed).yaml").path
  }

  private mutating func run(rounds: Int, seed: UInt64) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".yaml") }.sorted()
    let sources = try names.map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
    precondition(!sources.isEmpty, "no configurations in \(folder)")
    // Tables that are made once are not one text's.
    for source in sources where !Self.isLook(source) {
      _ = try ConfigurationFile.load(text: source, path: "\(folder)/fuzz.yaml")
    }
    var mutator = TextMutator(seed: seed)
    let start = ContinuousClock.now
    for round in 0..<rounds {
      let source = sources[round % sources.count]
      let text = mutator.mutate(source)
      // Written before it is read, so that a trap leaves it.
      try text.write(toFile: path, atomically: false, encoding: .utf8)
      if Self.isLook(source) { look() } else { training(text) }
      if let excess = meter.excess(seconds: Self.allowedSeconds, bytes: Self.allowedBytes) { fail(excess) }
    }
    try FileManager.default.removeItem(atPath: path)
    print(
      """
      \(rounds) mutations of \(sources.count) files, seed \(seed): \(accepted) read (\(sweeps) of them sweeps), \
      \(refused) refused, no trap, \((ContinuousClock.now - start).components.seconds) s
      \(meter.summary)
      """)
  }

  /// Looks into a trained network stand beside the trainings and are another kind of file.
  private static func isLook(_ text: String) -> Bool { text.contains("\nlook:") }

  private mutating func training(_ text: String) {
    let (meter, name) = (meter, "\(folder)/fuzz.yaml")
    do throws(ConfigurationErrors) {
      let loaded = try meter.measure { () throws(ConfigurationErrors) in
        try ConfigurationFile.load(text: text, path: name)
      }
      accepted += 1
      if loaded.hasSweep {
        sweeps += 1
        _ = try? meter.measure { () throws(ConfigurationErrors) in
          try ConfigurationFile.loadSweep(text: text, path: name)
        }
      }
      guard let again = try? ConfigurationFile.load(text: loaded.resolvedYAML, path: "/fuzz.yaml"),
        again.run == loaded.run
      else { fail("written and read again it is another") }
    } catch {
      note(error)
    }
  }

  private mutating func look() {
    let (meter, name) = (meter, path)
    do throws(ConfigurationErrors) {
      _ = try meter.measure { () throws(ConfigurationErrors) in try LookConfiguration.load(path: name) }
      accepted += 1
    } catch {
      note(error)
    }
  }

  private mutating func note(_ refusal: ConfigurationErrors) {
    if refusal.errors.isEmpty { fail("refused without an error") }
    refused += 1
  }

  private func fail(_ reason: String) -> Never {
    print("\(reason): \(path)")
    exit(1)
  }
}
