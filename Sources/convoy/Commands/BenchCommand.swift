internal import ArgumentParser
internal import Compute
internal import Experiments
internal import Foundation
internal import Interchange
internal import Networks
internal import Parallel
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Measures how fast a network trains and infers on this machine.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure training and inference speed, and where the time goes.",
    discussion: """
      Measures a config on its own data, or a network known by name on made-up images: \
      \(StandardNetwork.allCases.map(\.rawValue).joined(separator: ", ")).

      Started by mpirun or srun, the ranks train together (`convoy mpi --help`): the first one measures the network between them and \
      prints its own times, among them those of the exchange.

      --json prints a list with an object for each precision and number of workers. Its keys: network, precision, workers, batch, \
      shard, parameters; training_images_per_second (at the median step), training_images_per_second_p5 and _p95 (at the slowest \
      and fastest steps), training_steps; inference_images_per_second, likewise with _p5 and _p95; data_wait_share (of the \
      training time); shards_seconds, update_seconds and kernel_weights_seconds (of the median step: shards forward and \
      backward, the sum of gradients with the optimizer, copies of weights for kernels); update_bytes (read and written by the sum \
      and the optimizer) and copy_bytes_per_second (of large memory, reads and writes together); peak_memory_bytes; \
      checkpoint_seconds (the delay of training by one checkpoint, the median of checkpoint_rounds; with _p25 and _p75), \
      checkpoint_copy_seconds (while training stands still), checkpoint_bytes, checkpoint_interval_seconds (by the config; every \
      100 steps for made-up images) and checkpoint_share (of the training time); \
      training_flops_per_image; peak_flops_fp32 and peak_flops_bf16 (the better of a large matrix product and a convolution on one core, per second); and \
      layers: a list of layer, pass, kernel, layout, seconds_per_image on one worker and, for kernels that multiply, \
      flops_per_image and peak_share. With several ranks also ranks, exchange_seconds and waiting_seconds (for other ranks; of the median step), sent_bytes (by this rank in a \
      step), network_latency_seconds, network_message_seconds and network_bytes_per_second.

      With --reading or --reading-as-configured the keys are network, storage, way (loading into memory in the order of the file, \
      or reading in shuffled order from memory or streamed), workers, samples, memory_limit_bytes, reading_images_per_second.

      With --kernels: shape, pass, precision, algorithm, kernel, seconds, flops_per_second (as the convolution's definition counts \
      them), peak_share, and largest_error where it is known: of an element against sums in double precision, as a share of the largest element.
      """)

  @Argument(help: "A YAML config; --network takes its place.")
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Override a value of the config.", valueName: "key=value"))
  var overrides: [String] = []

  @OptionGroup var plugIns: PlugInsOption

  @Option(
    help: ArgumentHelp("A network known by name.", valueName: "name"),
    transform: {
      guard let network = StandardNetwork(rawValue: $0) else {
        let names = StandardNetwork.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("there is no network '\($0)'; known are \(names)")
      }
      return network
    })
  var network: StandardNetwork?

  @Option(1...1 << 20, help: ArgumentHelp("Samples in a step.", valueName: "n"))
  var batch: Int?

  @Option(1...1 << 20, help: ArgumentHelp("Samples in a shard.", valueName: "n"))
  var shard: Int?

  @Option(
    help: ArgumentHelp("Numbers of workers, separated by commas; all cores by default.", valueName: "1,2"))
  var workers: String?

  @Option(help: ArgumentHelp("fp32, bf16 or both, separated by commas.", valueName: "fp32,bf16"))
  var precision = "fp32"

  @Option(
    help: ArgumentHelp(
      "How kernels are chosen: model, direct or measured.", valueName: "way"),
    transform: {
      switch $0 {
      case "model": .model
      case "direct": .direct
      case "measured": .measured
      default: throw ValidationError("--tuning takes model, direct or measured, not '\($0)'")
      }
    })
  var tuning: TuningConfiguration?

  @Option(.seconds, help: ArgumentHelp("Seconds of each measurement.", valueName: "s"))
  var seconds = 5.0

  @Flag(help: "Print the time of each layer and pass.")
  var layers = false

  @Flag(help: "Measure the config's network on made-up images instead of its data.")
  var madeUp = false

  @Flag(
    help: ArgumentHelp(
      "Measure only reading: the config's file as it is, and copies without and with gzip.",
      discussion:
        "They are loaded, read in shuffled order from memory, and streamed through a sixth of their size."))
  var reading = false

  @Option(
    help: ArgumentHelp(
      "Folder for the checkpoints whose cost is measured; they are removed again.", valueName: "dir"))
  var checkpointDir = "."

  @Flag(help: "Measure only reading the config's training data as the config says.")
  var readingAsConfigured = false

  @Flag(
    help: ArgumentHelp(
      "Measure only the kernels of 3×3 convolutions, ours and the library's, without a config.",
      discussion:
        "On one thread, at sizes of the benchmark's networks, with each kernel's share of the peak and its error."
    ))
  var kernels = false

  @Flag(help: "Measure only training speed, and the layers with --layers.")
  var trainingOnly = false

  @Flag(help: "Print one JSON list.")
  var json = false

  func validate() throws {
    if kernels {
      guard config == nil, network == nil else {
        throw ValidationError("--kernels measures kernels alone, without a config or a --network")
      }
      return
    }
    guard (config == nil) != (network == nil) else {
      throw ValidationError("name either a config or a --network")
    }
    if reading || readingAsConfigured, config == nil || madeUp {
      throw ValidationError("--reading and --reading-as-configured measure a config's own data")
    }
  }

  func run() throws {
    let stop = StopSignals.install()
    let scratch = "\(Folder.temporary)/convoy-bench-\(getpid()).h5"
    defer { Folder.remove(scratch) }
    if kernels { return try measureKernels(stop: stop) }
    if reading || readingAsConfigured { return try measureReading(stop: stop) }
    let ranks = try RankProcess.join().measured()
    let isSilent = !ranks.communicator.isFirst
    if !isSilent, !json, let network = ranks.interconnect { print(Self.line(of: network)) }
    var results: [BenchResult] = []
    for precision in try precisions() {
      for workers in try workerCounts() {
        Benchmark.resetPeakMemory()
        var request = try request(precision, workers, scratch: scratch)
        request.ranks = ranks
        let benchmark = try Benchmark(request, stop: stop)
        let result = try BenchResult(
          name: self.network?.rawValue ?? request.configuration.name, precision: precision, workers: workers,
          batch: request.configuration.training.batch, benchmark, seconds: seconds,
          trainingOnly: trainingOnly, withLayers: layers || !trainingOnly, checkpointsIn: checkpointDir)
        results.append(result)
        if isSilent { continue }
        if !json { print(result.line) }
        if layers, !json { print(try result.layerTable()) }
      }
    }
    if json, !isSilent { print(try BenchResult.json(results)) }
  }

  /// The network between ranks, as `convoy plan --network` takes it.
  private static func line(of network: Interconnect) -> String {
    String(
      format:
        "network between ranks: latency %.1f µs, %.1f µs a message, %.3f GB/s each way (--network %.1fus,%.1fus,%.1fMB/s)",
      network.latency * 1e6, network.perMessage * 1e6, network.bytesPerSecond * 1e-9, network.latency * 1e6,
      network.perMessage * 1e6, network.bytesPerSecond * 1e-6)
  }

  private func measureKernels(stop: StopRequest) throws {
    let precisions = try precisions().map { $0 == .bf16 ? ComputePrecision.bf16 : .fp32 }
    var table = try KernelTable(precisions)
    if !json { print(table.heading) }
    for shape in KernelBenchmark.shapes where !stop.isRequested {
      let rows = try KernelBenchmark.rows(of: shape, precisions: precisions) { !stop.isRequested }
      table.append(rows)
      if !json { for row in rows { print(table.line(row)) } }
    }
    if json { print(try table.json()) }
  }

  private func measureReading(stop: StopRequest) throws {
    let configuration = try request(.fp32, 1, scratch: "").configuration
    let benchmark = try ReadingBenchmark(configuration, seconds: seconds, stop: stop)
    let workers = try workerCounts()
    var speeds: [ReadingBenchmark.Speed] = []
    if readingAsConfigured {
      for workers in workers { speeds.append(try benchmark.asConfigured(workers: workers)) }
    } else {
      try benchmark.table(workers: workers, folder: Folder.temporary) {
        speeds.append($0)
      }
    }
    if json {
      print(try ReadingTable.json(speeds, name: configuration.name))
    } else {
      print(ReadingTable.text(speeds), terminator: "")
    }
  }

  private func precisions() throws -> [Precision] {
    try precision.split(separator: ",").map { word in
      guard let precision = Precision(rawValue: String(word)) else {
        throw CommandError.usage("--precision takes fp32 and bf16, not '\(word)'")
      }
      return precision
    }
  }

  private func workerCounts() throws -> [Int] {
    guard let workers else { return [RankProcess.usualWorkers] }
    return try WorkerCounts.parse(workers)
  }

  private func request(_ precision: Precision, _ workers: Int, scratch: String) throws -> RunRequest {
    var configuration: RunConfiguration
    if let config {
      configuration = try ConfigurationFile.load(
        path: config,
        overrides: Override.all(options: overrides, environment: ProcessInfo.processInfo.environment)
      ).run
      if let batch { configuration.training.batch = batch }
      if madeUp {
        let network = try configuration.network.resolved()
        let samples = configuration.training.samplesPerStep * 4
        // These limits are for epochs of real data.
        configuration.training.limits.training = nil
        configuration.training.overfitBatches = nil
        configuration.data = DataConfiguration(
          train: try Benchmark.writeSyntheticDataset(
            for: network, configuration.criterion(of: network), samples: samples, to: scratch))
        configuration.checkpoints = madeUpCheckpoints
      }
    } else {
      configuration = try made(network ?? .lecture, scratch: scratch)
    }
    configuration.training.precision = precision
    if let tuning { configuration.training.tuning = tuning }
    if let shard {
      guard shard == 1 || configuration.training.parallelism != .intra else {
        throw CommandError.usage(
          "--shard \(shard): with training.parallelism: intra a shard is a single sample")
      }
      configuration.training.shard = shard
    }
    return RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: "", workers: workers,
      model: KerasModelWriter())
  }

  private func made(_ network: StandardNetwork, scratch: String) throws -> RunConfiguration {
    let batch = batch ?? network.batch
    let description = try network.network()
    if !FileStatus.exists(scratch) {
      try Benchmark.writeSyntheticDataset(for: try description.resolved(), samples: batch * 4, to: scratch)
    }
    return RunConfiguration(
      name: network.rawValue,
      data: DataConfiguration(
        train: SampleSource(file: scratch, images: "train/images", labels: "train/labels")),
      network: try description.scalingBytes(),
      training: TrainingConfiguration(
        epochs: 1, batch: batch,
        optimizer: .sgd(SGD(learningRate: 0.001, momentum: 0.9))),
      checkpoints: madeUpCheckpoints)
  }

  /// Epochs mean nothing where there are only four minibatches.
  private var madeUpCheckpoints: CheckpointConfiguration {
    CheckpointConfiguration(every: .steps(100), keep: .init(best: 0))
  }
}

extension Network {
  /// The network with bytes scaled to [0, 1] first, as a config for image files would do.
  fileprivate func scalingBytes() throws -> Network {
    let scale = Layer(
      name: "scale_bytes", inputs: [Network.inputName], spec: .rescale(Rescale(scale: 1 / 255)))
    let rest = layers.map { layer in
      Layer(
        name: layer.name, inputs: layer.inputs.map { $0 == Network.inputName ? scale.name : $0 },
        spec: layer.spec)
    }
    return try Network(inputShape: inputShape, layers: [scale] + rest)
  }
}
