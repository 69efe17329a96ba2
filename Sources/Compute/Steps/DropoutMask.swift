/// Decides which elements stay, by a random number for each.
///
/// Choices are made by masks of bits: a branch on a random number is guessed wrong half of the time, and without one the
/// loops become vector instructions; not inlined, since amid other code they did not.
struct DropoutMask {
  /// A multiple of 2⁻³²: an element stays where its number is not below it.
  private let threshold: UInt32
  private let factor: Float

  /// - Parameter rate: in 0..<1, the share of elements that become zero.
  init(rate: Float) {
    threshold = UInt32(Double(rate) * 0x1p32)
    factor = 1 / (1 - rate)
  }

  /// - Parameter values: in and out, as many as there are words.
  @inline(never)
  func apply(_ words: UnsafeBufferPointer<UInt32>, to values: UnsafeMutablePointer<Float>) {
    for index in words.indices {
      values[index] = Float(bitPattern: (values[index] * factor).bitPattern & kept(words[index]))
    }
  }

  /// The same for bf16, computed in fp32.
  @inline(never)
  func apply(_ words: UnsafeBufferPointer<UInt32>, toBF16 values: UnsafeMutablePointer<UInt16>) {
    for index in words.indices {
      let value = roundToBF16(float(bf16: values[index]) * factor)
      values[index] = value & UInt16(truncatingIfNeeded: kept(words[index]))
    }
  }

  /// All ones where an element stays, else 0.
  @inline(__always)
  private func kept(_ word: UInt32) -> UInt32 {
    // The topmost bit is what a subtraction borrows (Warren, "Hacker's Delight", section 2-13).
    let borrow = (~word & threshold) | ((~word | threshold) & (word &- threshold))
    return ~UInt32(bitPattern: Int32(bitPattern: borrow) >> 31)
  }
}
