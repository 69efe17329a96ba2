internal import OneDNN
internal import Tensors

/// Zeroes elements with probability `rate` and scales the others by 1 / (1 − rate).
///
/// Run again on gradients it applies the same mask: a pure function of the run's seed, the layer and the sample.
struct DropoutStep: CustomStep {
  let rate: Float
  /// The operation's number, which keys its random stream.
  let index: UInt64
  let samples: Int
  let src: Operand
  let dst: Operand

  var name: String { "dropout" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    guard let source = memory.address(of: src), let target = memory.address(of: dst) else { return }
    let type = src.descriptor.dataType
    let perSample = src.descriptor.byteCount / type.byteCount / samples
    // A multiple of 2⁻³² as threshold: an element stays where its number is not below it.
    let threshold = UInt32(Double(rate) * 0x1p32)
    let factor = 1 / (1 - rate)
    for sample in 0..<samples {
      var stream = RandomStream(
        seed: shard.options.seed, purpose: .dropout, a: index, b: shard.options.firstSample + UInt64(sample))
      let start = sample * perSample
      switch type {
      case .bf16:
        let (from, to) = (
          source.assumingMemoryBound(to: UInt16.self), target.assumingMemoryBound(to: UInt16.self)
        )
        for element in start..<start + perSample {
          let keep = stream.nextUInt32() >= threshold
          to[element] = keep ? roundToBF16(float(bf16: from[element]) * factor) : 0
        }
      default:
        let (from, to) = (
          source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: Float.self)
        )
        for element in start..<start + perSample {
          to[element] = stream.nextUInt32() >= threshold ? from[element] * factor : 0
        }
      }
    }
  }
}

func float(bf16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// The nearest bf16, ties to even; NaN stays NaN.
func roundToBF16(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
}
