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
      the best figure over each varied key that is a number. Members count from 0.

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

  func run() throws {
    let sweep = try ConfigurationFile.loadSweep(path: config.config, overrides: config.settings)
    let results = SweepResults(sweep)
    if list {
      print(results.text(order: .members))
      return
    }
    if slurm {
      print(
        try SweepArray(sweep, config: config, workers: workers.given, folder: results.folder).write())
      return
    }
    let stop = StopSignals.install()
    config.warnOfEnvironment()
    for member in try chosen(sweep) where !results.isDone(member) {
      try train(member, of: sweep, in: results.directories[member.index], stop: stop)
    }
    guard member == nil else { return }
    print(try results.write())
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
  /// A member whose loss diverges is noted and the sweep goes on: that is a result, too.
  private func train(
    _ member: Sweep.Member, of sweep: Sweep, in directory: String, stop: StopRequest
  ) throws {
    if !quiet {
      let values = zip(sweep.keys, member.values).compactMap { key, value in value.map { "\(key)=\($0)" } }
      // Written at once, because the lines of the training are not held back either.
      TerminalOutput.write(
        "member \(member.index) of 0 to \(sweep.members.count - 1): \(values.joined(separator: " "))\n", to: 1
      )
    }
    let driver = RunDriver(loaded: member.configuration, directory: directory, workers: workers.count)
    do {
      let result = try TrainingPrinter(isQuiet: quiet).follow { try driver.run(stop: stop, printer: $0) }
      if !result.isComplete { throw SilentEnd(.stopped) }
    } catch let error as TrainingError where error.kind == .notFinite {
      TerminalOutput.warn("member \(member.index): \(error)")
    }
  }
}
