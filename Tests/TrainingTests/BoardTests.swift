import Compute
import Datasets
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

/// Trainings on boards whose answers lie on them.
@Suite("Answers on boards in training")
struct BoardTests {
  private static let side = 5
  private static let points = side * side

  /// Boards of noise in two planes; the answer is the point with the largest number in the first one.
  private static func writeDataset(_ path: String, count: Int) throws {
    var random = SplitMix64(seed: 3)
    let images = (0..<count * points * 2).map { _ in Float.random(in: 0...1, using: &random) }
    let labels = (0..<count).map { sample in
      (0..<points).max { images[(sample * points + $0) * 2] < images[(sample * points + $1) * 2] } ?? 0
    }
    let file = try HDF5.File.create(path)
    do {
      let root = try file.root
      try root.makeDataset("images", type: .float32, shape: [count, side, side, 2]).write(images)
      try root.makeDataset("labels", type: .uint8, shape: [count]).write(labels.map { UInt8($0) })
      try root.makeDataset("map", type: .uint8, shape: [count, side, side]).write(
        labels.flatMap { label in (0..<points).map { $0 == label ? 1 as UInt8 : 0 } })
    }
    try file.close()
  }

  /// A network that sees each point by itself: turning a board turns its outputs, and changes nothing else.
  private static func configuration(
    _ data: String, _ loss: Loss, _ target: TargetName, _ steps: [AugmentationStep]
  ) throws -> RunConfiguration {
    var configuration = try SmallRun.configuration(data: data, epochs: 4)
    configuration.data.train = SampleSource(file: data, images: "images", target: target)
    configuration.data.test = configuration.data.train
    configuration.network = try Network(
      inputShape: [side, side, 2],
      chain: [
        .conv2D(Conv2D(filters: 4, kernel: Size2D(1), activation: .relu)),
        .conv2D(Conv2D(filters: 1, kernel: Size2D(1))), .flatten,
      ])
    configuration.training.loss = loss
    configuration.training.monitor = .loss
    configuration.training.schedule = ScheduleConfiguration()
    configuration.training.augmentation = Augmentation(steps)
    return configuration
  }

  /// Each way to say what is right, with the steps that move it.
  private static let cases: [(loss: Loss, target: TargetName, steps: [AugmentationStep])] = [
    (
      .softmaxCrossEntropy(SoftmaxCrossEntropy()), .labels("labels"), [.boardSymmetry(RandomSymmetry())]
    ),
    (
      .softmaxCrossEntropy(SoftmaxCrossEntropy()), .labels("labels"),
      [.flipHorizontal(Flip(answer: .board)), .flipVertical(Flip(answer: .board))]
    ),
    (.softmaxCrossEntropy(SoftmaxCrossEntropy()), .values("map"), [.boardSymmetry(RandomSymmetry())]),
    (.sigmoidCrossEntropy(SigmoidCrossEntropy()), .values("map"), [.boardSymmetry(RandomSymmetry())]),
    (.meanSquaredError, .values("map"), [.boardSymmetry(RandomSymmetry())]),
    (.meanSquaredError, .labels("labels"), [.boardSymmetry(RandomSymmetry())]),
    (.huber(Huber()), .values("map"), [.flipVertical(Flip(probability: 1, answer: .board))]),
  ]

  @Test(
    "what sees points one by one learns from turned boards what it learns from boards as they are",
    arguments: cases.indices)
  func turned(index: Int) throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 60)
    let (loss, target, steps) = Self.cases[index]
    func losses(_ steps: [AugmentationStep], _ name: String) throws -> [Double] {
      let configuration = try Self.configuration(folder("data.h5"), loss, target, steps)
      let (complete, record) = try SmallRun.train(configuration, in: folder(name), workers: 2)
      #expect(complete)
      return record.epochs.flatMap { [$0.train.meanLoss, $0.test?.meanLoss ?? .nan] }
    }
    let plain = try losses([], "plain")
    expectClose(try losses(steps, "turned"), plain, relative: 1e-4)
    // Without the answers' turn it would be seen.
    let left = steps.map { step -> AugmentationStep in
      switch step {
      case .flipHorizontal: .flipHorizontal(Flip(answer: .nowhere))
      case .flipVertical: .flipVertical(Flip(answer: .nowhere))
      default: .boardSymmetry(RandomSymmetry(answer: .nowhere))
      }
    }
    let wrong = try losses(left, "left")
    #expect(abs(wrong[0] - plain[0]) > 1e-3 * plain[0])
  }

  @Test("turned answers change no bit with the workers, with streaming, or with restarts in mid-epoch")
  func exactness() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 43)
    for (index, target) in [TargetName.labels("labels"), .values("map")].enumerated() {
      var configuration = try Self.configuration(
        folder("data.h5"), .softmaxCrossEntropy(SoftmaxCrossEntropy()), target,
        [
          .boardSymmetry(RandomSymmetry()), .mixup(Mixup(alpha: 0.5, probability: 0.5)),
          .flipHorizontal(Flip(answer: .board)),
        ])
      configuration.training.epochs = 2
      try SmallRun.train(configuration, in: folder("whole\(index)"), workers: 1)
      let expected = try SmallRun.digests(in: folder("whole\(index)"))
      #expect(expected.count == 6)
      configuration.data.memoryLimitBytes = 1000
      try SmallRun.train(configuration, in: folder("streamed\(index)"), workers: 3)
      #expect(try SmallRun.digests(in: folder("streamed\(index)")) == expected)
      var restarts = 0
      while try !SmallRun.train(
        configuration, in: folder("pieces\(index)"), workers: 1 + restarts % 3, stopAfter: 1
      ).complete { restarts += 1 }
      #expect(restarts == 6)
      #expect(try SmallRun.digests(in: folder("pieces\(index)")) == expected)
    }
  }

  @Test(
    "mirrored views of a board are mirrored back before they are averaged, if it is said that they are boards"
  )
  func flips() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 20)
    let configuration = try Self.configuration(
      folder("data.h5"), .softmaxCrossEntropy(SoftmaxCrossEntropy()), .labels("labels"), [])
    let network = try configuration.network.resolved()
    let values = ParameterLayout(network).initialValues(seed: 1)
    let predictor = try Predictor(network, values: values, sampleCount: 20, workers: 2)
    let samples = try configuration.data.train.open().samples(Array(0..<20))
    let plain = try #require(try predictor.logits(samples, stop: StopRequest()))
    for flips in [TestTimeFlips.horizontal, .vertical, .both] {
      let back = try #require(
        try predictor.logits(samples, stop: StopRequest(), flips: flips, answer: .board))
      expectClose(back, plain, absolute: 1e-6)
      let left = try #require(
        try predictor.logits(samples, stop: StopRequest(), flips: flips, answer: .nowhere))
      #expect(zip(left, plain).contains { abs($0 - $1) > 1e-3 })
      #expect(predictor.problem(of: flips, answer: nil)?.contains("--answer board") == true)
      #expect(predictor.problem(of: flips, answer: .board) == nil)
    }
    #expect(predictor.problem(of: .none, answer: nil) == nil)
    // Samples that are no images cannot be mirrored.
    let row = try Network(inputShape: [7], chain: [.dense(Dense(units: 3))]).resolved()
    let other = try Predictor(
      row, values: ParameterLayout(row).initialValues(seed: 1), sampleCount: 2, workers: 1)
    #expect(other.problem(of: .both, answer: .nowhere)?.contains("it needs images") == true)
  }

  @Test("a step that must be told what happens to answers stops a training before it begins")
  func untold() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 20)
    let configuration = try Self.configuration(
      folder("data.h5"), .meanSquaredError, .values("map"), [.flipVertical(Flip())])
    let error = #expect(throws: TrainingError.self) {
      try SmallRun.train(configuration, in: folder("run"))
    }
    #expect(error?.kind == .configuration)
    #expect(
      error?.description.hasPrefix("training.augmentation.0.flip_vertical: it is not clear what happens")
        == true)
  }

  @Test(
    "a checkpoint of before a rule that decides its numbers is refused, and goes on where that is allowed")
  func earlierRules() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 43)
    var configuration = try Self.configuration(
      folder("data.h5"), .softmaxCrossEntropy(SoftmaxCrossEntropy()), .labels("labels"),
      [.boardSymmetry(RandomSymmetry())])
    configuration.training.schedule = ScheduleConfiguration(
      curve: .cosine(CosineDecay()), warmup: .steps(3))
    try SmallRun.train(configuration, in: folder("run"), stopAfter: 1)
    let store = CheckpointStore(folder: folder("run/checkpoints"))
    let newest = try #require(try store.newest())
    #expect(newest.checkpoint.identity.rules == ["warmup", "answers"])
    var identity = newest.checkpoint.identity
    identity.rules = []
    let earlier = Checkpoint(
      network: newest.checkpoint.network, name: newest.checkpoint.name, progress: newest.checkpoint.progress,
      identity: identity, values: newest.checkpoint.values, optimizer: newest.checkpoint.optimizer,
      slots: newest.checkpoint.slots, trained: newest.checkpoint.trained)
    try CheckpointFile.write(earlier, to: newest.path)
    func goOn(allowChanges: Bool) throws -> Recorder {
      let record = Recorder()
      let request = RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("run"), workers: 1,
        allowChanges: allowChanges)
      _ = try Run(request, stop: record.stop, observer: record).train()
      return record
    }
    let error = RunTests.error { _ = try goOn(allowChanges: false) }
    #expect(error?.kind == .configuration)
    #expect(
      error?.description.contains("lowered it, and the augmentation left answers where they were") == true)
    #expect(try goOn(allowChanges: true).isFinished)
    #expect(try store.newest()?.checkpoint.identity.rules == ["warmup", "answers"])
    // Where no such rule decides anything, nothing is written and nothing asked.
    configuration.training.schedule = ScheduleConfiguration()
    configuration.training.augmentation = .none
    try SmallRun.train(configuration, in: folder("plain"))
    let plain = CheckpointStore(folder: folder("plain/checkpoints"))
    #expect(try plain.newest()?.checkpoint.identity.rules.isEmpty == true)
  }
}
