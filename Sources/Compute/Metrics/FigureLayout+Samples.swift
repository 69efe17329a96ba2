extension FigureLayout {
  /// Adds one sample to the sums, and says how its loss changes with its outputs.
  ///
  /// - Parameters:
  ///   - row: the sample's outputs, ``Loss/finalActivation`` left out.
  ///   - weighedShare: ``ShardSource/weighedShare(at:)``.
  ///   - weight: a factor of the sample's loss; the metrics count each sample once.
  ///   - outputWeights: the weight of each label in the mean over them; empty stands for 1 each.
  ///   - scale: a factor of the gradient, besides the weight.
  ///   - gradient: out, one number per output; nil where only figures are wanted.
  ///   - sums: ``count`` numbers.
  func add(
    _ row: UnsafeBufferPointer<Float>, _ target: TargetVector, weighedShare: Float? = nil, weight: Double,
    outputWeights: [Double] = [], scale: Double = 1, gradient: UnsafeMutablePointer<Float>?,
    to sums: UnsafeMutablePointer<Double>
  ) {
    let rule = criterion.loss.rule
    let weighed = type(of: rule).isLinearInTargets ? weighedShare.map(target.withShare) : nil
    let loss = rule.loss(
      of: row, weighed ?? target, outputWeights: outputWeights, scale: scale * weight, gradient: gradient)
    sums[0] += loss * weight
    guard !tallies.isEmpty else { return }
    let sample = JudgedSample(row, target, criterion.task)
    for (_, rule, place) in tallies { rule.add(sample, to: sums + place) }
  }

  /// Adds samples whose outputs are known to sums.
  ///
  /// - Parameters:
  ///   - rows: [samples, outputs], row by row.
  ///   - source: the samples' targets and weights.
  ///   - sums: ``count`` numbers.
  /// - Throws: ``ComputeError`` for a class that the outputs do not have.
  public func add(
    _ rows: UnsafePointer<Float>, of source: some ShardSource, to sums: UnsafeMutablePointer<Double>
  ) throws(ComputeError) {
    for sample in 0..<source.sampleCount {
      add(
        UnsafeBufferPointer(start: rows + sample * outputs, count: outputs),
        try TargetVector(source.target(at: sample), outputs: outputs), weight: source.weight(at: sample),
        gradient: nil, to: sums)
    }
  }
}

extension UnsafeBufferPointer<Float> {
  /// The index of the largest element; the first of several equal ones.
  var indexOfLargest: Int {
    var best = 0
    for index in indices where self[index] > self[best] { best = index }
    return best
  }
}
