/// The factor by which a step's learning rate is scaled: a pure function of the step's number.
///
/// For a ``Plateau`` this is the warm-up alone; the rest of the factor, by which it is multiplied, is in ``PlateauState/factor``.
public struct Schedule: Hashable, Sendable {
  /// The curve with its warm-up.
  public let configuration: ScheduleConfiguration
  /// How long the training is, which spans are measured by.
  public let length: TrainingLength

  /// Takes a curve with its warm-up, and the length of the training.
  ///
  /// - Parameters:
  ///   - stepsPerEpoch: minibatches of one epoch, 1 or more.
  ///   - totalSteps: steps of the whole run, over which a curve without a length of its own runs.
  public init(_ configuration: ScheduleConfiguration, stepsPerEpoch: Int, totalSteps: Int) {
    self.configuration = configuration
    length = TrainingLength(stepsPerEpoch: stepsPerEpoch, totalSteps: totalSteps)
  }

  /// The schedule of a training over this many samples in an epoch.
  init(_ training: TrainingConfiguration, samples: Int) {
    let steps = max((samples + training.samplesPerStep - 1) / training.samplesPerStep, 1)
    self.init(training.schedule, stepsPerEpoch: steps, totalSteps: steps * training.epochs)
  }

  /// The factor for a step, counted from 0.
  ///
  /// Warm-up over W steps rises to 1 in a straight line, (step + 1) / W, so that the first step moves already and the last one has the
  /// full rate. Then the curve begins, as in Keras's `CosineDecay` with `warmup_steps`, over what is left of the training. A
  /// ``StepDecay`` has its times from the start of the training.
  public func factor(step: Int) -> Double {
    guard let warmup = configuration.warmup else {
      return configuration.curve.rule.factor(step: step, of: length)
    }
    let warmupSteps = length.steps(warmup)
    if step < warmupSteps { return Double(step + 1) / Double(warmupSteps) }
    let rule = configuration.curve.rule
    return rule.beginsAfterWarmup
      ? rule.factor(step: step - warmupSteps, of: length.without(steps: warmupSteps))
      : rule.factor(step: step, of: length)
  }
}
