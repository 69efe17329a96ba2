internal import Networks
internal import Settings
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
      errors.add(value.origin, "\(path): found \(patience) epochs, expected less than the run's \(epochs)")
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
