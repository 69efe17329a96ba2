public import Compute
public import Datasets
internal import Networks
internal import Settings
internal import Tensors

extension AnswerForm {
  /// The form of the answers by which a criterion judges a network of this many outputs.
  public init(_ criterion: Criterion, outputs: Int) {
    let kind: Kind =
      switch (criterion.targets, criterion.task) {
      // The number of a class is a number, as the loss takes it.
      case (_, .values): .numbers
      case (.classes, .classes), (.classes, .labels): .classes
      case (.values, .classes): .shares
      case (.values, .labels): .labels
      }
    self.init(kind, count: outputs)
  }
}

extension RunConfiguration {
  /// Whether each step of the augmentation fits samples and answers.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration` where one does not.
  func checkAugmentation(_ network: ResolvedNetwork) throws(TrainingError) {
    let answers = AnswerForm(criterion(of: network), outputs: network.outputShape.elementCount)
    for (index, step) in training.augmentation.steps.enumerated() {
      guard let problem = Augmentation.problem(of: step, for: network.inputShape, answers: answers) else {
        continue
      }
      throw TrainingError(.configuration, "training.augmentation.\(index).\(step.word): \(problem)")
    }
  }
}
