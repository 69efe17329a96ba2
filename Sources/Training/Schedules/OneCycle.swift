public import Settings

/// A rate that rises from `start` to 1 over the share `rise` of the run, and falls to `end`, both along half a cosine, in PyTorch's form.
///
/// - SeeAlso: Smith & Topin 2018, <https://arxiv.org/abs/1708.07120>.
public struct OneCycle: ScheduleCurve {
  /// The share of the run in which the rate rises, in [0, 1).
  public var rise: Double
  /// The share of the learning rate that the run begins with, in [0, 1].
  public var start: Double
  /// The share of the learning rate that the run ends with, in [0, 1].
  public var end: Double

  /// Takes the shares of the run and of the learning rate; PyTorch's by default.
  public init(rise: Double = 0.3, start: Double = 0.04, end: Double = 4e-6) {
    self.rise = rise
    self.start = start
    self.end = end
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<OneCycle>(
    "The learning rate rises to its value and falls again, both along half a cosine (Smith & Topin 2018).",
    OneCycle(),
    [
      SettingKey(
        "rise", \.rise, .number(.share), "The share of the training in which the learning rate rises."),
      SettingKey(
        "start", \.start, .number(.unit), "The share of the learning rate that it starts from."),
      SettingKey("end", \.end, .number(.unit), "The share of the learning rate that it ends with."),
    ])

  /// False: the curve itself rises.
  public static var takesWarmup: Bool { false }

  /// Whether the curve reaches its end with the training, however long that is.
  public var isStretchedOverTraining: Bool { true }

  /// The share of the learning rate in a step, counted from 0.
  public func factor(step: Int, of training: TrainingLength) -> Double {
    let last = Double(training.totalSteps - 1)
    let top = rise * Double(training.totalSteps) - 1
    func between(_ from: Double, _ to: Double, _ progress: Double) -> Double {
      to + (from - to) * halfCosine(min(max(progress, 0), 1))
    }
    if Double(step) <= top, top > 0 { return between(start, 1, Double(step) / top) }
    let begin = max(top, 0)
    return last > begin ? between(1, end, (Double(step) - begin) / (last - begin)) : end
  }
}
