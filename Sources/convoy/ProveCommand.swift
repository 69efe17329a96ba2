internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Training

/// Shows that a training gives the same bytes on any number of workers.
struct ProveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Train the same steps on several numbers of workers and compare every byte.",
    discussion: """
      Prints for each trial the digest of parameters, statistics and optimizer state after the last step, and the first step \
      after which it differs from the first trial. The last trial is thrown away in the middle and goes on from the bytes of a \
      checkpoint. Exits with 70 if any differs. Nothing is written.
      """)

  @OptionGroup var config: ConfigurationArguments

  @Option(help: ArgumentHelp("How many steps to train.", valueName: "n"))
  var steps = 20

  @Option(help: ArgumentHelp("Numbers of workers, comma-separated.", valueName: "1,2,…"))
  var workers = "1,2,3,8"

  func run() throws {
    let counts = try workers.split(separator: ",").map { word -> Int in
      guard let count = Int(word), count > 0 else {
        throw CommandError.usage("--workers takes numbers from 1, not '\(word)'")
      }
      return count
    }
    guard let first = counts.first, steps > 0 else {
      throw CommandError.usage("--workers and --steps need at least 1")
    }
    let stop = StopSignals.install()
    let loaded = try ConfigurationFile.load(path: config.config, overrides: config.overrides)
    let proof = try ExactnessProof(
      RunRequest(
        configuration: loaded.run, resolvedConfiguration: loaded.resolvedYAML, directory: "", workers: first),
      stop: stop)
    print("\(pad("trial"))\(pad("first difference"))SHA-256 after the last step")
    let expected = try proof.digests(workers: first, steps: steps)
    report("\(first) worker(s)", nil, expected)
    var differing: [String] = []
    for count in counts.dropFirst() {
      let digests = try proof.digests(workers: count, steps: steps)
      let step = firstDifference(expected, digests)
      report("\(count) worker(s)", step, digests)
      if let step { differing.append("\(count) worker(s) from step \(step) on") }
    }
    let middle = max(steps / 2, 1)
    let last = counts[counts.count - 1]
    let resumed = try proof.digests(workers: last, steps: steps, restartsAfter: middle)
    let step = firstDifference(expected, resumed)
    report("resumed after \(middle)", step, resumed)
    if let step { differing.append("resumed from step \(step) on") }
    guard differing.isEmpty else {
      throw CommandError(
        exitCode: 70,
        description: "not the same bytes as with \(first) worker(s): \(differing.joined(separator: ", "))")
    }
    print("the same bytes after each of \(expected.count - 1) steps")
  }

  private func report(_ name: String, _ difference: Int?, _ digests: [String]) {
    print("\(pad(name))\(pad(difference.map { "step \($0)" } ?? "none"))\(digests.last ?? "")")
  }

  /// The first step after which two trials differ, 0 for the state before any; nil when they never do.
  private func firstDifference(_ left: [String], _ right: [String]) -> Int? {
    let step = zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    return step ?? (left.count == right.count ? nil : min(left.count, right.count))
  }

  private func pad(_ text: String) -> String { text.padding(toLength: 20, withPad: " ", startingAt: 0) }
}
