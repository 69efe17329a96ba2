public import Settings

/// How the learning rate moves: a curve with values in [0, 1], after an optional linear warm-up from 0.
///
/// A new curve is a file with its formula and its description, and a case here.
public struct ScheduleConfiguration: Hashable, Sendable {
  public enum Curve: Hashable, Sendable {
    case constant
    case step(StepDecay)
    case cosine(CosineDecay)
    case exponential(ExponentialDecay)
    case polynomial(PolynomialDecay)
    case cosineRestarts(CosineRestarts)
    case oneCycle(OneCycle)
    /// Falls when the monitored figure no longer improves; the factor is then the training's, not the step's.
    case plateau(Plateau)

    /// The words of configurations, in the order of references.
    public enum Kind: String, Sendable, CaseIterable {
      case constant
      case step
      case cosine
      case exponential
      case polynomial
      case cosineRestarts = "cosine_restarts"
      case oneCycle = "one_cycle"
      case plateau
    }

    private var member: (kind: Kind, rule: any ScheduleCurve) {
      switch self {
      case .constant: (.constant, ConstantRate())
      case .step(let rule): (.step, rule)
      case .cosine(let rule): (.cosine, rule)
      case .exponential(let rule): (.exponential, rule)
      case .polynomial(let rule): (.polynomial, rule)
      case .cosineRestarts(let rule): (.cosineRestarts, rule)
      case .oneCycle(let rule): (.oneCycle, rule)
      case .plateau(let rule): (.plateau, rule)
      }
    }

    public var rule: any ScheduleCurve { member.rule }
    public var kind: Kind { member.kind }
  }

  public var curve: Curve
  public var warmup: TrainingSpan?

  public init(curve: Curve = .constant, warmup: TrainingSpan? = nil) {
    self.curve = curve
    self.warmup = warmup
  }
}

extension ScheduleConfiguration: SettingsVariant {
  public static let noun = "schedule"

  public var kind: Curve.Kind { curve.kind }

  public static func description(of kind: Curve.Kind) -> SettingsKind<Self> {
    func described<Rule: ScheduleCurve>(
      _ make: @escaping @Sendable (Rule) -> Curve
    ) -> SettingsKind<Self> {
      SettingsKind<Curve>(kind.rawValue, Rule.settings, wrap: make, unwrap: { $0.rule as? Rule })
        .part(of: Self(), at: \.curve, with: Rule.takesWarmup ? [warmup] : [])
    }
    return switch kind {
    case .constant: described { (_: ConstantRate) in .constant }
    case .step: described(Curve.step)
    case .cosine: described(Curve.cosine)
    case .exponential: described(Curve.exponential)
    case .polynomial: described(Curve.polynomial)
    case .cosineRestarts: described(Curve.cosineRestarts)
    case .oneCycle: described(Curve.oneCycle)
    case .plateau: described(Curve.plateau)
    }
  }

  private static let warmup = SettingKey<Self>(
    "warmup", \.warmup, .optional("none", TrainingSpan.settings.form),
    "The learning rate first rises from 0 in a straight line for this long; then the schedule begins.")
}
