internal import Compute
internal import Networks
internal import Training

/// How a network is trained, as Keras's `compile` would take it: the document of the attribute `training_config`.
///
/// Precision, recall, F1 and exact matches are means over classes here, which Keras has no metric of that name for, and are left
/// out; so is the smoothing of labels that are class numbers, which its loss does not take.
struct KerasCompilation {
  private let criterion: Criterion
  private let final: Activation

  init(_ network: ResolvedNetwork, _ criterion: Criterion?) {
    self.criterion = criterion ?? .classification
    final = network.network.output.spec.finalActivation
  }

  /// How Keras would go on training, nil where it has no such optimizer; `optimizer_config` and `loss_weights` are the keys it
  /// insists on.
  func trainingConfig(_ optimizer: OptimizerConfiguration) -> JSONValue? {
    guard let rule = optimizer.kerasName else { return nil }
    return .object([
      "loss": loss,
      "loss_weights": .null,
      "metrics": .array(metrics),
      "weighted_metrics": .null,
      "optimizer_config": .object([
        "class_name": .string(rule), "config": .object(Self.config(optimizer)),
      ]),
    ])
  }

  // MARK: - Losses and metrics

  private var loss: JSONValue {
    switch criterion.loss {
    case .softmaxCrossEntropy(let smoothing):
      let fromLogits = JSONValue.bool(final != .softmax)
      guard criterion.targets == .classes else {
        return kind(
          "CategoricalCrossentropy",
          ["from_logits": fromLogits, "label_smoothing": .number(Double(smoothing))])
      }
      return final == .softmax
        ? "sparse_categorical_crossentropy"
        : kind("SparseCategoricalCrossentropy", ["from_logits": fromLogits])
    case .sigmoidCrossEntropy(let smoothing):
      return kind(
        "BinaryCrossentropy",
        ["from_logits": .bool(final != .sigmoid), "label_smoothing": .number(Double(smoothing))])
    case .meanSquaredError: return "mean_squared_error"
    case .meanAbsoluteError: return "mean_absolute_error"
    case .huber(let delta): return kind("Huber", ["delta": .number(Double(delta))])
    }
  }

  private var metrics: [JSONValue] { criterion.metrics.compactMap(metric) }

  private func metric(_ metric: Metric) -> JSONValue? {
    switch metric {
    case .accuracy where criterion.task == .labels:
      // Of logits, 0 is as likely as not.
      kind("BinaryAccuracy", ["threshold": .number(final == .sigmoid ? 0.5 : 0)])
    case .accuracy: "accuracy"
    case .topAccuracy(let count):
      kind(
        criterion.targets == .classes ? "SparseTopKCategoricalAccuracy" : "TopKCategoricalAccuracy",
        ["k": .integer(count)])
    case .meanAbsoluteError: "mean_absolute_error"
    case .meanSquaredError: "mean_squared_error"
    case .rootMeanSquaredError: kind("RootMeanSquaredError", [:])
    case .exactMatch, .precision, .recall, .f1, .r2: nil
    }
  }

  private func kind(_ name: String, _ config: [String: JSONValue]) -> JSONValue {
    .object(["class_name": .string(name), "config": .object(config)])
  }

  // MARK: - Optimizers

  private static func decay(_ weightDecay: Double) -> [String: JSONValue] {
    weightDecay > 0 ? ["weight_decay": .number(weightDecay)] : [:]
  }

  private static func config(_ optimizer: OptimizerConfiguration) -> [String: JSONValue] {
    switch optimizer {
    case .sgd(let rate, let momentum, let nesterov, let weightDecay):
      var config: [String: JSONValue] = [
        "name": "SGD", "learning_rate": .number(rate), "momentum": .number(momentum),
        "nesterov": .bool(nesterov),
      ]
      if weightDecay > 0 { config["weight_decay"] = .number(weightDecay) }
      return config
    case .adam(let rate, let beta1, let beta2, let epsilon, let weightDecay, let decoupled):
      var config: [String: JSONValue] = [
        "name": .string(decoupled ? "AdamW" : "Adam"), "learning_rate": .number(rate),
        "beta_1": .number(beta1), "beta_2": .number(beta2), "epsilon": .number(epsilon),
      ]
      if decoupled { config["weight_decay"] = .number(weightDecay) }
      return config
    case .rmsprop(let rate, let rule):
      return [
        "name": "RMSprop", "learning_rate": .number(rate), "rho": .number(rule.rho),
        "momentum": .number(rule.momentum), "epsilon": .number(rule.epsilon),
        "centered": .bool(rule.centered),
      ].merging(decay(rule.weightDecay)) { $1 }
    case .adagrad(let rate, let rule):
      return [
        "name": "Adagrad", "learning_rate": .number(rate),
        "initial_accumulator_value": .number(rule.initialAccumulator), "epsilon": .number(rule.epsilon),
      ].merging(decay(rule.weightDecay)) { $1 }
    case .adadelta(let rate, let rule):
      return [
        "name": "Adadelta", "learning_rate": .number(rate), "rho": .number(rule.rho),
        "epsilon": .number(rule.epsilon),
      ].merging(decay(rule.weightDecay)) { $1 }
    case .lion(let rate, let rule):
      return [
        "name": "Lion", "learning_rate": .number(rate), "beta_1": .number(rule.beta1),
        "beta_2": .number(rule.beta2),
      ].merging(decay(rule.weightDecay)) { $1 }
    case .lamb(let rate, let rule):
      return [
        "name": "Lamb", "learning_rate": .number(rate), "beta_1": .number(rule.beta1),
        "beta_2": .number(rule.beta2), "epsilon": .number(rule.epsilon),
      ]
    case .lars: return [:]
    }
  }
}
