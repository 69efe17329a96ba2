internal import Foundation

/// The factor by which a step's learning rate is scaled: a pure function of the step's number.
///
/// For a ``Plateau`` this is the warm-up alone; the rest of the factor is in ``PlateauState/factor``.
public struct Schedule: Hashable, Sendable {
  public let configuration: ScheduleConfiguration
  public let stepsPerEpoch: Int
  public let totalSteps: Int

  /// - Parameters:
  ///   - stepsPerEpoch: minibatches of one epoch, 1 or more.
  ///   - totalSteps: steps of the whole run, over which a cosine without a length of its own runs.
  public init(_ configuration: ScheduleConfiguration, stepsPerEpoch: Int, totalSteps: Int) {
    precondition(stepsPerEpoch >= 1, "an epoch has at least 1 step, got \(stepsPerEpoch)")
    self.configuration = configuration
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
  }

  /// The schedule of a training over so many samples in an epoch.
  init(_ training: TrainingConfiguration, samples: Int) {
    let steps = max((samples + training.samplesPerStep - 1) / training.samplesPerStep, 1)
    self.init(training.schedule, stepsPerEpoch: steps, totalSteps: steps * training.epochs)
  }

  /// The factor for a step, counted from 0.
  ///
  /// Warm-up over W steps multiplies the curve by (step + 1) / W until that is 1, so the first step already moves.
  public func factor(step: Int) -> Double {
    var factor = curve(step)
    if let warmup = configuration.warmup {
      let length = steps(warmup)
      if step + 1 < length { factor *= Double(step + 1) / Double(length) }
    }
    return factor
  }

  private func curve(_ step: Int) -> Double {
    switch configuration.curve {
    case .constant, .plateau:
      return 1
    case .step(let marks, let factor):
      let passed = marks.filter { step >= steps($0) }.count
      return pow(factor, Double(passed))
    case .cosine(let span, let floor):
      let length = max(span.map(steps) ?? totalSteps, 1)
      let progress = min(Double(step) / Double(length), 1)
      return floor + (1 - floor) * 0.5 * (1 + cos(.pi * progress))
    case .exponential(let every, let factor, let staircase):
      let spans = Double(step) / Double(max(steps(every), 1))
      return pow(factor, staircase ? spans.rounded(.down) : spans)
    case .polynomial(let span, let power, let floor):
      let length = max(span.map(steps) ?? totalSteps, 1)
      let progress = min(Double(step) / Double(length), 1)
      return floor + (1 - floor) * pow(1 - progress, power)
    case .cosineRestarts(let first, let stretch, let shrink, let floor):
      return cosineRestarts(step, first: Double(max(steps(first), 1)), stretch, shrink, floor)
    case .oneCycle(let rise, let start, let end):
      return oneCycle(step, rise, start, end)
    }
  }

  private func cosineRestarts(
    _ step: Int, first: Double, _ stretch: Double, _ shrink: Double, _ floor: Double
  ) -> Double {
    var (start, length, height) = (0.0, first, 1.0)
    while Double(step) >= start + length {
      start += length
      length *= stretch
      height *= shrink
    }
    let progress = (Double(step) - start) / length
    return floor + (1 - floor) * height * 0.5 * (1 + cos(.pi * progress))
  }

  private func oneCycle(_ step: Int, _ rise: Double, _ start: Double, _ end: Double) -> Double {
    let last = Double(totalSteps - 1)
    let top = rise * Double(totalSteps) - 1
    func between(_ from: Double, _ to: Double, _ progress: Double) -> Double {
      to + (from - to) * 0.5 * (1 + cos(.pi * min(max(progress, 0), 1)))
    }
    if Double(step) <= top, top > 0 { return between(start, 1, Double(step) / top) }
    return last > top ? between(1, end, (Double(step) - max(top, 0)) / (last - max(top, 0))) : end
  }

  /// A length in steps, rounded to the nearest.
  func steps(_ span: TrainingSpan) -> Int {
    switch span {
    case .steps(let count): count
    case .epochs(let count): Int((count * Double(stepsPerEpoch)).rounded())
    }
  }
}
