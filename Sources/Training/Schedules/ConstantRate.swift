public import Settings

/// The learning rate stays.
public struct ConstantRate: ScheduleCurve {
  /// There is nothing to set.
  public init() {}

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<ConstantRate>(
    "The learning rate stays.", ConstantRate(), [])

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double { 1 }
}
