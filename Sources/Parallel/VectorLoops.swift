/// The width of the loops below: one AVX-512 register, or several narrower ones.
///
/// It does not change any bit.
typealias Lanes = SIMD16<Float>

extension UnsafePointer<Float> {
  @inline(__always) func lanes(at index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }
}

extension UnsafeMutablePointer<Float> {
  @inline(__always) func lanes(at index: Int) -> Lanes { UnsafePointer(self).lanes(at: index) }

  @inline(__always) func store(_ lanes: Lanes, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: Lanes.self)
  }
}

/// `dst = a + b`, element by element; `count` is any number, `dst` may be `a` or `b`.
func add(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into dst: UnsafeMutablePointer<Float>, count: Int
) {
  var i = 0
  while i + Lanes.scalarCount <= count {
    dst.store(a.lanes(at: i) + b.lanes(at: i), at: i)
    i += Lanes.scalarCount
  }
  while i < count {
    dst[i] = a[i] + b[i]
    i += 1
  }
}

/// `dst = (a + b) + (c + d)`, element by element.
func addFour(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>, _ d: UnsafePointer<Float>,
  into dst: UnsafeMutablePointer<Float>, count: Int
) {
  var i = 0
  while i + Lanes.scalarCount <= count {
    dst.store((a.lanes(at: i) + b.lanes(at: i)) + (c.lanes(at: i) + d.lanes(at: i)), at: i)
    i += Lanes.scalarCount
  }
  while i < count {
    dst[i] = (a[i] + b[i]) + (c[i] + d[i])
    i += 1
  }
}
