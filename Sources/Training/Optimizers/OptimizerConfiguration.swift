public import Settings

/// An optimizer with its settings.
///
/// A new rule is a file with its formula and its description, and a case here.
public enum OptimizerConfiguration: Hashable, Sendable {
  /// Stochastic gradient descent, with or without momentum.
  case sgd(SGD)
  /// Steps by running means of the gradient and of its square.
  case adam(Adam)
  /// Adam whose weight decay does not go through the gradient.
  case adamW(AdamW)
  /// Adam with Nesterov's momentum.
  case nadam(Nadam)
  /// Steps by the root of the gradient's mean square.
  case rmsprop(RMSprop)
  /// Steps by the root of the sum of all squares so far.
  case adagrad(Adagrad)
  /// Steps as large as those before, by their own mean square.
  case adadelta(Adadelta)
  /// Steps by the sign of a running mean.
  case lion(Lion)
  /// Momentum whose steps are scaled tensor by tensor.
  case lars(LARS)
  /// Adam whose steps are scaled tensor by tensor.
  case lamb(LAMB)

  /// The words of configurations, in the order of references.
  public enum Kind: String, Sendable, CaseIterable {
    /// Stochastic gradient descent, with or without momentum.
    case sgd
    /// Steps by running means of the gradient and of its square.
    case adam
    /// Adam whose weight decay does not go through the gradient.
    case adamW = "adamw"
    /// Adam with Nesterov's momentum.
    case nadam
    /// Steps by the root of the gradient's mean square.
    case rmsprop
    /// Steps by the root of the sum of all squares so far.
    case adagrad
    /// Steps as large as those before, by their own mean square.
    case adadelta
    /// Steps by the sign of a running mean.
    case lion
    /// Momentum whose steps are scaled tensor by tensor.
    case lars
    /// Adam whose steps are scaled tensor by tensor.
    case lamb
  }

  private var member: (kind: Kind, rule: any Optimizer) {
    switch self {
    case .sgd(let rule): (.sgd, rule)
    case .adam(let rule): (.adam, rule)
    case .adamW(let rule): (.adamW, rule)
    case .nadam(let rule): (.nadam, rule)
    case .rmsprop(let rule): (.rmsprop, rule)
    case .adagrad(let rule): (.adagrad, rule)
    case .adadelta(let rule): (.adadelta, rule)
    case .lion(let rule): (.lion, rule)
    case .lars(let rule): (.lars, rule)
    case .lamb(let rule): (.lamb, rule)
    }
  }

  /// The rule with its settings.
  public var rule: any Optimizer { member.rule }

  /// The rate that the schedule scales.
  public var learningRate: Double { rule.learningRate }
}

extension OptimizerConfiguration: SettingsVariant {
  /// What messages call one of these.
  public static let noun = "optimizer"

  /// Which of the kinds this is, without its settings.
  public var kind: Kind { member.kind }

  /// The word and the settings of a kind.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    func described<Rule: Optimizer>(_ make: @escaping @Sendable (Rule) -> Self) -> SettingsKind<Self> {
      SettingsKind(kind.rawValue, Rule.settings, wrap: make, unwrap: { $0.rule as? Rule })
    }
    return switch kind {
    case .sgd: described(Self.sgd)
    case .adam: described(Self.adam)
    case .adamW: described(Self.adamW)
    case .nadam: described(Self.nadam)
    case .rmsprop: described(Self.rmsprop)
    case .adagrad: described(Self.adagrad)
    case .adadelta: described(Self.adadelta)
    case .lion: described(Self.lion)
    case .lars: described(Self.lars)
    case .lamb: described(Self.lamb)
    }
  }
}
