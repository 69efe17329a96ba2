/// The width of loops over floats: one AVX-512 register, or several narrower ones.
///
/// It changes no bit of what is computed element by element.
public typealias Lanes = SIMD16<Float>

extension UnsafePointer<Float> {
  /// The group that begins at `index`, which need not be aligned.
  @inlinable @inline(__always)
  public func lanes(at index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }
}

extension UnsafeMutablePointer<Float> {
  /// The group that begins at `index`, which need not be aligned.
  @inlinable @inline(__always)
  public func lanes(at index: Int) -> Lanes { UnsafePointer(self).lanes(at: index) }

  /// Writes the lanes to consecutive elements, the first at the index.
  @inlinable @inline(__always)
  public func store(_ lanes: Lanes, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: Lanes.self)
  }
}

/// Calls `body` with the start of each group of lanes.
///
/// - Parameter count: a multiple of the lanes. Flat buffers of parameters and gradients are rounded up with zeros, so that a
///   formula over them stands once.
@inlinable @inline(__always)
public func forLanes(count: Int, _ body: (Int) -> Void) {
  precondition(count % Lanes.scalarCount == 0, "\(count) elements are not a multiple of \(Lanes.scalarCount)")
  var index = 0
  while index < count {
    body(index)
    index += Lanes.scalarCount
  }
}

/// Calls `body` with the start of each full group of lanes, then `tail` with each element left over.
@inlinable @inline(__always)
public func forLanes(count: Int, _ body: (Int) -> Void, tail: (Int) -> Void) {
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
