import Compute
import Datasets
import Digests
import Foundation
import Glibc
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Bad numbers")
struct NonFiniteTests {
  static func configuration(_ data: String, rate: Double) throws -> RunConfiguration {
    try SmallRun.configuration(
      data: data, optimizer: .sgd(SGD(learningRate: rate)))
  }

  @Test("a loss that is not finite ends the training in its step and names place and layer")
  func stop() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    let configuration = try Self.configuration(folder("data.h5"), rate: 1e30)
    let error = RunTests.error { try SmallRun.train(configuration, in: folder("run")) }
    #expect(error?.kind == .notFinite)
    let text = error?.description ?? ""
    #expect(
      text.contains("not finite in step ") && text.contains("epoch 1, samples ") && text.contains("layer '"))
    // The checkpoint before the bad step is there and intact.
    let newest = try CheckpointStore(folder: folder("run/checkpoints")).newest()
    #expect(newest?.checkpoint.values.trainable.array().allSatisfy(\.isFinite) == true)
  }

  /// A network in which numbers go bad on the way back, in a layer without parameters, behind a convolution that has some.
  static func configurationWithOverflow(_ data: String) throws -> RunConfiguration {
    var configuration = try Self.configuration(data, rate: 1e-30)
    let source = SampleSource(file: data, images: "images", target: .values("huge"))
    configuration.data = DataConfiguration(train: source)
    configuration.training.loss = .meanSquaredError
    configuration.training.monitor = .loss
    configuration.network = try Network(
      inputShape: [9, 8, 1],
      chain: [
        .rescale(Rescale(scale: 1 / 255.0)),
        .conv2D(Conv2D(filters: 5, kernel: Size2D(3), activation: .relu)),
        .rescale(Rescale(scale: 1e-30)), .maxPool2D(Pool2D(size: Size2D(2))), .rescale(Rescale(scale: 1e30)),
        .flatten, .dense(Dense(units: 1)),
      ])
    return configuration
  }

  @Test(
    "a gradient that overflows in a layer without parameters is found there, and not at the next that has some",
    arguments: [NonFinitePolicy.stop, .skip(atMost: 0)])
  func layerWithoutParameters(policy: NonFinitePolicy) throws {
    let folder = try TemporaryFolder()
    try TargetTests.writeDataset(folder("data.h5"), count: 45) { root in
      // Their squares are finite; the loss's gradient times 1e30 is not.
      try root.makeDataset("huge", type: .float32, shape: [45]).write([Float](repeating: 1e12, count: 45))
    }
    var configuration = try Self.configurationWithOverflow(folder("data.h5"))
    configuration.training.nonFinite = policy
    let error = RunTests.error { try SmallRun.train(configuration, in: folder("run")) }
    #expect(error?.kind == .notFinite)
    let text = error?.description ?? ""
    #expect(text.contains("the gradient of 'conv2d/") && text.contains("in step 1"), "\(text)")
    #expect(text.contains("layer 'rescale_2' (backward-data)"), "\(text)")
  }

  @Test(
    "a gradient over a whole minibatch that overflows is found in the shard and the layer where it did",
    arguments: [NonFinitePolicy.stop, .skip(atMost: 0)])
  func gathered(policy: NonFinitePolicy) throws {
    let folder = try TemporaryFolder()
    try TargetTests.writeDataset(folder("data.h5"), count: 45) { root in
      try root.makeDataset("huge", type: .float32, shape: [45]).write([Float](repeating: 1e12, count: 45))
    }
    try "dense/gradient minibatch\n".write(
      toFile: folder("kernels.txt"), atomically: true, encoding: .utf8)
    var configuration = try Self.configurationWithOverflow(folder("data.h5"))
    configuration.network = try Network(
      inputShape: [9, 8, 1],
      chain: [
        .rescale(Rescale(scale: 1 / 255.0)), .flatten, .dense(Dense(units: 5, activation: .sigmoid)),
        .rescale(Rescale(scale: 1e-30)), .dropout(Dropout(rate: 0)), .rescale(Rescale(scale: 1e30)),
        .dense(Dense(units: 1)),
      ])
    configuration.training.tuning = .file(folder("kernels.txt"))
    configuration.training.nonFinite = policy
    let error = RunTests.error { try SmallRun.train(configuration, in: folder("run")) }
    #expect(error?.kind == .notFinite)
    let text = error?.description ?? ""
    #expect(text.contains("the gradient of 'dense/") && text.contains("in step 1"), "\(text)")
    #expect(text.contains("samples 0 to 5 ") && text.contains("layer 'rescale_2' (backward-data)"), "\(text)")
  }

  @Test("skipping leaves the parameters alone, counts, and stops at the limit")
  func skip() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    var configuration = try Self.configuration(folder("data.h5"), rate: 1e30)
    configuration.training.nonFinite = .skip(atMost: 3)
    let record = Recorder()
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "", directory: folder("run"), workers: 2)
    let run = try Run(request, stop: record.stop, observer: record)
    let error = RunTests.error { _ = try run.train() }
    #expect(error?.kind == .notFinite)
    #expect(record.warnings.count == 3 && record.warnings.last?.contains("3 of at most 3") == true)
    #expect(run.progress.skippedSteps == 3)
    let store = CheckpointStore(folder: folder("run/checkpoints"))
    let values = try store.entries().prefix(3).map {
      try CheckpointFile.read($0.path).values.trainable.array()
    }
    #expect(values.count == 3)
    #expect(values.allSatisfy { $0 == values[0] && $0.allSatisfy(\.isFinite) })
  }

  @Test(
    "parameters that an update made infinite are never saved: the training ends and the checkpoint before stays"
  )
  func infiniteParameters() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    // A finite gradient times this rate is more than a Float holds.
    let configuration = try Self.configuration(folder("data.h5"), rate: 3e38)
    let error = RunTests.error { try SmallRun.train(configuration, in: folder("run")) }
    #expect(error?.kind == .notFinite, "\(error?.description ?? "no error")")
    let entries = try CheckpointStore(folder: folder("run/checkpoints")).entries()
    #expect(!entries.isEmpty, "the checkpoint before is gone")
    for entry in entries {
      let checkpoint = try CheckpointFile.read(entry.path)
      let slots = checkpoint.slots.flatMap { $0.values.array() }
      let isFinite = (checkpoint.values.trainable.array() + slots).allSatisfy(\.isFinite)
      #expect(isFinite, "step \(entry.step)")
    }
  }

  @Test("taking the gradient whole first gives the same bits as taking it slice by slice")
  func twoPasses() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    var configuration = try SmallRun.configuration(data: folder("data.h5"))
    try SmallRun.train(configuration, in: folder("fused"), workers: 2)
    configuration.training.nonFinite = .skip(atMost: 1)
    try SmallRun.train(configuration, in: folder("whole"), workers: 2)
    configuration.training.nonFinite = .stop
    configuration.training.clipping = .norm(1e9)
    try SmallRun.train(configuration, in: folder("unclipped"), workers: 2)
    let digests = try SmallRun.digests(in: folder("fused"))
    #expect(digests.count == 9)
    #expect(try SmallRun.digests(in: folder("whole")) == digests)
    #expect(try SmallRun.digests(in: folder("unclipped")) == digests)
    configuration.training.clipping = .norm(0.1)
    try SmallRun.train(configuration, in: folder("clipped"), workers: 2)
    #expect(try SmallRun.digests(in: folder("clipped")) != digests)
  }

  @Test("clipping by norm and by value gives the same bytes on any number of workers")
  func clippingExact() throws {
    let folder = try TemporaryFolder()
    try SmallRun.writeDataset(folder("data.h5"), count: 45)
    for (name, clipping) in [("norm", GradientClipping.norm(0.05)), ("value", .value(0.01))] {
      var configuration = try SmallRun.configuration(data: folder("data.h5"))
      configuration.training.clipping = clipping
      var digests: [[Int: SHA256.Digest]] = []
      for workers in [1, 3] {
        try SmallRun.train(configuration, in: folder("\(name)-\(workers)"), workers: workers)
        digests.append(try SmallRun.digests(in: folder("\(name)-\(workers)")))
      }
      #expect(digests[0].count == 9 && digests[0] == digests[1])
    }
  }
}
