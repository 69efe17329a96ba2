import Compute
import Digests
import Foundation
import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Freezing and rates of layers")
struct FreezingTests {
  private static func rule(_ pattern: String, _ freezing: Freezing) -> LayerRule {
    LayerRule(ParameterPattern(pattern), freezing: freezing)
  }

  private static func configuration(
    _ folder: TemporaryFolder, epochs: Int = 4, optimizer: OptimizerConfiguration = SmallRun.sgd,
    network: Network? = nil, _ rules: [LayerRule]
  ) throws -> RunConfiguration {
    if !FileManager.default.fileExists(atPath: folder("data.h5")) {
      try SmallRun.writeDataset(folder("data.h5"), count: 83)
    }
    var configuration = try SmallRun.configuration(
      data: folder("data.h5"), epochs: epochs, optimizer: optimizer, batchNorm: true)
    configuration.network = try network ?? Self.network()
    configuration.training.layerRules = rules
    return configuration
  }

  /// Two blocks with everything in them that freezing changes: convolutions, batch normalisation, dropout, a shortcut.
  private static func network() throws -> Network {
    func layer(_ name: String, _ inputs: [String], _ spec: LayerSpec) -> Layer {
      Layer(name: name, inputs: inputs, spec: spec)
    }
    return try Network(
      inputShape: [9, 8, 1],
      layers: [
        layer("rescale", ["input"], .rescale(Rescale(scale: 1 / 255.0))),
        layer("stem", ["rescale"], .conv2D(Conv2D(filters: 6, kernel: Size2D(3), padding: .same))),
        layer("stem_norm", ["stem"], .batchNorm(BatchNorm(momentum: 0.8))),
        layer("stem_relu", ["stem_norm"], .activation(.relu)),
        layer("stem_drop", ["stem_relu"], .dropout(Dropout(rate: 0.2))),
        layer("body", ["stem_drop"], .conv2D(Conv2D(filters: 6, kernel: Size2D(3), padding: .same))),
        layer("body_norm", ["body"], .batchNorm(BatchNorm(momentum: 0.8))),
        layer("add", ["body_norm", "stem_drop"], .add),
        layer("body_relu", ["add"], .activation(.relu)),
        layer("pool", ["body_relu"], .maxPool2D(Pool2D(size: Size2D(2)))),
        layer("drop", ["pool"], .dropout(Dropout(rate: 0.25))),
        layer("flatten", ["drop"], .flatten),
        layer("head", ["flatten"], .dense(Dense(units: SmallRun.classes))),
      ])
  }

  private static func last(_ directory: String) throws -> Checkpoint {
    try #require(try CheckpointStore(folder: "\(directory)/checkpoints").newest()).checkpoint
  }

  @Test(
    "unfreezing is the same on any number of workers, and wherever the training is interrupted",
    arguments: [
      SmallRun.sgd, SmallRun.adam, .lars(LARS(learningRate: 0.1, weightDecay: 0.01)),
      .adam(Adam(learningRate: 0.01)),
    ])
  func unfreezing(optimizer: OptimizerConfiguration) throws {
    let folder = try TemporaryFolder()
    var configuration = try Self.configuration(
      folder, optimizer: optimizer,
      [
        Self.rule("stem*", .until(epochs: 2)), Self.rule("body*", .until(epochs: 1)),
        LayerRule(ParameterPattern("head"), learningRateScale: 2, weightDecay: 0.02),
      ])
    configuration.training.average = MovingAverage(decay: 0.9)
    configuration.training.clipping = .norm(1)
    configuration.training.maxNorm = MaxNorm(limit: 1)
    var runs: [[Int: SHA256.Digest]] = []
    for workers in [1, 2, 3] {
      let directory = folder("run-\(workers)")
      #expect(try SmallRun.train(configuration, in: directory, workers: workers).complete)
      runs.append(try SmallRun.digests(in: directory))
    }
    #expect(runs[0].count == 20 && Set(runs[0].values).count == 20)
    #expect(runs[1] == runs[0] && runs[2] == runs[0])
    var restarts = 0
    while try !SmallRun.train(
      configuration, in: folder("pieces"), workers: 1 + restarts % 3, stopAfter: 1
    ).complete { restarts += 1 }
    #expect(restarts == 20)
    #expect(try SmallRun.digests(in: folder("pieces")) == runs[0])
  }

  @Test(
    "frozen parameters and statistics keep their bytes and have no optimizer state; unfrozen ones begin with none"
  )
  func kept() throws {
    let folder = try TemporaryFolder()
    var configuration = try Self.configuration(
      folder, optimizer: SmallRun.adam, [Self.rule("stem*", .until(epochs: 2)), Self.rule("body*", .always)])
    configuration.training.average = MovingAverage(decay: 0.5)
    configuration.training.maxNorm = MaxNorm(limit: 0.01)
    #expect(try SmallRun.train(configuration, in: folder("run"), workers: 2).complete)
    let initial = ParameterLayout(try configuration.network.resolved()).initialValues(
      seed: configuration.seed)
    let entries = try CheckpointStore(folder: folder("run/checkpoints")).entries()
    #expect(entries.count == 20)
    for entry in entries {
      let checkpoint = try CheckpointFile.read(entry.path)
      // Steps of an epoch: 5; a checkpoint after the tenth still is of the first phase.
      let isWarm = entry.step > 10
      var stateless: Set<String> = []
      for parameter in initial.layout.parameters {
        let isFrozen = parameter.layer.hasPrefix("body") || !isWarm && parameter.layer.hasPrefix("stem")
        if isFrozen, parameter.spec.isTrainable, parameter.layer != "head" {
          stateless.insert(parameter.path)
        }
        guard isFrozen || parameter.layer == "head" else { continue }
        for values in [checkpoint.values, try #require(checkpoint.trained)] {
          let isSame =
            values.values(of: parameter).map(\.bitPattern)
            == initial.values(of: parameter).map(\.bitPattern)
          #expect(isSame == isFrozen, "\(parameter.path) after step \(entry.step)")
        }
      }
      #expect(checkpoint.stateless == stateless && !stateless.isEmpty)
      for slot in checkpoint.slots {
        for parameter in initial.layout.parameters where stateless.contains(parameter.path) {
          #expect(slot.values.array()[parameter.range].allSatisfy { $0 == 0 })
        }
      }
    }
  }

  /// The state after some steps.
  private static func state(_ configuration: RunConfiguration, steps: Int) throws -> Checkpoint.Values {
    let prepared = try PreparedTraining(
      RunRequest(configuration: configuration, resolvedConfiguration: "", directory: "", workers: 2),
      stop: StopRequest())
    let driver = StepDriver(
      configuration, try prepared.makeEngine(), prepared.samples.training, from: TrainingProgress(),
      phases: EnginePhases(prepared), stop: StopRequest())
    for _ in 0..<steps {
      guard case .done = try driver.step() else { throw TrainingError(.notFinite, "a step failed") }
    }
    return try driver.engine.canonicalState()
  }

  @Test(
    "a frozen training is one in which the gradients of frozen parameters are dropped",
    arguments: ["stem", "body", "stem*", "head", "*/bias", "*/kernel", "*/gamma", "body*/b*"])
  func dropped(_ pattern: String) throws {
    let folder = try TemporaryFolder()
    // Without batch normalisation, whose statistics freezing stops, too; patterns of parameters leave them.
    // Without dropout, whose masks lie over a layer's memory: kernels that nothing goes back through may have other layouts.
    let left = pattern.contains("/") ? ["_drop"] : ["_drop", "_norm"]
    let layers = try Self.network().layers.filter { layer in
      !left.contains { layer.name.hasSuffix($0) } && layer.name != "drop"
    }.map { layer in
      var inputs = layer.inputs.map {
        $0.replacing("stem_drop", with: "stem_relu").replacing("drop", with: "pool")
      }
      if left.contains("_norm") { inputs = inputs.map { $0.replacing("_norm", with: "") } }
      return Layer(name: layer.name, inputs: inputs, spec: layer.spec)
    }
    let network = try Network(inputShape: [9, 8, 1], layers: layers)
    let optimizer = OptimizerConfiguration.sgd(SGD(learningRate: 0.05, momentum: 0.9))
    let frozen = try Self.configuration(
      folder, optimizer: optimizer, network: network, [Self.rule(pattern, .always)])
    // A rate of zero moves nothing, whatever the gradient.
    let dropped = try Self.configuration(
      folder, optimizer: optimizer, network: network,
      [LayerRule(ParameterPattern(pattern), learningRateScale: 0)])
    let (left, right) = try (Self.state(frozen, steps: 12), Self.state(dropped, steps: 12))
    var moved = 0
    for parameter in left.predicting.layout.parameters {
      let (found, expected) = (left.predicting.values(of: parameter), right.predicting.values(of: parameter))
      let isSame = found.map(\.bitPattern) == expected.map(\.bitPattern)
      #expect(isSame, "\(parameter.path)")
      moved +=
        ParameterPattern(pattern).matches(layer: parameter.layer, parameter: parameter.spec.name) ? 0 : 1
    }
    #expect(moved > 0)
  }

  @Test("a bound on the norm counts the gradients of trained parameters alone")
  func clipping() throws {
    let folder = try TemporaryFolder()
    var configuration = try Self.configuration(
      folder, optimizer: .sgd(SGD(learningRate: 1)),
      [Self.rule("stem*", .always), Self.rule("body*", .always)])
    configuration.training.schedule = ScheduleConfiguration()
    let start = ParameterLayout(try configuration.network.resolved()).initialValues(seed: configuration.seed)
    let plain = try Self.state(configuration, steps: 1).predicting
    configuration.training.clipping = .norm(0.125)
    let bounded = try Self.state(configuration, steps: 1).predicting
    // With a rate of 1 a step is the gradient.
    var squares = 0.0
    for (before, after) in zip(start.trainable.array(), plain.trainable.array()) {
      squares += Double(before - after) * Double(before - after)
    }
    let norm = squares.squareRoot()
    #expect(norm > 0.25, "the bound does something")
    let expected = zip(start.trainable.array(), plain.trainable.array()).map {
      Float(Double($0) - Double($0 - $1) * 0.125 / norm)
    }
    expectClose(bounded.trainable.array(), expected, absolute: 2e-6, "bounded")
  }

  @Test("a rule's rate and weight decay are those of an optimizer with them")
  func ratesAndDecay() throws {
    let folder = try TemporaryFolder()
    for rate in [0.5, 3] {
      for decay in [0, 0.3] {
        let rules = [
          LayerRule(ParameterPattern("head/kernel"), weightDecay: decay),
          LayerRule(ParameterPattern("head"), learningRateScale: rate, weightDecay: 0.7),
          Self.rule("*", .always),
        ]
        // Everything else frozen, and the head left to its rules.
        let free = [Self.rule("head", .never)]
        let scaled = try Self.configuration(
          folder, optimizer: .adamW(AdamW(learningRate: 0.01, weightDecay: 0.1)), free + rules)
        var plain = try Self.configuration(
          folder, optimizer: .adamW(AdamW(learningRate: 0.01 * rate, weightDecay: 0.7)),
          free + [Self.rule("*", .always)])
        plain.training.weightDecayRules = [
          WeightDecayRule(ParameterPattern("*/kernel"), scale: decay / 0.7)
        ]
        let left = try Self.state(scaled, steps: 7).predicting.trainable.array()
        let right = try Self.state(plain, steps: 7).predicting.trainable.array()
        expectClose(left, right, absolute: 1e-6, "rate \(rate), decay \(decay)")
      }
    }
  }

  @Test("a plan for frozen layers has no steps back to them, and none of their weights in sums and state")
  func plans() throws {
    let network = try Self.network().resolved()
    let whole = try CompiledNetwork(network, options: CompileOptions(batch: 8, shard: 4))
    var options = CompileOptions(batch: 8, shard: 4)
    let layout = ParameterLayout(network)
    options.frozen = Set(layout.parameters.filter { $0.layer != "head" }.map(\.path))
    let head = try CompiledNetwork(network, options: options)
    let names = try head.trainingPlan(samples: 4).stepNames
    #expect(!names.contains { $0.pass != .forward && $0.layer != "head" })
    #expect(names.contains { $0.pass == .backwardWeights && $0.layer == "head" })
    // The batch normalisation after a convolution is a part of it.
    #expect(!names.contains { $0.layer == "stem_norm" || $0.layer == "body_norm" })
    #expect(try whole.trainingPlan(samples: 4).stepNames.contains { $0.layer == "stem_norm" })
    let trained = head.segments.filter(\.isTrained)
    #expect(Set(trained.map(\.parameter.path)) == ["head/kernel", "head/bias"])
    #expect(head.trainedCount == trained.reduce(0) { $0 + $1.range.count })
    #expect(head.trainedCount < whole.trainedCount && head.gradientCount == head.trainedCount)
    #expect(head.storageCount > head.trainedCount && whole.storageCount == whole.trainedCount)

    // Where the stem alone is trained, the way back leads through all that is frozen, and no frozen weight gets a gradient.
    options.frozen = Set(layout.parameters.filter { !$0.layer.hasPrefix("stem") }.map(\.path))
    let stem = try CompiledNetwork(network, options: options).trainingPlan(samples: 4).stepNames
    #expect(stem.contains { $0.layer == "body" && $0.pass == .backwardData })
    #expect(!stem.contains { $0.layer == "body" && $0.pass == .backwardWeights })
    #expect(stem.contains { $0.layer == "stem" && $0.pass == .backwardWeights })
  }
}
