/// The share of the samples taken for a class that belong to it: the plain mean over the classes that any sample was taken for.
struct PrecisionMetric: MetricRule {
  var name: String { "precision" }
  var summary: String { "mean over the classes or labels" }
  var tasks: Set<Criterion.Task> { [.classes, .labels] }
  var tallies: [Tally] { [.decisions] }

  func figure(_ sums: TallySums) -> Double { sums.meanOfClasses { right, taken, _ in (right, taken) } }
}

/// The share of the samples of a class that were taken for it: the plain mean over the classes that have samples.
struct RecallMetric: MetricRule {
  var name: String { "recall" }
  var summary: String { "mean over the classes or labels" }
  var tasks: Set<Criterion.Task> { [.classes, .labels] }
  var tallies: [Tally] { [.decisions] }

  func figure(_ sums: TallySums) -> Double { sums.meanOfClasses { right, _, actual in (right, actual) } }
}

/// The harmonic mean of precision and recall of a class: the plain mean over the classes that occur.
struct F1Metric: MetricRule {
  var name: String { "f1" }
  var summary: String { "mean over the classes or labels" }
  var tasks: Set<Criterion.Task> { [.classes, .labels] }
  var tallies: [Tally] { [.decisions] }

  func figure(_ sums: TallySums) -> Double {
    sums.meanOfClasses { right, taken, actual in (2 * right, taken + actual) }
  }
}

/// For every class or label: the samples taken for it that belong to it, all those taken for it, and all that belong to it.
struct DecisionTally: TallyRule {
  var name: String { "decisions" }

  func width(outputs: Int) -> Int { 3 * outputs }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    let outputs = sample.row.count
    switch sample.task {
    case .classes:
      if sample.taken == sample.actual { sums[sample.taken] += 1 }
      sums[outputs + sample.taken] += 1
      sums[2 * outputs + sample.actual] += 1
    case .labels:
      for label in 0..<outputs {
        let (isTaken, isActual) = (sample.isTaken(label), sample.isActual(label))
        if isTaken && isActual { sums[label] += 1 }
        if isTaken { sums[outputs + label] += 1 }
        if isActual { sums[2 * outputs + label] += 1 }
      }
    case .values: break
    }
  }
}

extension TallySums {
  /// The plain mean of a share over the classes for which there is one; 0 without any.
  ///
  /// - Parameter share: a part and its whole, of a class, from what is right, taken and actual.
  fileprivate func meanOfClasses(_ share: (Double, Double, Double) -> (Double, Double)) -> Double {
    let counts = self[.decisions]
    let first = counts.startIndex
    var (sum, known) = (0.0, 0)
    for index in 0..<outputs {
      let (part, whole) = share(
        counts[first + index], counts[first + outputs + index], counts[first + 2 * outputs + index])
      guard whole > 0 else { continue }
      sum += part / whole
      known += 1
    }
    return known == 0 ? 0 : sum / Double(known)
  }
}
