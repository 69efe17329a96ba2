import Testing

@testable import Compute

@Suite("Masks of dropout, and bf16")
struct DropoutMaskTests {
  @Test("rounds to the nearest bf16, ties to even, and keeps infinities and NaN")
  func rounding() {
    let cases: [(UInt32, UInt16)] = [
      (0x3F80_0000, 0x3F80), (0x3F80_7FFF, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81),
      (0x3F81_8000, 0x3F82), (0xBF81_8000, 0xBF82), (0x0000_0001, 0), (0x8000_0000, 0x8000),
      (0x7F7F_FFFF, 0x7F80), (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x7F80_0001, 0x7FC0),
      (0xFFC0_0000, 0xFFC0), (0x7FFF_FFFF, 0x7FFF),
    ]
    for (bits, expected) in cases {
      #expect(roundToBF16(Float(bitPattern: bits)) == expected, "\(String(bits, radix: 16))")
    }
  }

  @Test(
    "keeps what has a number at or above the rate, over vectors and what is left", arguments: [0, 0.25, 0.9])
  func mask(rate: Float) {
    let threshold = UInt32(Double(rate) * 0x1p32)
    let words: [UInt32] =
      [0, 1, threshold, threshold &- 1, threshold &+ 1, .max, 1 << 31, (1 << 31) - 1]
      + (0..<29).map { UInt32($0) &* 2_654_435_761 }
    let values = words.indices.map { Float($0 % 7) - 2.5 }
    let mask = DropoutMask(rate: rate)
    let kept = words.map { $0 >= threshold }

    var floats = values
    words.withUnsafeBufferPointer { words in
      floats.withUnsafeMutableBufferPointer { mask.apply(words, to: $0.baseAddress!) }
    }
    #expect(floats == zip(values, kept).map { $1 ? $0 * (1 / (1 - rate)) : 0 })

    var halves = values.map(roundToBF16)
    words.withUnsafeBufferPointer { words in
      halves.withUnsafeMutableBufferPointer { mask.apply(words, toBF16: $0.baseAddress!) }
    }
    #expect(halves == zip(values, kept).map { $1 ? roundToBF16($0 * (1 / (1 - rate))) : 0 })
  }
}
