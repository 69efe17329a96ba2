internal import Datasets
internal import Networks
internal import Settings
internal import Tensors
internal import Training

/// Checks that span several values, made before any data is read.
struct CrossChecks {
  let root: ResolvedValue
  let expansion: NetworkExpansion

  /// Makes all checks.
  ///
  /// - Returns: the network with its shapes; nil where it has errors, which are then collected.
  func check(_ errors: inout ErrorCollector) -> ResolvedNetwork? {
    checkTargets(&errors)
    checkTraining(&errors)
    return checkNetwork(&errors)
  }

  // MARK: - Training

  private func checkParallelism(_ errors: inout ErrorCollector) {
    guard let training = root["training"], training["parallelism"]?.text == Parallelism.intra.rawValue else {
      return
    }
    if let shard = training["shard"], let size = shard.integer, size > 1 {
      errors.add(
        shard.origin, "training.shard: found \(size), expected auto or 1 with training.parallelism: intra")
    }
    if let precision = training["precision"], precision.text != Precision.fp32.rawValue {
      errors.add(
        precision.origin,
        "training.precision: found '\(precision.text ?? "")', expected fp32 with training.parallelism: intra")
    }
  }

  private func checkTraining(_ errors: inout ErrorCollector) {
    let training = root["training"]
    if let batch = training?["batch"]?.integer, let shard = training?["shard"], let size = shard.integer,
      size > batch
    {
      errors.add(
        shard.origin, "training.shard: found \(size), expected at most the batch, which is \(batch)")
    }
    checkParallelism(&errors)
    checkSteps(&errors)
    checkPlateau(&errors)
    checkAmounts(&errors)
    guard let schedule = training?["schedule"] else { return }
    let epochs = training?["epochs"]?.integer
    checkSpan(schedule["warmup"], "training.schedule.\(schedule.kind ?? "").warmup", within: epochs, &errors)
    for key in ["over", "every", "first"] {
      checkSpan(schedule[key], "training.schedule.\(schedule.kind ?? "").\(key)", upTo: epochs, &errors)
    }
    checkFall(schedule, epochs, &errors)
    var last: TrainingSpan?
    for (index, time) in (schedule["at"]?.list ?? []).enumerated() {
      let path = "training.schedule.step.at.\(index)"
      checkSpan(time, path, within: epochs, &errors)
      let span = TrainingSpan.settings.value(of: time)
      if let last, let span, !last.isKnownBefore(span) {
        errors.add(time.origin, "\(path): is not later than the one before it; write the times in order")
      }
      last = span
    }
  }

  private static func epochs(_ length: Double) -> String {
    counted(length == 1 ? 1 : 2, "epoch", as: length.plainText)
  }

  private func checkSpan(
    _ value: ResolvedValue?, _ path: String, within epochs: Int? = nil, upTo whole: Int? = nil,
    _ errors: inout ErrorCollector
  ) {
    guard let value, case .epochs(let length) = TrainingSpan.settings.value(of: value) else { return }
    if let epochs, length >= Double(epochs) {
      errors.add(
        value.origin, "\(path): found \(Self.epochs(length)), expected less than the run's \(epochs)")
    }
    if let whole, length > Double(whole) {
      errors.add(
        value.origin, "\(path): found \(Self.epochs(length)), expected at most the run's \(whole)")
    }
  }

  /// Checks that a curve that falls once reaches its end after a warm-up, as it does without one.
  private func checkFall(_ schedule: ResolvedValue, _ epochs: Int?, _ errors: inout ErrorCollector) {
    guard let epochs, let value = schedule["over"], let warmup = schedule["warmup"],
      case .epochs(let over) = TrainingSpan.settings.value(of: value),
      case .epochs(let rise) = TrainingSpan.settings.value(of: warmup),
      over <= Double(epochs), over + rise > Double(epochs)
    else { return }
    errors.add(
      value.origin,
      "training.schedule.\(schedule.kind ?? "").over: found \(over.plainText) epochs after a warm-up of \(rise.plainText), expected "
        + "at most the run's \(epochs) together; `run` is what the warm-up leaves")
  }

  // MARK: - Network

  private func checkNetwork(_ errors: inout ErrorCollector) -> ResolvedNetwork? {
    guard let input = root["network"]?["input"], let dimensions = input.list?.compactMap(\.integer),
      root["network"]?["layers"] != nil, !expansion.layers.isEmpty
    else { return nil }
    var layers: [Layer] = []
    for layer in expansion.layers {
      guard let spec = LayerForm(layer.word)?.spec(layer.fields) else { return nil }
      layers.append(Layer(name: layer.name, inputs: layer.inputs, spec: spec))
    }
    do {
      let resolved = try Network(inputShape: Shape(dimensions), layers: layers).resolved()
      checkDeadEnds(layers, &errors)
      checkLoss(resolved, &errors)
      checkAnswers(resolved, &errors)
      checkPatterns(resolved, &errors)
      checkLayerRules(resolved, &errors)
      checkStart(resolved, &errors)
      return resolved
    } catch let error as NetworkError {
      let layer = expansion.layers.first { $0.name == error.layer }
      errors.add(layer?.location ?? input.origin, "network: \(error)\(usePhrase(layer))")
    } catch {
      errors.add(input.origin, "network: \(error)")
    }
    return nil
  }

  /// A note for messages on the block that the layer stands in and the override that changed it; empty for none.
  func usePhrase(_ layer: NetworkExpansion.FlatLayer?) -> String {
    guard let layer else { return "" }
    let override = layer.fields.members?.map(\.value.origin).first {
      if case .override = $0 { true } else { false }
    }
    return (layer.use.map { " (in the block used at \($0))" } ?? "")
      + (override.map { " (changed by \($0))" } ?? "")
  }

  /// Refuses layers whose output no other takes: they do nothing, which is never meant.
  private func checkDeadEnds(_ layers: [Layer], _ errors: inout ErrorCollector) {
    var open = Set(layers.dropLast().map(\.name))
    for layer in layers { open.subtract(layer.inputs) }
    for layer in expansion.layers where open.contains(layer.name) {
      errors.add(
        layer.location,
        "network: the output of layer '\(layer.name)' goes nowhere; name it in the `inputs` of a later layer, "
          + "or leave it out\(usePhrase(layer))")
    }
  }
}

extension TrainingSpan {
  /// Whether this one comes first; false only where both have the same unit and this one is not the shorter.
  fileprivate func isKnownBefore(_ other: TrainingSpan) -> Bool {
    switch (self, other) {
    case (.steps(let left), .steps(let right)): left < right
    case (.epochs(let left), .epochs(let right)): left < right
    case (.steps, .epochs), (.epochs, .steps): true
    }
  }
}
