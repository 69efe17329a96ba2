/// The width of the loops over parameters; it changes no bit, since they work element by element.
typealias Lanes = SIMD16<Float>

extension UnsafeMutablePointer<Float> {
  @inline(__always) func lanes(at index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }

  @inline(__always) func store(_ lanes: Lanes, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: Lanes.self)
  }
}

/// Calls `body` with the start of each full group of lanes, then `tail` with each element left over.
@inline(__always) func forLanes(count: Int, _ body: (Int) -> Void, tail: (Int) -> Void) {
  var index = 0
  while index + Lanes.scalarCount <= count {
    body(index)
    index += Lanes.scalarCount
  }
  while index < count {
    tail(index)
    index += 1
  }
}
