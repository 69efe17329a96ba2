internal import Foundation

/// The factor by which a step's learning rate is scaled: a pure function of the step's number.
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
    case .constant:
      return 1
    case .step(let marks, let factor):
      let passed = marks.filter { step >= steps($0) }.count
      return pow(factor, Double(passed))
    case .cosine(let span, let floor):
      let length = max(span.map(steps) ?? totalSteps, 1)
      let progress = min(Double(step) / Double(length), 1)
      return floor + (1 - floor) * 0.5 * (1 + cos(.pi * progress))
    }
  }

  /// A length in steps, rounded to the nearest.
  func steps(_ span: TrainingSpan) -> Int {
    switch span {
    case .steps(let count): count
    case .epochs(let count): Int((count * Double(stepsPerEpoch)).rounded())
    }
  }
}
