public import Settings

/// What training makes small: a number for each sample, averaged over the minibatch.
///
/// Means are over the sample's outputs, as in Keras. A class as the target stands for the vector that is 1 at the class and 0
/// elsewhere, or, for a single output, for the class's number.
///
/// A new loss is a file with its formula and its description, and a case here.
public enum Loss: Hashable, Sendable {
  /// Cross-entropy of the softmax of all outputs, for one class in several.
  case softmaxCrossEntropy(SoftmaxCrossEntropy)
  /// Cross-entropy of the sigmoid of each output, for two classes or labels.
  case sigmoidCrossEntropy(SigmoidCrossEntropy)
  /// Cross-entropy of labels in which what is decided rightly and surely counts little.
  case sigmoidFocalCrossEntropy(SigmoidFocalCrossEntropy)
  /// The mean of squared differences, for numbers.
  case meanSquaredError
  /// The mean of absolute differences, for numbers.
  case meanAbsoluteError
  /// Squared near the target and absolute far from it, for numbers.
  case huber(Huber)

  /// The words of configurations, in the order of references.
  public enum Kind: String, Sendable, CaseIterable {
    /// Cross-entropy of the softmax of all outputs, for one class in several.
    case softmaxCrossEntropy = "softmax_cross_entropy"
    /// Cross-entropy of the sigmoid of each output, for two classes or labels.
    case sigmoidCrossEntropy = "sigmoid_cross_entropy"
    /// Cross-entropy of labels in which what is decided rightly and surely counts little.
    case sigmoidFocalCrossEntropy = "sigmoid_focal_cross_entropy"
    /// The mean of squared differences, for numbers.
    case meanSquaredError = "mean_squared_error"
    /// The mean of absolute differences, for numbers.
    case meanAbsoluteError = "mean_absolute_error"
    /// Squared near the target and absolute far from it, for numbers.
    case huber
  }

  private var member: (kind: Kind, rule: any LossRule) {
    switch self {
    case .softmaxCrossEntropy(let rule): (.softmaxCrossEntropy, rule)
    case .sigmoidCrossEntropy(let rule): (.sigmoidCrossEntropy, rule)
    case .sigmoidFocalCrossEntropy(let rule): (.sigmoidFocalCrossEntropy, rule)
    case .meanSquaredError: (.meanSquaredError, MeanSquaredError())
    case .meanAbsoluteError: (.meanAbsoluteError, MeanAbsoluteError())
    case .huber(let rule): (.huber, rule)
    }
  }

  var rule: any LossRule { member.rule }
}

extension Loss: SettingsVariant {
  /// What messages call a choice of these.
  public static let noun = "loss"

  /// Which loss this is, without its settings.
  public var kind: Kind { member.kind }

  /// The word and the settings of a loss.
  public static func description(of kind: Kind) -> SettingsKind<Self> { entry(kind).description }

  /// What the outputs are that losses of a kind take.
  public static func outputs(of kind: Kind) -> LossOutputs { entry(kind).outputs }

  private static func entry(_ kind: Kind) -> (description: SettingsKind<Self>, outputs: LossOutputs) {
    func described<Rule: LossRule>(
      _ make: @escaping @Sendable (Rule) -> Self
    ) -> (SettingsKind<Self>, LossOutputs) {
      (SettingsKind(kind.rawValue, Rule.settings, wrap: make, unwrap: { $0.rule as? Rule }), Rule.outputs)
    }
    return switch kind {
    case .softmaxCrossEntropy: described(Self.softmaxCrossEntropy)
    case .sigmoidCrossEntropy: described(Self.sigmoidCrossEntropy)
    case .sigmoidFocalCrossEntropy: described(Self.sigmoidFocalCrossEntropy)
    case .meanSquaredError: described { (_: MeanSquaredError) in .meanSquaredError }
    case .meanAbsoluteError: described { (_: MeanAbsoluteError) in .meanAbsoluteError }
    case .huber: described(Self.huber)
    }
  }
}

extension Loss: Codable {
  /// Reads a loss as checkpoints write it.
  ///
  /// - Throws: `DecodingError` where there is no such loss.
  public init(from decoder: any Decoder) throws { try self.init(variantFrom: decoder) }
  /// Writes the loss as checkpoints hold it.
  public func encode(to encoder: any Encoder) throws { try encodeVariant(to: encoder) }
}

extension Loss {
  /// The word that configurations have for it.
  public var name: String { word }

  /// The function at a network's end that a loss does itself, on what comes before it: together they are exact where one
  /// after the other would round to 0 or 1.
  public enum FinalActivation: Hashable, Sendable {
    /// Outputs are what they are.
    case none
    /// Outputs become probabilities that add up to 1.
    case softmax
    /// Each output becomes a probability of its own.
    case sigmoid
  }

  /// The activation that the loss does itself, so that the network ends before it.
  public var finalActivation: FinalActivation {
    switch outputs {
    case .classes: .softmax
    case .labels: .sigmoid
    case .numbers: .none
    }
  }

  /// The loss by which a data set is judged: targets as they are, without smoothing.
  public var withoutSmoothing: Loss {
    switch self {
    case .softmaxCrossEntropy: .softmaxCrossEntropy(SoftmaxCrossEntropy())
    case .sigmoidCrossEntropy: .sigmoidCrossEntropy(SigmoidCrossEntropy())
    case .sigmoidFocalCrossEntropy(let rule):
      .sigmoidFocalCrossEntropy(SigmoidFocalCrossEntropy(gamma: rule.gamma, alpha: rule.alpha))
    case .meanSquaredError, .meanAbsoluteError, .huber: self
    }
  }

  /// What the outputs are that the loss takes.
  public var outputs: LossOutputs { type(of: rule).outputs }

  /// The loss in Keras, which takes some settings from how the network and the data are.
  ///
  /// - Parameters:
  ///   - targets: how the data say what is right.
  ///   - takesLogits: whether the network leaves ``finalActivation`` to the loss.
  public func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject {
    rule.keras(targets, takesLogits: takesLogits)
  }
}
