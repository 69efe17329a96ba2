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
    case .sigmoid: src.map { 1 / (1 + exp(-$0)) }
    case .tanh: src.map { Foundation.tanh($0) }
    case .softmax: softmax(src)
    }
  }

  /// The gradient to the activation's input, from its *output* `dst`: each rule below is the derivative written in the
  /// output, as training keeps only that.
  public static func activationGradient(
    _ activation: Activation, _ diffDst: ReferenceTensor, dst: ReferenceTensor
  ) -> ReferenceTensor {
    func elementwise(_ derivative: (Double) -> Double) -> ReferenceTensor {
      ReferenceTensor(
        dst.shape, zip(diffDst.values, dst.values).map { gradient, y in gradient * derivative(y) })
    }
    switch activation {
    case .linear: return diffDst
    case .relu: return elementwise { $0 > 0 ? 1 : 0 }
    case .sigmoid: return elementwise { $0 * (1 - $0) }
    case .tanh: return elementwise { 1 - $0 * $0 }
    case .softmax: return softmaxGradient(diffDst, dst: dst)
    }
  }

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
