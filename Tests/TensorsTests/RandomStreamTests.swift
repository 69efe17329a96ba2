import Tensors
import Testing

@Suite("Random streams")
struct RandomStreamTests {
  // Known answers of Random123's kat_vectors for philox4x32-10.
  @Test("Philox4x32-10 gives the published answers")
  func knownAnswers() {
    #expect(
      philox4x32(counter: .zero, key: .zero)
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      philox4x32(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      philox4x32(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test("streams of other seeds, purposes and indices differ")
  func independent() {
    func first(_ seed: UInt64, _ purpose: RandomPurpose, _ a: UInt64, _ b: UInt64) -> UInt64 {
      var stream = RandomStream(seed: seed, purpose: purpose, a: a, b: b)
      return stream.next()
    }
    let values = [
      first(0, .dropout, 0, 0), first(1, .dropout, 0, 0), first(0, .sampleOrder, 0, 0),
      first(0, .dropout, 1, 0), first(0, .dropout, 0, 1), first(0, .dropout, 1 << 32, 0),
      first(0, .dropout, 0, 1 << 32),
    ]
    #expect(Set(values).count == values.count)
    #expect(first(7, .split, 3, 4) == first(7, .split, 3, 4))
  }

  @Test("uniform numbers fill [0, 1) evenly; integers stay below their bound")
  func ranges() {
    var stream = RandomStream(seed: 3, purpose: .initialization)
    var sum = 0.0
    for _ in 0..<10_000 {
      let value = stream.nextUniform()
      #expect(value >= 0 && value < 1)
      sum += Double(value)
    }
    #expect(abs(sum / 10_000 - 0.5) < 0.015)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<7_000 { counts[stream.nextInteger(below: 7)] += 1 }
    #expect(counts.allSatisfy { $0 > 850 && $0 < 1150 }, "\(counts)")
  }

  @Test(
    "filling gives the numbers that come one by one, from any position and in any amount", arguments: 0..<5)
  func filling(skipped: Int) {
    for count in [0, 1, 3, 4, 31, 32, 33, 36, 64, 1000] {
      var single = RandomStream(seed: 11, purpose: .dropout, a: 5, b: 1 << 40)
      var bulk = single
      for _ in 0..<skipped { #expect(single.nextUInt32() == bulk.nextUInt32()) }
      let words = [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
        bulk.fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
        initialized = count
      }
      #expect(words == (0..<count).map { _ in single.nextUInt32() })
      #expect(single.nextUInt32() == bulk.nextUInt32())
    }
  }
}
