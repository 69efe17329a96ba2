internal import CKernels

/// Sixteen floats: one register of AVX-512, two of AVX, four of the baseline.
///
/// All instruction sets run the same operations on the same lanes, so that their bits agree. Swift never contracts a product and a
/// sum; where they are to be fused, ``fused(_:_:_:)`` says so.
typealias Vector = SIMD16<Float>

/// The channels of one block of an image: those that the library's kernels for the same CPUs have in a block.
#if WIDE
  typealias Lanes = SIMD16<Float>
  /// Channels in a block of an image.
  let lanes = 16
#else
  typealias Lanes = SIMD8<Float>
  /// Channels in a block of an image.
  let lanes = 8
#endif

/// `a · b + c`, rounded once.
@inline(__always)
func fused(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { kernels_fused16(a, b, c) }

/// Zero where a channel is below it; what is not a number stays.
@inline(__always)
func rectified(_ a: Lanes) -> Lanes {
  #if WIDE
    kernels_rectified16(a)
  #else
    kernels_rectified8(a)
  #endif
}

extension UnsafePointer<Float> {
  /// Sixteen floats from an index on; they need no alignment.
  @inline(__always)
  func vector(_ index: Int) -> Vector {
    UnsafeRawPointer(self).loadUnaligned(fromByteOffset: index * 4, as: Vector.self)
  }

  /// A block's channels from an index on; they need no alignment.
  @inline(__always)
  func block(_ index: Int) -> Lanes {
    UnsafeRawPointer(self).loadUnaligned(fromByteOffset: index * 4, as: Lanes.self)
  }
}

extension UnsafeMutablePointer<Float> {
  /// Sixteen floats from an index on; they need no alignment.
  @inline(__always)
  func vector(_ index: Int) -> Vector {
    UnsafeRawPointer(self).loadUnaligned(fromByteOffset: index * 4, as: Vector.self)
  }

  /// A block's channels from an index on; they need no alignment.
  @inline(__always)
  func block(_ index: Int) -> Lanes {
    UnsafeRawPointer(self).loadUnaligned(fromByteOffset: index * 4, as: Lanes.self)
  }

  /// Writes sixteen floats from an index on.
  @inline(__always)
  func store(_ vector: Vector, _ index: Int) {
    UnsafeMutableRawPointer(self).storeBytes(of: vector, toByteOffset: index * 4, as: Vector.self)
  }
}

#if !WIDE
  @inline(__always)
  func fused(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { kernels_fused8(a, b, c) }

  extension UnsafeMutablePointer<Float> {
    /// Writes a block's channels from an index on.
    @inline(__always)
    func store(_ block: Lanes, _ index: Int) {
      UnsafeMutableRawPointer(self).storeBytes(of: block, toByteOffset: index * 4, as: Lanes.self)
    }
  }
#endif
