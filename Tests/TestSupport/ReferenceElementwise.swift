internal import Foundation
public import Networks
internal import Tensors

// MARK: - Activations

extension ReferenceKernels {
  /// The activation of every element; softmax along the last dimension.
  public static func activation(_ activation: Activation, _ src: ReferenceTensor) -> ReferenceTensor {
    switch activation {
    case .linear: src
    case .relu: src.map { max($0, 0) }
    case .relu6: relu(src, upTo: 6)
    case .leakyReLU: leakyReLU(src, slope: 0.2)
    case .elu: elu(src, alpha: 1)
    case .gelu: src.map { $0 * normalShare($0) }
    case .silu: src.map { $0 * logistic($0) }
    case .softplus: src.map { log(1 + exp($0)) }
    case .sigmoid: src.map(logistic)
    case .hardSigmoid: src.map { min(max($0 / 6 + 0.5, 0), 1) }
    case .tanh: src.map { Foundation.tanh($0) }
    case .softmax: softmax(src)
    }
  }

  /// The gradient to the activation's input, from that input.
  public static func activationGradient(
    _ activation: Activation, _ diffDst: ReferenceTensor, src: ReferenceTensor
  ) -> ReferenceTensor {
    func elementwise(_ derivative: (Double) -> Double) -> ReferenceTensor {
      multiply(diffDst, src.map(derivative))
    }
    switch activation {
    case .linear: return diffDst
    case .relu: return elementwise { $0 > 0 ? 1 : 0 }
    case .relu6: return reluGradient(diffDst, src: src, upTo: 6)
    case .leakyReLU: return leakyReLUGradient(diffDst, src: src, slope: 0.2)
    case .elu: return eluGradient(diffDst, src: src, alpha: 1)
    case .gelu:
      return elementwise { normalShare($0) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() }
    case .silu: return elementwise { logistic($0) * (1 + $0 * (1 - logistic($0))) }
    case .softplus: return elementwise(logistic)
    case .sigmoid: return elementwise { logistic($0) * (1 - logistic($0)) }
    case .hardSigmoid: return elementwise { abs($0) < 3 ? 1.0 / 6 : 0 }
    case .tanh: return elementwise { 1 - Foundation.tanh($0) * Foundation.tanh($0) }
    case .softmax: return softmaxGradient(diffDst, dst: softmax(src))
    }
  }

  /// ReLU that ends at a largest value.
  public static func relu(_ src: ReferenceTensor, upTo largest: Double?) -> ReferenceTensor {
    src.map { min(max($0, 0), largest ?? .infinity) }
  }

  /// Nothing goes back from 0 and from the largest value.
  public static func reluGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, upTo largest: Double?
  ) -> ReferenceTensor {
    multiply(diffDst, src.map { $0 > 0 && $0 < largest ?? .infinity ? 1 : 0 })
  }

  /// Leaky ReLU of each element.
  public static func leakyReLU(_ src: ReferenceTensor, slope: Double) -> ReferenceTensor {
    src.map { $0 > 0 ? $0 : slope * $0 }
  }

  /// The gradient of leaky ReLU with respect to its input.
  public static func leakyReLUGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, slope: Double
  ) -> ReferenceTensor {
    multiply(diffDst, src.map { $0 > 0 ? 1 : slope })
  }

  /// ELU of each element.
  public static func elu(_ src: ReferenceTensor, alpha: Double) -> ReferenceTensor {
    src.map { $0 > 0 ? $0 : alpha * (exp($0) - 1) }
  }

  /// The gradient of ELU with respect to its input.
  public static func eluGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, alpha: Double
  ) -> ReferenceTensor {
    multiply(diffDst, src.map { $0 > 0 ? 1 : alpha * exp($0) })
  }

  /// x, or alpha·x below zero; `alpha` repeats along the elements: [C], or [H, W, C].
  public static func prelu(_ src: ReferenceTensor, alpha: ReferenceTensor) -> ReferenceTensor {
    var dst = src
    for (index, x) in src.values.enumerated() where x < 0 {
      dst.values[index] = x * alpha.values[index % alpha.values.count]
    }
    return dst
  }

  /// The gradients of PReLU with respect to its input and its slopes.
  public static func preluGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, alpha: ReferenceTensor
  ) -> (diffSrc: ReferenceTensor, diffAlpha: ReferenceTensor) {
    var diffSrc = diffDst
    var diffAlpha = ReferenceTensor(alpha.shape)
    for (index, x) in src.values.enumerated() where x < 0 {
      diffSrc.values[index] *= alpha.values[index % alpha.values.count]
      diffAlpha.values[index % alpha.values.count] += diffDst.values[index] * x
    }
    return (diffSrc, diffAlpha)
  }

  private static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// The standard normal distribution's share below x.
  private static func normalShare(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

  /// `dst[c] = exp(src[c]) / Σ exp(src)` along the last dimension, with the maximum subtracted first.
  public static func softmax(_ src: ReferenceTensor) -> ReferenceTensor {
    var dst = src
    forEachRow(src) { row in
      let largest = src.values[row].max() ?? 0
      let sum = src.values[row].reduce(0) { $0 + exp($1 - largest) }
      for index in row { dst.values[index] = exp(src.values[index] - largest) / sum }
    }
    return dst
  }

  /// `diffSrc[c] = dst[c] · (diffDst[c] − Σ diffDst·dst)`.
  public static func softmaxGradient(
    _ diffDst: ReferenceTensor, dst: ReferenceTensor
  ) -> ReferenceTensor {
    var diffSrc = dst
    forEachRow(dst) { row in
      let mean = row.reduce(0) { $0 + diffDst.values[$1] * dst.values[$1] }
      for index in row { diffSrc.values[index] = dst.values[index] * (diffDst.values[index] - mean) }
    }
    return diffSrc
  }

  static func forEachRow(_ tensor: ReferenceTensor, _ body: (Range<Int>) -> Void) {
    let length = tensor.shape[tensor.shape.rank - 1]
    for start in stride(from: 0, to: tensor.values.count, by: length) { body(start..<start + length) }
  }
}

// MARK: - Joining tensors

extension ReferenceKernels {
  /// The sum of equal shapes; the gradient to each input is `diffDst` itself.
  public static func add(_ inputs: [ReferenceTensor]) -> ReferenceTensor {
    var dst = ReferenceTensor(inputs[0].shape)
    for input in inputs {
      precondition(input.shape == dst.shape, "expected \(dst.shape), got \(input.shape)")
      for index in dst.values.indices { dst.values[index] += input.values[index] }
    }
    return dst
  }

  /// The product of equal shapes.
  public static func multiply(_ left: ReferenceTensor, _ right: ReferenceTensor) -> ReferenceTensor {
    precondition(left.values.count == right.values.count, "\(left.shape) times \(right.shape)")
    return ReferenceTensor(left.shape, zip(left.values, right.values).map { $0 * $1 })
  }

  /// `dst[n, …, c] = src[n, …, c] · factor[n, c]`.
  public static func channelProduct(_ src: ReferenceTensor, _ factor: ReferenceTensor) -> ReferenceTensor {
    multiply(src, spread(factor, over: src))
  }

  /// The gradients of ``channelProduct(_:_:)`` to the image and to the factor.
  public static func channelProductGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, factor: ReferenceTensor
  ) -> (diffSrc: ReferenceTensor, diffFactor: ReferenceTensor) {
    var diffFactor = ReferenceTensor(factor.shape)
    let channels = src.shape[src.shape.rank - 1]
    let perSample = src.values.count / src.shape[0]
    for index in src.values.indices {
      diffFactor.values[index / perSample * channels + index % channels] +=
        diffDst.values[index] * src.values[index]
    }
    return (channelProduct(diffDst, factor), diffFactor)
  }

  private static func spread(_ factor: ReferenceTensor, over src: ReferenceTensor) -> ReferenceTensor {
    let channels = src.shape[src.shape.rank - 1]
    let perSample = src.values.count / src.shape[0]
    return ReferenceTensor(
      src.shape, src.values.indices.map { factor.values[$0 / perSample * channels + $0 % channels] })
  }

  /// Joins along the last dimension.
  public static func concat(_ inputs: [ReferenceTensor]) -> ReferenceTensor {
    let lengths = inputs.map { $0.shape[$0.shape.rank - 1] }
    let rows = inputs[0].values.count / max(lengths[0], 1)
    var values: [Double] = []
    for row in 0..<rows {
      for (input, length) in zip(inputs, lengths) {
        values += input.values[row * length..<(row + 1) * length]
      }
    }
    let leading = inputs[0].shape.dimensions.dropLast()
    return ReferenceTensor(Shape(Array(leading) + [lengths.reduce(0, +)]), values)
  }

  /// Cuts a gradient along the last dimension into one part per input.
  public static func concatGradient(
    _ diffDst: ReferenceTensor, channels lengths: [Int]
  ) -> [ReferenceTensor] {
    let total = lengths.reduce(0, +)
    let leading = Array(diffDst.shape.dimensions.dropLast())
    var start = 0
    return lengths.map { length in
      defer { start += length }
      var values: [Double] = []
      for row in 0..<diffDst.values.count / total {
        values += diffDst.values[row * total + start..<row * total + start + length]
      }
      return ReferenceTensor(Shape(leading + [length]), values)
    }
  }
}

// MARK: - Loss

extension ReferenceKernels {
  /// Softmax cross-entropy of logits, *summed* over the samples: `Σₙ −Σ_c t[c] · log softmax(logits[n])[c]`, with
  /// `t[c] = (1 − s)·[c = label] + s / classes` for label smoothing `s`, and its gradient `softmax(logits) − t`.
  ///
  /// - `logits`: [N, classes].
  public static func softmaxCrossEntropy(
    logits: ReferenceTensor, labels: [Int], labelSmoothing smoothing: Double = 0
  ) -> (lossSum: Double, diffLogits: ReferenceTensor) {
    let classes = logits.shape[1]
    precondition(labels.count == logits.shape[0], "\(logits.shape[0]) samples, \(labels.count) labels")
    var lossSum = 0.0
    var diffLogits = softmax(logits)
    for (n, label) in labels.enumerated() {
      let row = (0..<classes).map { logits[n, $0] }
      let largest = row.max() ?? 0
      let logSum = largest + log(row.reduce(0) { $0 + exp($1 - largest) })
      for c in 0..<classes {
        let target = (c == label ? 1 - smoothing : 0) + smoothing / Double(classes)
        lossSum -= target * (row[c] - logSum)
        diffLogits[n, c] -= target
      }
    }
    return (lossSum, diffLogits)
  }
}
