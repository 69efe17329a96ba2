public import Settings

/// An optimizer with its settings.
///
/// A new rule is a file with its formula and its description, and a case here.
public enum OptimizerConfiguration: Hashable, Sendable {
  case sgd(SGD)
  case adam(Adam)
  case adamW(AdamW)
  case nadam(Nadam)
  case rmsprop(RMSprop)
  case adagrad(Adagrad)
  case adadelta(Adadelta)
  case lion(Lion)
  case lars(LARS)
  case lamb(LAMB)

  /// The words of configurations, in the order of references.
  public enum Kind: String, Sendable, CaseIterable {
    case sgd
    case adam
    case adamW = "adamw"
    case nadam
    case rmsprop
    case adagrad
    case adadelta
    case lion
    case lars
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

  public var rule: any Optimizer { member.rule }

  /// The rate that the schedule scales.
  public var learningRate: Double { rule.learningRate }
}

extension OptimizerConfiguration: SettingsVariant {
  public static let noun = "optimizer"

  public var kind: Kind { member.kind }

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
