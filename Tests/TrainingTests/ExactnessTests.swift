import Datasets
import Digests
import Foundation
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Exactness")
struct ExactnessTests {
  @Test(
    "every step's checkpoint has the same contents on any number of workers",
    arguments: [
      SmallRun.sgd, SmallRun.adam, .rmsprop(RMSprop(learningRate: 0.01, momentum: 0.9, centered: true)),
      .lamb(LAMB(learningRate: 0.01, weightDecay: 0.01)),
    ])
  func workers(optimizer: OptimizerConfiguration) throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    // 10 epochs of 5 steps.
    let configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 10, optimizer: optimizer)
    var digests: [[Int: SHA256.Digest]] = []
    for workers in [1, 2, 3, 4, 8] {
      let directory = folder("run-\(workers)")
      #expect(try SmallRun.train(configuration, in: directory, workers: workers).complete)
      digests.append(try SmallRun.digests(in: directory))
    }
    #expect(digests[0].count == 50)
    #expect(Set(digests[0].values).count == 50, "no two steps are alike")
    for other in digests.dropFirst() { #expect(other == digests[0]) }
  }

  @Test(
    "stopping after every step of a training with dropout and augmentation and resuming on other workers changes nothing",
    arguments: [SmallRun.sgd, SmallRun.adam])
  func resumeEverywhere(optimizer: OptimizerConfiguration) throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    // 40 epochs of 5 steps, the last minibatch of 3 samples, the last shard of each other of 2.
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 40, optimizer: optimizer)
    configuration.training.augmentation = Augmentation([
      .flipHorizontal(Flip(probability: 0.5)), .flipVertical(Flip(probability: 0.5)),
      .padAndCrop(PadAndCrop(padding: .init(rows: 1, columns: 2), border: .reflect)),
      .randomErasing(RandomErasing()),
      .mixup(Mixup(alpha: 0.5, probability: 0.5)),
    ])
    let whole = folder("whole")
    #expect(try SmallRun.train(configuration, in: whole, workers: 2).complete)

    let pieces = folder("pieces")
    var restarts = 0
    while true {
      let (complete, record) = try SmallRun.train(
        configuration, in: pieces, workers: 1 + restarts % 3, stopAfter: 1)
      if complete { break }
      #expect(record.steps.count == 1)
      restarts += 1
    }
    #expect(restarts == 200)
    let expected = try SmallRun.digests(in: whole)
    #expect(expected.count == 200)
    #expect(Set(expected.values).count == 200, "no two steps are alike")
    #expect(try SmallRun.digests(in: pieces) == expected)
    // The same rows, but for the columns of wall-clock time.
    func rows(_ directory: String) throws -> [[Substring]] {
      try String(contentsOfFile: "\(directory)/metrics.csv", encoding: .utf8)
        .split(separator: "\n").map {
          zip(
            EpochMetrics.columns(["loss", "accuracy"]),
            $0.split(separator: ",", omittingEmptySubsequences: false)
          )
          .filter { !$0.0.contains("second") }.map(\.1)
        }
    }
    #expect(try rows(pieces) == rows(whole))
    #expect(try rows(whole).count == 41)
  }

  @Test(
    "gradients that are taken over whole minibatches change no bit with the workers or with restarts",
    arguments: [SmallRun.sgd, .lamb(LAMB(learningRate: 0.01, weightDecay: 0.01))], [false, true])
  func gathered(optimizer: OptimizerConfiguration, clips: Bool) throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    try "dense/gradient minibatch\ndense_1/gradient minibatch\n".write(
      toFile: folder("kernels.txt"), atomically: true, encoding: .utf8)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 4, optimizer: optimizer)
    var layers = try SmallRun.network().layers.map(\.spec)
    layers.insert(contentsOf: [.dense(Dense(units: 140, activation: .relu))], at: layers.count - 1)
    configuration.network = try Network(inputShape: [9, 8, 1], chain: layers)
    configuration.training.tuning = .file(folder("kernels.txt"))
    if clips { configuration.training.clipping = .norm(0.5) }
    configuration.training.average = MovingAverage(decay: 0.9)
    var digests: [[Int: SHA256.Digest]] = []
    for workers in [1, 2, 3] {
      let directory = folder("run-\(workers)")
      var restarts = 0
      while true {
        let ended = try SmallRun.train(
          configuration, in: directory, workers: max(1, workers - restarts % 2),
          stopAfter: workers == 3 ? 3 : .max)
        if ended.complete { break }
        restarts += 1
      }
      #expect(workers < 3 || restarts > 4)
      digests.append(try SmallRun.digests(in: directory))
    }
    #expect(digests[0].count == 20 && Set(digests[0].values).count == 20)
    for other in digests.dropFirst() { #expect(other == digests[0]) }
    let newest = try #require(try CheckpointStore(folder: folder("run-3") + "/checkpoints").entries().first)
    let choices = try CheckpointFile.read(newest.path).identity.kernelChoices
    #expect(choices.contains("dense/gradient minibatch") && choices.contains("dense_1/gradient minibatch"))
  }

  @Test("augmentation changes no bit with the workers, with streaming, or with a restart in mid-epoch")
  func augmented() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), optimizer: SmallRun.sgd)
    let plain = folder("plain")
    #expect(try SmallRun.train(configuration, in: plain).complete)
    configuration.training.augmentation = Augmentation([
      .flipHorizontal(Flip(probability: 0.5)),
      .padAndCrop(PadAndCrop(padding: .init(rows: 1, columns: 2), border: .reflect)),
      .affine(RandomAffine(degrees: 20, translate: 0.1, scale: 0.9...1.1, shear: 5, border: .edge)),
      .brightness(strength: 0.2), .contrast(strength: 0.2), .mixup(Mixup(alpha: 0.5, probability: 0.4)),
      .cutmix(CutMix(alpha: 1, probability: 0.5)), .randomErasing(RandomErasing()),
    ])
    let resident = folder("resident")
    #expect(try SmallRun.train(configuration, in: resident, workers: 1).complete)
    let expected = try SmallRun.digests(in: resident)
    #expect(expected.count == 15)
    #expect(try SmallRun.digests(in: plain)[15] != expected[15])
    // Too little memory for all samples: the same ones come in windows.
    configuration.data.memoryLimitBytes = 1000
    let streamed = folder("streamed")
    #expect(try SmallRun.train(configuration, in: streamed, workers: 3).complete)
    #expect(try SmallRun.digests(in: streamed) == expected)
    let pieces = folder("pieces")
    var restarts = 0
    while try !SmallRun.train(configuration, in: pieces, workers: 1 + restarts % 3, stopAfter: 2).complete {
      restarts += 1
    }
    #expect(restarts > 5)
    #expect(try SmallRun.digests(in: pieces) == expected)
  }

  @Test(
    "the mean over mirrored views is that of the outputs of mirrored samples",
    arguments: TestTimeFlips.allCases)
  func testTimeFlips(flips: TestTimeFlips) throws {
    let network = try SmallRun.network().resolved()
    let values = ParameterLayout(network).initialValues(seed: 4)
    let predictor = try Predictor(network, values: values, sampleCount: 5, workers: 3)
    let pixels = (0..<5 * 72).map { UInt8(truncatingIfNeeded: $0 &* 97 >> 2) }
    func mirrored(_ horizontally: Bool, _ vertically: Bool) -> [UInt8] {
      (0..<5 * 72).map { index in
        let (sample, row, column) = (index / 72, index % 72 / 8, index % 8)
        return pixels[
          sample * 72 + (vertically ? 8 - row : row) * 8 + (horizontally ? 7 - column : column)]
      }
    }
    func logits(_ pixels: [UInt8], _ flips: TestTimeFlips = .none) throws -> [Float] {
      let logits = try predictor.logits(pixels: pixels, stop: StopRequest(), flips: flips)
      return try #require(logits)
    }
    let views: [(Bool, Bool)] =
      switch flips {
      case .none: [(false, false)]
      case .horizontal: [(false, false), (true, false)]
      case .vertical: [(false, false), (false, true)]
      case .both: [(false, false), (true, false), (false, true), (true, true)]
      }
    var expected = [Float](repeating: 0, count: 5 * SmallRun.classes)
    for (horizontally, vertically) in views {
      for (index, value) in try logits(mirrored(horizontally, vertically)).enumerated() {
        expected[index] += value / Float(views.count)
      }
    }
    expectClose(try logits(pixels, flips), expected, absolute: 1e-5)
    #expect(try logits(mirrored(true, true)) != logits(pixels))
  }

  @Test("the training learns: loss falls and accuracy rises well above chance")
  func learns() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let (_, record) = try SmallRun.train(
      try SmallRun.configuration(
        data: folder("data.h5"), epochs: 30,
        optimizer: .adam(Adam(learningRate: 0.02))),
      in: folder("run"))
    let first = try #require(record.epochs.first?.test)
    let last = try #require(record.epochs.last?.test)
    #expect(last.meanLoss < first.meanLoss / 2)
    #expect(try #require(last.accuracy) > 0.8)
  }

  @Test("the proof gives equal digests for any workers and a restart, and other digests for another seed")
  func proof() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    func request(seed: UInt64) throws -> RunRequest {
      var configuration = try SmallRun.configuration(data: folder("data.h5"), optimizer: SmallRun.adam)
      configuration.seed = seed
      return RunRequest(
        configuration: configuration, resolvedConfiguration: "", directory: folder("none"), workers: 1)
    }
    let proof = try ExactnessProof(try request(seed: 7), stop: StopRequest())
    let digests = try proof.digests(.init(workers: 1), steps: 12)
    #expect(digests.count == 13 && Set(digests).count == 13)
    for workers in [2, 3, 8] { #expect(try proof.digests(.init(workers: workers), steps: 12) == digests) }
    #expect(
      try proof.digests(.init(workers: 2), steps: 12, restart: .init(after: 7, .init(workers: 3))) == digests)
    // Between two epochs.
    #expect(
      try proof.digests(.init(workers: 2), steps: 12, restart: .init(after: 5, .init(workers: 1))) == digests)
    // The epochs end after 15 steps.
    #expect(try proof.digests(.init(workers: 2), steps: 100).count == 16)
    let other = try ExactnessProof(try request(seed: 8), stop: StopRequest()).digests(
      .init(workers: 1), steps: 12)
    #expect(zip(digests, other).allSatisfy { $0 != $1 })
    #expect(!FileManager.default.fileExists(atPath: folder("none")))
  }
}
