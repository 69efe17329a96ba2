internal import Compute
internal import Datasets
internal import Networks
internal import Settings
internal import Tensors
internal import Training

extension CrossChecks {
  /// Checks that each step of the augmentation fits samples of the network's input.
  func checkSteps(_ errors: inout ErrorCollector) {
    guard let dimensions = root["network"]?["input"]?.list?.compactMap(\.integer) else { return }
    forEachStep(&errors) { value, step in
      problem(ofBounds: value) ?? step.flatMap { Augmentation.problem(of: $0, for: Shape(dimensions)) }
    }
  }

  /// Checks that each step fits the answers, which it may move, and the input, which may be words rather than pixels.
  func checkAnswers(_ network: ResolvedNetwork, _ errors: inout ErrorCollector) {
    let shape = network.network.inputShape
    let answers = answerForm(network)
    let embedding = network.network.layers.first { if case .embedding = $0.spec { true } else { false } }
    forEachStep(&errors) { _, step in
      guard let step, Augmentation.problem(of: step, for: shape) == nil else { return nil }
      if let embedding, !step.keepsNumbers {
        return
          "it makes numbers between those of samples, but layer '\(embedding.name)' takes the numbers of words; leave it out"
      }
      return answers.flatMap { Augmentation.problem(of: step, for: shape, answers: $0) }
    }
  }

  /// The form of the answers; nil while the loss is not known.
  private func answerForm(_ network: ResolvedNetwork) -> AnswerForm? {
    guard let value = root["training"]?["loss"],
      let loss = TrainingObjective.settings.value(of: value)?.loss, network.outputShape.rank == 1
    else { return nil }
    let outputs = network.outputShape[0]
    return AnswerForm(Criterion(loss: loss, targets: targets, outputs: outputs), outputs: outputs)
  }

  private func forEachStep(
    _ errors: inout ErrorCollector, _ problem: (ResolvedValue, AugmentationStep?) -> String?
  ) {
    for (index, value) in (root["training"]?["augmentation"]?.list ?? []).enumerated() {
      guard let text = problem(value, AugmentationStep.settings.value(of: value)) else { continue }
      errors.add(value.origin, "training.augmentation.\(index).\(value.kind ?? ""): \(text)")
    }
  }

  private func problem(ofBounds value: ResolvedValue) -> String? {
    for member in value.payload?.members ?? [] {
      let bounds = member.value.list?.compactMap(\.number) ?? []
      if bounds.count == 2, bounds[0] > bounds[1] {
        return
          "\(member.key): found \(bounds[0].plainText) before \(bounds[1].plainText), expected the smaller number first"
      }
    }
    return nil
  }
}
