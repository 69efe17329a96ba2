internal import Tensors

/// What a training pass of batch normalisation gives: the output and what its backward pass and the running statistics need.
public struct ReferenceBatchNormResult: Sendable {
  /// The normalised values.
  public let dst: ReferenceTensor
  /// Mean and biased variance of each channel over all samples and positions.
  public let mean: ReferenceTensor
  /// The variance of each channel.
  public let variance: ReferenceTensor
}

extension ReferenceKernels {
  /// `dst = gamma · (src − mean) / √(variance + ε) + beta` with the statistics of `src` itself.
  ///
  /// - `src`: [N, …, C]; `gamma`, `beta`: [C], where nil stands for ones and zeros.
  public static func batchNormTraining(
    _ src: ReferenceTensor, gamma: ReferenceTensor?, beta: ReferenceTensor?, epsilon: Double
  ) -> ReferenceBatchNormResult {
    let channels = src.shape[src.shape.rank - 1]
    let count = Double(src.values.count / channels)
    var mean = ReferenceTensor([channels])
    var variance = ReferenceTensor([channels])
    for (index, value) in src.values.enumerated() { mean.values[index % channels] += value / count }
    for (index, value) in src.values.enumerated() {
      let deviation = value - mean.values[index % channels]
      variance.values[index % channels] += deviation * deviation / count
    }
    let dst = batchNormInference(
      src, gamma: gamma, beta: beta, mean: mean, variance: variance, epsilon: epsilon)
    return ReferenceBatchNormResult(dst: dst, mean: mean, variance: variance)
  }

  /// The same formula with given statistics.
  public static func batchNormInference(
    _ src: ReferenceTensor, gamma: ReferenceTensor?, beta: ReferenceTensor?, mean: ReferenceTensor,
    variance: ReferenceTensor, epsilon: Double
  ) -> ReferenceTensor {
    let channels = src.shape[src.shape.rank - 1]
    var dst = src
    for index in src.values.indices {
      let c = index % channels
      let normalized = (src.values[index] - mean.values[c]) / (variance.values[c] + epsilon).squareRoot()
      dst.values[index] = (gamma?.values[c] ?? 1) * normalized + (beta?.values[c] ?? 0)
    }
    return dst
  }

  /// Gradients of ``batchNormTraining(_:gamma:beta:epsilon:)``, through mean and variance as well.
  ///
  /// With `x̂ = (src − mean) / √(variance + ε)` and M values per channel:
  /// `diffBeta = Σ g`, `diffGamma = Σ g·x̂`, `diffSrc = gamma / √(variance + ε) · (g − diffBeta / M − x̂ · diffGamma / M)`.
  public static func batchNormTrainingGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, gamma: ReferenceTensor?, epsilon: Double
  ) -> (diffSrc: ReferenceTensor, diffGamma: ReferenceTensor, diffBeta: ReferenceTensor) {
    let channels = src.shape[src.shape.rank - 1]
    let count = Double(src.values.count / channels)
    let forward = batchNormTraining(src, gamma: nil, beta: nil, epsilon: epsilon)
    let normalized = forward.dst
    var diffGamma = ReferenceTensor([channels])
    let diffBeta = biasGradient(diffDst)
    for index in src.values.indices {
      diffGamma.values[index % channels] += diffDst.values[index] * normalized.values[index]
    }
    var diffSrc = src
    for index in src.values.indices {
      let c = index % channels
      let scale = (gamma?.values[c] ?? 1) / (forward.variance.values[c] + epsilon).squareRoot()
      diffSrc.values[index] =
        scale
        * (diffDst.values[index] - diffBeta.values[c] / count
          - normalized.values[index] * diffGamma.values[c] / count)
    }
    return (diffSrc, diffGamma, diffBeta)
  }
}
