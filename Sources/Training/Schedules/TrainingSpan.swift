public import Settings

/// A length of training, in steps or epochs.
public enum TrainingSpan: Hashable, Sendable {
  /// So many epochs, also in part.
  case epochs(Double)
  /// So many optimizer steps.
  case steps(Int)
}

extension TrainingSpan: SettingsVariant {
  /// The words of configurations.
  public enum Kind: String, Sendable, CaseIterable {
    /// So many epochs, also in part.
    case epochs
    /// So many optimizer steps.
    case steps
  }

  /// What messages call one of these.
  public static let noun = "span"

  /// Which of the kinds this is, without its settings.
  public var kind: Kind {
    switch self {
    case .epochs: .epochs
    case .steps: .steps
    }
  }

  /// The word and the settings of a kind.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    switch kind {
    case .epochs:
      SettingsKind(
        kind.rawValue, "A number of epochs, also in part: `{epochs: 0.5}`.",
        .number(NumberRange(minimum: 0, minimumIsAllowed: false, maximum: 1_000_000)), wrap: Self.epochs,
        unwrap: { if case .epochs(let count) = $0 { count } else { nil } })
    case .steps:
      SettingsKind(
        kind.rawValue, "A number of optimizer steps.", .integer(1...1 << 40), wrap: Self.steps,
        unwrap: { if case .steps(let count) = $0 { count } else { nil } })
    }
  }
}

/// How long a training is: what spans are measured against.
public struct TrainingLength: Hashable, Sendable {
  /// Minibatches of one epoch, 1 or more.
  public let stepsPerEpoch: Int
  /// Steps of the whole run.
  public let totalSteps: Int

  /// Takes the steps of one epoch, 1 or more, and of the whole run.
  public init(stepsPerEpoch: Int, totalSteps: Int) {
    precondition(stepsPerEpoch >= 1, "an epoch has at least 1 step, got \(stepsPerEpoch)")
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
  }

  /// A span in steps, rounded to the nearest.
  public func steps(_ span: TrainingSpan) -> Int {
    switch span {
    case .steps(let count): count
    case .epochs(let count): Int((count * Double(stepsPerEpoch)).rounded())
    }
  }

  /// What is left of the training after its first steps.
  func without(steps: Int) -> TrainingLength {
    TrainingLength(stepsPerEpoch: stepsPerEpoch, totalSteps: max(totalSteps - steps, 1))
  }

  /// How far a step is in a span that begins with the training, from 0 to 1; without a span, in the whole training.
  func progress(_ step: Int, in span: TrainingSpan?) -> Double {
    min(Double(step) / Double(max(span.map(steps) ?? totalSteps, 1)), 1)
  }
}
