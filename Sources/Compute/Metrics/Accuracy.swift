internal import Settings

/// For classes, the share of samples whose largest output (the first of equal ones) is that of their class; for labels, the
/// share of decisions that are right.
struct AccuracyMetric: MetricRule {
  var name: String { "accuracy" }
  var summary: String { "the share of samples, or for labels of decisions, that are right" }
  var tasks: Set<Criterion.Task> { [.classes, .labels] }
  var tallies: [Tally] { [.correct] }

  func figure(_ sums: TallySums) -> Double {
    sums.total(.correct) / (sums.layout.criterion.task == .labels ? sums.elements : sums.samples)
  }

  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? {
    // Of logits, 0 is as likely as not.
    criterion.task == .labels
      ? KerasObject("BinaryAccuracy", ["threshold": .number(takesLogits ? 0 : 0.5)])
      : KerasObject("accuracy")
  }
}

struct CorrectTally: TallyRule {
  var name: String { "correct" }

  func width(outputs: Int) -> Int { 1 }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    switch sample.task {
    case .classes: if sample.taken == sample.actual { sums[0] += 1 }
    case .labels: sums[0] += Double(sample.rightLabels)
    case .values: break
    }
  }
}

/// The share of samples whose class is among the k largest outputs.
struct TopAccuracyMetric: MetricRule {
  /// k.
  let count: Int

  var name: String { "top_\(count)_accuracy" }
  var summary: String { "the share of samples whose class is among the \(count) largest outputs" }
  var tasks: Set<Criterion.Task> { [.classes] }
  var tallies: [Tally] { [.top(count)] }

  /// Five of five are always right.
  func isTelling(outputs: Int) -> Bool { count < outputs }

  func figure(_ sums: TallySums) -> Double { sums.total(.top(count)) / sums.samples }

  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? {
    KerasObject(
      criterion.targets == .classes ? "SparseTopKCategoricalAccuracy" : "TopKCategoricalAccuracy",
      ["k": .integer(count)])
  }
}

struct TopTally: TallyRule {
  let count: Int
  var name: String { "top_\(count)" }

  func width(outputs: Int) -> Int { 1 }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    guard sample.task == .classes else { return }
    let (row, actual) = (sample.row, sample.actual)
    // How many come before it; of equal outputs the first does.
    let rank = row.indices.count(where: { row[$0] > row[actual] || (row[$0] == row[actual] && $0 < actual) })
    if rank < count { sums[0] += 1 }
  }
}

/// The share of samples all of whose labels are right.
struct ExactMatchMetric: MetricRule {
  var name: String { "exact_match" }
  var summary: String { "the share of samples of which all labels are right" }
  var tasks: Set<Criterion.Task> { [.labels] }
  var tallies: [Tally] { [.exact] }

  /// The only label is all labels.
  func isTelling(outputs: Int) -> Bool { outputs > 1 }

  func figure(_ sums: TallySums) -> Double { sums.total(.exact) / sums.samples }
}

struct ExactTally: TallyRule {
  var name: String { "exact" }

  func width(outputs: Int) -> Int { 1 }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    if sample.task == .labels, sample.rightLabels == sample.row.count { sums[0] += 1 }
  }
}
