internal import Foundation

/// Losses that are means over a sample's outputs, each compared with its own target.
enum ElementwiseLoss {
  /// The mean over the outputs of a function of the error z − t.
  ///
  /// - Parameter function: of the error: its value and its slope.
  @inline(__always)
  static func mean(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, scale: Double,
    gradient: UnsafeMutablePointer<Float>?, _ function: (Double) -> (value: Double, slope: Double)
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

  static func huber(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, delta: Double, scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    mean(of: row, target, scale: scale, gradient: gradient) { error in
      abs(error) <= delta
        ? (0.5 * error * error, error) : (delta * (abs(error) - 0.5 * delta), error > 0 ? delta : -delta)
    }
  }

  /// - Parameter weights: of the outputs, empty for 1 each.
  static func sigmoidCrossEntropy(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, smoothing: Double, _ weights: [Double],
    scale: Double, gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    let count = Double(row.count)
    var sum = 0.0
    for index in row.indices {
      let logit = Double(row[index])
      let wanted = (1 - smoothing) * target[index] + smoothing / 2
      let weight = weights.isEmpty ? 1 : weights[index]
      // e^−|z| does not overflow.
      let power = exp(-abs(logit))
      sum += weight * (max(logit, 0) - logit * wanted + log1p(power))
      let probability = logit >= 0 ? 1 / (1 + power) : power / (1 + power)
      gradient?[index] = Float(weight * (probability - wanted) / count * scale)
    }
    return sum / count
  }
}
