public import Settings

/// A learning rate that does not change.
public struct ConstantRate: ScheduleCurve {
  /// There is nothing to set.
  public init() {}

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<ConstantRate>(
    "The learning rate does not change.", ConstantRate(), [])

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double { 1 }
}
