internal import Foundation
internal import OneDNN

/// Local response normalisation of the rows of a matrix [rows, C].
///
///     s[c] = k + α · Σ x[i]²  over |i − c| ≤ r        y[c] = x[c] · s[c]^−β
///
/// The library's kernels know β = 0.75 and windows of 5 alone. Here every loop runs over the channels of a row, once for
/// each place in the window, so that the processor takes many channels at once.
struct ResponseNormStep: CustomStep {
  let rows: Int
  let channels: Int
  let norm: ResponseNorm
  let src: Operand
  let dst: Operand

  var name: String { "response norm" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, target) = (memory.floats(src), memory.floats(dst))
    norm.withRows(of: channels, count: 2) { squares, sums in
      for row in 0..<rows {
        let (x, y) = (source + row * channels, target + row * channels)
        norm.sums(x, channels, squares: squares[0], into: sums[0])
        norm.power(sums[0], channels, into: sums[1])
        for index in 0..<channels { y[index] = x[index] * sums[1][index] }
      }
    }
  }
}

/// `diffSrc[c] = g[c]·s[c]^−β − 2αβ · x[c] · Σ g[i]·x[i]·s[i]^(−β−1)` over |i − c| ≤ r, with s made again.
struct ResponseNormGradientStep: CustomStep {
  let rows: Int
  let channels: Int
  let norm: ResponseNorm
  let src: Operand
  let diffDst: Operand
  let diffSrc: Operand

  var name: String { "response norm gradient" }
  var operands: [Operand] { [src, diffDst, diffSrc] }
  var results: [Operand] { [diffSrc] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, diff, target) = (memory.floats(src), memory.floats(diffDst), memory.floats(diffSrc))
    let factor = 2 * norm.alpha * norm.beta
    norm.withRows(of: channels, count: 3) { padded, scratch in
      let (sums, powers, spread) = (scratch[0], scratch[1], scratch[2])
      for row in 0..<rows {
        let start = row * channels
        let (x, g, out) = (source + start, diff + start, target + start)
        norm.sums(x, channels, squares: padded[0], into: sums)
        norm.power(sums, channels, into: powers)
        let parts = padded[0] + norm.radius
        for index in 0..<channels { parts[index] = g[index] * x[index] * powers[index] / sums[index] }
        norm.window(padded[0], channels, into: spread)
        for index in 0..<channels {
          out[index] = g[index] * powers[index] - factor * x[index] * spread[index]
        }
      }
    }
  }
}

/// The numbers of a local response normalisation, and the loops that both directions share.
struct ResponseNorm: Sendable {
  let radius: Int
  let bias: Float
  let alpha: Float
  let beta: Float

  /// Lends one row with zeros for the window at both ends, and `count` plain rows.
  func withRows(
    of channels: Int, count: Int,
    _ body: ([UnsafeMutablePointer<Float>], [UnsafeMutablePointer<Float>]) -> Void
  ) {
    let padded = channels + 2 * radius
    withUnsafeTemporaryAllocation(of: Float.self, capacity: padded + count * channels) { memory in
      guard let start = memory.baseAddress else { return }
      start.initialize(repeating: 0, count: memory.count)
      body([start], (0..<count).map { start + padded + $0 * channels })
    }
  }

  /// `s = k + α · Σ x²` over each channel's window.
  func sums(
    _ x: UnsafeMutablePointer<Float>, _ channels: Int, squares: UnsafeMutablePointer<Float>,
    into sums: UnsafeMutablePointer<Float>
  ) {
    let inner = squares + radius
    for index in 0..<channels { inner[index] = x[index] * x[index] }
    window(squares, channels, into: sums)
    for index in 0..<channels { sums[index] = bias + alpha * sums[index] }
  }

  /// The sum over each channel's window of a row with zeros at both ends, first channel first.
  func window(
    _ padded: UnsafeMutablePointer<Float>, _ channels: Int, into sums: UnsafeMutablePointer<Float>
  ) {
    sums.update(from: padded, count: channels)
    for offset in 1..<2 * radius + 1 {
      let moved = padded + offset
      for index in 0..<channels { sums[index] += moved[index] }
    }
  }

  /// `s^−β`; the usual exponents by square roots.
  func power(_ s: UnsafeMutablePointer<Float>, _ channels: Int, into result: UnsafeMutablePointer<Float>) {
    switch beta {
    case 0.5: for index in 0..<channels { result[index] = 1 / s[index].squareRoot() }
    case 0.75:
      for index in 0..<channels {
        let root = s[index].squareRoot()
        result[index] = 1 / (root * root.squareRoot())
      }
    case 1: for index in 0..<channels { result[index] = 1 / s[index] }
    default: for index in 0..<channels { result[index] = pow(s[index], -beta) }
    }
  }
}
