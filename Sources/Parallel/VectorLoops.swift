internal import Tensors

/// `dst = a + b`, element by element; `count` is a multiple of the lanes, `dst` may be `a` or `b`.
func add(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into dst: UnsafeMutablePointer<Float>, count: Int
) {
  forLanes(count: count) {
    dst.store(a.lanes(at: $0) + b.lanes(at: $0), at: $0)
  }
}

/// `dst = (a + b) + (c + d)`, element by element; `count` is a multiple of the lanes.
func addFour(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>, _ d: UnsafePointer<Float>,
  into dst: UnsafeMutablePointer<Float>, count: Int
) {
  forLanes(count: count) {
    dst.store((a.lanes(at: $0) + b.lanes(at: $0)) + (c.lanes(at: $0) + d.lanes(at: $0)), at: $0)
  }
}
