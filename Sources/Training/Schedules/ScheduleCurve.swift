internal import Foundation
public import Settings

/// A curve along which the learning rate moves, with its settings: a factor in [0, 1] for each step.
public protocol ScheduleCurve: Hashable, Sendable {
  /// The curve's settings, as configurations write them.
  static var settings: SettingsDescription<Self> { get }

  /// Whether a warm-up may come before it.
  static var takesWarmup: Bool { get }

  /// Whether its times count from the end of a warm-up, not from the start of the training.
  var beginsAfterWarmup: Bool { get }

  /// Whether more epochs would move its points.
  var isStretchedOverTraining: Bool { get }

  /// The factor for a step, counted from 0: from the curve's beginning, with what is left of the training then.
  func factor(step: Int, of training: TrainingLength) -> Double
}

extension ScheduleCurve {
  /// True: a warm-up may come before the curve.
  public static var takesWarmup: Bool { true }
  /// True: the curve begins when the warm-up is over.
  public var beginsAfterWarmup: Bool { true }
  /// False: the curve does not depend on how long the training is.
  public var isStretchedOverTraining: Bool { false }
}

extension SettingKey where Root: ScheduleCurve {
  /// The length of a curve that falls once, ``TrainingSpan`` or the whole training.
  static func over(_ path: any WritableKeyPath<Root, TrainingSpan?> & Sendable) -> SettingKey {
    SettingKey(
      "over", path, .optional("run", TrainingSpan.settings.form),
      "How long it falls; `run` is the whole training, or what a warm-up leaves of it.")
  }

  static func floor(_ path: any WritableKeyPath<Root, Double> & Sendable) -> SettingKey {
    SettingKey("floor", path, .number(.unit), "The share of the learning rate that it falls to.")
  }
}

/// Falls from 1 to 0 along half a cosine, while `progress` goes from 0 to 1.
func halfCosine(_ progress: Double) -> Double { 0.5 * (1 + cos(.pi * progress)) }
