internal import Foundation

extension MetricLayout {
  /// Adds one sample to the sums, and says how its loss changes with its outputs.
  ///
  /// - Parameters:
  ///   - row: the sample's outputs, ``Loss/finalActivation`` left out.
  ///   - weight: of the sample's loss; the metrics count each sample once.
  ///   - outputWeights: of the labels in the mean over them; empty for 1 each.
  ///   - scale: of the gradient, besides the weight.
  ///   - gradient: out, one number per output; nil where only figures are wanted.
  ///   - sums: ``count`` numbers.
  func add(
    _ row: UnsafeBufferPointer<Float>, _ target: TargetVector, weight: Double,
    outputWeights: [Double] = [], scale: Double = 1, gradient: UnsafeMutablePointer<Float>?,
    to sums: UnsafeMutablePointer<Double>
  ) {
    let loss =
      switch criterion.loss {
      case .softmaxCrossEntropy(let smoothing):
        SoftmaxCrossEntropy.loss(
          of: row, target, smoothing: Double(smoothing), scale: scale * weight, gradient: gradient)
      case .sigmoidCrossEntropy(let smoothing):
        ElementwiseLoss.sigmoidCrossEntropy(
          of: row, target, smoothing: Double(smoothing), outputWeights, scale: scale * weight,
          gradient: gradient)
      case .meanSquaredError:
        ElementwiseLoss.mean(of: row, target, scale: scale * weight, gradient: gradient) { ($0 * $0, 2 * $0) }
      case .meanAbsoluteError:
        ElementwiseLoss.mean(of: row, target, scale: scale * weight, gradient: gradient) {
          (abs($0), $0 > 0 ? 1 : $0 < 0 ? -1 : 0)
        }
      case .huber(let delta):
        ElementwiseLoss.huber(
          of: row, target, delta: Double(delta), scale: scale * weight, gradient: gradient)
      }
    sums[0] += loss * weight
    switch criterion.task {
    case .classes: countClass(row, target, sums)
    case .labels: countLabels(row, target, sums)
    case .values: addErrors(row, target, sums)
    }
  }

  private func countClass(
    _ row: UnsafeBufferPointer<Float>, _ target: TargetVector, _ sums: UnsafeMutablePointer<Double>
  ) {
    guard correct != nil || decisions != nil || !tops.isEmpty else { return }
    let best = row.indexOfLargest
    let main = target.mainClass
    if let correct, best == main { sums[correct] += 1 }
    for (count, place) in tops {
      // How many come before it; of equal outputs the first does.
      var rank = 0
      for index in row.indices where row[index] > row[main] || (row[index] == row[main] && index < main) {
        rank += 1
      }
      if rank < count { sums[place] += 1 }
    }
    if let decisions {
      if best == main { sums[decisions + best] += 1 }
      sums[decisions + outputs + best] += 1
      sums[decisions + 2 * outputs + main] += 1
    }
  }

  private func countLabels(
    _ row: UnsafeBufferPointer<Float>, _ target: TargetVector, _ sums: UnsafeMutablePointer<Double>
  ) {
    var right = 0
    for index in row.indices {
      // σ(z) > ½.
      let isTaken = row[index] > 0
      let isActual = target[index] > 0.5
      if isTaken == isActual { right += 1 }
      guard let decisions else { continue }
      if isTaken && isActual { sums[decisions + index] += 1 }
      if isTaken { sums[decisions + outputs + index] += 1 }
      if isActual { sums[decisions + 2 * outputs + index] += 1 }
    }
    if let correct { sums[correct] += Double(right) }
    if let exact, right == outputs { sums[exact] += 1 }
  }

  private func addErrors(
    _ row: UnsafeBufferPointer<Float>, _ target: TargetVector, _ sums: UnsafeMutablePointer<Double>
  ) {
    for index in row.indices {
      let wanted = target[index]
      let error = Double(row[index]) - wanted
      if let absolute { sums[absolute + index] += abs(error) }
      if let squared { sums[squared + index] += error * error }
      if let moments {
        sums[moments + index] += wanted
        sums[moments + outputs + index] += wanted * wanted
      }
    }
  }
}

extension MetricLayout {
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
