internal import Foundation
public import Settings

/// The learning rate is multiplied by `factor` over each span, evenly or, as a staircase, at its end.
public struct ExponentialDecay: ScheduleCurve {
  /// How long it takes until the factor has acted once.
  public var every: TrainingSpan
  /// What the rate is multiplied by over each span, in [0, 1].
  public var factor: Double
  /// Whether the rate falls at once at the end of each span, instead of little by little.
  public var staircase: Bool

  /// Takes a span and the factor that acts over it, in (0, 1].
  public init(every: TrainingSpan, factor: Double, staircase: Bool = false) {
    self.every = every
    self.factor = factor
    self.staircase = staircase
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<ExponentialDecay>(
    "The learning rate falls by the same factor in equal times.",
    ExponentialDecay(every: .epochs(1), factor: 0.5),
    [
      SettingKey(
        "every", \.every, TrainingSpan.settings.form, default: .required,
        "The time over which it falls by the factor."),
      SettingKey(
        "factor", \.factor, .number(.unit), default: .required,
        "What the learning rate is multiplied by over that time."),
      SettingKey(
        "staircase", \.staircase, .boolean,
        "Whether it falls at once at the end of each time, instead of evenly."),
    ])

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double {
    let spans = Double(step) / Double(max(training.steps(every), 1))
    return pow(factor, staircase ? spans.rounded(.down) : spans)
  }
}
