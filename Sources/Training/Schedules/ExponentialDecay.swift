internal import Foundation
public import Settings

/// The learning rate is multiplied by `factor` over each span, evenly or, as a staircase, at its end.
public struct ExponentialDecay: ScheduleCurve {
  public var every: TrainingSpan
  /// In [0, 1].
  public var factor: Double
  public var staircase: Bool

  public init(every: TrainingSpan, factor: Double, staircase: Bool = false) {
    self.every = every
    self.factor = factor
    self.staircase = staircase
  }

  public static let settings = SettingsDescription<ExponentialDecay>(
    "The learning rate falls by the same factor over equal times.",
    ExponentialDecay(every: .epochs(1), factor: 0.5),
    [
      SettingKey(
        "every", \.every, TrainingSpan.settings.form, default: .required,
        "The time over which it falls by the factor."),
      SettingKey(
        "factor", \.factor, .number(.unit), default: .required, "What it is multiplied by over that time."),
      SettingKey("staircase", \.staircase, .boolean, "Whether it falls at the end of each time, not evenly."),
    ])

  public func factor(step: Int, of training: TrainingLength) -> Double {
    let spans = Double(step) / Double(max(training.steps(every), 1))
    return pow(factor, staircase ? spans.rounded(.down) : spans)
  }
}
