internal import HDF5
internal import Networks
internal import Tensors

/// The part of a checkpoint that Keras reads: its legacy whole-model layout.
///
/// `optimizer_weights` is left out on purpose: Keras 3 builds the optimizer over an empty list from it and then refuses to
/// train. The optimizer's state is in our own group.
enum KerasModelFile {
  static let weightsGroup = "model_weights"

  static func write(_ checkpoint: Checkpoint, to root: Group) throws {
    let model = KerasModelConfig(checkpoint.network)
    try writeVersion(to: root.attributes)
    try root.attributes.write("model_config", try model.json(name: checkpoint.name))
    if let optimizer = checkpoint.optimizer, let rule = optimizer.kerasName {
      try root.attributes.write(
        "training_config",
        try trainingConfig(
          optimizer, rule, KerasCompilation(checkpoint.network, checkpoint.identity.criterion)
        ).text())
    }
    let weights = try root.makeGroup(weightsGroup)
    try writeVersion(to: weights.attributes)
    try weights.attributes.write("layer_names", model.layerNames)
    for name in model.layerNames {
      let group = try weights.makeGroup(name)
      let layer = checkpoint.network.layers.first { $0.name == name }
      let own = layer?.kerasWeights ?? []
      try group.attributes.write("weight_names", own.map { "\(name)/\($0.name)" })
      for weight in own { try write(weight, of: name, from: checkpoint.values, to: group) }
    }
  }

  /// Keras takes a file without a version for one of Keras 1, and one of another backend for one whose kernels must be turned.
  private static func writeVersion(to attributes: Attributes) throws {
    try attributes.write("keras_version", "3.0.0")
    try attributes.write("backend", "tensorflow")
  }

  private static func write(
    _ weight: KerasWeight, of layer: String, from values: CanonicalParameters, to group: Group
  ) throws {
    let path = "\(layer)/\(weight.name)"
    switch weight {
    case .identity(let rows):
      let dataset = try group.makeDataset(path, type: .float32, shape: [rows, rows])
      try dataset.write((0..<rows * rows).map { Float($0 % (rows + 1) == 0 ? 1 : 0) })
    case .parameter(let spec):
      let parameter = values.layout.parameters.first { $0.layer == layer && $0.spec.name == spec.name }
      guard let parameter else { return }
      let dataset = try group.makeDataset(path, type: .float32, shape: spec.shape.dimensions)
      try dataset.write(UnsafeBufferPointer(values.values(of: parameter)))
    }
  }

  // MARK: - training_config

  /// How Keras would go on training; `optimizer_config` and `loss_weights` are the keys it insists on.
  private static func trainingConfig(
    _ optimizer: OptimizerConfiguration, _ rule: String, _ compilation: KerasCompilation
  ) -> JSONValue {
    .object([
      "loss": compilation.loss,
      "loss_weights": .null,
      "metrics": .array(compilation.metrics),
      "weighted_metrics": .null,
      "optimizer_config": .object([
        "class_name": .string(rule), "config": .object(config(optimizer)),
      ]),
    ])
  }

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
