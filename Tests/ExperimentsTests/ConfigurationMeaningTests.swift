import Compute
import Datasets
import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import Experiments

@Suite struct ScalarTextTests {
  @Test("whole numbers are decimal digits, whatever YAML would make of them")
  func integers() {
    for (text, value) in [("10", 10), ("010", 10), ("-3", -3), ("+7", 7), ("0", 0)] {
      #expect(ScalarText.integer(text) == value)
    }
    for text in ["", "-", "1.0", "1e3", "0x10", "1_000", " 1", "１", "1:30", "9223372036854775808"] {
      #expect(ScalarText.integer(text) == nil, "\(text)")
    }
  }

  @Test("numbers are decimal, with exponents and fractions, and finite")
  func numbers() {
    for (text, value) in [
      ("1/255", 1.0 / 255), ("1e-3", 1e-3), (".5", 0.5), ("5.", 5), ("-2", -2), ("+1.5E2", 150),
      ("-1/4", -0.25),
    ] {
      #expect(ScalarText.number(text) == value)
    }
    for text in [
      "", ".", "1/0", "1//2", "1/2/3", "nan", "inf", ".inf", "0x1p3", "1e", "e3", "1e999", "1 / 2", "0,5",
    ] {
      #expect(ScalarText.number(text) == nil, "\(text)")
    }
  }

  @Test("byte sizes have a unit, and their text reads back as the same size")
  func byteSizes() {
    for (text, value) in [("512 MiB", 512 << 20), ("1.5GiB", 3 << 29), ("1 GB", 1_000_000_000), ("7 B", 7)] {
      #expect(ScalarText.byteCount(text) == value)
    }
    for text in ["512", "MiB", "1 Mib", "-1 B", "1e3 B", "9999999999 TiB", "1 .5 B"] {
      #expect(ScalarText.byteCount(text) == nil, "\(text)")
    }
    for count in [0, 1, 1023, 1024, 1536, 1 << 20, (1 << 20) + 1, 3 << 30, 1 << 50] {
      #expect(ScalarText.byteCount(ScalarText.byteText(count)) == count)
    }
  }
}

@Suite struct ConfigurationMeaningTests {
  private func load(_ edits: [(String, String)] = [], set overrides: [String] = []) throws
    -> LoadedConfiguration
  {
    var text = try BrokenConfiguration.base()
    for (old, new) in edits {
      try #require(text.contains(old))
      text = text.replacing(old, with: new)
    }
    return try ConfigurationFile.load(text: text, path: "/configs/c.yaml", overrides: overrides)
  }

  private func messages(_ edits: [(String, String)] = [], set overrides: [String] = []) -> [String] {
    do {
      _ = try load(edits, set: overrides)
      return []
    } catch {
      return (error as? ConfigurationErrors)?.errors.map(\.description) ?? ["\(error)"]
    }
  }

  @Test("augmentations are read in order, with their defaults, and are part of what a run means")
  func augmentation() throws {
    let edits = [
      (
        "  batch: 128",
        """
          batch: 128
          augmentation:
            - flip_horizontal
            - pad_and_crop: {padding: [4, 2], border: reflect}
            - rotate: {degrees: 15}
            - affine: {translate: 0.1, scale: [0.9, 1.1], border: edge}
            - brightness: {strength: 0.2}
            - random_erasing: {area: [0.1, 0.2], fill: {value: 7}}
            - cutout: {size: 8}
            - mixup
            - cutmix: {probability: 0.5}
            - board_symmetry
        """
      )
    ]
    let loaded = try load(edits)
    #expect(
      loaded.run.training.augmentation.steps == [
        .flipHorizontal(probability: 0.5),
        .padAndCrop(padding: .init(rows: 4, columns: 2), border: .reflect),
        .affine(RandomAffine(degrees: 15)),
        .affine(RandomAffine(translate: 0.1, scale: 0.9...1.1, border: .edge)), .brightness(strength: 0.2),
        .randomErasing(RandomErasing(area: 0.1...0.2, fill: .value(7))),
        .cutout(size: .init(rows: 8, columns: 8), fill: 0, probability: 1),
        .mixup(alpha: 0.2, probability: 1),
        .cutmix(alpha: 1, probability: 0.5), .boardSymmetry,
      ])
    let again = try ConfigurationFile.load(text: loaded.resolvedYAML, path: "/c.yaml", overrides: [])
    #expect(again.run == loaded.run)
    #expect(try load().run.training.augmentation == .none)
    let changes = try load().differences(to: loaded)
    #expect(changes.contains { $0.path.hasPrefix("training.augmentation") && !$0.keepsMeaning })
  }

  @Test("defaults are those of the values themselves")
  func defaults() throws {
    let run = try load([("checkpoints:\n  every: {epochs: 1}\n  keep: {last: 2, best: 1}\n", "")]).run
    #expect(run.checkpoints == CheckpointConfiguration())
    let source = run.data.train
    #expect(run.data == DataConfiguration(train: source, test: run.data.test))
    #expect(
      run.training
        == TrainingConfiguration(
          epochs: 10, batch: 128,
          optimizer: .sgd(learningRate: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0)))
    let layers = """
          - conv2d: {filters: 4, kernel: [3, 5]}
          - max_pool2d: {size: 2}
          - average_pool2d: {size: [2, 1]}
          - batch_norm
          - dropout: {rate: 0.25}
          - rescale: {scale: 2}
          - position_bias
          - global_max_pool2d
          - dense: {units: 7}
      """
    let old = try BrokenConfiguration.base().split(separator: "\n")[8...13].joined(separator: "\n")
    let specs = try load([(old, layers)]).run.network.layers.map(\.spec)
    #expect(
      specs == [
        .conv2D(Conv2D(filters: 4, kernel: Size2D(3, 5))), .maxPool2D(Pool2D(size: Size2D(2))),
        .averagePool2D(Pool2D(size: Size2D(2, 1))), .batchNorm(BatchNorm()), .dropout(Dropout(rate: 0.25)),
        .rescale(Rescale(scale: 2)), .positionBias, .globalMaxPool2D, .dense(Dense(units: 7)),
      ])
  }

  @Test("every kind of value arrives in the run")
  func everyKind() throws {
    let training = """
        shard: 16
        precision: bf16
        clipping: {norm: 1.5}
        on_nonfinite: {skip: 3}
        schedule: {step: {at: [{epochs: 2.5}, {steps: 4000}], factor: 1/2, warmup: {steps: 100}}}
        loss: {softmax_cross_entropy: {label_smoothing: 0.1}}
        optimizer: {adamw: {learning_rate: 1e-3, beta1: 0.8, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.01}}
      """
    let run = try load([
      (
        "  loss: softmax_cross_entropy\n  optimizer:\n    sgd: {learning_rate: 0.05, momentum: 0.9}", training
      ),
      ("seed: 0", "seed: 010"), ("every: {epochs: 1}", "every: {minutes: 7.5}"),
      ("keep: {last: 2, best: 1}", "keep: {last: 5, best: 0}"),
      ("data:\n", "data:\n  memory_limit: 512 MiB\n  shuffle: false\n"),
      ("  test: {file: a.h5, images: test/images, labels: test/labels}", "  test: none"),
    ]).run
    #expect(run.seed == 10)
    #expect(
      run.data
        == DataConfiguration(
          train: SampleSource(file: "/configs/a.h5", images: "train/images", labels: "train/labels"),
          memoryLimitBytes: 512 << 20, shuffle: false))
    #expect(run.checkpoints == CheckpointConfiguration(every: .minutes(7.5), keepLast: 5, keepBest: 0))
    #expect(
      run.training
        == TrainingConfiguration(
          epochs: 10, batch: 128, shard: 16, loss: .softmaxCrossEntropy(labelSmoothing: 0.1),
          optimizer: .adam(
            learningRate: 1e-3, beta1: 0.8, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01, decoupled: true),
          schedule: ScheduleConfiguration(
            curve: .step(at: [.epochs(2.5), .steps(4000)], factor: 0.5), warmup: .steps(100)),
          precision: .bf16, clipping: .norm(1.5), nonFinite: .skip(atMost: 3)))
  }

  @Test("ResNet-20 with blocks is the network of that name")
  func residualNetwork() throws {
    let loaded = try ConfigurationFile.load(
      path: Shipped.path("resnet20-fashion-mnist"), overrides: ["network.input=[32, 32, 3]"])
    let standard = try StandardNetwork.resnet20.network()
    #expect(loaded.run.network.layers.dropFirst().map(\.spec) == standard.layers.map(\.spec))
    let position = Dictionary(
      uniqueKeysWithValues: loaded.run.network.layers.enumerated().map { ($1.name, $0) })
    let expected = Dictionary(uniqueKeysWithValues: standard.layers.enumerated().map { ($1.name, $0 + 1) })
    #expect(
      loaded.run.network.layers.dropFirst(2).map { $0.inputs.map { position[$0] } }
        == standard.layers.dropFirst().map { $0.inputs.map { expected[$0] } })
  }

  @Test("layers of blocks and repetitions have names that say where they stand")
  func names() throws {
    let blocks = """
        blocks:
          pair: {parameters: {width: required}, layers: [conv2d: {filters: $width, kernel: 1}, relu]}
        layers:
          - pair: {width: 3}
          - repeat: {name: stage, times: 2, layers: [pair: {width: 4}, relu: {name: end}]}
          - pair: {name: last, width: 5}
          - add: {inputs: [last, last]}
      """
    let layers = try load([("  layers:", blocks)]).run.network.layers
    #expect(
      layers.map { "\($0.name)(\($0.inputs.joined(separator: ", ")))" }.prefix(10) == [
        "pair.conv2d(input)", "pair.relu(pair.conv2d)",
        "stage.1.pair.conv2d(pair.relu)", "stage.1.pair.relu(stage.1.pair.conv2d)",
        "stage.1.end(stage.1.pair.relu)",
        "stage.2.pair.conv2d(stage.1.end)", "stage.2.pair.relu(stage.2.pair.conv2d)",
        "stage.2.end(stage.2.pair.relu)",
        "last.conv2d(stage.2.end)", "last.relu(last.conv2d)",
      ])
    #expect(layers[10].inputs == ["last.relu", "last.relu"])
  }

  @Test("a network too large to count is an error, not an overflow")
  func hugeNetworks() {
    for layer in [
      "conv2d: {filters: 1048576, kernel: 1024, padding: same}", "flatten", "position_bias", "max_pool2d",
      "conv2d: {filters: 1048576, kernel: [1024, 1], dilation: 1024, padding: same, activation: relu}",
    ] {
      let text = "\n  input: [65536, 65536, 65536]\n  layers:\n    - \(layer)\n"
      let found = messages([("\n  input: [28, 28, 1]\n  layers:\n", text)])
      #expect(found.count == 1, "\(layer): \(found)")
    }
  }

  // MARK: - Overrides

  @Test("overrides reach every value, by whole paths and by clear ends of them")
  func overrides() throws {
    let run = try load(
      set: [
        "training.epochs=3", "batch=64", "optimizer.momentum=0", "learning_rate=1/8", "nesterov=true",
        "network.layers.1.conv2d.filters=32", "layers.4.units=50", "network.layers.3.flatten.name=vector",
        "keep.best=0", "schedule=cosine", "warmup={epochs: 1}", "data.test=none", "memory_limit=1 MiB",
        "checkpoints.every={steps: 10}", "precision=bf16", "input.0=30",
      ]
    ).run
    #expect(run.training.epochs == 3 && run.training.batch == 64 && run.training.precision == .bf16)
    #expect(
      run.training.optimizer == .sgd(learningRate: 0.125, momentum: 0, nesterov: true, weightDecay: 0))
    #expect(
      run.training.schedule == ScheduleConfiguration(curve: .cosine(over: nil, floor: 0), warmup: .epochs(1)))
    #expect(run.network.layers[1].spec == .conv2D(Conv2D(filters: 32, kernel: Size2D(3), activation: .relu)))
    #expect(run.network.layers[4].spec == .dense(Dense(units: 50, activation: .relu)))
    #expect(run.network.layers[3].name == "vector" && run.network.inputShape == [30, 28, 1])
    #expect(run.checkpoints == CheckpointConfiguration(every: .steps(10), keepBest: 0))
    #expect(run.data.test == nil && run.data.memoryLimitBytes == 1 << 20)
  }

  @Test("later overrides see what earlier ones did")
  func overrideOrder() throws {
    let run = try load(set: ["optimizer={adam: {learning_rate: 1}}", "beta1=0.5", "learning_rate=2"]).run
    #expect(
      run.training.optimizer
        == .adam(learningRate: 2, beta1: 0.5, beta2: 0.999, epsilon: 1e-7, weightDecay: 0, decoupled: false))
  }

  @Test("a path in an override counts from the working directory")
  func overridePath() throws {
    let run = try load(set: ["data.train.file=x/../b.h5"]).run
    #expect(run.data.train.file == FileManager.default.currentDirectoryPath + "/b.h5")
  }

  @Test("all wrong overrides are reported beside the file's own errors")
  func overrideErrors() {
    #expect(
      messages([("epochs: 10", "epochs: x")], set: ["batch=0", "bach=3", "seed=y"]) == [
        "/configs/c.yaml:16:11: training.epochs: found 'x', expected a whole number from 1 to 1000000",
        "--set bach=3: there is no key 'bach'; did you mean 'training.batch'?",
        "--set seed=y: seed: found 'y', expected a whole number from 0 to 2^63 − 1",
        "--set batch=0: training.batch: found '0', expected a whole number from 1 to 1048576",
      ])
  }

  // MARK: - Provenance and differences

  @Test("each value knows whether it is a default, from a file, or from an override")
  func provenance() throws {
    let loaded = try load(set: ["learning_rate=0.1"])
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
    let base = try load()
    let other = try load(
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
      other.differences(to: base).map(\.keepsMeaning) == [true, true, true, false, false, false, true, true])
  }

  @Test("every optimizer reaches the run, with its defaults")
  func optimizers() throws {
    let cases: [(String, OptimizerConfiguration)] = [
      (
        "{rmsprop: {learning_rate: 0.1, centered: true}}",
        .rmsprop(learningRate: 0.1, RMSprop(centered: true))
      ),
      ("{adagrad: {learning_rate: 0.1}}", .adagrad(learningRate: 0.1, Adagrad())),
      ("{adadelta: {learning_rate: 1}}", .adadelta(learningRate: 1, Adadelta())),
      (
        "{lion: {learning_rate: 1e-4, weight_decay: 0.3}}", .lion(learningRate: 1e-4, Lion(weightDecay: 0.3))
      ),
      ("{lars: {learning_rate: 2, trust: 0.01}}", .lars(learningRate: 2, LARS(trustCoefficient: 0.01))),
      ("{lamb: {learning_rate: 0.1}}", .lamb(learningRate: 0.1, LAMB())),
    ]
    for (text, expected) in cases {
      #expect(try load(set: ["training.optimizer=\(text)"]).run.training.optimizer == expected)
    }
    #expect(try load(set: ["base_batch=32"]).run.training.learningRate == 0.05 * 4)
  }

  @Test("every schedule reaches the run, with its defaults and a warm-up")
  func schedules() throws {
    let cases: [(String, ScheduleConfiguration.Curve)] = [
      (
        "{exponential: {factor: 0.5, every: {epochs: 1}}}",
        .exponential(every: .epochs(1), factor: 0.5, staircase: false)
      ),
      ("polynomial", .polynomial(over: nil, power: 1, floor: 0)),
      (
        "{cosine_restarts: {first: {steps: 100}}}",
        .cosineRestarts(first: .steps(100), stretch: 2, shrink: 1, floor: 0)
      ),
    ]
    for (text, curve) in cases {
      let run = try load(set: ["schedule=\(text)", "warmup={steps: 9}"]).run
      #expect(run.training.schedule == ScheduleConfiguration(curve: curve, warmup: .steps(9)))
    }
    #expect(
      try load(set: ["schedule=one_cycle"]).run.training.schedule
        == ScheduleConfiguration(curve: .oneCycle(rise: 0.3, start: 0.04, end: 4e-6)))
  }

  @Test(
    "more epochs change the meaning of a run whose schedule is stretched over it",
    arguments: ["cosine", "polynomial", "one_cycle"])
  func stretchedSchedule(kind: String) throws {
    let short = try load(set: ["schedule=\(kind)"])
    let long = try load(set: ["schedule=\(kind)", "epochs=11"])
    #expect(short.differences(to: long).map(\.keepsMeaning) == [false])
    let fixed = try load(set: ["schedule={cosine: {over: {epochs: 5}}}"])
    let fixedLong = try load(set: ["schedule={cosine: {over: {epochs: 5}}}", "epochs=11"])
    #expect(fixed.differences(to: fixedLong).map(\.keepsMeaning) == [true])
  }

  // MARK: - Extends

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
      inner.run.training.optimizer == .sgd(learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0))
    #expect(inner.run.data.train.file == directory.file("a.h5"))
    #expect(
      inner.values.value(at: "training.batch")?.origin
        == .file(path: directory.file("sub/../base.yaml"), line: 17, column: 10))

    let outer = try ConfigurationFile.load(path: directory.file("top.yaml"))
    #expect(outer.run.training.epochs == 3 && outer.run.name == "middle")
    #expect(
      outer.run.training.optimizer
        == .adam(learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0, decoupled: false))

    try directory.write("extends: top.yaml\n", to: "base.yaml")
    #expect(throws: ConfigurationErrors.self) { try ConfigurationFile.load(path: directory.file("top.yaml")) }
  }

  // MARK: - Documents

  @Test("the reference in Configs/README.md is what the schema says")
  func reference() throws {
    let readme = try String(contentsOfFile: Shipped.folder + "/README.md", encoding: .utf8)
    #expect(
      readme.hasSuffix("-->\n\n" + ConfigurationFile.reference),
      "replace the end of Configs/README.md by the output of `convoy config reference`")
  }

  @Test("the examples in Configs/README.md are correct")
  func readmeExamples() throws {
    let readme = try String(contentsOfFile: Shipped.folder + "/README.md", encoding: .utf8)
    let examples = readme.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    #expect(examples.count == 11)
    for example in examples where example.contains("\njob:\n") {
      #expect(try InsightConfiguration.load(text: example, path: "README.md").kind == "dream")
    }
    for example in examples where example.hasPrefix("sweep:\n") {
      let text = try BrokenConfiguration.base() + example
      #expect(try ConfigurationFile.loadSweep(text: text, path: "README.md").members.count > 1)
    }
    for example in examples where example.hasPrefix("training:\n") {
      let text = try BrokenConfiguration.base().replacing("training:\n", with: example)
      let loaded = try ConfigurationFile.load(text: text, path: "README.md")
      #expect(loaded.run.training.augmentation.steps.count == 5)
    }
    for example in examples where example.contains("validation:") {
      let parts = example.components(separatedBy: "training:\n")
      let text = try BrokenConfiguration.base().replacing("data:\n", with: parts[0])
        .replacing("training:\n", with: "training:\n" + parts[1].replacing("stage.3.*", with: "conv*"))
      let run = try ConfigurationFile.load(text: text, path: "README.md").run
      #expect(run.data.validation != nil && run.training.weightDecayRules.count == 2)
    }
    for example in examples where example.hasPrefix("data:\n") && !example.contains("validation:") {
      var text = try BrokenConfiguration.base().replacing("  loss: softmax_cross_entropy\n", with: "")
      let (data, network) = (text.range(of: "data:\n"), text.range(of: "network:\n"))
      text.removeSubrange(try #require(data).lowerBound..<(try #require(network)).lowerBound)
      let loaded = try ConfigurationFile.load(
        text: text.replacing("training:\n", with: example), path: "README.md")
      #expect(loaded.run.training.loss == .huber(delta: 0.5))
      #expect(loaded.run.training.monitor == .metric(.meanAbsoluteError))
      #expect(
        loaded.run.criterion(of: loaded.network).figureNames == ["loss", "mean_absolute_error", "r2"])
      #expect(loaded.run.data.train.target == .values("train/angles"))
      #expect(loaded.run.data.train.weights == "train/trust" && loaded.run.data.test?.weights == nil)
    }
    for example in examples
    where ["training:\n", "sweep:\n", "name:", "data:\n"].allSatisfy({ !example.hasPrefix($0) }) {
      let indented = example.split(separator: "\n").map { "  \($0)\n" }.joined()
      let rest = "    - flatten\n    - dense: {units: 10}\n"
      var text = try BrokenConfiguration.base()
      let start = try #require(
        text.range(of: example.hasPrefix("input:") ? "  input:" : "  layers:\n"))
      let end = try #require(text.range(of: "training:"))
      text.replaceSubrange(start.lowerBound..<end.lowerBound, with: indented + rest)
      _ = try ConfigurationFile.load(text: text, path: "README.md")
    }
  }

  @Test("the JSON Schema accepts the shipped configurations, and refuses what it can of the broken ones")
  func jsonSchema() throws {
    let directory = try TemporaryDirectory()
    let schema = try directory.write(ConfigurationFile.jsonSchema, to: "schema.json")
    let wrong = try directory.write(
      try BrokenConfiguration.base().replacing("epochs: 10", with: "epoch: 10"), to: "wrong.yaml")
    let script = """
      import json, sys
      try:
        import jsonschema, yaml
        validator = jsonschema.Draft202012Validator
      except (ImportError, AttributeError):
        sys.exit(3)
      schema = json.load(open(sys.argv[1]))
      validator.check_schema(schema)
      for path in sys.argv[2:]:
        errors = [e.message for e in validator(schema).iter_errors(yaml.safe_load(open(path)))]
        print("correct" if not errors else "wrong")
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, schema] + Shipped.names.map(Shipped.path) + [wrong]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    // Python and its validator are not needed to build or test; 3 and 127 say that they are not there.
    guard ![3, 127].contains(process.terminationStatus) else { return }
    #expect(process.terminationStatus == 0)
    let answers = String(decoding: output, as: UTF8.self).split(separator: "\n")
    #expect(answers == Shipped.names.map { _ in "correct" } + ["wrong"])
  }
}
