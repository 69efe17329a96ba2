public import Networks
public import Tensors

/// A layer with unusual settings, and what it takes.
public struct LayerExample: Sendable, CustomStringConvertible {
  /// Of each of its inputs.
  public let inputShape: Shape
  public let spec: LayerSpec

  private init(_ inputShape: Shape, _ spec: LayerSpec) {
    (self.inputShape, self.spec) = (inputShape, spec)
  }

  public var description: String { "\(spec.kind) on \(inputShape)" }

  /// The layer behind `before`, as often as it takes inputs, with `after` behind it.
  public func network(before: [LayerSpec] = [], after: [LayerSpec] = []) throws -> Network {
    var layers: [Layer] = []
    func add(_ spec: LayerSpec, inputs: Int = 1) {
      let input = layers.last?.name ?? Network.inputName
      layers.append(
        Layer(
          name: "layer_\(layers.count)", inputs: [String](repeating: input, count: inputs), spec: spec))
    }
    for spec in before { add(spec) }
    add(spec, inputs: spec.inputCount.lowerBound)
    for spec in after { add(spec) }
    return try Network(inputShape: inputShape, layers: layers)
  }

  /// One layer of every kind; a test holds the list to the kinds that configurations know.
  public static let all: [LayerExample] =
    [
      LayerExample(
        [29, 4],
        .conv1D(
          Conv1D(
            filters: 6, kernel: 3, stride: 2, dilation: 1, padding: .causal, groups: 2, useBias: false,
            activation: .silu))),
      LayerExample(
        [13, 11, 4],
        .conv2D(
          Conv2D(filters: 6, kernel: Size2D(3, 2), stride: Size2D(2), padding: .same, activation: .gelu))),
      LayerExample(
        [13, 11, 4], .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), multiplier: 2, activation: .elu))),
      LayerExample(
        [13, 11, 4],
        .conv2DTranspose(
          Conv2DTranspose(filters: 3, kernel: Size2D(4), stride: Size2D(2), activation: .softplus))),
      LayerExample([29, 4], .maxPool1D(Pool1D(size: 3, stride: 2))),
      LayerExample([29, 4], .averagePool1D(Pool1D(size: 3, padding: .same))),
      LayerExample([13, 11, 4], .maxPool2D(Pool2D(size: Size2D(2, 3)))),
      LayerExample([13, 11, 4], .averagePool2D(Pool2D(size: Size2D(2), stride: Size2D(1)))),
      LayerExample([29, 4], .globalAveragePool1D), LayerExample([29, 4], .globalMaxPool1D),
      LayerExample([13, 11, 4], .globalAveragePool2D), LayerExample([13, 11, 4], .globalMaxPool2D),
      LayerExample([29, 4], .zeroPadding1D(Margins1D(before: 1, after: 2))),
      LayerExample([13, 11, 4], .zeroPadding2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4))),
      LayerExample([29, 4], .cropping1D(Margins1D(before: 1, after: 2))),
      LayerExample([13, 11, 4], .cropping2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4))),
      LayerExample([29, 4], .upSampling1D(UpSampling1D(size: 3))),
      LayerExample(
        [13, 11, 4], .upSampling2D(UpSampling2D(size: Size2D(2, 3), interpolation: .bilinear))),
      LayerExample([13, 11, 4], .flatten), LayerExample([13, 11, 4], .reshape(Reshape([143, 4]))),
      LayerExample([9], .dense(Dense(units: 3, activation: .hardSigmoid))),
      LayerExample([9], .embedding(Embedding(vocabulary: 7, dimension: 3, paddingWord: 0, isFrozen: true))),
      LayerExample([9], .leakyReLU(LeakyReLU(negativeSlope: 0.1))), LayerExample([9], .elu(ELU(alpha: 0.5))),
      LayerExample([13, 11, 4], .prelu(PReLU(sharesPositions: true))),
      LayerExample([9], .dropout(Dropout(rate: 0.25))),
      LayerExample([13, 11, 4], .batchNorm(BatchNorm(momentum: 0.9, scale: false))),
      LayerExample([13, 11, 4], .layerNorm(LayerNorm(epsilon: 1e-5))),
      LayerExample([13, 11, 4], .localResponseNorm(LocalResponseNorm(radius: 2, beta: 0.75))),
      LayerExample([2], .normalization(Normalization(mean: [1, 2], variance: [3, 4]))),
      LayerExample([9], .rescale(Rescale(scale: 0.5, offset: 1))), LayerExample([13, 11, 4], .positionBias),
      LayerExample([13, 11, 4], .add), LayerExample([9], .multiply), LayerExample([29, 4], .concat),
    ] + Activation.allCases.map { LayerExample([9], .activation($0)) }
}
