internal import Foundation
public import Settings

/// The learning rate is multiplied by a factor after each of some spans, counted from the start of the run.
public struct StepDecay: ScheduleCurve {
  /// When the rate falls, counted from the start of the run.
  public var at: [TrainingSpan]
  /// What the rate is multiplied by each time.
  public var factor: Double

  /// Takes the times at which the rate falls, and by what.
  ///
  /// - Parameter factor: in [0, 1].
  public init(at: [TrainingSpan], factor: Double = 0.1) {
    self.at = at
    self.factor = factor
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<StepDecay>(
    "The learning rate drops at given times.", StepDecay(at: []),
    [
      SettingKey(
        "at", \.at, .list(TrainingSpan.settings.form, count: 1...1000), default: .required,
        "When the learning rate drops, counted from the start of the training; no earlier than a warm-up ends."
      ),
      SettingKey("factor", \.factor, .number(.unit), "What the learning rate is multiplied by each time."),
    ])

  /// False: its times count from the start of the training.
  public var beginsAfterWarmup: Bool { false }

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double {
    pow(factor, Double(at.filter { step >= training.steps($0) }.count))
  }
}
