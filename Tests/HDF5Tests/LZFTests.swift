import HDF5
import TestSupport
import Testing

@Suite("LZF")
struct LZFTests {
  private func unpack(_ source: [UInt8], _ count: Int) -> [UInt8]? {
    var target = [UInt8](repeating: 0, count: count)
    let isWhole = source.withUnsafeBytes { source in
      target.withUnsafeMutableBytes { LZF.unpack(source, into: $0) }
    }
    return isWhole ? target : nil
  }

  @Test("bytes as they are, repeats, and repeats of what is just being written")
  func streams() {
    #expect(unpack([2, 7, 8, 9], 3) == [7, 8, 9])
    // Three bytes, then five from three back: two of them are written on the way.
    #expect(unpack([2, 7, 8, 9, 3 << 5, 2], 8) == [7, 8, 9, 7, 8, 9, 7, 8])
    // Seven and more has a byte for the rest.
    #expect(unpack([0, 5, 7 << 5, 10, 0], 20) == [UInt8](repeating: 5, count: 20))
    #expect(unpack([], 0) == [])
  }

  @Test(
    "a stream that is too short, too long or reaches before its beginning is none",
    arguments: [
      [2, 7, 8], [2, 7, 8, 9, 0, 1], [2, 7, 8, 9, 3 << 5, 3], [32], [7 << 5], [7 << 5, 1], [0, 5, 32, 0, 9],
    ] as [[UInt8]])
  func damaged(stream: [UInt8]) {
    #expect(unpack(stream, 3) == nil)
  }

  @Test("any bytes are unpacked or refused")
  func noise() {
    var random = SplitMix64(seed: 1)
    var whole = 0
    for _ in 0..<20_000 {
      let source = (0..<random.next(below: 12)).map { _ in
        UInt8(random.next(below: random.next(below: 2) == 0 ? 48 : 256))
      }
      if unpack(source, random.next(below: 24)) != nil { whole += 1 }
    }
    #expect(whole > 30)
  }
}
