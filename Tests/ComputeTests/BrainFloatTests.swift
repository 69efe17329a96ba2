import OneDNN
import Tensors
import TestSupport
import Testing

@testable import Compute

@Suite("Numbers in bf16")
struct BrainFloatTests {
  @Test(
    "our rounding is the library's in every layout, for numbers of all kinds, and rounds what is rounded to itself"
  )
  func rounding() throws {
    ThreadConfinement.confine()
    var random = SplitMix64(seed: 11)
    // Every upper half, with the lower halves around the tie, and any others.
    let lower: [UInt32] = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
    var bits = (0...UInt32(UInt16.max)).map { $0 << 16 | lower[Int($0) % lower.count] }
    bits += (0...UInt32(UInt16.max)).map { $0 << 16 | 0x8000 }
    bits += (0..<1 << 17).map { _ in UInt32(truncatingIfNeeded: random.next()) }
    let values = bits.map { Float(bitPattern: $0) }
    let dimensions = [values.count / 1024, 64, 4, 4]
    let source = try MemoryDescriptor.dense(dimensions, .f32)
    for wanted in [
      try MemoryDescriptor.dense(dimensions, .bf16),
      try MemoryDescriptor.channelBlocks(of: 16, dimensions, .bf16),
    ] {
      let rounded = try Self.reorder(values, source, wanted)
      // Back into the first layout, to compare element by element.
      let back = try Self.reorder(rounded, wanted, try .dense(dimensions, .bf16))
      var differing = 0
      for (value, found) in zip(values, back) {
        let own = roundToBF16(value)
        // The library takes numbers below the least normal one for zero, on some processors.
        let isSmall = value.isSubnormal && found & 0x7FFF == 0
        let isSame = value.isNaN ? float(bf16: found).isNaN : own == found || isSmall
        differing += isSame ? 0 : 1
        if !value.isNaN { #expect(roundToBF16(float(bf16: own)) == own) }
      }
      #expect(differing == 0)
    }
  }

  private static func reorder<Element: BitwiseCopyable & Sendable>(
    _ values: [Element], _ from: MemoryDescriptor, _ to: MemoryDescriptor
  ) throws -> [UInt16] {
    let reorder = try Primitive(Elementwise.reorder(from: from, to: to))
    let (src, dst) = (AlignedBuffer(values), AlignedBuffer<UInt16>(count: to.byteCount / 2))
    let scratchpad = AlignedBuffer<UInt8>(count: reorder.descriptor.scratchpad.byteCount + 64)
    let execution = Execution(
      reorder, on: try Stream(),
      [
        (.src, try Memory(from, at: src.baseAddress)), (.dst, try Memory(to, at: dst.baseAddress)),
        (.scratchpad, try Memory(reorder.descriptor.scratchpad, at: scratchpad.baseAddress)),
      ])
    try withExtendedLifetime((src, scratchpad)) { try execution.run() }
    return dst.array()
  }
}
