public import Compute
public import Settings

/// What a training makes small: a loss, and how much each class counts in it.
public struct TrainingObjective: Hashable, Sendable {
  /// What training makes small.
  public var loss: Loss
  /// What the loss of each class's samples, or of each label, is multiplied by.
  public var classWeights: ClassWeights

  /// Takes a loss and its weights.
  public init(loss: Loss, classWeights: ClassWeights = .equal) {
    self.loss = loss
    self.classWeights = classWeights
  }
}

extension TrainingObjective: SettingsVariant {
  /// What messages call one of these.
  public static let noun = Loss.noun

  /// Which of the kinds this is, without its settings.
  public var kind: Loss.Kind { loss.kind }

  /// The word and the settings of a kind.
  public static func description(of kind: Loss.Kind) -> SettingsKind<Self> {
    let keys: [SettingKey<Self>] =
      switch Loss.outputs(of: kind) {
      case .classes, .labels: [classWeights]
      case .numbers: []
      }
    return Loss.description(of: kind).part(of: Self(loss: .meanSquaredError), at: \.loss, with: keys)
  }

  private static let classWeights = SettingKey<Self>(
    "class_weights", \.classWeights, .classWeights,
    "What the training loss of each class, or label, is multiplied by, in their order; `balanced` weighs classes in inverse "
      + "proportion to their samples. Where targets are shares of classes, the largest share decides, as in Keras."
  )
}

/// How much the samples of each class, or each of several labels, count in the training loss.
public enum ClassWeights: Hashable, Sendable {
  /// All the same.
  case equal
  /// Weights in inverse proportion to the classes' samples: N / (classes · samples of the class), so that the mean over the samples is 1.
  case balanced
  /// Weights in the order of the classes, each at least 0.
  case given([Double])
}

extension SettingForm where Value == ClassWeights {
  /// Numbers, or a word.
  fileprivate static var classWeights: SettingForm {
    SettingForm<[Double]??>.optional(
      "none", .optional("balanced", .list(.number(.nonNegative), count: 1...1_000_000))
    ).map(
      { weights in
        switch weights {
        case nil: .equal
        case .some(nil): .balanced
        case .some(.some(let list)): .given(list)
        }
      },
      back: { weights in
        switch weights {
        case .equal: nil
        case .balanced: .some(nil)
        case .given(let list): list
        }
      })
  }
}
