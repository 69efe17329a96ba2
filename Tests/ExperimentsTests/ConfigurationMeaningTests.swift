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

@Suite struct ConfigurationMeaningTests {
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
            - board_symmetry: {answer: none}
        """
      )
    ]
    let loaded = try ChangedConfiguration.load(edits)
    #expect(
      loaded.run.training.augmentation.steps == [
        .flipHorizontal(Flip(probability: 0.5)),
        .padAndCrop(PadAndCrop(padding: .init(rows: 4, columns: 2), border: .reflect)),
        .rotate(Rotation(degrees: 15)),
        .affine(RandomAffine(translate: 0.1, scale: 0.9...1.1, border: .edge)), .brightness(strength: 0.2),
        .randomErasing(RandomErasing(area: 0.1...0.2, fill: .value(7))),
        .cutout(Cutout(size: .init(rows: 8, columns: 8), fill: 0, probability: 1)),
        .mixup(Mixup(alpha: 0.2, probability: 1)),
        .cutmix(CutMix(alpha: 1, probability: 0.5)), .boardSymmetry(RandomSymmetry(answer: .nowhere)),
      ])
    let again = try ConfigurationFile.load(text: loaded.resolvedYAML, path: "/c.yaml", overrides: [])
    #expect(again.run == loaded.run)
    #expect(try ChangedConfiguration.load().run.training.augmentation == .none)
    let changes = try ChangedConfiguration.load().differences(to: loaded)
    #expect(changes.contains { $0.path.hasPrefix("training.augmentation") && !$0.keepsMeaning })
  }

  @Test("what a step does to answers is read, and follows where it can be known")
  func answers() throws {
    let board = [("    - dense: {units: 10}", "    - dense: {units: 784}")]
    func steps(_ text: String, _ edits: [(String, String)]) throws -> [AugmentationStep] {
      try ChangedConfiguration.load(edits, set: ["training.augmentation=\(text)"]).run.training.augmentation
        .steps
    }
    #expect(try steps("[board_symmetry]", board) == [.boardSymmetry(RandomSymmetry())])
    #expect(
      try steps("[{board_symmetry: {answer: board}}, {flip_horizontal: {answer: board}}]", board) == [
        .boardSymmetry(RandomSymmetry(answer: .board)), .flipHorizontal(Flip(answer: .board)),
      ])
    #expect(
      try steps("[{board_symmetry: {answer: none}}]", board) == [
        .boardSymmetry(RandomSymmetry(answer: .nowhere))
      ])
  }

  @Test("balanced weights are for shares of classes, too")
  func balancedShares() throws {
    let run = try ChangedConfiguration.load(
      [
        (
          "labels: train/labels}\n  test: {file: a.h5, images: test/images, labels: test/labels}",
          "targets: train/shares}"
        )
      ], set: ["training.loss={softmax_cross_entropy: {class_weights: balanced}}"]
    ).run
    #expect(run.training.classWeights == .balanced && run.data.train.target == .values("train/shares"))
  }

  @Test("defaults are those of the values themselves")
  func defaults() throws {
    let run = try ChangedConfiguration.load([
      ("checkpoints:\n  every: {epochs: 1}\n  keep: {last: 2, best: 1}\n", "")
    ]).run
    #expect(run.checkpoints == CheckpointConfiguration())
    let source = run.data.train
    #expect(run.data == DataConfiguration(train: source, test: run.data.test))
    #expect(
      run.training
        == TrainingConfiguration(
          epochs: 10, batch: 128, metrics: [.accuracy],
          optimizer: .sgd(SGD(learningRate: 0.05, momentum: 0.9))))
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
    let specs = try ChangedConfiguration.load([(old, layers)]).run.network.layers.map(\.spec)
    #expect(
      specs == [
        .conv2D(Conv2D(filters: 4, kernel: Size2D(3, 5))), .maxPool2D(Pool2D(size: Size2D(2))),
        .averagePool2D(Pool2D(size: Size2D(2, 1))), .batchNorm(BatchNorm()), .dropout(Dropout(rate: 0.25)),
        .rescale(Rescale(scale: 2)), .positionBias, .globalMaxPool2D, .dense(Dense(units: 7)),
      ])
  }

  @Test("samples are shuffled anew in each epoch, once, or never", arguments: ["true", "once", "false"])
  func shuffling(_ word: String) throws {
    let run = try ChangedConfiguration.load([("data:\n", "data:\n  shuffle: \(word)\n")]).run
    #expect(run.data.shuffle == (word == "once" ? .once : word == "true" ? .everyEpoch : .never))
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
    let run = try ChangedConfiguration.load([
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
    #expect(run.checkpoints == CheckpointConfiguration(every: .minutes(7.5), keep: .init(last: 5, best: 0)))
    #expect(
      run.training
        == TrainingConfiguration(
          epochs: 10, batch: 128, shard: 16,
          loss: .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: 0.1)), metrics: [.accuracy],
          optimizer: .adamW(
            AdamW(learningRate: 1e-3, beta1: 0.8, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01)),
          schedule: ScheduleConfiguration(
            curve: .step(StepDecay(at: [.epochs(2.5), .steps(4000)], factor: 0.5)), warmup: .steps(100)),
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
    let layers = try ChangedConfiguration.load([("  layers:", blocks)]).run.network.layers
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
      let found = ChangedConfiguration.messages([("\n  input: [28, 28, 1]\n  layers:\n", text)])
      #expect(found.count == 1 && found[0].contains("network: "), "\(layer): \(found)")
    }
  }

  @Test("every optimizer reaches the run, with its defaults")
  func optimizers() throws {
    let cases: [(String, OptimizerConfiguration)] = [
      (
        "{rmsprop: {learning_rate: 0.1, centered: true}}",
        .rmsprop(RMSprop(learningRate: 0.1, centered: true))
      ),
      ("{adagrad: {learning_rate: 0.1}}", .adagrad(Adagrad(learningRate: 0.1))),
      ("{adadelta: {learning_rate: 1}}", .adadelta(Adadelta(learningRate: 1))),
      (
        "{lion: {learning_rate: 1e-4, weight_decay: 0.3}}", .lion(Lion(learningRate: 1e-4, weightDecay: 0.3))
      ),
      ("{lars: {learning_rate: 2, trust: 0.01}}", .lars(LARS(learningRate: 2, trustCoefficient: 0.01))),
      ("{lamb: {learning_rate: 0.1}}", .lamb(LAMB(learningRate: 0.1))),
    ]
    for (text, expected) in cases {
      #expect(
        try ChangedConfiguration.load(set: ["training.optimizer=\(text)"]).run.training.optimizer == expected)
    }
    #expect(try ChangedConfiguration.load(set: ["base_batch=32"]).run.training.learningRate == 0.05 * 4)
  }

  @Test("every schedule reaches the run, with its defaults and a warm-up")
  func schedules() throws {
    let cases: [(String, ScheduleConfiguration.Curve)] = [
      (
        "{exponential: {factor: 0.5, every: {epochs: 1}}}",
        .exponential(ExponentialDecay(every: .epochs(1), factor: 0.5, staircase: false))
      ),
      ("polynomial", .polynomial(PolynomialDecay(over: nil, power: 1, floor: 0))),
      (
        "{cosine_restarts: {first: {steps: 100}}}",
        .cosineRestarts(CosineRestarts(first: .steps(100), stretch: 2, shrink: 1, floor: 0))
      ),
    ]
    for (text, curve) in cases {
      let run = try ChangedConfiguration.load(set: ["schedule=\(text)", "warmup={steps: 9}"]).run
      #expect(run.training.schedule == ScheduleConfiguration(curve: curve, warmup: .steps(9)))
    }
    #expect(
      try ChangedConfiguration.load(set: ["schedule=one_cycle"]).run.training.schedule
        == ScheduleConfiguration(curve: .oneCycle(OneCycle(rise: 0.3, start: 0.04, end: 4e-6))))
  }

  @Test(
    "more epochs change the meaning of a run whose schedule is stretched over it",
    arguments: ["cosine", "polynomial", "one_cycle"])
  func stretchedSchedule(kind: String) throws {
    let short = try ChangedConfiguration.load(set: ["schedule=\(kind)"])
    let long = try ChangedConfiguration.load(set: ["schedule=\(kind)", "epochs=11"])
    #expect(short.differences(to: long).map(\.keepsMeaning) == [false])
    let fixed = try ChangedConfiguration.load(set: ["schedule={cosine: {over: {epochs: 5}}}"])
    let fixedLong = try ChangedConfiguration.load(set: [
      "schedule={cosine: {over: {epochs: 5}}}", "epochs=11",
    ])
    #expect(fixed.differences(to: fixedLong).map(\.keepsMeaning) == [true])
  }

}
