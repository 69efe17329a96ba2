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
      Prints the digest of parameters, statistics and optimizer state after the last step of each trial, one of which is thrown \
      away in the middle and goes on from the bytes of a checkpoint. Exits with 70 if any two differ, naming the first step \
      where they do. Nothing is written.
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
    var trials: [(name: String, digests: [String])] = []
    for count in counts {
      trials.append(("\(count) worker(s)", try proof.digests(workers: count, steps: steps)))
      print("\(pad(trials[trials.count - 1].name))  \(trials[trials.count - 1].digests.last ?? "")")
    }
    let middle = max(steps / 2, 1)
    let resumed = try proof.digests(workers: counts[counts.count - 1], steps: steps, restartsAfter: middle)
    trials.append(("resumed after \(middle)", resumed))
    print("\(pad("resumed after \(middle)"))  \(resumed.last ?? "")")
    let done = trials[0].digests.count - 1
    for trial in trials.dropFirst() where trial.digests != trials[0].digests {
      let step = zip(trial.digests, trials[0].digests).enumerated().first { $0.element.0 != $0.element.1 }?
        .offset
      throw CommandError(
        exitCode: 70,
        description: "'\(trials[0].name)' and '\(trial.name)' differ from step \(step ?? done) on")
    }
    print("the same bytes after each of \(done) steps")
  }

  private func pad(_ text: String) -> String { text.padding(toLength: 20, withPad: " ", startingAt: 0) }
}
