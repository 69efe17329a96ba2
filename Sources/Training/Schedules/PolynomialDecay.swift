internal import Foundation
public import Settings

/// `floor + (1 − floor)·(1 − t)^power`, where t goes from 0 to 1; a power of 1 is a straight line.
public struct PolynomialDecay: ScheduleCurve {
  /// The exponent of the time that is left, above 0.
  public var power: Double
  /// How long it falls; nil is the whole training.
  public var over: TrainingSpan?
  /// The share of the learning rate that is left in the end, in [0, 1].
  public var floor: Double

  /// Takes a length, nil for the whole training, an exponent above 0, and the share that is left in the end.
  public init(over: TrainingSpan? = nil, power: Double = 1, floor: Double = 0) {
    self.over = over
    self.power = power
    self.floor = floor
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<PolynomialDecay>(
    "The learning rate falls along a power of the time that is left.",
    PolynomialDecay(),
    [
      SettingKey("power", \.power, .number(.positive), "The exponent; 1 is a straight line."), .over(\.over),
      .floor(\.floor),
    ])

  /// Whether the curve reaches its end with the training, however long that is.
  public var isStretchedOverTraining: Bool { over == nil }

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double {
    floor + (1 - floor) * pow(1 - training.progress(step, in: over), power)
  }
}
