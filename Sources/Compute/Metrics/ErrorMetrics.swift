internal import Settings

/// The mean of |z − t| over outputs and samples.
struct MeanAbsoluteErrorMetric: MetricRule {
  var name: String { "mean_absolute_error" }
  var summary: String { "lower is better" }
  var isBetterHigher: Bool { false }
  var tasks: Set<Criterion.Task> { [.values] }
  var tallies: [Tally] { [.absoluteError] }

  func figure(_ sums: TallySums) -> Double { sums.total(.absoluteError) / sums.elements }

  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? { KerasObject(name) }
}

/// The mean of (z − t)² over outputs and samples.
struct MeanSquaredErrorMetric: MetricRule {
  var name: String { "mean_squared_error" }
  var summary: String { "lower is better" }
  var isBetterHigher: Bool { false }
  var tasks: Set<Criterion.Task> { [.values] }
  var tallies: [Tally] { [.squaredError] }

  func figure(_ sums: TallySums) -> Double { sums.total(.squaredError) / sums.elements }

  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? { KerasObject(name) }
}

/// The root of the mean of (z − t)² over outputs and samples.
struct RootMeanSquaredErrorMetric: MetricRule {
  var name: String { "root_mean_squared_error" }
  var summary: String { "lower is better" }
  var isBetterHigher: Bool { false }
  var tasks: Set<Criterion.Task> { [.values] }
  var tallies: [Tally] { [.squaredError] }

  func figure(_ sums: TallySums) -> Double { (sums.total(.squaredError) / sums.elements).squareRoot() }

  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? {
    KerasObject("RootMeanSquaredError", [:])
  }
}

/// 1 − Σ(z − t)² / Σ(t − mean t)²: the plain mean over the outputs; 1 is perfect, 0 is no better than the mean.
struct R2Metric: MetricRule {
  var name: String { "r2" }
  var summary: String { "1 is perfect, 0 no better than the mean" }
  var tasks: Set<Criterion.Task> { [.values] }
  var tallies: [Tally] { [.squaredError, .targetMoments] }

  func figure(_ sums: TallySums) -> Double {
    (0..<sums.outputs).map { sums.determination(output: $0) }.reduce(0, +) / Double(sums.outputs)
  }
}

/// |z − t| of each output.
struct AbsoluteErrorTally: TallyRule {
  var name: String { "absolute_error" }

  func width(outputs: Int) -> Int { outputs }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    guard sample.task == .values else { return }
    for index in sample.row.indices { sums[index] += abs(sample.error(index)) }
  }
}

/// (z − t)² of each output.
struct SquaredErrorTally: TallyRule {
  var name: String { "squared_error" }

  func width(outputs: Int) -> Int { outputs }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    guard sample.task == .values else { return }
    for index in sample.row.indices {
      let error = sample.error(index)
      sums[index] += error * error
    }
  }
}

/// Sums of the targets and of their squares, each for every output.
struct TargetMomentTally: TallyRule {
  var name: String { "target_moments" }

  func width(outputs: Int) -> Int { 2 * outputs }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    guard sample.task == .values else { return }
    for index in sample.row.indices {
      let wanted = sample.target[index]
      sums[index] += wanted
      sums[sample.row.count + index] += wanted * wanted
    }
  }
}

extension JudgedSample {
  /// z − t.
  fileprivate func error(_ index: Int) -> Double { Double(row[index]) - target[index] }
}

extension TallySums {
  /// R² of one output; of targets that are all the same 1 where they are met, else 0.
  func determination(output index: Int) -> Double {
    let (errors, moments) = (self[.squaredError], self[.targetMoments])
    let mean = moments[moments.startIndex + index] / samples
    let squares = moments[moments.startIndex + outputs + index]
    let spread = squares - samples * mean * mean
    let error = errors[errors.startIndex + index]
    // What is left of squares that should cancel is rounding.
    if spread <= 1e-12 * squares { return error == 0 ? 1 : 0 }
    return 1 - error / spread
  }
}
