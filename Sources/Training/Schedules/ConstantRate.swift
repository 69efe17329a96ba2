public import Settings

/// The learning rate stays.
public struct ConstantRate: ScheduleCurve {
  public init() {}

  public static let settings = SettingsDescription<ConstantRate>(
    "The learning rate stays.", ConstantRate(), [])

  public func factor(step: Int, of training: TrainingLength) -> Double { 1 }
}
