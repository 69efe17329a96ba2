import Compute
import Datasets
import HDF5
import Networks
import OneDNN
import Tensors
import Testing

@testable import Training

/// Trainings whose cost model would take other kernels in partial shards, or in parts of a layer, than in full shards.
///
/// On a CPU for which oneDNN has no second kernel they are trainings as any other; `Tests/CommandTests` gives it one.
@Suite("Kernels of a whole training")
struct KernelChoiceTests {
  enum Case: String, CaseIterable, Sendable {
    /// Winograd in shards of 12, not in those of 2.
    case shards
    /// 17 blocks of filters in 16 parts: Winograd in the one of two blocks, not in those of one.
    case parts
    /// bf16 in shards of 4, not in those of 16.
    case formats

    var isPossible: Bool { self != .formats || OneDNN.Library.hasBF16 }

    func configuration(data: String) throws -> RunConfiguration {
      let (side, filters) =
        switch self {
        case .shards: (8, (24, 40))
        case .parts: (20, (32, 272))
        case .formats: (28, (64, 64))
        }
      func conv(_ filters: Int) -> LayerSpec {
        .conv2D(Conv2D(filters: filters, kernel: Size2D(3), padding: .same, activation: .relu))
      }
      var configuration = try SmallRun.configuration(data: data, epochs: 2)
      configuration.network = try Network(
        inputShape: [side, side, 1],
        chain: [
          .rescale(Rescale(scale: 1 / 255.0)), conv(filters.0), conv(filters.1), .globalAveragePool2D,
          .dense(Dense(units: SmallRun.classes)),
        ])
      switch self {
      case .shards: (configuration.training.batch, configuration.training.shard) = (50, 12)
      case .parts:
        (configuration.training.batch, configuration.training.shard) = (2, nil)
        configuration.training.parallelism = .intra
      case .formats:
        (configuration.training.batch, configuration.training.shard) = (20, 16)
        configuration.training.precision = .bf16
      }
      return configuration
    }

    /// Two minibatches, pictures of noise.
    func writeDataset(_ path: String) throws {
      let configuration = try configuration(data: path)
      let count = 2 * configuration.training.batch
      let side = configuration.network.inputShape[0]
      var stream = RandomStream(seed: 3, purpose: .synthetic)
      let file = try HDF5.File.create(path, overwrite: true)
      try file.root.makeDataset("images", type: .uint8, shape: [count, side, side, 1])
        .write((0..<count * side * side).map { _ in UInt8(stream.nextInteger(below: 256)) })
      try file.root.makeDataset("labels", type: .uint8, shape: [count])
        .write((0..<count).map { UInt8($0 % SmallRun.classes) })
      try file.close()
    }
  }

  /// Whether oneDNN has a second kind of kernel here.
  static let hasWinograd: Bool = {
    guard let network = try? Case.shards.configuration(data: "").network.resolved() else { return false }
    let options = CompileOptions(batch: 12, shard: 12, kernels: .winograd)
    return (try? CompiledNetwork(network, options: options))?.choices.hasWinograd == true
  }()

  /// Whether there is a kernel, the library's or ours, that the model may take in place of a direct one.
  private static let hasOtherKernels: Bool = {
    guard let network = try? Case.shards.configuration(data: "").network.resolved() else { return false }
    let options = CompileOptions(batch: 12, shard: 12, kernels: .costModel)
    let text = (try? CompiledNetwork(network, options: options))?.choices.text ?? ""
    return hasWinograd || text.contains("own")
  }()

  @Test(
    "stopped after every step, a training comes to the same bytes, and its proof says so",
    arguments: Case.allCases.filter(\.isPossible))
  func resumed(_ example: Case) throws {
    let folder = try TemporaryFolder()
    try example.writeDataset(folder("data.h5"))
    let configuration = try example.configuration(data: folder("data.h5"))
    #expect(try SmallRun.train(configuration, in: folder("whole"), workers: 2).complete)
    var starts = 0
    while try !SmallRun.train(configuration, in: folder("pieces"), workers: 1 + starts % 3, stopAfter: 1)
      .complete
    {
      starts += 1
    }
    #expect(starts == 4)
    let expected = try SmallRun.digests(in: folder("whole"))
    #expect(expected.count == 4)
    #expect(try SmallRun.digests(in: folder("pieces")) == expected)

    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: 1)
    let proof = try ExactnessProof(request, stop: StopRequest())
    let digests = try proof.digests(.init(workers: 1), steps: 4)
    #expect(
      try proof.digests(.init(workers: 3), steps: 4, restart: .init(after: 2, .init(workers: 2))) == digests)
  }

  @Test(
    "plans of all shard sizes are those of a compilation that knows the record of full shards",
    arguments: Case.allCases.filter(\.isPossible))
  func plans(_ example: Case) throws {
    let configuration = try example.configuration(data: "")
    let network = try configuration.network.resolved()
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: "", workers: 1)
    var options = try request.compileOptions(goingOnFrom: nil, stop: StopRequest())
    let compiled = try CompiledNetwork(network, options: options)
    options.kernels = .chosen(try #require(KernelChoices(text: compiled.choices.text)))
    let again = try CompiledNetwork(network, options: options)
    #expect(again.choices == compiled.choices)
    for samples in 1...compiled.shardSize {
      #expect(
        try again.trainingPlan(samples: samples).stepNames
          == compiled.trainingPlan(samples: samples).stepNames, "training, \(samples) samples")
      #expect(
        try again.inferencePlan(samples: samples).stepNames
          == compiled.inferencePlan(samples: samples).stepNames, "evaluation, \(samples) samples")
    }
  }

  @Test(
    "the examples are networks whose partial shards or parts suit another algorithm",
    .enabled(if: hasWinograd, "this CPU has no compiled Winograd kernel"),
    // Where a CPU has tiles, bf16 is the fastest in shards of every size.
    arguments: Case.allCases.filter { $0.isPossible && !($0 == .formats && OneDNN.Library.hasTiles) })
  func examples(_ example: Case) throws {
    let configuration = try example.configuration(data: "")
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: "", workers: 1)
    let compiled = try CompiledNetwork(
      try configuration.network.resolved(),
      options: try request.compileOptions(goingOnFrom: nil, stop: StopRequest()))
    let layer = try compiled.layerChosenOtherwise(
      by: .costModel, trainingShards: [1, 2, 4], evaluationShards: [])
    #expect(layer == "conv2d_1")
  }

  @Test(
    "a checkpoint that keeps the kernels of full shards alone is refused where partial ones had others",
    arguments: [TuningConfiguration.model, .direct, .measured, .file("gone.txt")])
  func earlierCheckpoint(_ tuning: TuningConfiguration) throws {
    let folder = try TemporaryFolder()
    try Case.shards.writeDataset(folder("data.h5"))
    var configuration = try Case.shards.configuration(data: folder("data.h5"))
    if tuning == .direct { configuration.training.tuning = .direct }
    try SmallRun.train(configuration, in: folder("run"), stopAfter: 1)
    let store = CheckpointStore(folder: folder("run/checkpoints"))
    let newest = try #require(try store.newest())
    try CheckpointFile.write(Self.asEarlier(newest.checkpoint), to: newest.path)
    configuration.training.tuning = tuning
    let isRefused =
      switch tuning {
      case .model, .file: Self.hasOtherKernels
      case .direct, .measured: false
      }
    func goOn(allowChanges: Bool) throws -> Recorder {
      let record = Recorder()
      let request = RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("run"), workers: 1,
        allowChanges: allowChanges)
      _ = try Run(request, stop: record.stop, observer: record).train()
      return record
    }
    guard isRefused else {
      #expect(try goOn(allowChanges: false).isFinished)
      return
    }
    let error = RunTests.error { _ = try goOn(allowChanges: false) }
    #expect(
      error?.kind == .configuration && error?.description.contains("layer 'conv2d_1'") == true,
      "\(error as Any)")
    let record = try goOn(allowChanges: true)
    #expect(record.isFinished && record.warnings.contains { $0.contains("layer 'conv2d_1'") })
    // What it writes from there on says that it holds for all shards.
    let last = try #require(try store.newest())
    #expect(last.checkpoint.identity.choicesCoverEveryShard)
  }

  /// A checkpoint as versions wrote it that chose kernels for each size of shard.
  private static func asEarlier(_ checkpoint: Checkpoint) -> Checkpoint {
    var identity = checkpoint.identity
    identity.choicesCoverEveryShard = false
    // These versions had no kernel of their own for an image of one channel.
    identity.kernelChoices = identity.kernelChoices.replacing("own-narrow", with: "direct")
    return Checkpoint(
      network: checkpoint.network, name: checkpoint.name, progress: checkpoint.progress, identity: identity,
      values: checkpoint.values, optimizer: checkpoint.optimizer, slots: checkpoint.slots,
      trained: checkpoint.trained)
  }
}
