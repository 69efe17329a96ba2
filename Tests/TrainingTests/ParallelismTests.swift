import Compute
import Datasets
import Networks
import OneDNN
import Tensors
import TestSupport
import Testing

@testable import Training

/// Training in which all workers compute one sample together.
@Suite("Samples in parts")
struct ParallelismTests {
  static func configuration(_ data: String) throws -> RunConfiguration {
    var configuration = try SmallRun.configuration(data: data, optimizer: SmallRun.adam)
    configuration.network = try Network(
      inputShape: [9, 8, 1],
      chain: [
        .rescale(Rescale(scale: 1 / 255.0)),
        .conv2D(Conv2D(filters: 48, kernel: Size2D(3), padding: .same, activation: .relu)),
        .conv2D(Conv2D(filters: 40, kernel: Size2D(3), useBias: false)), .batchNorm(BatchNorm(momentum: 0.9)),
        .activation(.relu), .maxPool2D(Pool2D(size: Size2D(2))), .dropout(Dropout(rate: 0.25)), .flatten,
        .dense(Dense(units: SmallRun.classes)),
      ])
    configuration.training.batch = 3
    configuration.training.shard = nil
    configuration.training.parallelism = .intra
    configuration.training.augmentation = Augmentation([.flipHorizontal(Flip(probability: 0.5))])
    return configuration
  }

  @Test("workers and restarts in mid-epoch change no bit")
  func exactness() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 14)
    let configuration = try Self.configuration(folder("data.h5"))
    try SmallRun.train(configuration, in: folder("1"), workers: 1)
    let expected = try SmallRun.digests(in: folder("1"))
    #expect(expected.count == 15)
    for workers in [2, 3, 8] {
      try SmallRun.train(configuration, in: folder("\(workers)"), workers: workers)
      #expect(try SmallRun.digests(in: folder("\(workers)")) == expected, "\(workers) workers")
    }
    for (start, steps) in [3, 4, 6].enumerated() {
      let (complete, record) = try SmallRun.train(
        configuration, in: folder("restarted"), workers: 1 + start, stopAfter: steps)
      #expect(!complete && record.steps.count == steps)
    }
    try SmallRun.train(configuration, in: folder("restarted"), workers: 2)
    #expect(try SmallRun.digests(in: folder("restarted")) == expected)
  }

  @Test("it learns what shards of one learn, to rounding")
  func likeShards() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 14)
    var configuration = try Self.configuration(folder("data.h5"))
    configuration.training.epochs = 1
    configuration.training.optimizer = .sgd(SGD(learningRate: 0.01, momentum: 0.9))
    try SmallRun.train(configuration, in: folder("intra"), workers: 2)
    configuration.training.parallelism = .shards
    configuration.training.shard = 1
    try SmallRun.train(configuration, in: folder("shards"), workers: 2)
    func parameters(_ name: String) throws -> [Float] {
      let newest = try CheckpointStore(folder: folder("\(name)/checkpoints")).newest()
      return try #require(newest).checkpoint.values.trainable.array()
    }
    let shards = try parameters("shards")
    expectClose(try parameters("intra"), shards, ofLargest: 1e-4)
    let start = ParameterLayout(try configuration.network.resolved()).initialValues(seed: configuration.seed)
    #expect(zip(shards, start.trainable.array()).count { abs($0 - $1) > 1e-3 } > 100, "nothing was learnt")
  }

  @Test("layers are cut into parts, however many workers there are, and shards are single samples")
  func parts() throws {
    let configuration = try Self.configuration("none.h5")
    for workers in [1, 2, 64] {
      let request = RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: "", workers: workers)
      let options = try request.compileOptions(goingOnFrom: nil, stop: StopRequest())
      #expect(options.parts == 16 && options.shard == 1)
      let plan = try CompiledNetwork(try configuration.network.resolved(), options: options).trainingPlan(
        samples: 1)
      let steps = plan.stepNames.filter { $0.layer == "conv2d" && $0.pass == .backwardWeights }
      // 48 channels are 3 blocks of 16, each a gradient and its way home, or with shorter vectors up to 6 of 8, some of them at home already.
      let possible = OneDNN.Library.instructionSet.hasPrefix("avx512") ? 6...6 : 6...12
      #expect(possible.contains(steps.count))
    }
  }

  @Test("bf16 is refused")
  func precision() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 14)
    var configuration = try Self.configuration(folder("data.h5"))
    configuration.training.precision = .bf16
    let error = RunTests.error { try SmallRun.train(configuration, in: folder("run")) }
    #expect(error?.kind == .configuration && error?.description.contains("needs precision fp32") == true)
  }
}
