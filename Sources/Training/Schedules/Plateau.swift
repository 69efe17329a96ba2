public import Settings

/// Lowers the learning rate when the monitored figure no longer improves: Keras's `ReduceLROnPlateau`.
///
/// Unlike other schedules it depends on the training's figures, so its state belongs to the training's progress.
public struct Plateau: ScheduleCurve {
  /// What the rate is multiplied by each time, in (0, 1).
  public var factor: Double
  /// Epochs without a gain after which the rate falls, 1 or more.
  public var patience: Int
  /// A figure must be better by more than this to count as a gain, 0 or more.
  public var minimumGain: Double
  /// Epochs after a fall; in all but the last of them nothing is counted, as in Keras.
  public var cooldown: Int
  /// The share of the learning rate below which it does not fall.
  public var floor: Double

  /// Takes the settings; Keras's by default.
  public init(
    factor: Double = 0.1, patience: Int = 10, minimumGain: Double = 1e-4, cooldown: Int = 0, floor: Double = 0
  ) {
    precondition(patience >= 1, "patience is at least 1 epoch, got \(patience)")
    self.factor = factor
    self.patience = patience
    self.minimumGain = minimumGain
    self.cooldown = cooldown
    self.floor = floor
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<Plateau>(
    "The learning rate falls when `monitor` no longer improves (Keras's `ReduceLROnPlateau`).", Plateau(),
    [
      SettingKey(
        "factor", \.factor, .number(.openUnit), "What the learning rate is multiplied by each time."),
      SettingKey(
        "patience", \.patience, .integer(1...1_000_000),
        "After how many epochs without a gain the learning rate falls."),
      SettingKey(
        "min_gain", \.minimumGain, .number(.nonNegative),
        "A figure counts as a gain where it is better by more than this."),
      SettingKey(
        "cooldown", \.cooldown, .integer(0...1_000_000),
        "The number of epochs after a fall of which only the last one counts, as in Keras."),
      SettingKey(
        "floor", \.floor, .number(.unit), "The share of the learning rate below which it does not fall."),
    ])

  /// What is left of the rate follows from the training's progress, ``PlateauState/factor``.
  public func factor(step: Int, of training: TrainingLength) -> Double { 1 }
}

/// How a ``Plateau`` schedule stands between epochs.
public struct PlateauState: Hashable, Sendable {
  /// The share of the learning rate that holds now.
  public var factor = 1.0
  /// The best score that counted as a gain, higher is better; nil before the first epoch.
  public var best: Double?
  /// Epochs since.
  public var wait = 0
  /// Epochs of the cooldown that are left.
  public var cooldown = 0

  /// The state before the first epoch.
  public init() {}

  /// Takes note of an epoch, in Keras's order: the cooldown passes, a gain is noted, or the wait grows until the rate falls.
  ///
  /// - Parameter score: higher is better; a score that is not a number does not count as a gain.
  mutating func endEpoch(score: Double, _ rule: Plateau) {
    if cooldown > 0 {
      cooldown -= 1
      wait = 0
    }
    if best.map({ score > $0 + rule.minimumGain }) ?? true {
      best = score
      wait = 0
    } else if cooldown == 0 {
      wait += 1
      guard wait >= rule.patience, factor > rule.floor else { return }
      factor = max(factor * rule.factor, rule.floor)
      cooldown = rule.cooldown
      wait = 0
    }
  }
}
