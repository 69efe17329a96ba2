internal import OneDNN

/// Group normalisation of samples [positions, C], with channels side by side.
///
///     μ, σ² = mean and biased variance of a group's channels over all positions
///     y[c] = γ[c] · (x[c] − μ) · r + β[c]        r = 1 / √(σ² + ε)
///
/// The library normalises single channels or whole rows alone. Sums are in Double, in the order of the positions, channel by
/// channel and then over a group's channels, so that large images lose nothing.
struct GroupNormStep: CustomStep {
  let shape: GroupShape
  let epsilon: Float
  let src: Operand
  /// [C] each, where the layer has them.
  let gamma: Operand?
  let beta: Operand?
  let dst: Operand
  /// Each sample's means, then its factors r, one of each for a group: [N, 2, G].
  let statistics: Operand

  var name: String { "group norm" }
  var operands: [Operand] { [src, dst, statistics] + [gamma, beta].compactMap(\.self) }
  var results: [Operand] { [dst, statistics] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, target, figures) = (memory.floats(src), memory.floats(dst), memory.floats(statistics))
    let (scale, shift) = (gamma.map(memory.floats), beta.map(memory.floats))
    let channels = shape.channels
    shape.withRows(sums: 1, factors: 3) { sums, rows in
      let (middle, factor, offset) = (rows, rows + channels, rows + 2 * channels)
      for index in 0..<channels { offset[index] = shift?[index] ?? 0 }
      for sample in 0..<shape.samples {
        let (x, y) = (source + sample * shape.sampleSize, target + sample * shape.sampleSize)
        let (means, roots) = shape.figures(figures, sample)
        shape.means(sums, into: means) { Double(x[$0 + $1]) }
        for index in 0..<channels { middle[index] = means[index / shape.width] }
        shape.means(sums, into: roots) {
          let distance = Double(x[$0 + $1]) - Double(middle[$1])
          return distance * distance
        }
        for group in 0..<shape.groups {
          roots[group] = Float(1 / (Double(roots[group]) + Double(epsilon)).squareRoot())
        }
        for index in 0..<channels { factor[index] = roots[index / shape.width] * (scale?[index] ?? 1) }
        shape.forEach { row, index in
          // Not x · factor + offset of both: that would cancel where the mean is large.
          y[row + index] = (x[row + index] - middle[index]) * factor[index] + offset[index]
        }
      }
    }
  }
}

/// The way back of group normalisation, with x̂ the normalised values, g′ = g·γ, and M values in a group.
///
///     diffSrc = r · (g′ − Σ g′ / M − x̂ · Σ g′x̂ / M)        diffGamma = Σ g·x̂        diffBeta = Σ g
///
/// `diffSrc` may be `diffDst`.
struct GroupNormGradientStep: CustomStep {
  let shape: GroupShape
  let src: Operand
  let gamma: Operand?
  let statistics: Operand
  let diffDst: Operand
  let diffSrc: Operand
  let diffGamma: Operand?
  let diffBeta: Operand?

  var name: String { "group norm gradient" }
  var operands: [Operand] { [src, statistics, diffDst] + results + [gamma].compactMap(\.self) }
  var results: [Operand] { [diffSrc] + [diffGamma, diffBeta].compactMap(\.self) }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let channels = shape.channels
    shape.withRows(sums: 2, factors: 0) { totals, _ in
      totals.update(repeating: 0, count: 2 * channels)
      for sample in 0..<shape.samples { differentiate(memory, sample, totals) }
      for (place, result) in [diffBeta, diffGamma].enumerated() {
        guard let target = result.map(memory.floats) else { continue }
        for index in 0..<channels { target[index] = Float(totals[place * channels + index]) }
      }
    }
  }

  /// Computes one sample's gradient, and adds its Σ g, and behind them its Σ g·x̂, to the totals.
  private func differentiate(_ memory: ShardMemory, _ sample: Int, _ totals: UnsafeMutablePointer<Double>) {
    let start = sample * shape.sampleSize
    let (x, g) = (memory.floats(src) + start, memory.floats(diffDst) + start)
    let target = memory.floats(diffSrc) + start
    let (means, roots) = shape.figures(memory.floats(statistics), sample)
    let scale = gamma.map(memory.floats)
    let (channels, width) = (shape.channels, shape.width)
    shape.withRows(sums: 2, factors: 5) { sums, rows in
      let products = sums + channels
      let (middle, root, factor) = (rows, rows + channels, rows + 2 * channels)
      let (mean, slope) = (rows + 3 * channels, rows + 4 * channels)
      for index in 0..<channels {
        (middle[index], root[index]) = (means[index / width], roots[index / width])
        factor[index] = root[index] * (scale?[index] ?? 1)
      }
      sums.update(repeating: 0, count: 2 * channels)
      shape.forEach { row, index in
        let gradient = Double(g[row + index])
        sums[index] += gradient
        products[index] += gradient * (Double(x[row + index]) - Double(middle[index]))
      }
      for index in 0..<channels {
        products[index] *= Double(root[index])
        totals[index] += sums[index]
        totals[channels + index] += products[index]
      }
      for first in stride(from: 0, to: channels, by: width) {
        let group = first..<first + width
        let sum = group.reduce(0) { $0 + sums[$1] * Double(factor[$1]) } / shape.groupSize
        let product = group.reduce(0) { $0 + products[$1] * Double(factor[$1]) } / shape.groupSize
        for index in group {
          (mean[index], slope[index]) = (Float(sum), Float(product * Double(root[index])))
        }
      }
      shape.forEach { row, index in
        target[row + index] =
          g[row + index] * factor[index] - mean[index] - (x[row + index] - middle[index]) * slope[index]
      }
    }
  }
}

/// Samples of so many positions, whose channels form groups of neighbours.
struct GroupShape: Sendable {
  let samples: Int
  let positions: Int
  let channels: Int
  let groups: Int

  /// Channels of a group.
  var width: Int { channels / groups }
  /// Elements of a sample.
  var sampleSize: Int { positions * channels }
  /// Elements of a group of one sample.
  var groupSize: Double { Double(positions * width) }

  /// A sample's means and factors, one of each for a group.
  func figures(
    _ all: UnsafeMutablePointer<Float>, _ sample: Int
  ) -> (means: UnsafeMutablePointer<Float>, factors: UnsafeMutablePointer<Float>) {
    (all + sample * 2 * groups, all + (sample * 2 + 1) * groups)
  }

  /// Calls `body` with the start of each position and each channel, in order.
  @inline(__always)
  func forEach(_ body: (_ row: Int, _ channel: Int) -> Void) {
    for row in stride(from: 0, to: sampleSize, by: channels) {
      for index in 0..<channels { body(row, index) }
    }
  }

  /// The mean of a value over each group, by way of sums over each channel.
  @inline(__always)
  func means(
    _ sums: UnsafeMutablePointer<Double>, into means: UnsafeMutablePointer<Float>,
    _ value: (_ row: Int, _ channel: Int) -> Double
  ) {
    sums.update(repeating: 0, count: channels)
    forEach { sums[$1] += value($0, $1) }
    for group in 0..<groups {
      let sum = (group * width..<(group + 1) * width).reduce(0) { $0 + sums[$1] }
      means[group] = Float(sum / groupSize)
    }
  }

  /// Lends rows of a number for each channel, one behind the other: for sums, and for factors.
  func withRows(
    sums: Int, factors: Int, _ body: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(sums, 1) * channels) { doubles in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: max(factors, 1) * channels) { floats in
        guard let first = doubles.baseAddress, let second = floats.baseAddress else { return }
        body(first, second)
      }
    }
  }
}
