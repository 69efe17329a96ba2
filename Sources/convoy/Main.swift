internal import ArgumentParser
internal import Glibc
internal import HDF5
internal import Parallel
internal import Paths
internal import Training

/// The command line parses, calls and prints; everything else is in the libraries below it.
struct Convoy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convoy",
    abstract: "Train convolutional networks on CPU nodes.",
    discussion: """
      The same config and seed give the same bytes on any number of workers, interrupted or not. Checkpoints are Keras \
      model files.

      A first run:
        convoy import fashion-mnist --to Results/data/fashion-mnist.h5
        convoy train Configs/fashion-mnist.yaml
        convoy evaluate Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5

      Exit codes: 0 success, \(ExitStatus.allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: ", ")).
      """,
    version: Version.text,
    subcommands: [
      TrainCommand.self,
      EvaluateCommand.self,
      PredictCommand.self,
      InspectCommand.self,
      ImportCommand.self,
      ExportCommand.self,
      GTPCommand.self,
      ProveCommand.self,
      BenchCommand.self,
      TuneCommand.self,
      FindLearningRateCommand.self,
      ReportCommand.self,
      DatasetCommand.self,
      LookCommand.self,
      DreamCommand.self,
      StyleCommand.self,
      ExplainCommand.self,
      SweepCommand.self,
      PlanCommand.self,
      RunsCommand.self,
      CompareCommand.self,
      ConfigCommand.self,
      MPICommand.self,
      ManualCommand.self,
    ])
}

@main
enum Main {
  static func main() {
    HDF5.Isolation.lookIfAsked()
    SystemThread.withSignalStack(run)
  }

  private static func run() {
    HDF5.Isolation.enable(isStopped: { StopSignals.request.isRequested })
    // Writing to a closed pipe (`convoy … | head`) or past a file size limit is an error to report, not a reason to die.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    InternalError.install()
    FirstProcess.listen()
    StopSignals.unblock()
    // These commands listen as early as possible, since a signal should not end them at once.
    let arguments = Array(ProgramArguments.all.dropFirst())
    if ["train", "import", "sweep", "dream", "style", "look", "visualize"].contains(arguments.first) {
      StopSignals.install()
    }
    do {
      try CommandWords.check(arguments)
      try EmptyWords.check(arguments)
      var command = try Convoy.parseAsRoot(arguments)
      try ResourceLimits.check()
      try command.run()
      RankProcess.leave()
      try StandardOutput.finish()
    } catch {
      Failure.exit(with: error)
    }
  }
}
