// bf16: the upper half of a float.

@inline(__always)
func float(bf16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// The nearest bf16, ties to even; NaN stays NaN.
///
/// Without branches, for loops over many.
@inline(__always)
func roundToBF16(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  let rounded = (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16
  // Negative, and so all ones after the shift, for a NaN alone.
  let isNaN = UInt32(bitPattern: (0x7F80_0000 &- Int32(bitPattern: bits & 0x7FFF_FFFF)) >> 31)
  return UInt16(truncatingIfNeeded: (rounded & ~isNaN) | (((bits >> 16) | 0x40) & isNaN))
}
