import Compute
import Datasets
import Digests
import Foundation
import HDF5
import Networks
import Tensors
import Testing

@testable import Training

@Suite("Checkpoints")
struct CheckpointTests {
  /// A checkpoint with everything in it that can be read back wrongly.
  static func example(step: Int = 12, score: Double? = nil, seed: UInt64 = 1) throws -> Checkpoint {
    let network = try Network(
      inputShape: [5, 6, 2],
      layers: [
        Layer(name: "scale", inputs: ["input"], spec: .rescale(Rescale(scale: 1 / 255.0, offset: -0.5))),
        Layer(
          name: "c1", inputs: ["scale"],
          spec: .conv2D(Conv2D(filters: 4, kernel: Size2D(3), padding: .same, activation: .relu))),
        Layer(name: "bn", inputs: ["c1"], spec: .batchNorm(BatchNorm(epsilon: 1e-5, scale: false))),
        Layer(name: "place", inputs: ["bn"], spec: .positionBias),
        Layer(
          name: "c2", inputs: ["place"],
          spec: .conv2D(Conv2D(filters: 4, kernel: Size2D(3, 1), padding: .same, groups: 2, useBias: false))),
        Layer(name: "sum", inputs: ["c2", "place"], spec: .add),
        Layer(name: "cat", inputs: ["sum", "c1"], spec: .concat),
        Layer(name: "bend", inputs: ["cat"], spec: .activation(.tanh)),
        Layer(
          name: "pool", inputs: ["bend"],
          spec: .averagePool2D(Pool2D(size: Size2D(3), stride: Size2D(2), padding: .same))),
        Layer(name: "drop", inputs: ["pool"], spec: .dropout(Dropout(rate: 0.1))),
        Layer(name: "flat", inputs: ["drop"], spec: .flatten),
        Layer(name: "out", inputs: ["flat"], spec: .dense(Dense(units: 3, activation: .softmax))),
      ]
    ).resolved()
    let layout = ParameterLayout(network)
    var progress = TrainingProgress()
    progress.step = step
    progress.epoch = 2
    progress.position = 40
    progress.sums = FigureSums(
      FigureLayout(.classification, outputs: 3), values: [0.1 + 0.2, 17], samples: 40)
    progress.best = BestEpoch(epoch: 1, step: 5, score: 1 / 3.0)
    progress.epochsWithoutGain = 1
    progress.skippedSteps = 3
    progress.score = score
    progress.seconds = 12.5
    func noise(_ count: Int, _ stream: UInt64) -> AlignedBuffer<Float> {
      var stream = RandomStream(seed: seed, purpose: .synthetic, a: stream)
      return AlignedBuffer((0..<count).map { _ in stream.nextUniform() - 0.5 })
    }
    let values = layout.initialValues(seed: seed)
    values.statistics.copy(from: noise(layout.statisticsCount, 9))
    return Checkpoint(
      network: network, name: "example", progress: progress,
      identity: RunIdentity(
        runID: "abc", configuration: "name: example\n", datasets: ["train": "00ff"],
        versions: ["oneDNN": "2.6.3"], instructionSet: "AVX", kernelChoices: "shard 16\n", shardSize: 16,
        classNames: ["T-shirt/top", "Füße", ""],
        pixels: PixelSpan(.float32, low: -0.42421296, high: 2.8214867)),
      values: values, optimizer: SmallRun.adam,
      slots: [
        Checkpoint.Slot(name: "mean", values: noise(layout.trainableCount, 1)),
        Checkpoint.Slot(name: "squared_mean", values: noise(layout.trainableCount, 2)),
      ])
  }

  @Test("what is written is what is read")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let written = try Self.example()
    try CheckpointFile.write(written, to: folder("x.h5"))
    let read = try CheckpointFile.read(folder("x.h5"))
    #expect(read.network == written.network)
    #expect(read.name == written.name)
    #expect(read.progress == written.progress)
    #expect(read.identity == written.identity)
    #expect(read.values.trainable.array() == written.values.trainable.array())
    #expect(read.values.statistics.array() == written.values.statistics.array())
    #expect(read.slots.map(\.name) == ["mean", "squared_mean"])
    #expect(read.slots.map { $0.values.array() } == written.slots.map { $0.values.array() })
    #expect(try read.contentDigest() == written.contentDigest())
  }

  /// Writes the values and nothing else.
  private struct BareModel: ModelWriter {
    func write(_ checkpoint: Checkpoint, to root: Group) throws {
      for parameter in checkpoint.values.layout.parameters {
        let path = CheckpointFile.path(ofValuesOf: parameter)
        let dataset = try root.makeDataset(path, type: .float32, shape: parameter.spec.shape.dimensions)
        try dataset.write(UnsafeBufferPointer(checkpoint.values.values(of: parameter)))
      }
    }
  }

  @Test("a checkpoint is read whatever its model was written for")
  func otherModels() throws {
    let folder = try TemporaryFolder()
    let written = try Self.example()
    try CheckpointFile.write(written, to: folder("x.h5"), model: BareModel())
    let read = try CheckpointFile.read(folder("x.h5"))
    #expect(try read.contentDigest() == written.contentDigest())
  }

  @Test("two files of the same checkpoint are the same bytes")
  func reproducible() throws {
    let first = try CheckpointFile.encode(try Self.example())
    let second = try CheckpointFile.encode(try Self.example())
    #expect(first.payload == second.payload && first.header == second.header)
  }

  /// A change of each part of a training's progress that a repeated run has again.
  static let changes: [String: @Sendable (inout TrainingProgress) -> Void] = [
    "step": { $0.step += 1 }, "epoch": { $0.epoch += 1 }, "position": { $0.position += 1 },
    "sums": {
      guard let layout = $0.sums.layout else { return }
      let values = $0.sums.values
      $0.sums = FigureSums(layout, values: [values[0].nextUp, values[1]], samples: $0.sums.samples)
    },
    "best": { $0.best = nil }, "epochsWithoutGain": { $0.epochsWithoutGain += 1 },
    "plateau": { $0.plateau.wait += 1 }, "skippedSteps": { $0.skippedSteps += 1 },
    "score": { $0.score = 0.5 }, "stoppedEarly": { $0.stoppedEarly = true },
  ]

  @Test("the digest of contents covers all progress but wall-clock time, and no name or identity")
  func contentDigest() throws {
    let base = try Self.example()
    func digest(_ change: (inout TrainingProgress) -> Void) throws -> SHA256.Digest {
      var progress = base.progress
      change(&progress)
      return try Checkpoint(
        network: base.network, name: "other", progress: progress, identity: RunIdentity(runID: "z"),
        values: base.values, optimizer: nil, slots: base.slots
      ).contentDigest()
    }
    let same = try base.contentDigest()
    #expect(try digest { $0.seconds = 99 } == same)
    let known = Mirror(reflecting: base.progress).children.compactMap(\.label)
    #expect(Set(known) == Set(Self.changes.keys).union(["seconds"]), "a change of each has to be tried")
    for (name, change) in Self.changes { #expect(try digest(change) != same, "\(name)") }
  }

  @Test("the digest of contents covers every bit of every number")
  func numbersInDigest() throws {
    let same = try Self.example().contentDigest()
    #expect(try Self.example().contentDigest() == same)
    #expect(try Self.example(seed: 2).contentDigest() != same)
    func digest(_ change: (Checkpoint) -> AlignedBuffer<Float>) throws -> SHA256.Digest {
      let checkpoint = try Self.example()
      let buffer = change(checkpoint)
      buffer[buffer.count - 1] = buffer[buffer.count - 1].nextUp
      return try checkpoint.contentDigest()
    }
    #expect(try digest { $0.values.trainable } != same)
    #expect(try digest { $0.values.statistics } != same)
    #expect(try digest { $0.slots[0].values } != same)
    #expect(try digest { $0.slots[1].values } != same)
    let base = try Self.example()
    func changed(
      slots: [Checkpoint.Slot]? = nil, trained: CanonicalParameters? = nil
    ) throws -> SHA256.Digest {
      try Checkpoint(
        network: base.network, name: base.name, progress: base.progress, identity: base.identity,
        values: base.values, optimizer: base.optimizer, slots: slots ?? base.slots, trained: trained
      ).contentDigest()
    }
    #expect(try changed() == same)
    #expect(try changed(trained: base.values) != same)
    #expect(
      try changed(slots: base.slots.map { Checkpoint.Slot(name: $0.name + "s", values: $0.values) }) != same)
  }

  @Test(
    "a file that is no checkpoint, or of another program, is told apart", arguments: ["", "text", "hdf5"])
  func foreign(kind: String) throws {
    let folder = try TemporaryFolder()
    let path = folder("x.h5")
    if kind == "hdf5" {
      let file = try HDF5.File.create(path)
      try file.close()
    } else {
      try Data(kind.utf8).write(to: URL(fileURLWithPath: path))
    }
    #expect { try CheckpointFile.read(path) } throws: { ($0 as? TrainingError)?.kind == .badData }
    #expect { try CheckpointFile.read(folder("none.h5")) } throws: {
      ($0 as? TrainingError)?.kind == .missingInput
    }
  }
}

@Suite("Damaged checkpoints")
struct DamageTests {
  /// What the reader does before libhdf5 sees a byte.
  static func isIntact(_ bytes: [UInt8]) -> Bool {
    guard let header = try? CheckpointHeader(bytes[...], file: "x") else { return false }
    let digest = SHA256.digest(of: bytes[CheckpointHeader.byteCount...])
    return (try? header.verify(byteCount: bytes.count, digest: digest, file: "x")) != nil
  }

  /// A small checkpoint: every byte of it is changed in turn, and each time all of it is hashed.
  static func bytes() throws -> [UInt8] {
    let network = try Network(inputShape: [2, 2, 1], chain: [.flatten, .dense(Dense(units: 2))]).resolved()
    let layout = ParameterLayout(network)
    let checkpoint = Checkpoint(
      network: network, name: "small", progress: TrainingProgress(), identity: RunIdentity(runID: "small"),
      values: layout.initialValues(seed: 1), optimizer: SmallRun.sgd,
      slots: [Checkpoint.Slot(name: "momentum", values: AlignedBuffer(count: layout.trainableCount))])
    let encoded = try CheckpointFile.encode(checkpoint)
    return encoded.header.bytes() + encoded.payload
  }

  @Test("every changed byte is found out before libhdf5 is entered")
  func flips() throws {
    var bytes = try Self.bytes()
    #expect(Self.isIntact(bytes))
    var missed: [Int] = []
    for index in bytes.indices {
      for mask: UInt8 in [1 << UInt8(index % 8), 0xFF] {
        bytes[index] ^= mask
        if Self.isIntact(bytes) { missed.append(index) }
        bytes[index] ^= mask
      }
    }
    #expect(missed.isEmpty)
    #expect(Self.isIntact(bytes))
  }

  @Test("every truncation and every addition is found out")
  func lengths() throws {
    let bytes = try Self.bytes()
    #expect((0..<bytes.count).allSatisfy { !Self.isIntact(Array(bytes[..<$0])) })
    #expect((1...4096).allSatisfy { !Self.isIntact(bytes + [UInt8](repeating: 0, count: $0)) })
  }

  @Test("blocks that are zeroed, doubled or swapped are found out")
  func blocks() throws {
    let bytes = try Self.bytes()
    let size = 512
    let count = bytes.count / size
    func block(_ index: Int) -> Range<Int> { index * size..<(index + 1) * size }
    for index in 0..<count {
      var zeroed = bytes
      zeroed.replaceSubrange(block(index), with: [UInt8](repeating: 0, count: size))
      if zeroed != bytes { #expect(!Self.isIntact(zeroed)) }
      var doubled = bytes
      doubled.replaceSubrange(block((index + 1) % count), with: bytes[block(index)])
      if doubled != bytes { #expect(!Self.isIntact(doubled)) }
    }
  }

  @Test("a header of a later format says so")
  func laterFormat() throws {
    var bytes = try Self.bytes()
    bytes[8] = 2
    bytes.replaceSubrange(480..<512, with: SHA256.digest(of: bytes[..<480]).bytes)
    #expect { try CheckpointHeader(bytes[...], file: "x.h5") } throws: {
      "\($0)" == "x.h5 has checkpoint format 2; this version reads format 1"
    }
  }

  @Test("the newest intact checkpoint is taken, damaged ones are reported and stay")
  func fallback() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path)
    for step in 1...3 {
      _ = try store.save(try CheckpointTests.example(step: step), keepLast: 3, keepBest: 0)
    }
    let newest = "\(folder.path)/\(CheckpointStore.fileName(step: 3))"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: URL(fileURLWithPath: newest))

    var reports: [String] = []
    let found = try CheckpointStore(folder: folder.path).newest { reports.append("\($0)") }
    #expect(found?.checkpoint.progress.step == 2)
    #expect(reports == ["\(newest) is damaged: its contents do not match their checksum"])
    #expect(FileManager.default.fileExists(atPath: newest))

    for step in 1...2 {
      let path = "\(folder.path)/\(CheckpointStore.fileName(step: step))"
      try Data(contentsOf: URL(fileURLWithPath: path)).dropLast().write(to: URL(fileURLWithPath: path))
    }
    #expect { try CheckpointStore(folder: folder.path).newest() } throws: {
      ($0 as? TrainingError)?.kind == .badData && "\($0)".contains("none of the 3 checkpoints")
    }
    #expect(try store.entries().count == 3)
  }

  @Test("whichever byte of the newest file is changed and wherever it ends, the one before is taken")
  func previousIsUsed() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path)
    for step in 1...2 {
      _ = try store.save(try CheckpointTests.example(step: step), keepLast: 2, keepBest: 0)
    }
    let newest = URL(fileURLWithPath: "\(folder.path)/\(CheckpointStore.fileName(step: 2))")
    let sound = try Data(contentsOf: newest)
    // Some two dozen places: header, HDF5's structures and values are all hit.
    for index in stride(from: 0, to: sound.count, by: sound.count / 23) {
      var damaged = sound
      damaged[index] ^= 0x10
      for bytes in [damaged, sound.prefix(index)] {
        try bytes.write(to: newest)
        var reports = 0
        let found = try CheckpointStore(folder: folder.path).newest { _ in reports += 1 }
        #expect(found?.checkpoint.progress.step == 1 && reports == 1, "byte \(index)")
      }
    }
    try sound.write(to: newest)
    #expect(try CheckpointStore(folder: folder.path).newest()?.checkpoint.progress.step == 2)
  }

  @Test("of equal scores the first is the best, for what is kept and for what is taken")
  func ties() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path)
    for (step, score) in [(2, nil), (4, 0.9), (6, 0.5), (8, 0.9), (9, nil)] as [(Int, Double?)] {
      _ = try store.save(try CheckpointTests.example(step: step, score: score), keepLast: 9, keepBest: 1)
    }
    #expect(try CheckpointStore.choose(folder.path).checkpoint.progress.step == 4)
    #expect(try store.ranked().map(\.step) == [4, 8, 6, 9, 2])
    let best = BestEpoch(epoch: 1, step: 1, score: 0.5)
    #expect(best.isBeaten(by: 0.6) && !best.isBeaten(by: 0.5) && !best.isBeaten(by: .nan))
    #expect(BestEpoch(epoch: 1, step: 1, score: .nan).isBeaten(by: -.infinity))
    #expect(!BestEpoch(epoch: 1, step: 1, score: .nan).isBeaten(by: .nan))
  }

  @Test("the last and the best are kept; what is damaged is not counted among them")
  func retention() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path)
    let scores: [Int: Double] = [2: 0.5, 4: 0.9, 6: 0.7, 8: 0.9]
    for step in 1...9 {
      _ = try store.save(
        try CheckpointTests.example(step: step, score: scores[step]), keepLast: 2, keepBest: 1)
    }
    // Of equal scores the earlier one is the best.
    #expect(try store.entries().map(\.step) == [9, 8, 4])
    let damaged = "\(folder.path)/\(CheckpointStore.fileName(step: 9))"
    try Data(contentsOf: URL(fileURLWithPath: damaged)).dropLast().write(to: URL(fileURLWithPath: damaged))
    _ = try CheckpointStore(folder: folder.path).save(
      try CheckpointTests.example(step: 10), keepLast: 2, keepBest: 1)
    #expect(try store.entries().map(\.step) == [10, 9, 8, 4])
    #expect(try store.newest()?.checkpoint.progress.step == 10)
  }
}
