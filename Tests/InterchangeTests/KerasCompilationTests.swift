import Compute
import Foundation
import HDF5
import Networks
import Settings
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

@Suite("What a model is compiled with in Keras")
struct KerasCompilationTests {
  /// Every optimizer with each number 1 or at its default, and with each number that may be so at 0.
  static let optimizers: [OptimizerConfiguration] = OptimizerConfiguration.Kind.allCases.flatMap { kind in
    let description = OptimizerConfiguration.description(of: kind)
    guard case .object(let object) = description.payload else { return [OptimizerConfiguration]() }
    func made(_ value: (Key) -> ResolvedValue.Content?) -> OptimizerConfiguration? {
      let members = object.keys.compactMap { key in
        value(key).map { ResolvedValue.Member(key: key.name, value: ResolvedValue($0, .builtIn)) }
      }
      return description.make(ResolvedValue(.map(members), .builtIn))
    }
    func usual(_ key: Key) -> ResolvedValue.Content? {
      if case .value(let content) = key.fallback { content } else { .number(1) }
    }
    func zero(_ key: Key) -> ResolvedValue.Content? {
      if case .number(let range) = key.schema, range.contains(0) { .number(0) } else { usual(key) }
    }
    return [made(usual), made(zero)].compactMap(\.self)
  }

  /// A loss with the outputs and targets that it is for.
  static let criteria: [Criterion] = Loss.Kind.allCases.flatMap { kind -> [Criterion] in
    let description = Loss.description(of: kind)
    var payload: ResolvedValue?
    if case .object(let object) = description.payload {
      let members = object.keys.compactMap { key -> ResolvedValue.Member? in
        guard case .value(let content) = key.fallback else { return nil }
        return ResolvedValue.Member(key: key.name, value: ResolvedValue(content, .builtIn))
      }
      payload = ResolvedValue(.map(members), .builtIn)
    }
    guard let loss = description.make(payload) else { return [] }
    let targets: [Criterion.Targets] = loss.outputs == .classes ? [.classes, .values] : [.values]
    return targets.map { targets in
      var criterion = Criterion(loss: loss, targets: targets, outputs: 3)
      criterion.metrics = Metric.all.filter {
        criterion.task.admits($0) && $0.isTelling(outputs: 3)
      }
      return criterion
    }
  }

  private func write(
    _ optimizer: OptimizerConfiguration, _ criterion: Criterion, activation: Activation = .linear,
    to path: String
  ) throws {
    let network = try Network(
      inputShape: [5], chain: [.dense(Dense(units: 3, activation: activation))]
    ).resolved()
    let checkpoint = Checkpoint(
      network: network, name: "example", progress: TrainingProgress(),
      identity: RunIdentity(runID: "a", criterion: criterion),
      values: ParameterLayout(network).initialValues(seed: 1), optimizer: optimizer, slots: [])
    try CheckpointFile.write(checkpoint, to: path, model: KerasModelWriter())
  }

  private func trainingConfig(of path: String) throws -> String? {
    let attributes = try HDF5.File.open(path).root.attributes
    return try attributes.contains("training_config") ? attributes.string("training_config") : nil
  }

  @Test("numbers that are floats in Keras are floats in the file, also where they are whole")
  func floats() throws {
    let folder = try TemporaryDirectory()
    try write(.sgd(SGD(learningRate: 1)), .classification, to: folder.file("a.h5"))
    let text = try #require(try trainingConfig(of: folder.file("a.h5")))
    #expect(
      text.contains(
        #""config":{"learning_rate":1.0,"momentum":0.0,"name":"SGD","nesterov":false}"#), "\(text)")
    let criterion = Criterion(
      loss: .huber(Huber(delta: 2)), task: .values, targets: .values, metrics: [.meanAbsoluteError])
    try write(.adam(Adam(learningRate: 0.5, beta1: 0)), criterion, to: folder.file("b.h5"))
    let other = try #require(try trainingConfig(of: folder.file("b.h5")))
    #expect(
      other.contains(#""loss":{"class_name":"Huber","config":{"delta":2.0}}"#)
        && other.contains(#""beta_1":0.0"#), "\(other)")
  }

  @Test("a loss is told whether the outputs are probabilities already")
  func logits() throws {
    let folder = try TemporaryDirectory()
    for (index, criterion) in Self.criteria.enumerated() where criterion.loss.finalActivation != .none {
      let final = criterion.loss.finalActivation == .softmax ? Activation.softmax : .sigmoid
      for (activation, takesLogits) in [(Activation.linear, true), (final, false)] {
        let path = folder.file("\(index)-\(takesLogits).h5")
        try write(.sgd(SGD(learningRate: 1)), criterion, activation: activation, to: path)
        let text = try #require(try trainingConfig(of: path))
        // Without a word of it, Keras takes probabilities.
        #expect(text.contains(#""from_logits":true"#) == takesLogits, "\(text)")
      }
    }
  }

  @Test("settings for which Keras has a default of its own are written, whatever they are")
  func words() throws {
    #expect(Self.optimizers.count == 2 * OptimizerConfiguration.Kind.allCases.count)
    for optimizer in Self.optimizers {
      guard let keras = optimizer.rule.keras else {
        #expect(optimizer.rule.kerasClass == nil || optimizer.rule.weightDecay > 0, "\(optimizer)")
        continue
      }
      #expect(keras.settings?["learning_rate"] == .number(1), "\(optimizer)")
      #expect(keras.settings?["name"] == .text(keras.name), "\(optimizer)")
    }
  }

  @Test(
    "what one of Keras's versions does not find again in a file is left out, and the file opens without it")
  func leftOut() throws {
    let folder = try TemporaryDirectory()
    let optimizers: [OptimizerConfiguration] = [
      .adamW(AdamW(learningRate: 0.1)), .adamW(AdamW(learningRate: 0.1, weightDecay: 0)),
      .lion(Lion(learningRate: 0.1)), .lars(LARS(learningRate: 0.1)), .lamb(LAMB(learningRate: 0.1)),
      .sgd(SGD(learningRate: 0.1, weightDecay: 0.5)), .adam(Adam(learningRate: 0.1, weightDecay: 0.5)),
    ]
    for (index, optimizer) in optimizers.enumerated() {
      let path = folder.file("\(index).h5")
      try write(optimizer, .classification, to: path)
      #expect(try trainingConfig(of: path) == nil, "\(optimizer)")
    }
  }

  private static let python = ProcessInfo.processInfo.environment["CONVOY_KERAS_PYTHON"]

  /// What Keras finds in models: classes of optimizer and loss, nil where there are none.
  private func opened(_ keras: String, _ paths: [String]) throws -> [[String]?] {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/keras_compiled.py").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.python))
    process.arguments = [script, keras] + paths
    let output = Pipe()
    process.standardOutput = output
    try process.runBounded()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try JSONDecoder().decode(
      [[String]?].self, from: Data((text.split(separator: "\n").last ?? "").utf8))
  }

  @Test(
    "Keras 3 and Keras 2 open what every optimizer, loss and metric writes as it is compiled, go on training, and predict",
    .enabled(if: python != nil, "needs CONVOY_KERAS_PYTHON; Scripts/test --all sets it"),
    arguments: ["keras", "tf_keras"])
  func opened(keras: String) throws {
    let folder = try TemporaryDirectory()
    var paths: [String] = []
    for optimizer in Self.optimizers {
      paths.append(folder.file("\(paths.count).h5"))
      try write(optimizer, .classification, to: paths[paths.count - 1])
    }
    let found = try opened(keras, paths)
    #expect(found.map { $0?.first } == Self.optimizers.map { $0.rule.keras?.name })
    paths = []
    for criterion in Self.criteria {
      for activation in [Activation.linear, criterion.loss.finalActivation == .softmax ? .softmax : .sigmoid]
      {
        paths.append(folder.file("loss-\(paths.count).h5"))
        try write(
          .sgd(SGD(learningRate: 0.5)), criterion, activation: activation, to: paths[paths.count - 1])
      }
    }
    #expect(paths.count >= 10)
    #expect(try opened(keras, paths).allSatisfy { $0?.first == "SGD" })
  }
}
