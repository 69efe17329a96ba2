public import Settings

/// Half cosines one after another, each `stretch` times as long and `shrink` times as high as the one before.
///
/// - SeeAlso: Loshchilov & Hutter 2017, <https://arxiv.org/abs/1608.03983>.
public struct CosineRestarts: ScheduleCurve {
  /// How long the first half cosine is.
  public var first: TrainingSpan
  /// How many times as long each half cosine is as the one before, 1 or more.
  public var stretch: Double
  /// How many times as high each half cosine begins as the one before, in [0, 1].
  public var shrink: Double
  /// The share of the learning rate below which it does not fall, in [0, 1].
  public var floor: Double

  /// Takes the first length, and how length, height and least share go on.
  public init(first: TrainingSpan, stretch: Double = 2, shrink: Double = 1, floor: Double = 0) {
    self.first = first
    self.stretch = stretch
    self.shrink = shrink
    self.floor = floor
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<CosineRestarts>(
    "The learning rate falls along half cosines, one after another (Loshchilov & Hutter 2017).",
    CosineRestarts(first: .epochs(1)),
    [
      SettingKey(
        "first", \.first, TrainingSpan.settings.form, default: .required, "How long the first half cosine is."
      ),
      SettingKey(
        "stretch", \.stretch, .number(NumberRange(minimum: 1, maximum: 100)),
        "How many times as long each half cosine is as the one before."),
      SettingKey(
        "shrink", \.shrink, .number(.unit),
        "How many times as high each half cosine begins as the one before."),
      .floor(\.floor),
    ])

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double {
    var (start, length, height) = (0.0, Double(max(training.steps(first), 1)), 1.0)
    while Double(step) >= start + length {
      start += length
      length *= stretch
      height *= shrink
    }
    return floor + (1 - floor) * height * halfCosine((Double(step) - start) / length)
  }
}
