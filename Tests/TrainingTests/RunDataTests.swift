import Datasets
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("The data of a run")
struct RunDataTests {
  private static func error(_ body: () throws -> Void) -> TrainingError? {
    do { try body() } catch { return error as? TrainingError }
    return nil
  }

  // MARK: - Memory

  @Test("training and test samples keep to the limit on memory together, whatever their sizes")
  func shares() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<2000 {
      let limit = Int(random.next() % 1000) + 1
      let (training, test) = (Int(random.next() % 1500), Int(random.next() % 1500))
      let readers = Int(random.next() % 2) + 1
      let share = RunData.shares(of: limit, training: training, test: test, readers: readers)
      #expect(share.training >= 0 && share.test >= 0)
      // What fits its share is resident, the rest has windows as large as the share, one for each reader.
      let fits = training <= share.training
      let taken = fits ? training : share.training * readers
      #expect(taken + min(test, share.test) <= limit, "\(limit) \(training) \(test) \(readers): \(share)")
      #expect(fits == (training <= limit))
      if training + test <= limit { #expect(test <= share.test) }
    }
    #expect(RunData.shares(of: .max, training: 10, test: 5, readers: 1).test >= 5)
  }

  @Test("two files that fit the limit one by one, and not together, are not both kept in memory")
  func together() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    var configuration = try SmallRun.configuration(data: folder("data.h5"))
    let bytes = 45 * 72
    for (limit, expected) in [
      (2 * bytes, [true, true]), (2 * bytes - 1, [true, false]), (bytes - 1, [false, false]),
    ] {
      configuration.data.memoryLimitBytes = limit
      let data = try RunData(configuration, workers: 1, stop: StopRequest())
      #expect([data.training.isResident, data.test?.isResident] == expected)
      #expect(data.memoryByteCount <= limit && (limit < 2 * bytes || data.memoryByteCount == 2 * bytes))
    }
  }

  // MARK: - Going on with data

  private static func train(
    _ configuration: RunConfiguration, in directory: String, verifies: Bool = false, allows: Bool = false
  ) throws -> [String] {
    let record = Recorder(stopAfter: 1)
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: directory, workers: 1,
      allowChanges: allows, verifiesData: verifies)
    _ = try Run(request, stop: record.stop, observer: record).train()
    return record.warnings
  }

  /// Puts other digests of the data into the newest checkpoint.
  private static func rewrite(_ directory: String, _ change: (inout [String: String]) -> Void) throws {
    let (path, checkpoint) = try #require(try CheckpointStore(folder: "\(directory)/checkpoints").newest())
    var identity = checkpoint.identity
    change(&identity.datasets)
    let changed = Checkpoint(
      network: checkpoint.network, name: checkpoint.name, progress: checkpoint.progress, identity: identity,
      values: checkpoint.values, optimizer: SmallRun.sgd, slots: checkpoint.slots)
    try CheckpointFile.write(changed, to: path)
  }

  private static func identity(_ directory: String) throws -> RunIdentity {
    try #require(try CheckpointStore(folder: "\(directory)/checkpoints").newest()).checkpoint.identity
  }

  @Test("a run goes on with a file that was repacked, to the same bytes")
  func repacked() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let configuration = try SmallRun.configuration(data: folder("data.h5"))
    #expect(try SmallRun.train(configuration, in: folder("whole")).complete)
    #expect(try !SmallRun.train(configuration, in: folder("run"), stopAfter: 4).complete)
    // Compressed, in chunks, with labels of another type.
    let (images, labels) = try { () -> ([UInt8], [UInt8]) in
      let root = try HDF5.File.open(folder("data.h5")).root
      return (try root.dataset("images").read(UInt8.self), try root.dataset("labels").read(UInt8.self))
    }()
    let file = try HDF5.File.create(folder("data.h5"), overwrite: true)
    try file.root.makeDataset(
      "images", type: .uint8, shape: [83, 9, 8, 1], chunks: [10, 9, 8, 1], deflateLevel: 6
    ).write(images)
    try file.root.makeDataset("labels", type: .int64, shape: [83]).write(labels.map { Int64($0) })
    try file.close()
    #expect(try SmallRun.train(configuration, in: folder("run")).complete)
    #expect(try SmallRun.digests(in: folder("run")) == SmallRun.digests(in: folder("whole")))
    // Data too large to be read whole is known by a digest of some samples alone.
    let (packed, plain) = try (configuration, SmallRun.configuration(data: folder("plain.h5")))
    try SmallRun.writeDataset(folder("plain.h5"), count: 83)
    func text(_ digest: DataDigest, _ configuration: RunConfiguration) throws -> String {
      try digest.text(of: RunData(configuration, workers: 1, stop: StopRequest()).training)
    }
    #expect(try text(.sample, packed) == text(.sample, plain))
    #expect(try text(.stored, packed) != text(.stored, plain))
  }

  @Test("a checkpoint of an earlier version is compared by what it has")
  func earlier() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let configuration = try SmallRun.configuration(data: folder("data.h5"))
    _ = try Self.train(configuration, in: folder("run"))
    let data = try RunData(configuration, workers: 1, stop: StopRequest())
    let stored = try DataDigest.stored.text(of: data.training)
    try Self.rewrite(folder("run")) { $0 = ["train": stored, "test": stored] }
    #expect(try Self.train(configuration, in: folder("run")).isEmpty)
    // From here on the checkpoints know contents.
    #expect(
      try Self.identity(folder("run")).datasets.keys.sorted() == [
        "test contents", "test sample", "train contents", "train sample",
      ])
    try Self.rewrite(folder("run")) { $0 = ["train": "00", "test": stored] }
    let error = Self.error { _ = try Self.train(configuration, in: folder("run")) }
    #expect(
      error?.kind == .configuration && error?.description.contains("is stored in another way") == true,
      "\(error?.description ?? "")")
  }

  @Test("small data is compared whole without being asked")
  func contents() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 300)
    let configuration = try SmallRun.configuration(data: folder("data.h5"))
    _ = try Self.train(configuration, in: folder("run"))
    let file = try HDF5.File.open(folder("data.h5"))
    guard case .contiguous(let place?) = try file.root.dataset("images").layout() else {
      Issue.record("the images are not stored in one piece")
      return
    }
    // Sample 1 is not among the 64 that the quick digest looks at.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder("data.h5")))
    bytes[place + 72 + 5] ^= 1
    try bytes.write(to: URL(fileURLWithPath: folder("data.h5")))
    let error = Self.error { _ = try Self.train(configuration, in: folder("run")) }
    #expect(error?.description.contains("the train data is not the same") == true)
    #expect(error?.description.contains("the test data is not the same") == true)
  }

  @Test("--verify-data with nothing to compare with says so and ends, unless changes are allowed")
  func nothingToCompare() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 83)
    let configuration = try SmallRun.configuration(data: folder("data.h5"))
    _ = try Self.train(configuration, in: folder("run"))
    // As of data that was too large to be read whole.
    func forget() throws {
      try Self.rewrite(folder("run")) { $0 = $0.filter { !$0.key.hasSuffix("contents") } }
    }
    try forget()
    let error = Self.error { _ = try Self.train(configuration, in: folder("run"), verifies: true) }
    #expect(error?.kind == .configuration)
    #expect(
      error?.description.contains("nothing to compare the train and test data with") == true,
      "\(error?.description ?? "")")
    let warnings = try Self.train(configuration, in: folder("run"), verifies: true, allows: true)
    #expect(warnings.contains { $0.contains("later starts are compared") }, "\(warnings)")
    #expect(try Self.train(configuration, in: folder("run"), verifies: true).isEmpty)
  }

  @Test("a digest of contents stays over starts that take none, as long as the data seems the same")
  func kept() {
    let digests = DataDigests(values: ["train sample": "a"])
    #expect(digests.merged(with: ["train sample": "a", "train contents": "x"])["train contents"] == "x")
    #expect(digests.merged(with: ["train sample": "b", "train contents": "x"])["train contents"] == nil)
    #expect(digests.merged(with: ["train": "old"]) == ["train sample": "a"])
  }

  // MARK: - Tables

  @Test(
    "of epochs that are equally good the first is the best, in the state, the table and the checkpoint that is taken"
  )
  func ties() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    // Nothing moves, so that all epochs are the same.
    let configuration = try SmallRun.configuration(
      data: folder("data.h5"), epochs: 5, optimizer: .sgd(SGD(learningRate: 0)),
      checkpoints: CheckpointConfiguration(every: .epochs(1), keep: .init(last: 2, best: 1)))
    #expect(try SmallRun.train(configuration, in: folder("run")).complete)
    #expect(RunState.read(directory: folder("run"))?.bestEpoch == 1)
    #expect(try CheckpointStore.choose(folder("run")).checkpoint.progress.epoch == 1)
    #expect(RunPath.resolve("\(folder("run"))/best").hasSuffix(CheckpointStore.fileName(step: 3)))
    #expect(RunPath.resolve("\(folder("run"))/last").hasSuffix(CheckpointStore.fileName(step: 15)))
    #expect(RunPath.resolve("\(folder.path)/best/") == folder("run"))
    #expect(RunPath.resolve(folder.path) == folder("run"))
    #expect(RunPath.resolve(folder.path, takesFolders: false) == folder.path)
    #expect(RunPath.resolve(folder("none")) == folder("none"))
  }

  @Test("a run with samples held out that goes on for longer ends with the table of one that was meant to")
  func longer() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 60)
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 4)
    configuration.data.validation = HeldOut(.count(20))
    #expect(try SmallRun.train(configuration, in: folder("whole")).complete)
    configuration.training.epochs = 2
    #expect(try SmallRun.train(configuration, in: folder("run")).complete)
    let short = try #require(RunTable.epochs(ofRun: folder("run")))
    #expect(short.numbers("test_loss").map { $0 != nil } == [false, true])
    // Started again without more to do, it keeps what it has.
    #expect(try SmallRun.train(configuration, in: folder("run")).complete)
    #expect(RunTable.epochs(ofRun: folder("run")) == short)
    configuration.training.epochs = 4
    #expect(try SmallRun.train(configuration, in: folder("run")).complete)
    #expect(try FeatureRunTests.rows(folder("run")) == FeatureRunTests.rows(folder("whole")))
  }

  // MARK: - Pixels

  @Test("a run and its checkpoints know the range of the pixels that they were trained on")
  func pixels() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 30)
    _ = try Self.train(SmallRun.configuration(data: folder("data.h5")), in: folder("run"))
    let bytes = try HDF5.File.open(folder("data.h5")).root.dataset("images").read(UInt8.self)
    #expect(
      try Self.identity(folder("run")).pixels
        == PixelSpan(.uint8, low: Float(bytes.min() ?? 0), high: Float(bytes.max() ?? 0)))
  }

  private static func warning(_ specs: [LayerSpec], _ pixels: PixelSpan) throws -> String? {
    try Network(inputShape: [6, 6, 1], chain: specs).resolved().warning(ofPixels: pixels)
  }

  @Test("numbers that a first layer of weights gets much too small or too large are warned of")
  func warnings() throws {
    let unit = PixelSpan(.float32, low: 0, high: 1)
    let rescale = LayerSpec.rescale(Rescale(scale: 1 / 255.0))
    let conv = LayerSpec.conv2D(Conv2D(filters: 2, kernel: Size2D(3)))
    let pool = LayerSpec.maxPool2D(Pool2D(size: Size2D(2)))
    let dense = LayerSpec.dense(Dense(units: 2))
    #expect(try Self.warning([rescale, conv, .flatten, dense], .bytes) == nil)
    #expect(try Self.warning([conv, .flatten, dense], unit) == nil)
    let small = try #require(try Self.warning([rescale, pool, conv, .flatten, dense], unit))
    #expect(small.contains("floats from 0 to 1, and reach layer 'conv2d' as 0 to 0.003922"), "\(small)")
    let large = try #require(try Self.warning([.flatten, dense], .bytes))
    #expect(
      large.contains("reach layer 'dense' as 0 to 255") && large.contains("rescale: {scale: 1/255}"),
      "\(large)")
    // What normalises, or looks numbers up, takes them of any size.
    #expect(try Self.warning([.batchNorm(BatchNorm()), conv, .flatten, dense], .bytes) == nil)
    // Planes of zeros and ones in bytes are no pictures.
    #expect(try Self.warning([conv, .flatten, dense], PixelSpan(.uint8, low: 0, high: 1)) == nil)
    let shifted = LayerSpec.rescale(Rescale(scale: 1 / 127.5, offset: -1))
    #expect(try Self.warning([shifted, conv, .flatten, dense], .bytes) == nil)
    #expect(try Self.warning([shifted, conv, .flatten, dense], unit) == nil)
  }
}
