import Compute
import Datasets
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

/// Trainings on other things than one class for each sample.
@Suite("Targets, weights and losses in training")
struct TargetTests {
  /// A loss with what it is compared with.
  struct Case: Sendable, CustomStringConvertible {
    let loss: Loss
    let target: TargetName
    let outputs: Int
    var monitor = MonitoredFigure.loss
    var classWeights = ClassWeights.equal
    var weights: String? = "weights"
    var metrics: [Metric]?

    var description: String { "\(loss.name) of \(target.name)" }
  }

  static let cases: [Case] = [
    Case(
      loss: .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: 0.1)), target: .labels("labels"),
      outputs: 5,
      monitor: .metric(.f1), classWeights: .balanced,
      metrics: [.accuracy, .topAccuracy(2), .precision, .recall, .f1]),
    Case(
      loss: .softmaxCrossEntropy(SoftmaxCrossEntropy()), target: .values("shares"), outputs: 5, weights: nil),
    Case(
      loss: .sigmoidCrossEntropy(SigmoidCrossEntropy(labelSmoothing: 0.05)), target: .values("flags"),
      outputs: 3,
      monitor: .metric(.exactMatch), classWeights: .given([1, 2, 0.5]), metrics: [.exactMatch, .f1]),
    Case(loss: .meanSquaredError, target: .values("numbers"), outputs: 2, monitor: .metric(.r2)),
    Case(
      loss: .meanAbsoluteError, target: .values("numbers"), outputs: 2,
      monitor: .metric(.meanAbsoluteError)),
    Case(loss: .huber(Huber(delta: 0.5)), target: .values("angle"), outputs: 1),
    Case(loss: .meanSquaredError, target: .labels("labels"), outputs: 5, monitor: .accuracy),
  ]

  /// The pictures of ``SmallRun`` with every kind of target.
  ///
  /// - Parameter more: writes further datasets.
  static func writeDataset(_ path: String, count: Int, more: (Group) throws -> Void = { _ in }) throws {
    let plain = "\(path).labels"
    try SmallRun.writeDataset(plain, count: count)
    let dataset = try ImageDataset(path: plain, images: "images", labels: "labels")
    let labels = dataset.labels.map { Int($0) }
    let samples = try dataset.samples(Array(0..<count))
    var images = [UInt8]()
    for index in 0..<count { samples.withSample(index) { images += $0 } }
    let file = try HDF5.File.create(path)
    do {
      let root = try file.root
      try root.makeDataset("images", type: .uint8, shape: [count, 9, 8, 1]).write(images)
      try root.makeDataset("labels", type: .uint8, shape: [count]).write(labels.map { UInt8($0) })
      try root.makeDataset("weights", type: .float64, shape: [count]).write(
        labels.indices.map { Double($0 % 4) / 2 })
      try root.makeDataset("flags", type: .uint8, shape: [count, 3]).write(
        labels.flatMap { [UInt8($0 & 1), UInt8($0 >> 1 & 1), $0 > 2 ? 1 : 0] })
      try root.makeDataset("numbers", type: .float64, shape: [count, 2]).write(
        labels.flatMap { [Double($0) - 2, 0.5 * Double($0 * $0)] })
      try root.makeDataset("angle", type: .float32, shape: [count]).write(labels.map { Float($0) / 3 })
      try root.makeDataset("shares", type: .float32, shape: [count, 5]).write(
        labels.flatMap { label in (0..<5).map { $0 == label ? 0.75 : 0.0625 as Float } })
      try more(root)
    }
    try file.close()
  }

  static func configuration(_ item: Case, data: String, epochs: Int = 2) throws -> RunConfiguration {
    var configuration = try SmallRun.configuration(data: data, epochs: epochs, optimizer: SmallRun.adam)
    let source = SampleSource(file: data, images: "images", target: item.target, weights: item.weights)
    configuration.data.train = source
    configuration.data.test = source
    let chain: [LayerSpec] = [
      .rescale(Rescale(scale: 1 / 255.0)),
      .conv2D(Conv2D(filters: 5, kernel: Size2D(3), activation: .relu)),
      .maxPool2D(Pool2D(size: Size2D(2))), .dropout(Dropout(rate: 0.1)), .flatten,
      .dense(Dense(units: item.outputs)),
    ]
    configuration.network = try Network(inputShape: [9, 8, 1], chain: chain)
    configuration.training.loss = item.loss
    configuration.training.metrics = item.metrics
    configuration.training.monitor = item.monitor
    configuration.training.classWeights = item.classWeights
    return configuration
  }

  @Test(
    "workers, streaming and restarts in mid-epoch change no bit, and no figure in the table", arguments: cases
  )
  func exactness(item: Case) throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 43)
    var configuration = try Self.configuration(item, data: folder("data.h5"))
    configuration.training.augmentation = Augmentation([
      .flipHorizontal(Flip(probability: 0.5, answer: .nowhere)), .mixup(Mixup(alpha: 0.5, probability: 0.5)),
    ])
    let whole = folder("whole")
    #expect(try SmallRun.train(configuration, in: whole, workers: 1).complete)
    let expected = try SmallRun.digests(in: whole)
    #expect(expected.count == 6)
    configuration.data.memoryLimitBytes = 1000
    let streamed = folder("streamed")
    #expect(try SmallRun.train(configuration, in: streamed, workers: 3).complete)
    #expect(try SmallRun.digests(in: streamed) == expected)
    let pieces = folder("pieces")
    var restarts = 0
    while try !SmallRun.train(configuration, in: pieces, workers: 1 + restarts % 3, stopAfter: 1).complete {
      restarts += 1
    }
    #expect(restarts == 6)
    #expect(try SmallRun.digests(in: pieces) == expected)
    let network = try configuration.network.resolved()
    let columns = EpochMetrics.columns(configuration.criterion(of: network).figureNames)
    func rows(_ directory: String) throws -> [[Substring]] {
      try String(contentsOfFile: "\(directory)/metrics.csv", encoding: .utf8).split(separator: "\n").map {
        zip(columns, $0.split(separator: ",", omittingEmptySubsequences: false))
          .filter { !$0.0.contains("second") }.map(\.1)
      }
    }
    #expect(try rows(pieces) == rows(whole))
    #expect(try rows(whole).count == 3)
  }

  @Test(
    "training lowers each loss, and a checkpoint knows its loss and judges as the training did",
    arguments: cases)
  func learns(item: Case) throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 60)
    var configuration = try Self.configuration(item, data: folder("data.h5"), epochs: 12)
    configuration.checkpoints = CheckpointConfiguration(every: .epochs(1), keep: .init(last: 2, best: 1))
    let (complete, record) = try SmallRun.train(configuration, in: folder("run"), workers: 2)
    #expect(complete)
    let losses = record.epochs.compactMap { $0.test?.meanLoss }
    #expect((losses.last ?? .infinity) < 0.95 * losses[0])

    let checkpoint = try #require(
      try CheckpointStore(folder: folder("run/checkpoints")).newest()?.checkpoint)
    let network = checkpoint.network
    #expect(checkpoint.identity.criterion == configuration.criterion(of: network))
    let best = try #require(checkpoint.progress.best)
    let figures = record.epochs.compactMap { $0.test.flatMap(item.monitor.value) }
    #expect(item.monitor.turned(best.score) == (item.monitor.isBetterHigher ? figures.max() : figures.min()))

    let predictor = try Predictor(
      network, values: checkpoint.values, criterion: checkpoint.identity.criterion, sampleCount: 60,
      workers: 2)
    let dataset = try configuration.data.train.open()
    let evaluation = try #require(
      try predictor.evaluate(SampleStore(dataset, memoryLimitByteCount: 1 << 20), stop: StopRequest()))
    let last = try #require(record.epochs.last?.test)
    #expect(last.figures.count == 1 + (item.metrics ?? configuration.criterion(of: network).metrics).count)
    for figure in last.figures {
      let found = evaluation.sums.figures.first { $0.name == figure.name }
      #expect(abs((found?.value ?? .nan) - figure.value) < 1e-4 * max(1, abs(figure.value)), "\(figure.name)")
    }
  }

  @Test("a sample of weight 0 and a class of weight 0 are as if they were not there")
  func zeroWeights() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 40)
    var item = Self.cases[0]
    (item.weights, item.classWeights, item.metrics) = (nil, .given([0, 0, 0, 0, 1]), nil)
    item.monitor = .accuracy
    let configuration = try Self.configuration(item, data: folder("data.h5"), epochs: 20)
    let (_, record) = try SmallRun.train(configuration, in: folder("run"))
    // Only one class is learnt: everything is taken for it.
    let labels = try configuration.data.train.open().labels
    let share = Double(labels.filter { $0 == 4 }.count) / Double(labels.count)
    #expect(record.epochs.last?.test?.accuracy == share)
  }

  @Test("balanced weights give each class the same sum, and the samples a mean of 1")
  func balanced() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 50)
    let dataset = try ImageDataset(path: folder("data.h5"), images: "images", labels: "labels")
    let weights = try LossWeights(.balanced, .classification, dataset, outputs: 5).ofClasses
    let counts = dataset.classCounts()
    #expect(weights.count == 5 && Set(counts).count > 1)
    for (weight, count) in zip(weights, counts) {
      #expect(abs(weight * Double(count) - 10) < 1e-12)
    }
  }

  /// Step by step: training loss and accuracy.
  private static func steps(_ configuration: RunConfiguration, in folder: String) throws -> [[Double]] {
    let (complete, record) = try SmallRun.train(configuration, in: folder)
    #expect(complete)
    return record.epochs.map { [$0.train.meanLoss, $0.train.accuracy ?? .nan, $0.test?.meanLoss ?? .nan] }
  }

  @Test(
    "weights of classes count for shares as for labels: those of the class with the largest",
    arguments: [ClassWeights.given([1, 10, 0.5, 100, 3]), .balanced, .given([0, 0, 1, 1, 1])], [false, true])
  func weightsOfShares(weights: ClassWeights, mixes: Bool) throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 40) { root in
      let labels = try ImageDataset(
        path: folder("data.h5.labels"), images: "images", labels: "labels"
      ).labels
      try root.makeDataset("one_hot", type: .uint8, shape: [40, 5]).write(
        labels.flatMap { label in (0..<5).map { $0 == Int(label) ? 1 as UInt8 : 0 } })
    }
    func steps(_ target: TargetName, _ weights: ClassWeights, _ name: String) throws -> [[Double]] {
      var item = Case(
        loss: .softmaxCrossEntropy(SoftmaxCrossEntropy()), target: target, outputs: 5, weights: nil)
      item.classWeights = weights
      var configuration = try Self.configuration(item, data: folder("data.h5"))
      configuration.training.schedule = ScheduleConfiguration()
      if mixes { configuration.training.augmentation = Augmentation([.mixup(Mixup(alpha: 0.5))]) }
      return try Self.steps(configuration, in: folder(name))
    }
    let expected = try steps(.labels("labels"), weights, "labels")
    let found = try steps(.values("one_hot"), weights, "targets")
    expectClose(found.flatMap { $0 }, expected.flatMap { $0 }, absolute: 1e-6, relative: 1e-4)
    let even = try steps(.values("one_hot"), .equal, "even")
    #expect(abs(even[0][0] - expected[0][0]) > 1e-3)
    // Of shares that are not whole the largest decides, with the others' smoothing.
    let shares = try steps(.values("shares"), weights, "shares")
    #expect(abs(shares[0][0] - (try steps(.values("shares"), .equal, "even shares"))[0][0]) > 1e-3)
  }

  @Test("a mixture weighs what its two samples weigh in their shares, and its loss is shared out by both")
  func weightsOfMixtures() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 20)
    let dataset = try ImageDataset(path: folder("data.h5"), images: "images", labels: "labels")
    let minibatch = try dataset.samples(Array(0..<20))
    let weights = [1.0, 2, 4, 8, 16]
    let augmenter = Augmenter(Augmentation([.mixup(Mixup(alpha: 1))]), sampleShape: [9, 8, 1], seed: 3)
    let shard = AugmentedShard(
      shard: MinibatchShard(minibatch: minibatch, range: 4..<18, classWeights: weights), augmenter: augmenter)
    var unlike = 0
    for index in 0..<14 {
      let mixture = try #require(augmenter.mixture(4 + index, of: minibatch))
      let share = Double(mixture.share)
      let own = weights[Int(dataset.labels[4 + index])]
      let other = weights[Int(dataset.labels[mixture.partner])]
      let whole = share * own + (1 - share) * other
      #expect(abs(shard.weight(at: index) - whole) < 1e-9 * whole)
      guard own != other else {
        #expect(shard.weighedShare(at: index) == nil)
        continue
      }
      unlike += 1
      let weighed = try #require(shard.weighedShare(at: index))
      #expect(abs(Double(weighed) - share * own / whole) < 1e-6)
    }
    #expect(unlike > 5)
  }

  @Test("balanced weights cannot be had of several labels for a sample")
  func balancedLabels() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 20)
    var item = Self.cases[2]
    item.classWeights = .balanced
    let configuration = try Self.configuration(item, data: folder("data.h5"))
    let error = #expect(throws: TrainingError.self) {
      try SmallRun.train(configuration, in: folder("run"))
    }
    #expect(error?.description.contains("has several labels") == true)
  }

  @Test("figures of mixtures count a sample once, whatever its class or itself weighs")
  func evenFigures() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 60)
    func figures(_ weights: ClassWeights, _ own: String?, _ name: String) throws -> [Double?] {
      var item = Self.cases[0]
      (item.classWeights, item.weights) = (weights, own)
      var configuration = try Self.configuration(item, data: folder("data.h5"), epochs: 1)
      // So slow that the network stays as it is, and the figures are those of the same outputs.
      configuration.training.optimizer = .sgd(SGD(learningRate: 1e-20))
      configuration.training.augmentation = Augmentation([.mixup(Mixup(alpha: 1))])
      let train = try #require(try SmallRun.train(configuration, in: folder(name)).record.epochs.first?.train)
      return (item.metrics ?? []).map { train.figure($0) }
    }
    let even = try figures(.equal, nil, "even")
    #expect(even.count == 5 && even.allSatisfy { $0 != nil })
    #expect(try figures(.given([1, 100, 1, 1, 1]), nil, "up") == even)
    #expect(try figures(.given([100, 1, 0.01, 3, 1]), nil, "down") == even)
    #expect(try figures(.equal, "weights", "samples") == even)
  }

  @Test("targets may have the shape of the samples: row by row, channels innermost")
  func shapedTargets() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5.File.create(folder("data.h5"))
    do {
      let root = try file.root
      try root.makeDataset("images", type: .uint8, shape: [2, 2, 3, 1]).write(
        [UInt8](repeating: 1, count: 12))
      try root.makeDataset("map", type: .float32, shape: [2, 2, 3]).write((0..<12).map { Float($0) })
      try root.makeDataset("planes", type: .float32, shape: [2, 2, 3, 2]).write((0..<24).map { Float($0) })
    }
    try file.close()
    for (name, width) in [("map", 6), ("planes", 12)] {
      let dataset = try ImageDataset(path: folder("data.h5"), images: "images", target: .values(name))
      #expect(dataset.classCount == width)
      let table = try #require(dataset.targets)
      #expect(Array(table[1]) == (width..<2 * width).map { Float($0) })
    }
  }

  @Test(
    "targets that do not fit are told in one line, with the sample",
    arguments: [
      ("short", "has 3 targets", false), ("deep", "has 2 numbers for each sample", true),
      ("nan", "sample 2 of \"nan\"", false),
      ("numbers", "has 2 numbers for each sample", true), ("threes", "takes 0 or 1", false),
    ])
  func badTargets(name: String, text: String, isOfConfiguration: Bool) throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 20) { root in
      try root.makeDataset("short", type: .float32, shape: [3, 3]).write([Float](repeating: 0, count: 9))
      try root.makeDataset("deep", type: .float32, shape: [20, 1, 2]).write([Float](repeating: 0, count: 40))
      var values = [Float](repeating: 0, count: 60)
      values[5] = 3
      try root.makeDataset("threes", type: .float32, shape: [20, 3]).write(values)
      values[7] = .nan
      try root.makeDataset("nan", type: .float32, shape: [20, 3]).write(values)
    }
    let item = Case(
      loss: .sigmoidCrossEntropy(SigmoidCrossEntropy()), target: .values(name), outputs: 3, weights: nil)
    let configuration = try Self.configuration(item, data: folder("data.h5"))
    let error = #expect(throws: (any Error).self) {
      try SmallRun.train(configuration, in: folder("run"))
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains(text), "\(error.map { "\($0)" } ?? "")")
    let kind = (error as? TrainingError)?.kind
    if isOfConfiguration {
      #expect(kind == .configuration)
    } else {
      #expect(kind == .badData || (error as? DatasetError)?.kind == .badData)
    }
  }

  @Test(
    "weights that are negative, missing or all zero are told",
    arguments: [
      ([1, -1, 1], "has weight -1"), ([0, 0, 0], "are 0"), ([1, 1], "has 2 weights"), ([1, .nan, 1], "nan"),
    ] as [([Float], String)])
  func badWeights(weights: [Float], text: String) throws {
    let folder = try TemporaryFolder()
    let file = try HDF5.File.create(folder("data.h5"))
    do {
      let root = try file.root
      try root.makeDataset("images", type: .uint8, shape: [3, 2, 2, 1]).write(
        [UInt8](repeating: 1, count: 12))
      try root.makeDataset("labels", type: .uint8, shape: [3]).write([UInt8](repeating: 0, count: 3))
      try root.makeDataset("weights", type: .float32, shape: [weights.count]).write(weights)
    }
    try file.close()
    let error = #expect(throws: DatasetError.self) {
      try ImageDataset(
        path: folder("data.h5"), images: "images", target: .labels("labels"), weights: "weights")
    }
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
  }

  @Test("the fingerprint changes with targets and with weights")
  func fingerprint() throws {
    let folder = try TemporaryFolder()
    try Self.writeDataset(folder("data.h5"), count: 20)
    func bytes(_ target: TargetName, _ weights: String?) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try ImageDataset(path: folder("data.h5"), images: "images", target: target, weights: weights)
        .feedSample { bytes += $0 }
      return bytes
    }
    let all = [
      try bytes(.labels("labels"), nil), try bytes(.labels("labels"), "weights"),
      try bytes(.values("numbers"), nil), try bytes(.values("numbers"), "weights"),
      try bytes(.values("angle"), nil),
    ]
    #expect(Set(all).count == all.count)
  }
}
