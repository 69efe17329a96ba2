internal import Compute
internal import Datasets
internal import Networks
internal import Tensors

/// A rule that gives a run other numbers than earlier versions gave for the same configuration.
enum LaterRule: String, CaseIterable {
  /// A schedule begins after its warm-up, and no longer lowers it.
  case warmup
  /// Steps of the augmentation move answers that lie on the sample.
  case answers
  /// Weights of classes count where samples have shares of classes.
  case shares
  /// Targets of mixed numbers follow the mixture alone, and not the samples' weights.
  case mixtures

  /// What earlier versions did instead.
  var before: String {
    switch self {
    case .warmup: "the schedule began with the warm-up and lowered it"
    case .answers: "the augmentation left answers where they were"
    case .shares: "class_weights did not count for shares of classes"
    case .mixtures: "targets of mixtures followed the samples' weights"
    }
  }

  /// Whether the rule decides numbers of a training.
  func matters(_ configuration: RunConfiguration, _ network: ResolvedNetwork) -> Bool {
    let training = configuration.training
    let criterion = configuration.criterion(of: network)
    switch self {
    case .warmup:
      guard let warmup = training.schedule.warmup else { return false }
      switch training.schedule.curve {
      case .constant, .plateau, .oneCycle: return false
      case .step(let drops): return drops.at.contains { $0.isKnownToBeShorter(than: warmup) }
      case .cosine, .exponential, .polynomial, .cosineRestarts: return true
      }
    case .answers:
      let answers = AnswerForm(criterion, outputs: network.outputShape.elementCount)
      return training.augmentation.steps.contains { $0.movesAnswers(answers, on: network.inputShape) }
    case .shares:
      return training.classWeights != .equal && criterion.targets == .values && criterion.weighsByClass
    case .mixtures:
      return training.augmentation.mixes && configuration.data.train.weights != nil
        && criterion.loss.outputs == .numbers
    }
  }
}

extension TrainingSpan {
  /// Whether both have the same unit and this one is shorter.
  fileprivate func isKnownToBeShorter(than other: TrainingSpan) -> Bool {
    switch (self, other) {
    case (.steps(let left), .steps(let right)): left < right
    case (.epochs(let left), .epochs(let right)): left < right
    case (.steps, .epochs), (.epochs, .steps): false
    }
  }
}

extension RunConfiguration {
  /// The names of the later rules that decide numbers of the training, for its checkpoints.
  func laterRules(_ network: ResolvedNetwork) -> [String] {
    LaterRule.allCases.filter { $0.matters(self, network) }.map(\.rawValue)
  }
}

extension PreparedTraining {
  /// Whether a run that goes on began with the rules of this version, as far as they decide its numbers.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration` where it did not, unless changes are allowed.
  func checkRules(of identity: RunIdentity, _ observer: any TrainerObserver) throws(TrainingError) {
    let missing = LaterRule.allCases.filter {
      $0.matters(request.configuration, network) && !identity.rules.contains($0.rawValue)
    }
    guard !missing.isEmpty else { return }
    let text =
      "the checkpoint is of an earlier version, in which \(missing.map(\.before).joined(separator: ", and "))"
    guard request.allowChanges else {
      throw TrainingError(
        .configuration,
        "\(text): going on would not give the bytes of an uninterrupted training. Start over in another --run-dir, or pass "
          + "--allow-changes to go on by the new rules")
    }
    observer.receive(.warning("\(text); going on by the new rules"))
  }
}
