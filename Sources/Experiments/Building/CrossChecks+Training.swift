internal import Networks
internal import Settings
internal import Tensors
internal import Training

extension CrossChecks {
  /// Checks that a plateau schedule can act at all.
  func checkPlateau(_ errors: inout ErrorCollector) {
    let training = root["training"]
    guard let schedule = training?["schedule"], schedule.kind == "plateau", let value = schedule["patience"],
      let patience = value.integer
    else { return }
    let path = "training.schedule.plateau.patience"
    if let epochs = training?["epochs"]?.integer, patience >= epochs {
      errors.add(
        value.origin, "\(path): found \(counted(patience, "epoch")), expected less than the run's \(epochs)")
    }
    if let limit = training?["patience"]?.integer, limit <= patience {
      errors.add(
        value.origin,
        "\(path): found \(patience), but training.patience ends the run after \(limit) epochs without a gain, before "
          + "the learning rate falls; make training.patience larger")
    }
  }

  /// Checks that numbers of minibatches and samples fit together, as far as that is known without the data.
  func checkAmounts(_ errors: inout ErrorCollector) {
    let training = root["training"]
    if let value = training?["accumulate"], let count = value.integer, let batch = training?["batch"]?.integer
    {
      let limit = training?["limits"]?["training"]?.integer
      if batch * count > 1 << 24 {
        errors.add(
          value.origin,
          "training.accumulate: found \(count) minibatches of \(batch), expected at most 2^24 samples in a step"
        )
      } else if let limit, limit < count {
        errors.add(
          value.origin,
          "training.accumulate: found \(count), expected at most limits.training, which is \(limit)")
      }
    }
    if let value = training?["overfit_batches"], let count = value.integer,
      let limit = training?["limits"]?["training"]?.integer, count > limit
    {
      errors.add(
        value.origin,
        "training.overfit_batches: found \(count), expected at most limits.training, which is \(limit)")
    }
    if let value = root["data"]?["validation"], value.members != nil,
      (value["fraction"] == nil) == (value["count"] == nil)
    {
      errors.add(
        value.origin,
        "data.validation: found \(value["count"] == nil ? "neither fraction nor count" : "both fraction and count"), "
          + "expected one of them, such as {fraction: 0.1}")
    }
  }

  /// Checks that every pattern matches some parameter.
  func checkPatterns(_ network: ResolvedNetwork, _ errors: inout ErrorCollector) {
    let parameters = ParameterLayout(network).parameters.filter(\.spec.isTrainable)
    for (index, rule) in (root["training"]?["weight_decay_rules"]?.list ?? []).enumerated() {
      guard let value = rule["match"] else { continue }
      check(value, "training.weight_decay_rules.\(index).match", "parameter", parameters, &errors)
    }
    let kernels = parameters.filter { $0.spec.outputCount != nil }
    for (index, value) in (root["training"]?["max_norm"]?["layers"]?.list ?? []).enumerated() {
      check(value, "training.max_norm.layers.\(index)", "kernel", kernels, &errors)
    }
  }

  /// Checks the rules for layers: that each says something of something, and that something is left to train.
  func checkLayerRules(_ network: ResolvedNetwork, _ errors: inout ErrorCollector) {
    guard let written = root["training"]?["layers"], let items = written.list else { return }
    let layout = ParameterLayout(network)
    let rules = items.compactMap(LayerRule.settings.value(of:))
    guard rules.count == items.count else { return }
    let epochs = root["training"]?["epochs"]?.integer
    for (index, (item, rule)) in zip(items, rules).enumerated() {
      let path = "training.layers.\(index)"
      if let value = item["match"] { check(value, "\(path).match", "parameter", layout.parameters, &errors) }
      if rule.freezing == nil, rule.learningRateScale == nil, rule.weightDecay == nil {
        errors.add(
          item.origin,
          "\(path): says nothing of what it matches; it takes frozen, learning_rate_scale and weight_decay")
      }
      if case .until(let count)? = rule.freezing, let epochs, count >= epochs {
        errors.add(
          item["frozen"]?.origin ?? item.origin,
          "\(path).frozen.until.epochs: found \(count), expected less than the run's \(epochs); write frozen: true to train without "
            + "these layers")
      }
    }
    var training = TrainingConfiguration(epochs: 1, batch: 1, optimizer: .sgd(SGD(learningRate: 1)))
    training.layerRules = rules
    checkFreezing(TrainingPhases(training, layout), layout, written, &errors)
  }

  private func checkFreezing(
    _ phases: TrainingPhases, _ layout: ParameterLayout, _ written: ResolvedValue,
    _ errors: inout ErrorCollector
  ) {
    let trainable = layout.parameters.filter { $0.spec.isTrainable && !$0.spec.isFrozen }
    for phase in phases.phases {
      if trainable.allSatisfy({ phase.frozen.contains($0.path) }) {
        errors.add(
          written.origin,
          "training.layers: everything is frozen\(phase.firstEpoch == 0 ? "" : " from epoch \(phase.firstEpoch + 1) on"), so that "
            + "there is nothing to train; leave out the last layer, `{match: \(layout.parameters.last?.layer ?? ""), frozen: false}`"
        )
        return
      }
      for (mean, variance) in Self.statistics(layout) {
        guard phase.frozen.contains(mean.path) != phase.frozen.contains(variance.path) else { continue }
        errors.add(
          written.origin,
          "training.layers: one of the statistics of '\(mean.layer)' is frozen and the other is not; match both with "
            + "\(mean.layer)/moving_*")
        return
      }
    }
  }

  /// The running mean and variance of each batch normalisation.
  private static func statistics(_ layout: ParameterLayout) -> [(Parameter, Parameter)] {
    let statistics = layout.parameters.filter { !$0.spec.isTrainable }
    return statistics.compactMap { mean in
      guard mean.spec.name == "moving_mean" else { return nil }
      return statistics.first { $0.layer == mean.layer && $0.spec.name != mean.spec.name }.map { (mean, $0) }
    }
  }

  /// Checks what the start says by itself; its file is looked at later.
  func checkStart(_ network: ResolvedNetwork, _ errors: inout ErrorCollector) {
    guard let written = root["training"]?["start"], written.members != nil,
      let start = StartConfiguration.settings.value(of: written)
    else { return }
    let parameters = ParameterLayout(network).parameters
    for (index, value) in (written["layers"]?.list ?? []).enumerated() {
      check(value, "training.start.layers.\(index)", "parameter", parameters, &errors)
    }
    for rule in start.renaming where !rule.isSound {
      errors.add(
        written["rename"]?.origin ?? written.origin,
        "training.start.rename: found '\(rule.old.shortened)' for '\(rule.new.shortened)', expected two names, or two with one star each"
      )
    }
  }

  private func check(
    _ value: ResolvedValue, _ path: String, _ noun: String, _ parameters: [Parameter],
    _ errors: inout ErrorCollector
  ) {
    guard let text = value.text else { return }
    let pattern = ParameterPattern(text)
    guard !parameters.contains(where: { pattern.matches(layer: $0.layer, parameter: $0.spec.name) }) else {
      return
    }
    var layers: [String] = []
    for parameter in parameters where layers.last != parameter.layer { layers.append(parameter.layer) }
    let shown = layers.prefix(12).joined(separator: ", ") + (layers.count > 12 ? ", …" : "")
    errors.add(
      value.origin,
      "\(path): '\(text.shortened)' matches no \(noun); layers with one are \(shown)"
        + NearestName.hint(text, among: layers))
  }
}
