public import Settings

/// Half a cosine from 1 to `floor`, where the learning rate then stays.
public struct CosineDecay: ScheduleCurve {
  /// How long it falls; nil is the whole training.
  public var over: TrainingSpan?
  /// In [0, 1].
  public var floor: Double

  public init(over: TrainingSpan? = nil, floor: Double = 0) {
    self.over = over
    self.floor = floor
  }

  public static let settings = SettingsDescription<CosineDecay>(
    "The learning rate falls along half a cosine.", CosineDecay(), [.over(\.over), .floor(\.floor)])

  public var isStretchedOverTraining: Bool { over == nil }

  public func factor(step: Int, of training: TrainingLength) -> Double {
    floor + (1 - floor) * halfCosine(training.progress(step, in: over))
  }
}
