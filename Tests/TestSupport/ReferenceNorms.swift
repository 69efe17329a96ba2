internal import Foundation
public import Networks
internal import Tensors

// MARK: - Layer normalisation

extension ReferenceKernels {
  /// `dst = gamma · (src − mean) / √(variance + ε) + beta` with the mean and biased variance of each row of channels.
  public static func layerNorm(
    _ src: ReferenceTensor, gamma: ReferenceTensor?, beta: ReferenceTensor?, epsilon: Double
  ) -> ReferenceTensor {
    var dst = normalizedRows(src, epsilon: epsilon).rows
    let channels = src.shape[src.shape.rank - 1]
    for index in dst.values.indices {
      let c = index % channels
      dst.values[index] = dst.values[index] * (gamma?.values[c] ?? 1) + (beta?.values[c] ?? 0)
    }
    return dst
  }

  /// With `x̂` the normalised row, `g′ = g·gamma` and C channels:
  /// `diffSrc = (g′ − Σg′ / C − x̂ · Σ(g′·x̂) / C) / √(variance + ε)`.
  public static func layerNormGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, gamma: ReferenceTensor?, epsilon: Double
  ) -> (diffSrc: ReferenceTensor, diffGamma: ReferenceTensor, diffBeta: ReferenceTensor) {
    let channels = src.shape[src.shape.rank - 1]
    let (normalized, roots) = normalizedRows(src, epsilon: epsilon)
    var diffGamma = ReferenceTensor([channels])
    for index in src.values.indices {
      diffGamma.values[index % channels] += diffDst.values[index] * normalized.values[index]
    }
    var diffSrc = src
    forEachRow(src) { row in
      let scaled = row.map { diffDst.values[$0] * (gamma?.values[$0 % channels] ?? 1) }
      let mean = scaled.reduce(0, +) / Double(channels)
      let product = zip(scaled, row).reduce(0) { $0 + $1.0 * normalized.values[$1.1] } / Double(channels)
      for (value, index) in zip(scaled, row) {
        diffSrc.values[index] = (value - mean - normalized.values[index] * product) / roots[index / channels]
      }
    }
    return (diffSrc, diffGamma, biasGradient(diffDst))
  }

  private static func normalizedRows(
    _ src: ReferenceTensor, epsilon: Double
  ) -> (rows: ReferenceTensor, roots: [Double]) {
    var rows = src
    var roots: [Double] = []
    forEachRow(src) { row in
      let mean = row.reduce(0) { $0 + src.values[$1] } / Double(row.count)
      let variance =
        row.reduce(0) { $0 + (src.values[$1] - mean) * (src.values[$1] - mean) } / Double(row.count)
      let root = (variance + epsilon).squareRoot()
      for index in row { rows.values[index] = (src.values[index] - mean) / root }
      roots.append(root)
    }
    return (rows, roots)
  }
}

// MARK: - Group normalisation

extension ReferenceKernels {
  /// `dst = gamma · (src − mean) / √(variance + ε) + beta` with the mean and biased variance of each group of channels of each sample.
  public static func groupNorm(
    _ src: ReferenceTensor, groups: Int, gamma: ReferenceTensor?, beta: ReferenceTensor?, epsilon: Double
  ) -> ReferenceTensor {
    let channels = src.shape[src.shape.rank - 1]
    var dst = src
    for members in groupMembers(src, groups) {
      let (mean, root) = moments(src, members, epsilon)
      for index in members {
        let c = index % channels
        dst.values[index] =
          (src.values[index] - mean) / root * (gamma?.values[c] ?? 1) + (beta?.values[c] ?? 0)
      }
    }
    return dst
  }

  /// With x̂ the normalised group of M values and `g′ = g·gamma`: `diffSrc = (g′ − Σg′ / M − x̂ · Σ(g′·x̂) / M) / √(variance + ε)`.
  public static func groupNormGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, groups: Int, gamma: ReferenceTensor?, epsilon: Double
  ) -> (diffSrc: ReferenceTensor, diffGamma: ReferenceTensor, diffBeta: ReferenceTensor) {
    let channels = src.shape[src.shape.rank - 1]
    var (diffSrc, diffGamma) = (src, ReferenceTensor([channels]))
    for members in groupMembers(src, groups) {
      let (mean, root) = moments(src, members, epsilon)
      func normal(_ index: Int) -> Double { (src.values[index] - mean) / root }
      func scaled(_ index: Int) -> Double { diffDst.values[index] * (gamma?.values[index % channels] ?? 1) }
      let count = Double(members.count)
      let sum = members.reduce(0) { $0 + scaled($1) } / count
      let product = members.reduce(0) { $0 + scaled($1) * normal($1) } / count
      for index in members {
        diffGamma.values[index % channels] += diffDst.values[index] * normal(index)
        diffSrc.values[index] = (scaled(index) - sum - normal(index) * product) / root
      }
    }
    return (diffSrc, diffGamma, biasGradient(diffDst))
  }

  /// The elements of each group of each sample.
  private static func groupMembers(_ src: ReferenceTensor, _ groups: Int) -> [[Int]] {
    let channels = src.shape[src.shape.rank - 1]
    let size = src.values.count / src.shape[0]
    let elements = Dictionary(grouping: src.values.indices) { index in
      index / size * groups + index % channels / (channels / groups)
    }
    return elements.keys.sorted().map { elements[$0] ?? [] }
  }

  private static func moments(
    _ src: ReferenceTensor, _ members: [Int], _ epsilon: Double
  ) -> (mean: Double, root: Double) {
    let count = Double(members.count)
    let mean = members.reduce(0) { $0 + src.values[$1] } / count
    let variance = members.reduce(0) { $0 + (src.values[$1] - mean) * (src.values[$1] - mean) } / count
    return (mean, (variance + epsilon).squareRoot())
  }
}

// MARK: - Local response normalisation

extension ReferenceKernels {
  /// `dst[c] = src[c] / (bias + alpha · Σ src[i]²)^beta` over the channels within `radius`.
  public static func localResponseNorm(_ src: ReferenceTensor, _ norm: LocalResponseNorm) -> ReferenceTensor {
    var dst = src
    forEachRow(src) { row in
      for index in row { dst.values[index] *= pow(sum(src, row, index, norm), -Double(norm.beta)) }
    }
    return dst
  }

  /// The gradient of local response normalisation with respect to its input.
  public static func localResponseNormGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, _ norm: LocalResponseNorm
  ) -> ReferenceTensor {
    var diffSrc = ReferenceTensor(src.shape)
    let (alpha, beta) = (Double(norm.alpha), Double(norm.beta))
    forEachRow(src) { row in
      for output in row {
        let s = sum(src, row, output, norm)
        diffSrc.values[output] += diffDst.values[output] * pow(s, -beta)
        for input in window(row, output, norm) {
          // d s^−β / d x = −β · s^(−β−1) · 2αx
          diffSrc.values[input] -=
            diffDst.values[output] * src.values[output] * beta * pow(s, -beta - 1) * 2 * alpha
            * src.values[input]
        }
      }
    }
    return diffSrc
  }

  private static func window(_ row: Range<Int>, _ index: Int, _ norm: LocalResponseNorm) -> Range<Int> {
    max(index - norm.radius, row.lowerBound)..<min(index + norm.radius + 1, row.upperBound)
  }

  private static func sum(
    _ src: ReferenceTensor, _ row: Range<Int>, _ index: Int, _ norm: LocalResponseNorm
  ) -> Double {
    Double(norm.bias)
      + Double(norm.alpha) * window(row, index, norm).reduce(0) { $0 + src.values[$1] * src.values[$1] }
  }
}
