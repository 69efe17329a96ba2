internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Experiments
internal import Foundation
internal import Interchange
internal import Parallel
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Estimates what a training takes, without training.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what a config's training takes: layers, kernels, memory, checkpoint, time.",
    discussion: """
      A few real steps are measured on made-up images. If the data exists, only its number of samples is read, and whether \
      they fit the network. With --time-limit the \
      exit code says whether the training fits: 0, or 78 if it does not.

        convoy plan Configs/fashion-mnist.yaml --time-limit 1:00:00
      """)

  @OptionGroup var config: ConfigurationArguments
  @OptionGroup var workers: WorkersOption

  @Option(
    .counts, help: ArgumentHelp("Number of training samples, where the data does not exist.", valueName: "n"))
  var samples: Int?

  @Option(
    help: ArgumentHelp("Time available, in Slurm's forms: minutes, h:m:s, d-h:m:s.", valueName: "t"))
  var timeLimit: TimeLimit?

  @Option(
    .seconds, help: ArgumentHelp("Seconds of each measurement, which takes at least 5 steps.", valueName: "s")
  )
  var seconds = 2.0

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let loaded = try ConfigurationFile.load(path: config.config, overrides: config.settings)
    let scratch = "\(Folder.temporary)/convoy-plan-\(getpid()).h5"
    defer { Folder.remove(scratch) }
    let estimate = try estimate(loaded, scratch: scratch, stop: stop)
    print(
      json ? try estimate.json() : estimate.text(TerminalOutput.standardOutput), terminator: json ? "\n" : "")
    if let limit = timeLimit, let total = estimate.totalSeconds, total > limit.seconds {
      throw CommandError(
        .configuration,
        "the training takes about \(NumberText.duration(total)), which does not fit into "
          + "\(NumberText.duration(limit.seconds)); resume it in a second job, or plan fewer epochs")
    }
  }

  private func estimate(
    _ loaded: LoadedConfiguration, scratch: String, stop: StopRequest
  ) throws -> TrainingEstimate {
    var configuration = loaded.run
    let outlook = try configuration.dataOutlook(for: loaded.network)
    let all = samples ?? outlook.trainingSamples
    let training = all.map(configuration.epochSamples)
    let evaluated = configuration.evaluatedSamples(ofTraining: all ?? 0, test: outlook.testSamples)
    let batch = configuration.training.batch
    configuration.data.train = try Benchmark.writeSyntheticDataset(
      for: loaded.network, configuration.criterion(of: loaded.network), samples: batch, to: scratch)
    configuration.data.test = nil
    configuration.data.validation = nil
    let benchmark = try Benchmark(
      RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: "", workers: workers.count,
        model: KerasModelWriter()),
      stop: stop)
    return TrainingEstimate(
      loaded: loaded, workers: workers.count, shard: benchmark.shardSize,
      steps: try benchmark.trainingSteps(), memory: try benchmark.memory(),
      training: try benchmark.training(seconds: seconds),
      inference: evaluated == 0 ? nil : try benchmark.inference(seconds: seconds / 2),
      trainingSamples: training, testSamples: evaluated, timeLimit: timeLimit?.seconds)
  }
}
