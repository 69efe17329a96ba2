internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Parallel
internal import Reporting
internal import Training

/// Trains the family of runs that a configuration's `sweep` section describes.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train every run of a config's sweep section, and compare them.",
    discussion: """
      Each member is a run like any other, in its own directory under Results/NAME, with everything that `convoy train` gives a run. \
      Complete runs are not trained again, and an interrupted one resumes where it stopped, so the same command continues the \
      sweep. At the end it prints a table of all members, the best first, and draws charts: the curves of the best members, and \
      the best figure over each varied key that is a number. Members count from 0. If some diverge, the others are trained all the \
      same, and the exit code is 76 in the end.

        convoy sweep Configs/sweep.yaml --list
        convoy sweep Configs/sweep.yaml
        sbatch $(convoy sweep Configs/sweep.yaml --slurm)
      """)

  @OptionGroup var config: ConfigurationArguments
  @OptionGroup var workers: WorkersOption

  @Flag(help: "List what would be trained and how far each run is, and train nothing.")
  var list = false

  @Flag(help: "Write a Slurm job array with one task for each run, and print its path.")
  var slurm = false

  @Option(0...1_000_000, help: ArgumentHelp("Train only this member, counted from 0.", valueName: "k"))
  var member: Int?

  @Flag(name: .shortAndLong, help: "Print no progress, only the result.")
  var quiet = false

  @Flag(help: "Print one JSON object, and no progress.")
  var json = false

  func run() throws {
    let sweep = try ConfigurationFile.loadSweep(path: config.config, overrides: config.settings)
    let results = SweepResults(sweep)
    if list {
      return print(
        try json ? ResultJSON.text(results.result(order: .members)) : results.text(order: .members))
    }
    if slurm {
      let path = try SweepArray(sweep, config: config, workers: workers.given, folder: results.folder).write()
      if json { return print(try ResultJSON.text(SweepScript(path: path, tasks: sweep.members.count))) }
      return TerminalOutput.printPath(path)
    }
    let stop = StopSignals.install()
    config.warnOfEnvironment()
    let ranks = try RankProcess.join(limit: sweep.base.run.ranks.timeout).measuredForTraining()
    var diverged: [Int] = []
    for member in try chosen(sweep) {
      // Files of a run may be seen by other nodes a moment later.
      if try ranks.communicator.first(results.isDone(member)) {
        if self.member != nil, !json, ranks.communicator.isFirst {
          print(
            "member \(member.index) of 0 to \(sweep.members.count - 1) is complete: \(results.directories[member.index])"
          )
        }
        continue
      }
      let isTrained = try train(
        member, of: sweep, in: results.directories[member.index], ranks: ranks, stop: stop)
      if !isTrained { diverged.append(member.index) }
    }
    if ranks.communicator.isFirst { try show(results) }
    // Nobody ends the others before the table is written.
    try ranks.communicator.meet()
    guard diverged.isEmpty else {
      throw CommandError(
        .notFinite,
        "\(diverged.count == 1 ? "member" : "members") \(diverged.map(String.init).joined(separator: ", ")) of 0 to "
          + "\(sweep.members.count - 1) diverged; lower the learning rate or clip gradients")
    }
  }

  private func show(_ results: SweepResults) throws {
    if let member {
      if json { print(try ResultJSON.text(results.result(order: .members, only: member))) }
    } else {
      let written = try results.write()
      print(try json ? ResultJSON.text(results.result(order: .best, written)) : results.text(written))
    }
  }

  private func chosen(_ sweep: Sweep) throws -> [Sweep.Member] {
    guard let member else { return sweep.members }
    guard sweep.members.indices.contains(member) else {
      throw CommandError.usage(
        "--member: there is no member \(member); the sweep has \(sweep.members.count), counted from 0")
    }
    return [sweep.members[member]]
  }

  /// Trains one member to its end.
  ///
  /// The sweep goes on after a member whose loss diverges: that is a result, too.
  /// - Returns: false for such a member.
  private func train(
    _ member: Sweep.Member, of sweep: Sweep, in directory: String, ranks: Ranks, stop: StopRequest
  ) throws -> Bool {
    let isQuiet = quiet || json || !ranks.communicator.isFirst
    if !isQuiet {
      let values = zip(sweep.keys, member.values).compactMap { key, value in value.map { "\(key)=\($0)" } }
      // Written at once, because the lines of the training are not held back either.
      let shown = TextWidth.printable(values.joined(separator: " "))
      TerminalOutput.write("member \(member.index) of 0 to \(sweep.members.count - 1): \(shown)\n", to: 1)
    }
    var driver = RunDriver(
      loaded: member.configuration, directory: directory, workers: workers.given ?? RankProcess.usualWorkers,
      dataOptions: config.plugIns.words)
    driver.ranks = ranks
    do {
      let result = try TrainingPrinter(isQuiet: isQuiet).follow { try driver.run(stop: stop, printer: $0) }
      if !result.isComplete { throw SilentEnd(.stopped) }
      return true
    } catch let error as TrainingError where error.kind == .notFinite {
      if ranks.communicator.isFirst { TerminalOutput.warn("member \(member.index): \(error)") }
      return false
    }
  }
}
