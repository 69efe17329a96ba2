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

  /// Numbers drawn at a time, which stay in the nearest cache.
  private static let wordCount = 1024

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    guard let source = memory.address(of: src), let target = memory.address(of: dst) else { return }
    let type = src.descriptor.dataType
    let perSample = src.descriptor.byteCount / type.byteCount / samples
    let mask = DropoutMask(rate: rate)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.wordCount) { words in
      for sample in 0..<samples {
        var stream = RandomStream(
          seed: shard.options.seed, purpose: .dropout, a: index, b: shard.options.firstSample + UInt64(sample)
        )
        for start in stride(from: 0, to: perSample, by: Self.wordCount) {
          let part = UnsafeMutableBufferPointer(rebasing: words.prefix(perSample - start))
          stream.fill(part)
          let offset = (sample * perSample + start) * type.byteCount
          let piece = target + offset
          if target != source {
            piece.copyMemory(from: source + offset, byteCount: part.count * type.byteCount)
          }
          if type == .bf16 {
            mask.apply(UnsafeBufferPointer(part), toBF16: piece.assumingMemoryBound(to: UInt16.self))
          } else {
            mask.apply(UnsafeBufferPointer(part), to: piece.assumingMemoryBound(to: Float.self))
          }
        }
      }
    }
  }
}
