internal import Settings

/// The cosine of the angle between a sample's outputs and its targets, Σ z·t / (‖z‖·‖t‖), as a mean over the samples.
///
/// 1 is the same direction. As in Keras, a vector shorter than 10⁻⁶ is divided by that.
struct CosineSimilarityMetric: MetricRule {
  var name: String { "cosine_similarity" }
  var summary: String { "the cosine of the angle between outputs and targets; 1 is the same direction" }
  var tasks: Set<Criterion.Task> { [.values] }
  var tallies: [Tally] { [.cosine] }

  /// One number has no direction but its sign.
  func isTelling(outputs: Int) -> Bool { outputs > 1 }

  func figure(_ sums: TallySums) -> Double { sums.total(.cosine) / sums.samples }

  func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? {
    KerasObject("CosineSimilarity", [:])
  }
}

/// The cosine of each sample.
struct CosineTally: TallyRule {
  var name: String { "cosine" }

  func width(outputs: Int) -> Int { 1 }

  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>) {
    guard sample.task == .values else { return }
    var (product, outputs, targets) = (0.0, 0.0, 0.0)
    for index in sample.row.indices {
      let (output, target) = (Double(sample.row[index]), sample.target[index])
      product += output * target
      outputs += output * output
      targets += target * target
    }
    sums[0] += product / (max(outputs, 1e-12) * max(targets, 1e-12)).squareRoot()
  }
}
