import Compute
import Datasets
import Foundation
import Networks
import Settings
import Tensors
import TestSupport
import Testing
import Training

@testable import Experiments

/// Where values come from: overrides, bases, defaults; and how two configurations differ.
@Suite struct ConfigurationOverrideTests {
  @Test("overrides reach every value, by whole paths and by clear ends of them")
  func overrides() throws {
    let run = try ChangedConfiguration.load(
      set: [
        "training.epochs=3", "batch=64", "optimizer.momentum=0", "learning_rate=1/8", "nesterov=true",
        "network.layers.1.conv2d.filters=32", "layers.4.units=50", "network.layers.3.flatten.name=vector",
        "keep.best=0", "schedule=cosine", "warmup={epochs: 1}", "data.test=none", "memory_limit=1 MiB",
        "checkpoints.every={steps: 10}", "precision=bf16", "input.0=30",
      ]
    ).run
    #expect(run.training.epochs == 3 && run.training.batch == 64 && run.training.precision == .bf16)
    #expect(
      run.training.optimizer == .sgd(SGD(learningRate: 0.125, nesterov: true)))
    #expect(
      run.training.schedule
        == ScheduleConfiguration(curve: .cosine(CosineDecay(over: nil, floor: 0)), warmup: .epochs(1)))
    #expect(run.network.layers[1].spec == .conv2D(Conv2D(filters: 32, kernel: Size2D(3), activation: .relu)))
    #expect(run.network.layers[4].spec == .dense(Dense(units: 50, activation: .relu)))
    #expect(run.network.layers[3].name == "vector" && run.network.inputShape == [30, 28, 1])
    #expect(run.checkpoints == CheckpointConfiguration(every: .steps(10), keep: .init(best: 0)))
    #expect(run.data.test == nil && run.data.memoryLimitBytes == 1 << 20)
  }

  @Test("later overrides see what earlier ones did")
  func overrideOrder() throws {
    let run = try ChangedConfiguration.load(set: [
      "optimizer={adam: {learning_rate: 1}}", "beta1=0.5", "learning_rate=2",
    ]).run
    #expect(
      run.training.optimizer
        == .adam(Adam(learningRate: 2, beta1: 0.5)))
  }

  @Test("a path in an override counts from the working directory")
  func overridePath() throws {
    let run = try ChangedConfiguration.load(set: ["data.train.file=x/../b.h5"]).run
    #expect(run.data.train.file == FileManager.default.currentDirectoryPath + "/b.h5")
  }

  @Test(
    "only a key that is near is proposed for one that does not exist",
    arguments: [
      ("training.epoch", "training.epochs"), ("training.augment", "training.augmentation"),
      ("data.train.imges", "data.train.images"), ("training.fp16", nil), ("training.device", nil),
      ("data.train.shape", nil),
    ])
  func nearKeys(key: String, near: String?) {
    let end = near.map { "; did you mean '\($0)'?" } ?? "; see Configs/README.md for all keys"
    #expect(
      ChangedConfiguration.messages([], set: ["\(key)=1"]) == [
        "--set \(key)=1: there is no key '\(key)'\(end)"
      ])
  }

  @Test("all wrong overrides are reported beside the file's own errors")
  func overrideErrors() {
    #expect(
      ChangedConfiguration.messages([("epochs: 10", "epochs: x")], set: ["batch=0", "bach=3", "seed=y"]) == [
        "/configs/c.yaml:16:11: training.epochs: found 'x', expected a whole number from 1 to 1000000",
        "--set bach=3: there is no key 'bach'; did you mean 'training.batch'?",
        "--set seed=y: seed: found 'y', expected a whole number from 0 to 2^63 − 1",
        "--set batch=0: training.batch: found '0', expected a whole number from 1 to 1048576",
      ])
  }

  @Test("each value knows whether it is a default, from a file, or from an override")
  func provenance() throws {
    let loaded = try ChangedConfiguration.load(set: ["learning_rate=0.1"])
    func origin(_ path: String) -> String? { loaded.values.value(at: path)?.origin.description }
    #expect(origin("seed") == "/configs/c.yaml:2:7")
    #expect(origin("training.optimizer.sgd.learning_rate") == "--set learning_rate=0.1")
    #expect(origin("training.optimizer.sgd.nesterov") == "default")
    #expect(origin("training.optimizer.sgd.momentum") == "/configs/c.yaml:20:42")
    #expect(loaded.annotatedYAML.contains("learning_rate: 0.1"))
    #expect(
      loaded.annotatedYAML.split(separator: "\n").contains { $0.hasSuffix("# --set learning_rate=0.1") })
  }

  @Test("differences name the keys, and which of them keep the meaning of a run")
  func differences() throws {
    let base = try ChangedConfiguration.load()
    let other = try ChangedConfiguration.load(
      set: [
        "epochs=20", "keep.last=4", "data.train.file=/b.h5", "learning_rate=0.1", "layers.1.kernel=5",
        "name=x",
        "checkpoints.every={minutes: 5}", "memory_limit=2 GiB",
      ])
    let found = base.differences(to: other)
    #expect(
      found.map { "\($0.keepsMeaning ? "keeps" : "changes") \($0)" } == [
        "keeps name: example → x",
        "keeps data.train.file: /configs/a.h5 → /b.h5",
        "keeps data.memory_limit: 1 GiB → 2 GiB",
        "changes network.layers.conv2d.kernel: [3, 3] → [5, 5]",
        "keeps training.epochs: 10 → 20",
        "changes training.optimizer.sgd.learning_rate: 0.05 → 0.1",
        "keeps checkpoints.every: {epochs: 1} → {minutes: 5}",
        "keeps checkpoints.keep.last: 2 → 4",
      ])
    #expect(base.differences(to: base).isEmpty)
    #expect(
      other.differences(to: base).map(\.keepsMeaning) == [true, true, true, false, true, false, true, true])
  }

  @Test("maps are merged, lists and kinds replaced, and errors point into the right file")
  func extends() throws {
    let directory = try TemporaryDirectory()
    try directory.write(try BrokenConfiguration.base(), to: "base.yaml")
    try FileManager.default.createDirectory(atPath: directory.file("sub"), withIntermediateDirectories: true)
    let middle =
      "extends: ../base.yaml\nname: middle\ntraining:\n  epochs: 3\n  optimizer: {sgd: {nesterov: true}}\n"
    try directory.write(middle, to: "sub/middle.yaml")
    let top = "extends: sub/middle.yaml\ntraining: {optimizer: {adam: {learning_rate: 1}}}\n"
    try directory.write(top, to: "top.yaml")

    let inner = try ConfigurationFile.load(path: directory.file("sub/middle.yaml"))
    #expect(inner.run.name == "middle" && inner.run.training.epochs == 3)
    #expect(
      inner.run.training.optimizer == .sgd(SGD(learningRate: 0.05, momentum: 0.9, nesterov: true)))
    #expect(inner.run.data.train.file == directory.file("a.h5"))
    #expect(
      inner.values.value(at: "training.batch")?.origin
        == .file(path: directory.file("sub/../base.yaml"), line: 17, column: 10))

    let outer = try ConfigurationFile.load(path: directory.file("top.yaml"))
    #expect(outer.run.training.epochs == 3 && outer.run.name == "middle")
    #expect(
      outer.run.training.optimizer
        == .adam(Adam(learningRate: 1)))

    try directory.write("extends: top.yaml\n", to: "base.yaml")
    let circle = #expect(throws: ConfigurationErrors.self) {
      try ConfigurationFile.load(path: directory.file("top.yaml"))
    }
    #expect(circle?.description.contains("extends this configuration in turn; break the circle") == true)
  }

  @Test(
    "the environment's overrides go over the file and under those of the command line, and say that they are its own"
  )
  func environment() throws {
    let settings = Override.all(
      options: ["batch=32"],
      environment: [
        "CONVOY_SET": " training.epochs=3;batch=64 ;\n\nseed=5\noptimizer={adam: {learning_rate: 1e-3}};"
      ])
    #expect(
      settings.map(\.text) == [
        "training.epochs=3", "batch=64 ", "seed=5", "optimizer={adam: {learning_rate: 1e-3}}", "batch=32",
      ])
    let loaded = try ConfigurationFile.load(
      text: BrokenConfiguration.base(), path: "c.yaml", overrides: settings)
    #expect(loaded.run.training.epochs == 3 && loaded.run.training.batch == 32 && loaded.run.seed == 5)
    let lines = loaded.annotatedYAML.split(separator: "\n")
    #expect(lines.contains { $0.contains("epochs: 3") && $0.hasSuffix("# CONVOY_SET training.epochs=3") })
    #expect(lines.contains { $0.contains("batch: 32") && $0.hasSuffix("# --set batch=32") })
    #expect(Override.all(options: [], environment: [:]).isEmpty)
  }

  @Test("mistakes in the environment's overrides are told as its own")
  func environmentMistakes() throws {
    let settings = Override.all(options: [], environment: ["CONVOY_SET": "training.epoch=3;seed=x"])
    let error = #expect(throws: ConfigurationErrors.self) {
      try ConfigurationFile.load(text: BrokenConfiguration.base(), path: "c.yaml", overrides: settings)
    }
    let texts = error?.errors.map { "\($0)" } ?? []
    #expect(texts.count == 2 && texts.allSatisfy { $0.hasPrefix("CONVOY_SET ") }, "\(texts)")
    #expect(texts.contains { $0.contains("did you mean 'training.epochs'?") })
  }
}
