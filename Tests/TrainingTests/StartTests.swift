import Compute
import Digests
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("What a training begins with")
struct StartTests {
  private static func layer(_ name: String, _ input: String, _ spec: LayerSpec) -> Layer {
    Layer(name: name, inputs: [input], spec: spec)
  }

  /// A small network whose layers are called by a prefix.
  private static func network(_ prefix: String = "stage", filters: Int = 5, units: Int = 5) throws -> Network
  {
    try Network(
      inputShape: [9, 8, 1],
      layers: [
        layer("rescale", "input", .rescale(Rescale(scale: 1 / 255.0))),
        layer("\(prefix).conv", "rescale", .conv2D(Conv2D(filters: filters, kernel: Size2D(3)))),
        layer("\(prefix).norm", "\(prefix).conv", .batchNorm(BatchNorm(momentum: 0.5))),
        layer("relu", "\(prefix).norm", .activation(.relu)),
        layer("pool", "relu", .globalAveragePool2D),
        layer("head", "pool", .dense(Dense(units: units))),
      ])
  }

  /// A trained checkpoint.
  private static func base(_ folder: TemporaryFolder, average: MovingAverage? = nil) throws -> String {
    if !FileManager.default.fileExists(atPath: folder("data.h5")) {
      try SmallRun.writeDataset(folder("data.h5"), count: 43)
    }
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 1)
    configuration.network = try network()
    configuration.training.average = average
    #expect(try SmallRun.train(configuration, in: folder("base")).complete)
    return try #require(try CheckpointStore(folder: folder("base/checkpoints")).entries().first).path
  }

  private static func tuned(
    _ folder: TemporaryFolder, _ start: StartConfiguration, network: Network? = nil, seed: UInt64 = 11
  ) throws -> RunConfiguration {
    var configuration = try SmallRun.configuration(data: folder("data.h5"), epochs: 2)
    configuration.network = try network ?? Self.network()
    configuration.seed = seed
    configuration.training.start = start
    return configuration
  }

  /// The values that a training begins with, before its first step.
  private static func beginning(_ configuration: RunConfiguration) throws -> CanonicalParameters {
    let prepared = try PreparedTraining(
      RunRequest(configuration: configuration, resolvedConfiguration: "", directory: "", workers: 1),
      stop: StopRequest())
    return try prepared.makeEngine().canonicalState().predicting
  }

  private static func bits(_ values: CanonicalParameters, _ path: String) throws -> [UInt32] {
    let parameter = try #require(values.layout.parameters.first { $0.path == path })
    return values.values(of: parameter).map(\.bitPattern)
  }

  @Test("layers of the same name take parameters and statistics; patterns, names and shapes say which")
  func taken() throws {
    let folder = try TemporaryFolder()
    let path = try Self.base(folder)
    let source = try CheckpointFile.read(path).values
    struct Case {
      var start: StartConfiguration
      var network: Network
      /// Paths here, with those in the checkpoint where they come from there.
      var taken: [String: String]
    }
    let all = source.layout.parameters.map(\.path)
    let same = Dictionary(uniqueKeysWithValues: all.map { ($0, $0) })
    let stage = same.filter { $0.key.hasPrefix("stage") }
    let renamed = Dictionary(
      uniqueKeysWithValues: stage.keys.map { ($0.replacing("stage", with: "encoder"), $0) })
    let cases = try [
      Case(start: StartConfiguration(checkpoint: path), network: Self.network(), taken: same),
      Case(
        start: StartConfiguration(checkpoint: path, patterns: [ParameterPattern("stage.*")]),
        network: Self.network(), taken: stage),
      Case(
        start: StartConfiguration(checkpoint: path, takesStatistics: false), network: Self.network(),
        taken: same.filter { !$0.key.contains("moving") }),
      Case(
        start: StartConfiguration(checkpoint: path, renaming: [LayerRenaming("stage.*", "encoder.*")]),
        network: Self.network("encoder"),
        taken: renamed.merging(same.filter { $0.key.hasPrefix("head") }) { $1 }),
      Case(
        start: StartConfiguration(checkpoint: path, mismatch: .skip), network: Self.network(units: 7),
        taken: stage),
      Case(
        start: StartConfiguration(checkpoint: path, patterns: [ParameterPattern("stage.conv/kernel")]),
        network: Self.network(units: 7), taken: ["stage.conv/kernel": "stage.conv/kernel"]),
    ]
    for each in cases {
      let configuration = try Self.tuned(folder, each.start, network: each.network)
      let found = try Self.beginning(configuration)
      let anew = found.layout.initialValues(seed: 11)
      for parameter in found.layout.parameters {
        let expected =
          try each.taken[parameter.path].map { try Self.bits(source, $0) }
          ?? Self.bits(anew, parameter.path)
        #expect(try Self.bits(found, parameter.path) == expected, "\(parameter.path) of \(each.start)")
      }
    }
  }

  @Test("where the other training keeps an average, that is what comes")
  func average() throws {
    let folder = try TemporaryFolder()
    let path = try Self.base(folder, average: MovingAverage(decay: 0.9))
    let checkpoint = try CheckpointFile.read(path)
    let found = try Self.beginning(try Self.tuned(folder, StartConfiguration(checkpoint: path)))
    #expect(try Self.bits(found, "head/kernel") == Self.bits(checkpoint.values, "head/kernel"))
    #expect(
      try Self.bits(found, "head/kernel") != Self.bits(try #require(checkpoint.trained), "head/kernel"))
  }

  @Test("a run knows what it began with, goes on without it, and not with another one in its place")
  func identity() throws {
    let folder = try TemporaryFolder()
    let path = try Self.base(folder)
    let copy = folder("start.h5")
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    let configuration = try Self.tuned(folder, StartConfiguration(checkpoint: copy))
    let whole = try SmallRun.train(configuration, in: folder("whole"))
    #expect(whole.complete && whole.record.notes.count == 1)
    #expect(try SmallRun.train(configuration, in: folder("run"), stopAfter: 2).complete == false)
    let origin = try #require(
      try CheckpointStore(folder: folder("run/checkpoints")).newest()
    ).checkpoint.identity.start
    #expect(origin?.path == copy)
    #expect(try origin?.digest == CheckpointFile.verify(copy).contentDigest.hexadecimal)

    // Another one in its place.
    try FileManager.default.removeItem(atPath: copy)
    let other = try #require(try CheckpointStore(folder: folder("base/checkpoints")).entries().last).path
    try FileManager.default.copyItem(atPath: other, toPath: copy)
    let error = #expect(throws: TrainingError.self) {
      try SmallRun.train(configuration, in: folder("run"))
    }
    #expect(error?.kind == .configuration && error?.description.contains("training.start") == true)
    // None.
    try FileManager.default.removeItem(atPath: copy)
    let rest = try SmallRun.train(configuration, in: folder("run"), workers: 2)
    #expect(rest.complete && rest.record.notes.isEmpty)
    #expect(try SmallRun.digests(in: folder("run")) == SmallRun.digests(in: folder("whole")))
  }

  private static func problem(
    _ folder: TemporaryFolder, _ start: StartConfiguration, _ network: Network? = nil
  )
    throws -> TrainingError
  {
    let configuration = try Self.tuned(folder, start, network: network)
    let error = #expect(throws: TrainingError.self) {
      try SmallRun.train(configuration, in: folder("refused"))
    }
    #expect(!FileManager.default.fileExists(atPath: folder("refused")))
    return try #require(error)
  }

  @Test("what cannot be started from is refused in one line that says what and where")
  func refused() throws {
    let folder = try TemporaryFolder()
    let path = try Self.base(folder)
    let missing = try Self.problem(folder, StartConfiguration(checkpoint: folder("none.h5")))
    #expect(missing.kind == .missingInput && missing.description.contains("none.h5"))

    let shape = try Self.problem(
      folder, StartConfiguration(checkpoint: path), try Self.network(filters: 6))
    #expect(shape.kind == .configuration && shape.description.contains("stage.conv/kernel"))
    #expect(shape.description.contains("3×3×1×5") && shape.description.contains("3×3×1×6"))

    let nothing = try Self.problem(
      folder,
      StartConfiguration(checkpoint: path, patterns: [ParameterPattern("other.*")]),
      try Self.network("other"))
    #expect(nothing.kind == .configuration && nothing.description.contains("stage.conv"))

    let idle = try Self.problem(
      folder, StartConfiguration(checkpoint: path, renaming: [LayerRenaming("encoder.*", "stage.*")]))
    #expect(idle.kind == .configuration && idle.description.contains("encoder.*"))

    let double = try Self.problem(
      folder, StartConfiguration(checkpoint: path, renaming: [LayerRenaming("stage.conv", "head")]))
    #expect(double.kind == .configuration && double.description.contains("'head'"))

    // Cut, and with a byte that changed.
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for (index, damaged) in [bytes.prefix(bytes.count / 2), bytes.prefix(100), Data()].enumerated() {
      let cut = folder("cut-\(index).h5")
      try damaged.write(to: URL(fileURLWithPath: cut))
      #expect(try Self.problem(folder, StartConfiguration(checkpoint: cut)).kind == .badData)
    }
    var flipped = bytes
    flipped[bytes.count - 20] ^= 4
    try flipped.write(to: URL(fileURLWithPath: folder("flipped.h5")))
    #expect(
      try Self.problem(folder, StartConfiguration(checkpoint: folder("flipped.h5"))).kind == .badData)

    // A number that is none, which counts only where it is taken.
    let checkpoint = try CheckpointFile.read(path)
    let parameter = try #require(
      checkpoint.values.layout.parameters.first { $0.path == "stage.norm/moving_mean" })
    checkpoint.values.values(of: parameter)[2] = .nan
    try CheckpointFile.write(checkpoint, to: folder("nan.h5"))
    let number = try Self.problem(folder, StartConfiguration(checkpoint: folder("nan.h5")))
    #expect(number.kind == .badData && number.description.contains("stage.norm/moving_mean"))
    let without = StartConfiguration(checkpoint: folder("nan.h5"), takesStatistics: false)
    #expect(try Self.beginning(try Self.tuned(folder, without)).layout.parameters.count == 8)
  }

  @Test(
    "a star in a new name stands for what the star in the old one stood for",
    arguments: [
      ("stage.*", "encoder.*", "stage.1.conv", "encoder.1.conv"), ("*_conv", "*.conv", "a_conv", "a.conv"),
      ("a*b", "c*", "ab", "c"), ("head", "top", "head", "top"), ("a*a", "b*", "a", nil),
      ("stage.*", "encoder.*", "stem", nil), ("*", "net.*", "conv", "net.conv"),
      ("head", "top", "heads", nil),
    ])
  func renaming(_ old: String, _ new: String, _ layer: String, _ expected: String?) {
    let renaming = LayerRenaming(old, new)
    #expect(renaming.isSound)
    #expect(renaming.name(of: layer) == expected)
    #expect(!LayerRenaming("a*", "b").isSound && !LayerRenaming("a**", "b**").isSound)
  }
}
