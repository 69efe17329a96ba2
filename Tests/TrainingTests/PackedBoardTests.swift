import Compute
import Datasets
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

/// Trainings on samples that are held as bits, and views of boards that are averaged.
@Suite("Boards held as bits in training")
struct PackedBoardTests {
  private static let side = 5
  private static let channels = 11

  /// The same zeros and ones as bits and as bytes.
  private static func writeDatasets(_ packed: String, _ plain: String, count: Int) throws {
    var random = SplitMix64(seed: 9)
    let values = (0..<count * side * side * channels).map { _ in UInt8(random.next(below: 2)) }
    let bytes = (channels + 7) / 8
    var bits = [UInt8](repeating: 0, count: count * side * side * bytes)
    for (index, value) in values.enumerated() where value == 1 {
      let (point, channel) = index.quotientAndRemainder(dividingBy: channels)
      bits[point * bytes + channel / 8] |= 1 << UInt8(channel % 8)
    }
    let labels = (0..<count).map { _ in UInt8(random.next(below: side * side + 1)) }
    for (path, isPacked) in [(packed, true), (plain, false)] {
      let file = try HDF5.File.create(path)
      do {
        let root = try file.root
        let images = try root.makeDataset(
          "images", type: .uint8, shape: [count, side, side, isPacked ? bytes : channels])
        try images.write(isPacked ? bits : values)
        if isPacked { try images.attributes.write("packed_channels", channels) }
        try images.attributes.write("channel_names", (0..<channels).map { "channel \($0)" })
        try root.makeDataset("labels", type: .uint8, shape: [count]).write(labels)
      }
      try file.close()
    }
  }

  private static func configuration(_ data: String, _ steps: [AugmentationStep]) throws -> RunConfiguration {
    var configuration = try SmallRun.configuration(data: data, epochs: 2)
    configuration.network = try Network(
      inputShape: [side, side, channels],
      chain: [
        .conv2D(Conv2D(filters: 6, kernel: Size2D(3), padding: .same, activation: .relu)), .flatten,
        .dense(Dense(units: side * side + 1)),
      ])
    configuration.training.augmentation = Augmentation(steps)
    return configuration
  }

  @Test("bits train to the numbers that bytes train to, on any workers, in memory or streamed")
  func sameNumbers() throws {
    let folder = try TemporaryFolder()
    try Self.writeDatasets(folder("packed.h5"), folder("plain.h5"), count: 43)
    for (index, steps) in [[], [AugmentationStep.boardSymmetry(RandomSymmetry())]].enumerated() {
      func losses(_ data: String, _ name: String, workers: Int, memory: Int? = nil) throws -> [Double] {
        var configuration = try Self.configuration(folder(data), steps)
        if let memory { configuration.data.memoryLimitBytes = memory }
        let (complete, record) = try SmallRun.train(
          configuration, in: folder("\(name)\(index)"), workers: workers)
        #expect(complete)
        return record.epochs.flatMap { [$0.train.meanLoss, $0.test?.meanLoss ?? .nan] }
      }
      let plain = try losses("plain.h5", "plain", workers: 1)
      #expect(plain.count == 4 && plain[2] < plain[0])
      #expect(try losses("packed.h5", "packed", workers: 1) == plain)
      #expect(try losses("packed.h5", "three", workers: 3) == plain)
      #expect(try losses("packed.h5", "streamed", workers: 2, memory: 1000) == plain)
    }
  }

  @Test("checkpoints keep the names of channels")
  func channelNames() throws {
    let folder = try TemporaryFolder()
    try Self.writeDatasets(folder("packed.h5"), folder("plain.h5"), count: 20)
    try SmallRun.train(try Self.configuration(folder("packed.h5"), []), in: folder("run"))
    let (_, checkpoint) = try CheckpointStore.choose(folder("run")) { _ in }
    #expect(checkpoint.identity.channelNames == (0..<Self.channels).map { "channel \($0)" })
  }

  @Test(
    "the mean over eight views is that of boards turned by hand, with outputs turned back, and a pass stays")
  func eightViews() throws {
    let folder = try TemporaryFolder()
    try Self.writeDatasets(folder("packed.h5"), folder("plain.h5"), count: 6)
    let network = try Self.configuration(folder("packed.h5"), []).network.resolved()
    let values = ParameterLayout(network).initialValues(seed: 4)
    let predictor = try Predictor(network, values: values, sampleCount: 6, workers: 2)
    let source = SampleSource(file: folder("packed.h5"), images: "images", labels: "labels")
    let samples = try source.open().samples(Array(0..<6))
    let (n, c) = (Self.side, Self.channels)
    let outputs = n * n + 1
    var expected = [Double](repeating: 0, count: 6 * outputs)
    for symmetry in 0..<8 {
      /// Where a point goes.
      func place(_ row: Int, _ column: Int) -> Int {
        var (row, column) = symmetry & 4 != 0 ? (column, row) : (row, column)
        if symmetry & 2 != 0 { row = n - 1 - row }
        if symmetry & 1 != 0 { column = n - 1 - column }
        return row * n + column
      }
      var turned = [UInt8](repeating: 0, count: 6 * n * n * c)
      for sample in 0..<6 {
        samples.withSample(sample) { bytes in
          for row in 0..<n {
            for column in 0..<n {
              for channel in 0..<c {
                turned[(sample * n * n + place(row, column)) * c + channel] =
                  bytes[(row * n + column) * c + channel]
              }
            }
          }
        }
      }
      let logits = try #require(try predictor.logits(pixels: turned, stop: StopRequest()))
      for sample in 0..<6 {
        for row in 0..<n {
          for column in 0..<n {
            expected[sample * outputs + row * n + column] +=
              Double(logits[sample * outputs + place(row, column)]) / 8
          }
        }
        expected[sample * outputs + n * n] += Double(logits[sample * outputs + n * n]) / 8
      }
    }
    let found = try #require(try predictor.logits(samples, stop: StopRequest(), flips: .eight))
    expectClose(found, expected.map(Float.init), absolute: 1e-5)
    #expect(predictor.problem(of: .eight, answer: nil) == nil)
    let plain = try #require(try predictor.logits(samples, stop: StopRequest()))
    #expect(zip(found, plain).contains { abs($0 - $1) > 1e-3 })
  }

  @Test("ranks count the classes that come before the right one")
  func ranks() throws {
    let folder = try TemporaryFolder()
    try Self.writeDatasets(folder("packed.h5"), folder("plain.h5"), count: 30)
    let network = try Self.configuration(folder("packed.h5"), []).network.resolved()
    let values = ParameterLayout(network).initialValues(seed: 4)
    let predictor = try Predictor(network, values: values, sampleCount: 30, workers: 1)
    let dataset = try SampleSource(file: folder("packed.h5"), images: "images", labels: "labels").open()
    let store = try SampleStore(dataset, memoryLimitByteCount: 1 << 20)
    let evaluation = try #require(try predictor.evaluate(store, stop: StopRequest()))
    let logits = try #require(try predictor.logits(dataset.samples(Array(0..<30)), stop: StopRequest()))
    let outputs = Self.side * Self.side + 1
    for sample in 0..<30 {
      let row = Array(logits[sample * outputs..<(sample + 1) * outputs])
      let label = Int(dataset.labels[sample])
      let order = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }
      #expect(Int(evaluation.ranks[sample]) == order.firstIndex(of: label))
    }
  }
}
