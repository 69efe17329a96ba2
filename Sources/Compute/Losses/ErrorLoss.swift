/// A loss that is the mean over a sample's outputs of a function of the error z − t.
protocol ErrorLoss: LossRule {
  /// The function's value and slope.
  func function(_ error: Double) -> (value: Double, slope: Double)
}

extension ErrorLoss {
  static var outputs: LossOutputs { .numbers }
  static var isLinearInTargets: Bool { false }

  func loss(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, outputWeights: [Double], scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    let count = Double(row.count)
    var sum = 0.0
    for index in row.indices {
      let (value, slope) = function(Double(row[index]) - target[index])
      sum += value
      gradient?[index] = Float(slope / count * scale)
    }
    return sum / count
  }
}
