public import Settings

/// How the learning rate changes: along a curve with values in [0, 1], after an optional linear warm-up from 0.
///
/// A new curve is a file with its formula and its description, and a case here.
public struct ScheduleConfiguration: Hashable, Sendable {
  /// The kinds of curves, each with its settings.
  public enum Curve: Hashable, Sendable {
    /// The learning rate as it is.
    case constant
    /// Falls by a factor at given times.
    case step(StepDecay)
    /// Falls along half a cosine.
    case cosine(CosineDecay)
    /// Falls by the same factor in equal times.
    case exponential(ExponentialDecay)
    /// Falls along a power of the time that is left.
    case polynomial(PolynomialDecay)
    /// Half cosines one after another.
    case cosineRestarts(CosineRestarts)
    /// Rises once and falls once.
    case oneCycle(OneCycle)
    /// Falls when the monitored figure no longer improves; the factor is then the training's, not the step's.
    case plateau(Plateau)

    /// The words of configurations, in the order of references.
    public enum Kind: String, Sendable, CaseIterable {
      /// The learning rate as it is.
      case constant
      /// Falls by a factor at given times.
      case step
      /// Falls along half a cosine.
      case cosine
      /// Falls by the same factor in equal times.
      case exponential
      /// Falls along a power of the time that is left.
      case polynomial
      /// Half cosines one after another.
      case cosineRestarts = "cosine_restarts"
      /// Rises once and falls once.
      case oneCycle = "one_cycle"
      /// Falls when the monitored figure no longer improves.
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

    /// The curve with its settings.
    public var rule: any ScheduleCurve { member.rule }
    /// Which of the kinds this is, without its settings.
    public var kind: Kind { member.kind }
  }

  /// How the rate changes after the warm-up.
  public var curve: Curve
  /// How long the rate first rises; nil begins with the curve.
  public var warmup: TrainingSpan?

  /// Takes a curve and the length of its warm-up.
  public init(curve: Curve = .constant, warmup: TrainingSpan? = nil) {
    self.curve = curve
    self.warmup = warmup
  }
}

extension ScheduleConfiguration: SettingsVariant {
  /// What messages call one of these.
  public static let noun = "schedule"

  /// Which of the kinds this is, without its settings.
  public var kind: Curve.Kind { curve.kind }

  /// The word and the settings of a kind.
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
