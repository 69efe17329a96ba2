/// Where the learning rate of each step comes from.
enum LearningRates: Sendable {
  /// The configuration's rate by its schedule.
  case scheduled(base: Double, Schedule)
  /// The same rate in every step.
  case constant(Double)
  /// A rate that rises by the same factor in each step, times a constant.
  case rising(LearningRateFinder.Range, scale: Double)

  /// The rate of a step, counted from 0.
  func rate(ofStep step: Int, _ plateau: PlateauState) -> Double {
    switch self {
    case .scheduled(let base, let schedule): base * schedule.factor(step: step) * plateau.factor
    case .constant(let rate): rate
    case .rising(let range, let scale): range.rate(step) * scale
    }
  }
}
