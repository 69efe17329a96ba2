internal import Compute
internal import Experiments
internal import Foundation
internal import Networks
internal import Reporting
internal import Tensors
internal import Training

/// An estimate of what a training takes, measured and calculated.
struct TrainingEstimate {
  let loaded: LoadedConfiguration
  let workers: Int
  let shard: Int
  let steps: [StepName]
  let memory: TrainingMemory
  let training: Benchmark.Throughput
  /// Nil without test data.
  let inference: Benchmark.Throughput?
  /// Nil where the data is not there.
  let trainingSamples: Int?
  let testSamples: Int?
  let timeLimit: Double?
  /// What is copied to the nodes' own disks; nil for nothing.
  var staging: String?

  private var epochs: Int { loaded.run.training.epochs }

  var epochSeconds: Double? {
    trainingSamples.map { samples in
      let test = Double(testSamples ?? 0) / (inference?.imagesPerSecond ?? .infinity)
      return Double(samples) / training.imagesPerSecond + test
    }
  }

  var totalSeconds: Double? { epochSeconds.map { $0 * Double(epochs) } }

  private var totalMemory: Int { memory.shared + workers * memory.perWorker }

  // MARK: - Text

  func text(_ terminal: Terminal) -> String {
    let width = terminal.tableWidth
    let run = loaded.run
    var text = Table(loaded.network).text(width: width, unicode: terminal.hasUnicode) + "\n"
    text += kernels.text(width: width, unicode: terminal.hasUnicode) + "\n"
    var facts = Table([Table.Column(""), Table.Column("")])
    facts.add([
      "batch",
      "\(run.training.batch) in shards of \(shard), \(run.training.precision.rawValue), "
        + counted(workers, "worker")
        + (run.training.parallelism == .intra && workers > 1 ? " on each" : ""),
    ])
    let layout = ParameterLayout(loaded.network)
    let phases = TrainingPhases(run.training, layout)
    if let summary = phases.summary(layout) {
      facts.add(["frozen", summary + (phases.phases.count > 1 ? "; measured with the most of them" : "")])
    }
    facts.add(["memory per worker", NumberText.bytes(memory.perWorker)])
    facts.add([
      "memory in all",
      "\(NumberText.bytes(totalMemory)), and up to \(NumberText.bytes(run.data.memoryLimitBytes)) of samples",
    ])
    if let staging { facts.add(["data", staging]) }
    // A copy of the state and its canonical form, or that and the file in memory: never all three.
    facts.add([
      "checkpoint",
      "\(NumberText.bytes(memory.checkpoint)), and \(NumberText.bytes(2 * memory.checkpoint)) of memory while one is written",
    ])
    facts.add([
      "speed",
      "\(rate(training.imagesPerSecond)) images/s in training (\(training.steps) steps measured, "
        + "\(rate(training.slowest)) to \(rate(training.fastest)))",
    ])
    if let inference { facts.add(["", "\(rate(inference.imagesPerSecond)) images/s in tests"]) }
    if let trainingSamples, let epochSeconds, let totalSeconds {
      facts.add([
        "epoch",
        "\(time(epochSeconds)) for \(counted(trainingSamples, "sample", as: NumberText.grouped(trainingSamples)))"
          + (testSamples.map { " and \(counted($0, "test sample", as: NumberText.grouped($0)))" } ?? ""),
      ])
      facts.add(["training", "\(time(totalSeconds)) for \(counted(epochs, "epoch"))"])
      if let timeLimit {
        facts.add([
          "time limit",
          "\(NumberText.duration(timeLimit)): \(totalSeconds <= timeLimit ? "it fits" : "it does not fit")",
        ])
      }
    } else {
      facts.add(["epoch", "unknown: the data cannot be read here; give its size with --samples N"])
    }
    return text + facts.text(width: width, unicode: terminal.hasUnicode)
  }

  /// A row for each step of each layer with its kernel.
  private var kernels: Table {
    var table = Table([
      Table.Column("layer"), Table.Column("pass"), Table.Column("kernel"), Table.Column("layout"),
    ])
    for step in steps { table.add([step.layer, step.pass.rawValue, step.kernel, step.layout]) }
    return table
  }

  private func rate(_ value: Double) -> String {
    value >= 100 ? NumberText.grouped(Int(value.rounded())) : NumberText.fixed(value, 1)
  }

  private func time(_ seconds: Double) -> String {
    seconds < 60 ? "\(NumberText.fixed(seconds, 1)) s" : NumberText.duration(seconds)
  }

  // MARK: - JSON

  func json() throws -> String {
    try ResultJSON.text(
      EstimateResult(
        parameters: loaded.network.parameterCount, flopsPerImage: loaded.network.flops,
        batch: loaded.run.training.batch, shard: shard, workers: workers,
        memoryPerWorkerBytes: memory.perWorker, memoryBytes: totalMemory, checkpointBytes: memory.checkpoint,
        trainingImagesPerSecond: training.imagesPerSecond,
        inferenceImagesPerSecond: inference?.imagesPerSecond, trainingSamples: trainingSamples,
        epochSeconds: epochSeconds, trainingSeconds: totalSeconds,
        fits: timeLimit.flatMap { limit in totalSeconds.map { $0 <= limit } },
        layers: loaded.network.layers.map { layer in
          EstimateResult.Layer(
            name: layer.name, output: "\(layer.outputShape)", parameters: layer.parameterCount,
            flops: layer.flops)
        },
        kernels: steps.map {
          EstimateResult.Kernel(layer: $0.layer, pass: $0.pass.rawValue, kernel: $0.kernel, layout: $0.layout)
        }))
  }
}

/// An estimate of what a training takes, for machines.
private struct EstimateResult: Encodable {
  struct Layer: Encodable {
    let name: String
    let output: String
    let parameters: Int
    let flops: Int
  }

  struct Kernel: Encodable {
    let layer: String
    let pass: String
    let kernel: String
    let layout: String
  }

  let parameters: Int
  let flopsPerImage: Int
  let batch: Int
  let shard: Int
  let workers: Int
  let memoryPerWorkerBytes: Int
  let memoryBytes: Int
  let checkpointBytes: Int
  let trainingImagesPerSecond: Double
  /// `null` without test data.
  @NullIfMissing var inferenceImagesPerSecond: Double?
  /// `null`, like the seconds that follow from it, where the data does not exist.
  @NullIfMissing var trainingSamples: Int?
  @NullIfMissing var epochSeconds: Double?
  @NullIfMissing var trainingSeconds: Double?
  /// `null` without a time limit.
  @NullIfMissing var fits: Bool?
  let layers: [Layer]
  let kernels: [Kernel]
}
