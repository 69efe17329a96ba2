internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Digests
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

      With --nodes it predicts steps on so many equal nodes instead: their time, images per second, efficiency against one node, what a rank \
      sends and what memory it needs, and what limits it; for one minibatch shared by all nodes, and for one on each. The shards' times \
      are measured here, or read from the file of --machine, which is written where it has no figures of this training yet; with it another \
      computer can predict. The network is a model: \(networkNames), or figures such as 30us,1.1GB/s (latency, which each message takes, \
      and bytes per second each way) or 30us,5us,1.1GB/s (with another time for each message). Nothing is overlapped in the model; evaluations, checkpoints \
      and reading are left out.

        convoy plan Configs/resnet20-fashion-mnist.yaml --nodes 1,4,16,64 --network 25GbE --node-workers 64 --machine epyc.json
      """)

  private static let networkNames = Interconnect.kinds.map(\.name).joined(separator: ", ")

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

  @Option(
    help: ArgumentHelp("Numbers of nodes to predict steps for, separated by commas.", valueName: "1,4,…"))
  var nodes: String?

  @Option(
    help: ArgumentHelp("The network between them, by name or figures.", valueName: "name|figures"))
  var network = "100GbE"

  @Option(
    .workers, help: ArgumentHelp("Workers of each node; as many as were measured by default.", valueName: "n")
  )
  var nodeWorkers: Int?

  @Option(
    1...1 << 20,
    help: ArgumentHelp(
      "Samples of a step for each node, where each has a minibatch; the config's by default.", valueName: "n")
  )
  var nodeBatch: Int?

  @Option(
    help: ArgumentHelp(
      "File of a machine's measured figures: read, or measured and written.", valueName: "file"))
  var machine: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard nodes == nil else {
      guard timeLimit == nil, samples == nil else {
        throw ValidationError(
          "--nodes predicts steps; --time-limit and --samples are for the training on this machine")
      }
      return
    }
    guard nodeWorkers == nil, nodeBatch == nil, machine == nil, network == "100GbE" else {
      throw ValidationError("--network, --node-workers, --node-batch and --machine need --nodes")
    }
  }

  func run() throws {
    let stop = StopSignals.install()
    let loaded = try ConfigurationFile.load(path: config.config, overrides: config.settings)
    if let nodes {
      let prediction = try predict(loaded, nodes: WorkerCounts.parse(nodes, option: "--nodes"), stop: stop)
      return print(
        json ? try prediction.json() : prediction.text(TerminalOutput.standardOutput),
        terminator: json ? "\n" : "")
    }
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

  // MARK: - On this machine

  private func estimate(
    _ loaded: LoadedConfiguration, scratch: String, stop: StopRequest
  ) throws -> TrainingEstimate {
    let configuration = loaded.run
    let outlook = try configuration.dataOutlook(for: loaded.network)
    let all = samples ?? outlook.trainingSamples
    let training = all.map(configuration.epochSamples)
    let evaluated = configuration.evaluatedSamples(ofTraining: all ?? 0, test: outlook.testSamples)
    let benchmark = try benchmark(loaded, samples: configuration.training.batch, scratch: scratch, stop: stop)
    return TrainingEstimate(
      loaded: loaded, workers: workers.count, shard: benchmark.shardSize,
      steps: try benchmark.trainingSteps(), memory: try benchmark.memory(),
      training: try benchmark.training(seconds: seconds),
      inference: evaluated == 0 ? nil : try benchmark.inference(seconds: seconds / 2),
      trainingSamples: training, testSamples: evaluated, timeLimit: timeLimit?.seconds,
      staging: outlook.stagingNote)
  }

  /// A measurement of the training on made-up images.
  private func benchmark(
    _ loaded: LoadedConfiguration, samples: Int, scratch: String, stop: StopRequest
  ) throws -> Benchmark {
    var configuration = loaded.run
    configuration.data.train = try Benchmark.writeSyntheticDataset(
      for: loaded.network, configuration.criterion(of: loaded.network), samples: samples, to: scratch)
    configuration.data.test = nil
    configuration.data.stage = nil
    configuration.data.validation = nil
    return try Benchmark(
      RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: "", workers: workers.count,
        model: KerasModelWriter()),
      stop: stop)
  }

  // MARK: - On several nodes

  private func predict(
    _ loaded: LoadedConfiguration, nodes: [Int], stop: StopRequest
  ) throws -> ScaleOutPrediction {
    guard let interconnect = Interconnect(network) else {
      throw CommandError.usage(
        "--network takes \(Self.networkNames), or figures such as 30us,1.1GB/s, not '\(network)'")
    }
    let (figures, cpu) = try figures(loaded, stop: stop)
    return ScaleOutPrediction(
      plan: try ScaleOutPlan(figures, on: interconnect, nodeWorkers: nodeWorkers), network: network, cpu: cpu,
      nodes: Set(nodes).sorted(), minibatch: figures.minibatch, perNode: nodeBatch ?? figures.minibatch)
  }

  /// What the file of --machine says of the training, or a measurement, which is added to the file.
  private func figures(
    _ loaded: LoadedConfiguration, stop: StopRequest
  ) throws -> (figures: TrainingFigures, cpu: String) {
    let key = try Self.key(of: loaded)
    var own = MachineFigures()
    if let machine, let stored = try MachineFigures.read(machine) {
      if let figures = stored.training(key) { return (figures, stored.cpu) }
      guard stored.cpu == own.cpu else {
        throw CommandError(
          .configuration,
          "\(machine) has no figures of this training, and its machine (\(stored.cpu)) is not this one (\(own.cpu)); run the same command there"
        )
      }
      own.trainings = stored.trainings
    }
    let scratch = "\(Folder.temporary)/convoy-plan-\(getpid()).h5"
    defer { Folder.remove(scratch) }
    let benchmark = try benchmark(
      loaded, samples: loaded.run.training.samplesPerStep, scratch: scratch, stop: stop)
    let figures = try benchmark.figures(
      try benchmark.training(seconds: seconds), workers: workers.count, key: key)
    own.add(figures)
    if let machine { try OutputFile.write(try own.text(), to: machine) }
    return (figures, own.cpu)
  }

  /// A digest of what decides the cost of a step: the network, and the training without its length.
  private static func key(of loaded: LoadedConfiguration) throws -> String {
    let root = try JSONSerialization.jsonObject(with: Data(loaded.canonicalJSON.utf8)) as? [String: Any]
    var training = root?["training"] as? [String: Any] ?? [:]
    for key in ["epochs", "patience", "monitor", "schedule", "limits", "metrics"] { training[key] = nil }
    let text = try JSONSerialization.data(
      withJSONObject: [root?["network"] ?? [:], training], options: .sortedKeys)
    return String(SHA256.digest(of: String(decoding: text, as: UTF8.self)).hexadecimal.prefix(16))
  }
}
