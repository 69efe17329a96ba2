internal import OneDNN
internal import Tensors

// Steps with a number for each channel. The innermost loops run over the channels of a block, which lie side by side.

/// `dst = src · scale + offset`, with constants for each channel.
struct AffineStep: CustomStep {
  let layout: ChannelBlocks
  let scale: [Float]
  let offset: [Float]
  let src: Operand
  let dst: Operand

  var name: String { "affine" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, target) = (memory.floats(src), memory.floats(dst))
    scale.withUnsafeBufferPointer { scale in
      offset.withUnsafeBufferPointer { offset in
        layout.forEach { _, start, first, count in
          for position in 0..<layout.positions {
            let at = start + position * layout.width
            for index in 0..<count {
              target[at + index] = source[at + index] * scale[first + index] + offset[first + index]
            }
            for index in count..<layout.width { target[at + index] = 0 }
          }
        }
      }
    }
  }
}

/// `dst[n, …, c] = src[n, …, c] · factor[n, c]`.
struct ChannelProductStep: CustomStep {
  let layout: ChannelBlocks
  let src: Operand
  /// [N, C], row by row.
  let factor: Operand
  let dst: Operand

  var name: String { "multiply" }
  var operands: [Operand] { [src, factor, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, factors, target) = (memory.floats(src), memory.floats(factor), memory.floats(dst))
    layout.forEach { sample, start, first, count in
      let row = factors + sample * layout.channels + first
      for position in 0..<layout.positions {
        let at = start + position * layout.width
        for index in 0..<count { target[at + index] = source[at + index] * row[index] }
        for index in count..<layout.width { target[at + index] = 0 }
      }
    }
  }
}

/// The factor's gradient: the sum of `diffDst · src` over the positions, in order.
struct ChannelProductGradientStep: CustomStep {
  let layout: ChannelBlocks
  let src: Operand
  let diffDst: Operand
  let diffFactor: Operand

  var name: String { "multiply gradient" }
  var operands: [Operand] { [src, diffDst, diffFactor] }
  var results: [Operand] { [diffFactor] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, diff, target) = (memory.floats(src), memory.floats(diffDst), memory.floats(diffFactor))
    layout.forEach { sample, start, first, count in
      let row = target + sample * layout.channels + first
      row.update(repeating: 0, count: count)
      for position in 0..<layout.positions {
        let at = start + position * layout.width
        for index in 0..<count { row[index] += diff[at + index] * source[at + index] }
      }
    }
  }
}

/// x, or alpha·x below zero, with an alpha for each channel.
struct PReLUStep: CustomStep {
  let layout: ChannelBlocks
  let src: Operand
  let alpha: Operand
  let dst: Operand

  var name: String { "prelu" }
  var operands: [Operand] { [src, alpha, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, alphas, target) = (memory.floats(src), memory.floats(alpha), memory.floats(dst))
    layout.forEach { _, start, first, count in
      let slopes = alphas + first
      for position in 0..<layout.positions {
        let at = start + position * layout.width
        for index in 0..<count {
          // Computed before it is chosen: signs cannot be guessed, and a branch on them costs six times as much.
          let x = source[at + index]
          let below = slopes[index] * x
          target[at + index] = x > 0 ? x : below
        }
        for index in count..<layout.width { target[at + index] = 0 }
      }
    }
  }
}

/// `diffSrc = diffDst` above zero, `alpha · diffDst` below, 0 at zero; `diffAlpha = Σ diffDst · src` over what is below.
struct PReLUGradientStep: CustomStep {
  let layout: ChannelBlocks
  let src: Operand
  let alpha: Operand
  let diffDst: Operand
  let diffSrc: Operand
  let diffAlpha: Operand

  var name: String { "prelu gradient" }
  var operands: [Operand] { [src, alpha, diffDst, diffSrc, diffAlpha] }
  var results: [Operand] { [diffSrc, diffAlpha] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, alphas, diff) = (memory.floats(src), memory.floats(alpha), memory.floats(diffDst))
    let (target, sums) = (memory.floats(diffSrc), memory.floats(diffAlpha))
    sums.update(repeating: 0, count: layout.channels)
    layout.forEach { _, start, first, count in
      let (slopes, sum) = (alphas + first, sums + first)
      for position in 0..<layout.positions {
        let at = start + position * layout.width
        let (x, gradient, result) = (source + at, diff + at, target + at)
        forLanes(count: count) { i in
          let (x, gradient) = (x.lanes(at: i), gradient.lanes(at: i))
          let below = x .< 0
          sum.store(sum.lanes(at: i) + Lanes.zero.replacing(with: x * gradient, where: below), at: i)
          let above = Lanes.zero.replacing(with: gradient, where: x .> 0)
          result.store(above.replacing(with: slopes.lanes(at: i) * gradient, where: below), at: i)
        } tail: { i in
          let (x, gradient) = (x[i], gradient[i])
          sum[i] += x < 0 ? x * gradient : 0
          result[i] = x > 0 ? gradient : x < 0 ? slopes[i] * gradient : 0
        }
        for index in count..<layout.width { target[at + index] = 0 }
      }
    }
  }
}
