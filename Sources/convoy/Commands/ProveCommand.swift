internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Interchange
internal import Reporting
internal import Tensors
internal import Training

/// Shows that a training gives the same bytes on any number of ranks and workers.
struct ProveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Train the same steps on several numbers of ranks and workers and compare every byte.",
    discussion: """
      For each trial, prints the digest of parameters, statistics and optimizer state after the last step, and the first step \
      after which it differs from the first trial. The last trial is stopped in the middle and goes on as an interrupted training \
      does: from a checkpoint's file, compiled anew, on another number of workers, or of ranks where there are several. With --ranks, several \
      ranks train together as processes on several nodes would; here they are threads, each with memory of its own. The exit code is 70 if any trial differs. No files \
      remain.
      """)

  @OptionGroup var config: ConfigurationArguments

  @Option(.counts, help: ArgumentHelp("Number of steps to train.", valueName: "n"))
  var steps = 20

  @Option(help: ArgumentHelp("Numbers of workers, separated by commas.", valueName: "1,2,…"))
  var workers = "1,2,3,8"

  @Option(
    help: ArgumentHelp(
      "Numbers of ranks, separated by commas; each is tried with each number of workers.", valueName: "1,2,…")
  )
  var ranks = "1"

  @Flag(help: "Print a JSON object at the end.")
  var json = false

  func run() throws {
    let counts = try WorkerCounts.parse(workers)
    let crews = try WorkerCounts.parse(ranks, option: "--ranks").flatMap { ranks in
      counts.map { ExactnessProof.Crew(ranks: ranks, workers: $0) }
    }
    let stop = StopSignals.install()
    let loaded = try ConfigurationFile.load(path: config.config, overrides: config.settings)
    let proof = try ExactnessProof(
      RunRequest(
        configuration: loaded.run, resolvedConfiguration: loaded.resolvedYAML, directory: "",
        workers: counts[0],
        model: KerasModelWriter()),
      stop: stop)
    var table = ProofTable()
    if !json { show("trial", "first difference", "SHA-256 after the last step") }
    for crew in crews { try run(proof, crew, name: Self.name(of: crew), in: &table) }
    // The middle of the steps that were really taken: the epochs may end before.
    if table.steps > 1 {
      let middle = table.steps / 2
      var others = crews[0]
      if crews.count == 1 { others.workers += 1 }
      try run(
        proof, crews[crews.count - 1], restart: .init(after: middle, others),
        name: "resumed after \(middle)", in: &table)
    }
    if json { print(try ResultJSON.text(ProofResult(table))) }
    if let difference = table.difference { throw CommandError(.internalError, difference) }
    if !json { print("the same bytes after each of \(counted(table.steps, "step"))") }
  }

  /// `2 workers`, or `3 ranks × 2 workers`.
  private static func name(of crew: ExactnessProof.Crew) -> String {
    let workers = counted(crew.workers, "worker")
    return crew.ranks == 1 ? workers : "\(counted(crew.ranks, "rank")) × \(workers)"
  }

  /// Runs one trial, and prints its line as soon as it is done.
  private func run(
    _ proof: ExactnessProof, _ crew: ExactnessProof.Crew, restart: ExactnessProof.Restart? = nil,
    name: String,
    in table: inout ProofTable
  ) throws {
    let line = TerminalOutput.progressLine()
    defer { line.finish() }
    let digests = try proof.digests(crew, steps: steps, restart: restart) { step in
      line.update(ProgressReading(title: name, done: step, total: steps), now: TerminalOutput.seconds)
    }
    line.finish()
    let trial = table.add(name, digests)
    let difference = trial.firstDifference.map { "step \($0)" } ?? (table.trials.count == 1 ? "–" : "none")
    if !json { show(name, difference, trial.last) }
  }

  private func show(_ name: String, _ difference: String, _ digest: String) {
    func pad(_ text: String) -> String { text.padding(toLength: 24, withPad: " ", startingAt: 0) }
    TerminalOutput.write("\(pad(name))\(pad(difference))\(digest)\n", to: 1)
  }
}
