public import Settings

/// Half a cosine from 1 to `floor`, where the learning rate then stays.
public struct CosineDecay: ScheduleCurve {
  /// How long it falls; nil is the whole training.
  public var over: TrainingSpan?
  /// The share of the learning rate that is left in the end, in [0, 1].
  public var floor: Double

  /// Takes a length, nil for the whole training, and the share that is left in the end, in [0, 1].
  public init(over: TrainingSpan? = nil, floor: Double = 0) {
    self.over = over
    self.floor = floor
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<CosineDecay>(
    "The learning rate falls along half a cosine.", CosineDecay(), [.over(\.over), .floor(\.floor)])

  /// Whether the curve reaches its end with the training, however long that is.
  public var isStretchedOverTraining: Bool { over == nil }

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double {
    floor + (1 - floor) * halfCosine(training.progress(step, in: over))
  }
}
