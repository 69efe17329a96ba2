internal import Tensors

/// What is done to the minibatch's mean gradient before the optimizer sees it, range by range.
struct GradientTransform: Sendable {
  /// Multiplies every element; 1 leaves it.
  var factor: Float = 1
  /// Largest absolute value of an element; infinite leaves it.
  var bound: Float = .infinity

  func apply(to gradient: UnsafeMutablePointer<Float>, count: Int) {
    if factor != 1 {
      forLanes(count: count) { i in
        gradient.store(gradient.lanes(at: i) * factor, at: i)
      }
    }
    if bound < .infinity {
      let lower = Lanes(repeating: -bound)
      let upper = Lanes(repeating: bound)
      forLanes(count: count) { i in
        gradient.store(gradient.lanes(at: i).clamped(lowerBound: lower, upperBound: upper), at: i)
      }
    }
  }
}

/// Whether all elements are finite; `count` is a multiple of the lanes.
///
/// 0 · x is 0 for every finite x and NaN for the others, so one sum tells.
func isFinite(_ values: UnsafeMutablePointer<Float>, count: Int) -> Bool {
  var sum = Lanes.zero
  forLanes(count: count) { i in
    sum += values.lanes(at: i) * 0
  }
  return sum.sum() == 0
}

/// The sum of squares, in `Double`; elements are added in eight interleaved rows, always the same.
///
/// - Parameter count: a multiple of the lanes.
func squaredSum(_ values: UnsafeMutablePointer<Float>, count: Int) -> Double {
  var sum = SIMD8<Double>.zero
  forLanes(count: count) { i in
    let lanes = values.lanes(at: i)
    let (first, second) = (SIMD8<Double>(lanes.lowHalf), SIMD8<Double>(lanes.highHalf))
    sum += first * first
    sum += second * second
  }
  var total = 0.0
  for lane in 0..<8 { total += sum[lane] }
  return total
}
