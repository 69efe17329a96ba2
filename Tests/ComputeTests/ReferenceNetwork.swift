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
    if case .dense = layer.spec { return weighted(layer, input) }
    return input
  }

  func parameter(_ layer: ResolvedLayer, _ name: String) -> ReferenceTensor {
    parameters["\(layer.name)/\(name)"] ?? ReferenceTensor([0])
  }

  /// What the first of a separable convolution's two gives, and both as convolutions of the library of plain loops.
  private func separated(_ layer: ResolvedLayer, _ conv: SeparableConv2D, _ src: ReferenceTensor) -> (
    middle: ReferenceTensor, first: (Conv2D, kernel: ReferenceTensor),
    second: (Conv2D, kernel: ReferenceTensor)
  ) {
    let depthwise = DepthwiseConv2D(
      kernel: conv.kernel, multiplier: conv.multiplier, stride: conv.stride, dilation: conv.dilation,
      padding: conv.padding, useBias: false)
    let grouped = ReferenceKernels.grouped(depthwise, channels: src.shape[3])
    let kernel = parameter(layer, "depthwise_kernel").reshaped(
      to: [conv.kernel.height, conv.kernel.width, 1, grouped.filters])
    let mixing = Conv2D(filters: conv.filters, kernel: .one, useBias: conv.useBias)
    return (
      ReferenceKernels.convolution(src, kernel: kernel, bias: nil, grouped), (grouped, kernel),
      (mixing, parameter(layer, "pointwise_kernel"))
    )
  }

  /// A kernel of [K, IC, OC] as the library of plain loops takes it: [1, K, IC, OC].
  private func kernel(_ layer: ResolvedLayer) -> ReferenceTensor {
    let kernel = parameter(layer, "kernel")
    return kernel.shape.rank == 3 ? kernel.reshaped(to: Shape([1] + kernel.shape.dimensions)) : kernel
  }

  // MARK: - Forward

  /// What a layer with a kernel gives to its activation.
  private func weighted(_ layer: ResolvedLayer, _ src: ReferenceTensor) -> ReferenceTensor {
    let bias = parameters["\(layer.name)/bias"]
    switch layer.spec {
    case .conv1D(let conv):
      return ReferenceKernels.convolution(
        src.asImage, kernel: kernel(layer), bias: bias, ReferenceKernels.image(conv)
      )
      .asSequence
    case .conv2D(let conv):
      return ReferenceKernels.convolution(src, kernel: kernel(layer), bias: bias, conv)
    case .depthwiseConv2D(let conv):
      let grouped = ReferenceKernels.grouped(conv, channels: src.shape[3])
      return ReferenceKernels.convolution(src, kernel: groupedKernel(layer, grouped), bias: bias, grouped)
    case .separableConv2D(let conv):
      let (middle, _, second) = separated(layer, conv, src)
      return ReferenceKernels.convolution(middle, kernel: second.kernel, bias: bias, second.0)
    case .conv2DTranspose(let conv):
      return ReferenceKernels.transposedConvolution(src, kernel: kernel(layer), bias: bias, conv)
    default:
      return ReferenceKernels.dense(src, kernel: kernel(layer), bias: bias)
    }
  }

  private func groupedKernel(_ layer: ResolvedLayer, _ conv: Conv2D) -> ReferenceTensor {
    kernel(layer).reshaped(to: [conv.kernel.height, conv.kernel.width, 1, conv.filters])
  }

  func forward(
    _ layer: ResolvedLayer, _ inputs: [ReferenceTensor], _ training: Bool,
    _ statistics: inout [String: ReferenceTensor]
  ) -> ReferenceTensor {
    let src = inputs[0]
    switch layer.spec {
    case .conv1D, .conv2D, .depthwiseConv2D, .separableConv2D, .conv2DTranspose, .dense:
      return ReferenceKernels.activation(layer.spec.fusedActivation, weighted(layer, src))
    case .maxPool1D(let pool):
      return ReferenceKernels.maxPool(src.asImage, ReferenceKernels.image(pool)).asSequence
    case .averagePool1D(let pool):
      return ReferenceKernels.averagePool(src.asImage, ReferenceKernels.image(pool)).asSequence
    case .maxPool2D(let pool): return ReferenceKernels.maxPool(src, pool)
    case .averagePool2D(let pool): return ReferenceKernels.averagePool(src, pool)
    case .globalAveragePool1D, .globalAveragePool2D: return ReferenceKernels.globalAveragePool(src.asImage)
    case .globalMaxPool1D, .globalMaxPool2D: return ReferenceKernels.globalMaxPool(src.asImage)
    case .zeroPadding1D(let margins):
      return ReferenceKernels.moved(src.asImage, ReferenceKernels.image(margins), sign: 1).asSequence
    case .zeroPadding2D(let margins): return ReferenceKernels.moved(src, margins, sign: 1)
    case .cropping1D(let margins):
      return ReferenceKernels.moved(src.asImage, ReferenceKernels.image(margins), sign: -1).asSequence
    case .cropping2D(let margins): return ReferenceKernels.moved(src, margins, sign: -1)
    case .upSampling1D(let sampling):
      return ReferenceKernels.upSampled(src.asImage, Size2D(1, sampling.size), .nearest).asSequence
    case .upSampling2D(let sampling):
      return ReferenceKernels.upSampled(src, sampling.size, sampling.interpolation)
    case .flatten: return src.reshaped(to: [src.shape[0], src.values.count / src.shape[0]])
    case .reshape(let reshape): return src.reshaped(to: Shape([src.shape[0]] + reshape.shape))
    case .embedding: return ReferenceKernels.embedding(src, table: parameter(layer, "embeddings"))
    case .activation(let activation): return ReferenceKernels.activation(activation, src)
    case .relu(let function): return ReferenceKernels.relu(src, upTo: function.maxValue.map(Double.init))
    case .leakyReLU(let function):
      return ReferenceKernels.leakyReLU(src, slope: Double(function.negativeSlope))
    case .elu(let function): return ReferenceKernels.elu(src, alpha: Double(function.alpha))
    case .prelu: return ReferenceKernels.prelu(src, alpha: parameter(layer, "alpha"))
    case .dropout: return src
    case .add: return ReferenceKernels.add(inputs)
    case .multiply:
      return inputs.dropFirst().reduce(inputs[0]) { product($0, $1) }
    case .concat: return ReferenceKernels.concat(inputs)
    case .rescale(let rescale): return src.map { $0 * rescale.scale + rescale.offset }
    case .normalization(let norm): return affine(src, norm, hasOffset: true)
    case .positionBias:
      var dst = src
      let values = parameter(layer, "bias").values
      for index in dst.values.indices { dst.values[index] += values[index % values.count] }
      return dst
    case .layerNorm(let norm):
      return ReferenceKernels.layerNorm(
        src, gamma: parameters["\(layer.name)/gamma"], beta: parameters["\(layer.name)/beta"],
        epsilon: Double(norm.epsilon))
    case .groupNorm(let norm):
      return ReferenceKernels.groupNorm(
        src, groups: norm.groupCount(channels: src.shape[src.shape.rank - 1]),
        gamma: parameters["\(layer.name)/gamma"], beta: parameters["\(layer.name)/beta"],
        epsilon: Double(norm.epsilon))
    case .localResponseNorm(let norm): return ReferenceKernels.localResponseNorm(src, norm)
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

  private func product(_ left: ReferenceTensor, _ right: ReferenceTensor) -> ReferenceTensor {
    if left.shape == right.shape { return ReferenceKernels.multiply(left, right) }
    return left.values.count > right.values.count
      ? ReferenceKernels.channelProduct(left, right) : ReferenceKernels.channelProduct(right, left)
  }

  private func affine(_ src: ReferenceTensor, _ norm: Normalization, hasOffset: Bool) -> ReferenceTensor {
    var dst = src
    let channels = src.shape[src.shape.rank - 1]
    for index in dst.values.indices {
      let c = index % channels
      let root = max(norm.variance[c % norm.variance.count].squareRoot(), 1e-7)
      dst.values[index] = (src.values[index] - (hasOffset ? norm.mean[c % norm.mean.count] : 0)) / root
    }
    return dst
  }

  // MARK: - Backward

  func backward(
    _ layer: ResolvedLayer, _ inputs: [ReferenceTensor], output: ReferenceTensor, _ diffDst: ReferenceTensor,
    _ skipsActivation: Bool, _ gradients: inout [String: ReferenceTensor]
  ) -> [ReferenceTensor] {
    let src = inputs[0]
    switch layer.spec {
    case .conv1D, .conv2D, .depthwiseConv2D, .separableConv2D, .conv2DTranspose, .dense:
      let activation = layer.spec.fusedActivation
      let diff =
        skipsActivation || activation == .linear
        ? diffDst : ReferenceKernels.activationGradient(activation, diffDst, src: weighted(layer, src))
      if parameters["\(layer.name)/bias"] != nil {
        gradients["\(layer.name)/bias"] = ReferenceKernels.biasGradient(diff)
      }
      if case .separableConv2D(let conv) = layer.spec {
        let (middle, first, second) = separated(layer, conv, src)
        let diffMiddle = ReferenceKernels.convolutionGradientToSource(
          diff, kernel: second.kernel, srcShape: middle.shape, second.0)
        gradients["\(layer.name)/pointwise_kernel"] = ReferenceKernels.convolutionGradientToKernel(
          diff, src: middle, second.0)
        gradients["\(layer.name)/depthwise_kernel"] = ReferenceKernels.convolutionGradientToKernel(
          diffMiddle, src: src, first.0)
        return [
          ReferenceKernels.convolutionGradientToSource(
            diffMiddle, kernel: first.kernel, srcShape: src.shape, first.0)
        ]
      }
      let (diffSrc, diffKernel) = weightedGradient(layer, src, diff)
      gradients["\(layer.name)/kernel"] = diffKernel
      return [diffSrc]
    case .maxPool1D(let pool):
      return [
        ReferenceKernels.maxPoolGradient(diffDst.asImage, src: src.asImage, ReferenceKernels.image(pool))
          .asSequence
      ]
    case .averagePool1D(let pool):
      return [
        ReferenceKernels.averagePoolGradient(
          diffDst.asImage, srcShape: src.asImage.shape, ReferenceKernels.image(pool)
        )
        .asSequence
      ]
    case .maxPool2D(let pool): return [ReferenceKernels.maxPoolGradient(diffDst, src: src, pool)]
    case .averagePool2D(let pool):
      return [ReferenceKernels.averagePoolGradient(diffDst, srcShape: src.shape, pool)]
    case .globalAveragePool1D, .globalAveragePool2D:
      return [
        ReferenceKernels.globalAveragePoolGradient(diffDst, srcShape: src.asImage.shape)
          .reshaped(to: src.shape)
      ]
    case .globalMaxPool1D, .globalMaxPool2D:
      return [ReferenceKernels.globalMaxPoolGradient(diffDst, src: src.asImage).reshaped(to: src.shape)]
    case .zeroPadding1D(let margins):
      return [ReferenceKernels.moved(diffDst.asImage, ReferenceKernels.image(margins), sign: -1).asSequence]
    case .zeroPadding2D(let margins): return [ReferenceKernels.moved(diffDst, margins, sign: -1)]
    case .cropping1D(let margins):
      return [ReferenceKernels.moved(diffDst.asImage, ReferenceKernels.image(margins), sign: 1).asSequence]
    case .cropping2D(let margins): return [ReferenceKernels.moved(diffDst, margins, sign: 1)]
    case .upSampling1D(let sampling):
      return [
        ReferenceKernels.upSampledGradient(
          diffDst.asImage, srcShape: src.asImage.shape, Size2D(1, sampling.size), .nearest
        ).asSequence
      ]
    case .upSampling2D(let sampling):
      return [
        ReferenceKernels.upSampledGradient(
          diffDst, srcShape: src.shape, sampling.size, sampling.interpolation)
      ]
    case .flatten, .reshape: return [diffDst.reshaped(to: src.shape)]
    case .embedding(let embedding):
      gradients["\(layer.name)/embeddings"] = ReferenceKernels.embeddingGradient(
        diffDst, src: src, embedding)
      return []
    case .activation(let activation):
      return [
        skipsActivation ? diffDst : ReferenceKernels.activationGradient(activation, diffDst, src: src)
      ]
    case .relu(let function):
      return [ReferenceKernels.reluGradient(diffDst, src: src, upTo: function.maxValue.map(Double.init))]
    case .leakyReLU(let function):
      return [
        ReferenceKernels.leakyReLUGradient(diffDst, src: src, slope: Double(function.negativeSlope))
      ]
    case .elu(let function):
      return [ReferenceKernels.eluGradient(diffDst, src: src, alpha: Double(function.alpha))]
    case .prelu:
      let result = ReferenceKernels.preluGradient(diffDst, src: src, alpha: parameter(layer, "alpha"))
      gradients["\(layer.name)/alpha"] = result.diffAlpha
      return [result.diffSrc]
    case .dropout: return [diffDst]
    case .add: return inputs.map { _ in diffDst }
    case .multiply: return productGradients(inputs, diffDst)
    case .concat:
      return ReferenceKernels.concatGradient(diffDst, channels: inputs.map { $0.shape[$0.shape.rank - 1] })
    case .rescale(let rescale): return [diffDst.map { $0 * rescale.scale }]
    case .normalization(let norm): return [affine(diffDst, norm, hasOffset: false)]
    case .positionBias:
      let shape = Shape(Array(diffDst.shape.dimensions.dropFirst()))
      var diff = ReferenceTensor(shape)
      for index in diffDst.values.indices { diff.values[index % diff.values.count] += diffDst.values[index] }
      gradients["\(layer.name)/bias"] = diff
      return [diffDst]
    case .layerNorm(let norm):
      let result = ReferenceKernels.layerNormGradient(
        diffDst, src: src, gamma: parameters["\(layer.name)/gamma"], epsilon: Double(norm.epsilon))
      if norm.scale { gradients["\(layer.name)/gamma"] = result.diffGamma }
      if norm.center { gradients["\(layer.name)/beta"] = result.diffBeta }
      return [result.diffSrc]
    case .groupNorm(let norm):
      let result = ReferenceKernels.groupNormGradient(
        diffDst, src: src, groups: norm.groupCount(channels: src.shape[src.shape.rank - 1]),
        gamma: parameters["\(layer.name)/gamma"], epsilon: Double(norm.epsilon))
      if norm.scale { gradients["\(layer.name)/gamma"] = result.diffGamma }
      if norm.center { gradients["\(layer.name)/beta"] = result.diffBeta }
      return [result.diffSrc]
    case .localResponseNorm(let norm):
      return [ReferenceKernels.localResponseNormGradient(diffDst, src: src, norm)]
    case .batchNorm(let norm):
      let result = ReferenceKernels.batchNormTrainingGradient(
        diffDst, src: src, gamma: parameters["\(layer.name)/gamma"], epsilon: Double(norm.epsilon))
      if norm.scale { gradients["\(layer.name)/gamma"] = result.diffGamma }
      if norm.center { gradients["\(layer.name)/beta"] = result.diffBeta }
      return [result.diffSrc]
    }
  }

  private func weightedGradient(
    _ layer: ResolvedLayer, _ src: ReferenceTensor, _ diff: ReferenceTensor
  ) -> (diffSrc: ReferenceTensor, diffKernel: ReferenceTensor) {
    func convolution(
      _ src: ReferenceTensor, _ diff: ReferenceTensor, _ kernel: ReferenceTensor, _ conv: Conv2D
    ) -> (diffSrc: ReferenceTensor, diffKernel: ReferenceTensor) {
      (
        ReferenceKernels.convolutionGradientToSource(diff, kernel: kernel, srcShape: src.shape, conv),
        ReferenceKernels.convolutionGradientToKernel(diff, src: src, conv)
      )
    }
    switch layer.spec {
    case .conv1D(let conv):
      let result = convolution(src.asImage, diff.asImage, kernel(layer), ReferenceKernels.image(conv))
      return (result.diffSrc.asSequence, result.diffKernel)
    case .conv2D(let conv): return convolution(src, diff, kernel(layer), conv)
    case .depthwiseConv2D(let conv):
      let grouped = ReferenceKernels.grouped(conv, channels: src.shape[3])
      return convolution(src, diff, groupedKernel(layer, grouped), grouped)
    case .conv2DTranspose(let conv):
      return ReferenceKernels.transposedConvolutionGradient(diff, src: src, kernel: kernel(layer), conv)
    default:
      return (
        ReferenceKernels.denseGradientToSource(diff, kernel: kernel(layer)),
        ReferenceKernels.denseGradientToKernel(diff, src: src)
      )
    }
  }

  /// The gradient to each of several factors: the product of the others, times `diffDst`.
  private func productGradients(
    _ inputs: [ReferenceTensor], _ diffDst: ReferenceTensor
  ) -> [ReferenceTensor] {
    inputs.indices.map { position in
      var others = diffDst
      for (index, factor) in inputs.enumerated() where index != position { others = product(others, factor) }
      guard inputs[position].values.count < diffDst.values.count else {
        return others.reshaped(to: inputs[position].shape)
      }
      let ones = ReferenceTensor(diffDst.shape, repeating: 1)
      return ReferenceKernels.channelProductGradient(others, src: ones, factor: inputs[position]).diffFactor
    }
  }
}

extension ReferenceTensor {
  /// A sequence [N, T, C] as an image [N, 1, T, C].
  fileprivate var asImage: ReferenceTensor {
    shape.rank == 3 ? reshaped(to: [shape[0], 1, shape[1], shape[2]]) : self
  }

  fileprivate var asSequence: ReferenceTensor { reshaped(to: [shape[0], shape[2], shape[3]]) }
}

extension LayerSpec {
  /// The function that a layer with a kernel applies to its result.
  fileprivate var fusedActivation: Activation {
    switch self {
    case .conv1D(let conv): conv.activation
    case .conv2D(let conv): conv.activation
    case .depthwiseConv2D(let conv): conv.activation
    case .separableConv2D(let conv): conv.activation
    case .conv2DTranspose(let conv): conv.activation
    case .dense(let dense): dense.activation
    default: .linear
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
