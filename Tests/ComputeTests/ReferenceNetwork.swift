import Networks
import Tensors
import TestSupport

/// A whole network in Double with plain loops: loss and all gradients of one shard, to hold plans against.
struct ReferenceNetwork {
  let network: ResolvedNetwork
  /// Canonical values by path (`layer/name`).
  let parameters: [String: ReferenceTensor]

  init(_ network: ResolvedNetwork, _ canonical: CanonicalParameters) {
    self.network = network
    var parameters: [String: ReferenceTensor] = [:]
    for parameter in canonical.layout.parameters {
      parameters[parameter.path] = ReferenceTensor(
        parameter.spec.shape, floats: Array(canonical.values(of: parameter)))
    }
    self.parameters = parameters
  }

  struct Result {
    var logits: ReferenceTensor
    var lossSum = 0.0
    /// Gradients by path, and `input`; sums over the shard times `scale`.
    var gradients: [String: ReferenceTensor] = [:]
    /// Means and variances of the shard by path.
    var statistics: [String: ReferenceTensor] = [:]
  }

  func run(
    _ input: ReferenceTensor, labels: [Int], scale: Double, labelSmoothing: Double = 0, training: Bool = true
  ) -> Result {
    var values = [Network.inputName: input]
    var statistics: [String: ReferenceTensor] = [:]
    for layer in network.layers {
      values[layer.name] = forward(layer, layer.layer.inputs.compactMap { values[$0] }, training, &statistics)
    }
    var logits = values[network.network.output.name] ?? input
    let last = network.layers[network.layers.count - 1]
    let endsInSoftmax = last.endsInSoftmax
    if endsInSoftmax { logits = preSoftmax(last, values) }
    let (lossSum, diff) = ReferenceKernels.softmaxCrossEntropy(
      logits: logits, labels: labels, labelSmoothing: labelSmoothing)
    var result = Result(logits: logits, lossSum: lossSum, statistics: statistics)
    guard training else { return result }
    var diffs: [String: ReferenceTensor] = [:]
    diffs[last.name] = diff.map { $0 * scale }
    for layer in network.layers.reversed() {
      guard let diffDst = diffs[layer.name] else { continue }
      let inputs = layer.layer.inputs.compactMap { values[$0] }
      let skipsActivation = endsInSoftmax && layer.name == last.name
      let parts = backward(
        layer, inputs, output: values[layer.name] ?? diffDst, diffDst, skipsActivation, &result.gradients)
      for (name, part) in zip(layer.layer.inputs, parts) {
        diffs[name] = diffs[name].map { ReferenceKernels.add([$0, part]) } ?? part
      }
    }
    result.gradients[Network.inputName] = diffs[Network.inputName]
    return result
  }

  private func preSoftmax(_ layer: ResolvedLayer, _ values: [String: ReferenceTensor]) -> ReferenceTensor {
    let input = values[layer.layer.inputs[0]] ?? ReferenceTensor([1])
    if case .dense = layer.spec {
      return ReferenceKernels.dense(
        input, kernel: parameter(layer, "kernel"), bias: parameters["\(layer.name)/bias"])
    }
    return input
  }

  func parameter(_ layer: ResolvedLayer, _ name: String) -> ReferenceTensor {
    parameters["\(layer.name)/\(name)"] ?? ReferenceTensor([0])
  }

  // MARK: - Forward

  func forward(
    _ layer: ResolvedLayer, _ inputs: [ReferenceTensor], _ training: Bool,
    _ statistics: inout [String: ReferenceTensor]
  ) -> ReferenceTensor {
    let src = inputs[0]
    let bias = parameters["\(layer.name)/bias"]
    switch layer.spec {
    case .conv2D(let conv):
      return ReferenceKernels.activation(
        conv.activation,
        ReferenceKernels.convolution(src, kernel: parameter(layer, "kernel"), bias: bias, conv))
    case .dense(let dense):
      return ReferenceKernels.activation(
        dense.activation, ReferenceKernels.dense(src, kernel: parameter(layer, "kernel"), bias: bias))
    case .maxPool2D(let pool): return ReferenceKernels.maxPool(src, pool)
    case .averagePool2D(let pool): return ReferenceKernels.averagePool(src, pool)
    case .globalAveragePool2D: return ReferenceKernels.globalAveragePool(src)
    case .globalMaxPool2D: return ReferenceKernels.globalMaxPool(src)
    case .flatten: return src.reshaped(to: [src.shape[0], src.values.count / src.shape[0]])
    case .activation(let activation): return ReferenceKernels.activation(activation, src)
    case .dropout: return src
    case .add: return ReferenceKernels.add(inputs)
    case .concat: return ReferenceKernels.concat(inputs)
    case .rescale(let rescale): return src.map { $0 * rescale.scale + rescale.offset }
    case .positionBias:
      var dst = src
      let values = bias?.values ?? []
      for index in dst.values.indices { dst.values[index] += values[index % values.count] }
      return dst
    case .batchNorm(let norm):
      let (gamma, beta) = (parameters["\(layer.name)/gamma"], parameters["\(layer.name)/beta"])
      guard training else {
        return ReferenceKernels.batchNormInference(
          src, gamma: gamma, beta: beta, mean: parameter(layer, "moving_mean"),
          variance: parameter(layer, "moving_variance"), epsilon: Double(norm.epsilon))
      }
      let result = ReferenceKernels.batchNormTraining(
        src, gamma: gamma, beta: beta, epsilon: Double(norm.epsilon))
      statistics["\(layer.name)/moving_mean"] = result.mean
      statistics["\(layer.name)/moving_variance"] = result.variance
      return result.dst
    }
  }

  // MARK: - Backward

  func backward(
    _ layer: ResolvedLayer, _ inputs: [ReferenceTensor], output: ReferenceTensor, _ diffDst: ReferenceTensor,
    _ skipsActivation: Bool, _ gradients: inout [String: ReferenceTensor]
  ) -> [ReferenceTensor] {
    let src = inputs[0]
    func through(_ activation: Activation) -> ReferenceTensor {
      skipsActivation
        ? diffDst : ReferenceKernels.activationGradient(activation, diffDst, dst: output)
    }
    switch layer.spec {
    case .conv2D(let conv):
      let diff = through(conv.activation)
      gradients["\(layer.name)/kernel"] = ReferenceKernels.convolutionGradientToKernel(diff, src: src, conv)
      if conv.useBias { gradients["\(layer.name)/bias"] = ReferenceKernels.biasGradient(diff) }
      return [
        ReferenceKernels.convolutionGradientToSource(
          diff, kernel: parameter(layer, "kernel"), srcShape: src.shape, conv)
      ]
    case .dense(let dense):
      let diff = through(dense.activation)
      gradients["\(layer.name)/kernel"] = ReferenceKernels.denseGradientToKernel(diff, src: src)
      if dense.useBias { gradients["\(layer.name)/bias"] = ReferenceKernels.biasGradient(diff) }
      return [ReferenceKernels.denseGradientToSource(diff, kernel: parameter(layer, "kernel"))]
    case .maxPool2D(let pool): return [ReferenceKernels.maxPoolGradient(diffDst, src: src, pool)]
    case .averagePool2D(let pool):
      return [ReferenceKernels.averagePoolGradient(diffDst, srcShape: src.shape, pool)]
    case .globalAveragePool2D:
      return [ReferenceKernels.globalAveragePoolGradient(diffDst, srcShape: src.shape)]
    case .globalMaxPool2D: return [ReferenceKernels.globalMaxPoolGradient(diffDst, src: src)]
    case .flatten: return [diffDst.reshaped(to: src.shape)]
    case .activation(let activation): return [through(activation)]
    case .dropout: return [diffDst]
    case .add: return inputs.map { _ in diffDst }
    case .concat:
      return ReferenceKernels.concatGradient(diffDst, channels: inputs.map { $0.shape[$0.shape.rank - 1] })
    case .rescale(let rescale): return [diffDst.map { $0 * rescale.scale }]
    case .positionBias:
      let shape = Shape(Array(diffDst.shape.dimensions.dropFirst()))
      var diff = ReferenceTensor(shape)
      for index in diffDst.values.indices { diff.values[index % diff.values.count] += diffDst.values[index] }
      gradients["\(layer.name)/bias"] = diff
      return [diffDst]
    case .batchNorm(let norm):
      let result = ReferenceKernels.batchNormTrainingGradient(
        diffDst, src: src, gamma: parameters["\(layer.name)/gamma"], epsilon: Double(norm.epsilon))
      if norm.scale { gradients["\(layer.name)/gamma"] = result.diffGamma }
      if norm.center { gradients["\(layer.name)/beta"] = result.diffBeta }
      return [result.diffSrc]
    }
  }
}

extension ResolvedLayer {
  fileprivate var endsInSoftmax: Bool {
    switch spec {
    case .activation(.softmax): true
    case .dense(let dense): dense.activation == .softmax
    default: false
    }
  }
}
