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
      } tail: { i in
        gradient[i] = gradient[i] * factor
      }
    }
    if bound < .infinity {
      let lower = Lanes(repeating: -bound)
      let upper = Lanes(repeating: bound)
      forLanes(count: count) { i in
        gradient.store(gradient.lanes(at: i).clamped(lowerBound: lower, upperBound: upper), at: i)
      } tail: { i in
        gradient[i] = min(max(gradient[i], -bound), bound)
      }
    }
  }
}

/// Whether all elements are finite.
///
/// 0 · x is 0 for every finite x and NaN for the others, so one sum tells.
func isFinite(_ values: UnsafeMutablePointer<Float>, count: Int) -> Bool {
  var sum = Lanes.zero
  var rest: Float = 0
  forLanes(count: count) { i in
    sum += values.lanes(at: i) * 0
  } tail: { i in
    rest += values[i] * 0
  }
  return sum.sum() + rest == 0
}

/// The sum of squares, in `Double`; elements are added in eight interleaved rows, always the same.
func squaredSum(_ values: UnsafeMutablePointer<Float>, count: Int) -> Double {
  var sum = SIMD8<Double>.zero
  var index = 0
  while index + 8 <= count {
    let lanes = SIMD8<Double>(UnsafeRawPointer(values + index).loadUnaligned(as: SIMD8<Float>.self))
    sum += lanes * lanes
    index += 8
  }
  var rest = 0.0
  while index < count {
    rest += Double(values[index]) * Double(values[index])
    index += 1
  }
  var total = rest
  for lane in 0..<8 { total += sum[lane] }
  return total
}
