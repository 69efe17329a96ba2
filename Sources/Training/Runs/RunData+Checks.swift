internal import Compute
internal import Datasets
internal import Networks
internal import Tensors
internal import Texts

extension RunData {
  /// Whether samples and targets fit the network and the loss.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration` where a shape does not fit, `badData` where a number does not.
  func check(_ network: ResolvedNetwork, _ criterion: Criterion) throws(TrainingError) {
    for (role, store) in [("train", training), ("test", test)] {
      try store?.dataset.check(network, criterion, role: role)
    }
  }

  func lossWeights(_ configuration: RunConfiguration, _ compiled: CompiledNetwork) throws(TrainingError)
    -> LossWeights
  {
    try LossWeights(
      configuration.training.classWeights, compiled.options.criterion, training.dataset,
      outputs: compiled.metrics.outputs)
  }
}

extension ImageDataset {
  /// The test samples, with classes and targets in the order of the training's names.
  ///
  /// - Returns: the samples, and a line for the user; nil where both have the same names.
  /// - Throws: ``TrainingError`` of kind `configuration` for samples of classes that the training does not name.
  func matchedForTest(
    of training: ImageDataset
  ) throws(TrainingError) -> (dataset: ImageDataset, note: String?) {
    do { return try matched(to: training.classNames ?? [], role: "data.test", owner: "data.train") } catch {
      throw TrainingError(.configuration, "\(error)")
    }
  }

  /// Whether samples and targets fit a network and a loss.
  ///
  /// - Parameter role: the key under `data`.
  /// - Throws: ``TrainingError`` of kind `configuration` where a shape does not fit, `badData` where a number does not.
  func check(_ network: ResolvedNetwork, _ criterion: Criterion, role: String) throws(TrainingError) {
    guard fits(network.inputShape) else {
      throw TrainingError(
        .configuration,
        "data.\(role): \(path) has samples of \(sampleShape), but the network's input is \(network.inputShape)"
          + otherAxes(for: network.inputShape)
      )
    }
    try checkWords(network, role: role)
    try TargetCheck(
      self, criterion, outputs: network.outputShape.elementCount, prefix: "data.\(role): ",
      output: " '\(network.network.output.name)'", kind: .configuration
    ).run()
  }
}

extension ImageDataset {
  /// Whether an embedding of the network's input has a vector for each word.
  fileprivate func checkWords(_ network: ResolvedNetwork, role: String) throws(TrainingError) {
    guard let count = origin?.texts?.vocabulary.count else { return }
    for layer in network.layers where layer.layer.inputs == [Network.inputName] {
      guard case .embedding(let embedding) = layer.spec, embedding.vocabulary < count else { continue }
      throw TrainingError(
        .configuration,
        "data.\(role): \(path) has a vocabulary of \(count) words, but layer '\(layer.name)' has vectors for "
          + "\(embedding.vocabulary); write `vocabulary: \(count)` or more, or import the texts with --words \(embedding.vocabulary)"
      )
    }
  }
}

/// Checks whether a criterion takes the targets of a data set; an error says in one line what is wrong.
struct TargetCheck {
  let dataset: ImageDataset
  let criterion: Criterion
  let outputs: Int
  /// What messages begin with.
  let prefix: String
  /// The name of the network's output for messages, with a blank before it.
  let output: String
  /// The kind of error for shapes that do not fit.
  let kind: TrainingError.Kind

  init(
    _ dataset: ImageDataset, _ criterion: Criterion, outputs: Int, prefix: String = "", output: String = "",
    kind: TrainingError.Kind
  ) {
    self.dataset = dataset
    self.criterion = criterion
    self.outputs = outputs
    self.prefix = prefix
    self.output = output
    self.kind = kind
  }

  func run() throws(TrainingError) {
    guard let targets = dataset.targets else { return try checkClasses() }
    guard targets.width == outputs else {
      throw TrainingError(
        kind,
        "\(prefix)\(name) has \(counted(targets.width, "number")) for each sample, but the network's "
          + "output\(output) has \(outputs)")
    }
    switch criterion.loss.outputs {
    case .labels: try checkLabels(targets)
    case .classes: try checkShares(targets)
    case .numbers: break
    }
  }

  private var name: String { "\"\(dataset.targetName)\" in \(dataset.path)" }

  private func checkClasses() throws(TrainingError) {
    let classes = dataset.classCount
    if outputs == 1 {
      // One output is a yes or no, or a number, of which the class is the value.
      guard criterion.loss.outputs == .labels, classes > 2 else { return }
      throw TrainingError(
        kind,
        "\(prefix)\(dataset.path) has \(classes) classes, but the network's output\(output) is one number, which tells 2 "
          + "apart")
    }
    guard classes <= outputs else {
      throw TrainingError(
        kind,
        "\(prefix)\(dataset.path) has \(counted(classes, "class")), but the network's output\(output) has \(counted(outputs, "value"))"
          + (dataset.labels.contains(0)
            ? ""
            : "; no label is 0, and classes count from 0: `convoy import hdf5 --first-label` moves labels"))
    }
  }

  private func checkLabels(_ targets: TargetTable) throws(TrainingError) {
    guard let bad = targets.values.elements.firstIndex(where: { $0 != 0 && $0 != 1 }) else { return }
    throw TrainingError(
      .badData,
      "\(prefix)sample \(bad / targets.width) of \(name) has the value \(targets.values[bad]) in column "
        + "\(bad % targets.width), but \(criterion.loss.name) takes 0 or 1")
  }

  private func checkShares(_ targets: TargetTable) throws(TrainingError) {
    for row in 0..<targets.count {
      let values = targets[row]
      let sum = values.reduce(0.0) { $0 + Double($1) }
      guard values.contains(where: { $0 < 0 }) || abs(sum - 1) > 1e-3 else { continue }
      throw TrainingError(
        .badData,
        "\(prefix)the targets of sample \(row) in \(name) add up to \(Float(sum)), but \(criterion.loss.name) takes the share of "
          + "each class, at least 0 and together 1")
    }
  }
}
