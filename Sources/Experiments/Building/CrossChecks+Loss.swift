internal import Compute
internal import Networks
internal import Settings
internal import Tensors
internal import Training

extension CrossChecks {
  // MARK: - Targets

  /// Checks that each source has either labels or targets, and both sources the same.
  func checkTargets(_ errors: inout ErrorCollector) {
    var first: String?
    for role in ["train", "test"] {
      guard let source = root["data"]?[role], source.members != nil else { continue }
      switch (source["labels"], source["targets"]) {
      case (nil, nil):
        errors.add(
          source.origin,
          "data.\(role): labels or targets are missing; labels names the dataset of classes, targets one of other numbers"
        )
      case (.some, .some(let targets)):
        errors.add(
          targets.origin,
          "data.\(role): found both labels and targets, expected one of them: labels for classes, targets for other numbers"
        )
      case (let labels, let targets):
        let word = labels == nil ? "targets" : "labels"
        if let first, first != word {
          errors.add(
            (labels ?? targets ?? source).origin,
            "data.\(role): found \(word), expected \(first) as in data.train")
        }
        first = first ?? word
      }
    }
  }

  /// Whether the answers are classes or other numbers.
  var targets: Criterion.Targets { root["data"]?["train"]?["targets"] == nil ? .classes : .values }

  // MARK: - The loss

  /// Checks that network, loss, metrics and monitor fit together.
  func checkLoss(_ network: ResolvedNetwork, _ errors: inout ErrorCollector) {
    guard let training = root["training"], let value = training["loss"],
      let loss = TrainingObjective.settings.value(of: value)?.loss
    else { return }
    checkOutput(network, loss, &errors)
    guard network.outputShape.rank == 1 else { return }
    let outputs = network.outputShape[0]
    var criterion = Criterion(loss: loss, targets: targets, outputs: outputs)
    checkWeights(value["class_weights"], criterion, outputs, &errors)
    if let list = training["metrics"]?.list {
      checkMetrics(list, criterion, outputs, &errors)
      criterion.metrics = list.compactMap { $0.text.flatMap(Metric.init(name:)) }
    }
    if let monitor = training["monitor"], let name = monitor.text, !criterion.figureNames.contains(name) {
      errors.add(
        monitor.origin,
        "training.monitor: '\(name)' is not a figure of this run, whose figures are \(criterion.figureNames.joined(separator: ", ")); "
          + "training.metrics can add others")
    }
  }

  private func checkMetrics(
    _ list: [ResolvedValue], _ criterion: Criterion, _ outputs: Int, _ errors: inout ErrorCollector
  ) {
    var seen: Set<Metric> = []
    for (index, value) in list.enumerated() {
      guard let metric = value.text.flatMap(Metric.init(name:)) else { continue }
      let path = "training.metrics.\(index)"
      if !criterion.task.admits(metric) {
        errors.add(
          value.origin,
          "\(path): \(metric.name) does not apply to \(criterion.task.noun), which \(criterion.loss.name) with "
            + "\(criterion.targets == .classes ? "labels" : "targets") predicts")
      } else if case .topAccuracy(let count) = metric, count >= outputs {
        errors.add(value.origin, "\(path): \(metric.name) of \(outputs) classes is always 1")
      }
      if !seen.insert(metric).inserted {
        errors.add(value.origin, "\(path): \(metric.name) is listed twice")
      }
    }
  }

  private func checkWeights(
    _ value: ResolvedValue?, _ criterion: Criterion, _ outputs: Int, _ errors: inout ErrorCollector
  ) {
    guard let value else { return }
    let path = "training.loss.\(criterion.loss.name).class_weights"
    if let list = value.list {
      let expected = criterion.targets == .classes && outputs == 1 ? 2 : outputs
      if list.count != expected {
        errors.add(
          value.origin, "\(path): found \(list.count) numbers, expected \(expected), one for each class")
      } else if list.allSatisfy({ $0.number == 0 }) {
        errors.add(value.origin, "\(path): all are 0, which leaves nothing to learn")
      }
    } else if value.text == "balanced", !criterion.weighsByClass {
      errors.add(
        value.origin,
        "\(path): balanced needs one class for each sample, but data.train has targets, which may name several; give a list "
          + "of numbers")
    }
  }

  /// Checks the network's output: a loss takes one vector for each sample, and applies its own activation.
  private func checkOutput(_ network: ResolvedNetwork, _ loss: Loss, _ errors: inout ErrorCollector) {
    let output = network.network.output
    let layer = expansion.layers.last { $0.name == output.name }
    let location = layer?.location ?? root.origin
    func add(_ problem: String) {
      errors.add(location, "network: the last layer, '\(output.name)', \(problem)\(usePhrase(layer))")
    }
    let what: String
    switch loss.outputs {
    case .classes: what = "one number per class"
    case .labels: what = "one number per label"
    case .numbers: what = "a vector of numbers"
    }
    if network.outputShape.rank != 1 {
      add("gives \(network.outputShape), but \(loss.name) takes \(what); end with flatten and dense")
    } else if loss.outputs == .classes, network.outputShape[0] < 2 {
      add(
        "gives one number, but \(loss.name) takes one for each of at least 2 classes; sigmoid_cross_entropy tells two "
          + "classes apart with one number")
    }
    switch loss.finalActivation {
    case .softmax where output.spec.finalActivation == .sigmoid:
      add("applies sigmoid, but \(loss.name) takes softmax or none; leave it out here")
    case .sigmoid where output.spec.finalActivation == .softmax:
      add("applies softmax, but \(loss.name) takes sigmoid or none; leave it out here")
    case .softmax, .sigmoid, .none: break
    }
  }
}
