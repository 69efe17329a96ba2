extension RandomStream {
  /// The next numbers of ``nextUInt32()``, as many as `words` holds, several times as fast as one by one.
  public mutating func fill(_ words: UnsafeMutableBufferPointer<UInt32>) {
    var filled = 0
    while !isAtBlock, filled < words.count {
      words[filled] = nextUInt32()
      filled += 1
    }
    if let base = words.baseAddress {
      while filled + PhiloxBlocks.wordCount <= words.count {
        nextBlocks().store(to: base + filled)
        filled += PhiloxBlocks.wordCount
      }
    }
    while filled < words.count {
      words[filled] = nextUInt32()
      filled += 1
    }
  }
}

/// Eight blocks of Philox4x32-10 with consecutive counters, side by side in vector registers.
///
/// Each word has 64 bits of a lane, of which the lower 32 count and the others hold anything: products then need no
/// packing between rounds.
struct PhiloxBlocks {
  private typealias Words = SIMD8<UInt64>
  static let count = 8
  static let wordCount = 4 * count
  private static var low: Words { Words(repeating: 0xFFFF_FFFF) }

  private var x: (Words, Words, Words, Words)
  private var key: SIMD2<UInt32>

  /// - Parameter counter: of the first block; the others differ in its first word.
  @inline(__always)
  init(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) {
    let first = Words(repeating: UInt64(counter[0])) &+ Words(0, 1, 2, 3, 4, 5, 6, 7)
    x = (
      first, Words(repeating: UInt64(counter[1])), Words(repeating: UInt64(counter[2])),
      Words(repeating: UInt64(counter[3]))
    )
    self.key = key
    // Written out: as a loop it takes twice the time.
    round()
    round()
    round()
    round()
    round()
    round()
    round()
    round()
    round()
    round()
  }

  @inline(__always)
  private mutating func round() {
    let p0 = (x.0 & Self.low) &* Words(repeating: 0xD251_1F53)
    let p1 = (x.2 & Self.low) &* Words(repeating: 0xCD9E_8D57)
    x = (
      (p1 &>> 32) ^ x.1 ^ Words(repeating: UInt64(key[0])), p1,
      (p0 &>> 32) ^ x.3 ^ Words(repeating: UInt64(key[1])), p0
    )
    key[0] &+= 0x9E37_79B9
    key[1] &+= 0xBB67_AE85
  }

  /// Writes the blocks' words one block after the other.
  @inline(__always)
  func store(to words: UnsafeMutablePointer<UInt32>) {
    // Two words fit a lane again: the first and second of a block, its third and fourth.
    var pairs = SIMD16<UInt64>()
    pairs.evenHalf = (x.0 & Self.low) | x.1 &<< 32
    pairs.oddHalf = (x.2 & Self.low) | x.3 &<< 32
    UnsafeMutableRawPointer(words).storeBytes(of: pairs, as: SIMD16<UInt64>.self)
  }
}
