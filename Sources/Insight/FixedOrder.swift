/// Sums over long vectors in an order that nothing changes: eight running sums in `Double`, added at the end.
enum FixedOrder {
  static func dot(_ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, count: Int) -> Double {
    var sums = SIMD8<Double>()
    let whole = count & ~7
    var index = 0
    while index < whole {
      let a = UnsafeRawPointer(left + index).loadUnaligned(as: SIMD8<Float>.self)
      let b = UnsafeRawPointer(right + index).loadUnaligned(as: SIMD8<Float>.self)
      sums += SIMD8<Double>(a) * SIMD8<Double>(b)
      index += 8
    }
    var rest = 0.0
    while index < count {
      rest += Double(left[index]) * Double(right[index])
      index += 1
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])) + rest
  }

  static func dot(_ left: [Float], _ right: [Float]) -> Double {
    precondition(left.count == right.count, "\(left.count) values cannot be multiplied with \(right.count)")
    return left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        guard let a = left.baseAddress, let b = right.baseAddress else { return 0 }
        return dot(a, b, count: left.count)
      }
    }
  }

  /// `y ← y + factor·x`.
  static func add(_ factor: Double, _ x: [Float], to y: inout [Float]) {
    precondition(x.count == y.count, "\(x.count) values cannot be added to \(y.count)")
    let factor = Float(factor)
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        for index in x.indices { y[index] += factor * x[index] }
      }
    }
  }

  static func difference(_ left: [Float], _ right: [Float]) -> [Float] {
    [Float](unsafeUninitializedCapacity: left.count) { result, count in
      left.withUnsafeBufferPointer { left in
        right.withUnsafeBufferPointer { right in
          for index in left.indices { result[index] = left[index] - right[index] }
        }
      }
      count = left.count
    }
  }

  /// `x + factor·direction`.
  static func point(_ x: [Float], _ factor: Double, _ direction: [Float]) -> [Float] {
    var result = x
    add(factor, direction, to: &result)
    return result
  }

  static func largestMagnitude(_ values: [Float]) -> Float {
    values.reduce(0) { max($0, abs($1)) }
  }
}
