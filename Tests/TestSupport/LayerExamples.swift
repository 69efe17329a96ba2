public import Networks
public import Tensors

/// A layer with unusual settings, and an input that it takes.
public struct LayerExample: Sendable, CustomStringConvertible {
  /// The shape of a sample before the layer, [H, W, C] or what the layer takes.
  public let input: Shape
  /// The layer with settings of its own.
  public let spec: LayerSpec

  /// An example of a layer on samples of a shape.
  public init(_ input: Shape, _ spec: LayerSpec) {
    self.input = input
    self.spec = spec
  }

  /// The layer between `before` and `after`; one that joins takes what comes before it twice.
  public func network(before: [LayerSpec] = [], after: [LayerSpec] = []) throws -> Network {
    var layers: [Layer] = []
    func add(_ name: String, _ spec: LayerSpec, inputs: Int = 1) {
      let source = layers.last?.name ?? Network.inputName
      layers.append(Layer(name: name, inputs: [String](repeating: source, count: inputs), spec: spec))
    }
    for (index, spec) in before.enumerated() { add("before_\(index)", spec) }
    add("layer", spec, inputs: spec.inputCount.lowerBound)
    for (index, spec) in after.enumerated() { add("after_\(index)", spec) }
    return try Network(inputShape: input, layers: layers)
  }

  /// The layer's word, which test reports show.
  public var description: String { "\(spec.word) of \(input)" }

  /// At least one of each kind.
  public static let all = LayerKind.allCases.flatMap(\.examples)
}

extension LayerKind {
  /// Layers of this kind; together they have every setting at a value that is not its default.
  public var examples: [LayerExample] {
    switch self {
    case .conv1D:
      [
        LayerExample(
          [29, 4],
          .conv1D(
            Conv1D(
              filters: 6, kernel: 3, stride: 2, dilation: 3, padding: .causal, groups: 2, useBias: false,
              activation: .silu, kernelInitializer: .heNormal, biasInitializer: .ones)))
      ]
    case .conv2D:
      [
        LayerExample(
          [13, 11, 4],
          .conv2D(
            Conv2D(
              filters: 6, kernel: Size2D(3, 2), stride: Size2D(2, 1), dilation: Size2D(1, 2), padding: .same,
              groups: 2, useBias: false, activation: .gelu, kernelInitializer: .lecunUniform,
              biasInitializer: .ones))),
        LayerExample([13, 11, 4], .conv2D(Conv2D(filters: 3, kernel: Size2D(3)))),
      ]
    case .depthwiseConv2D:
      [
        LayerExample(
          [13, 11, 4],
          .depthwiseConv2D(
            DepthwiseConv2D(
              kernel: Size2D(3), multiplier: 2, stride: Size2D(2), dilation: Size2D(1, 2), padding: .same,
              useBias: false, activation: .elu, kernelInitializer: .heUniform, biasInitializer: .ones)))
      ]
    case .separableConv2D:
      [
        LayerExample(
          [13, 11, 4],
          .separableConv2D(
            SeparableConv2D(
              filters: 6, kernel: Size2D(3), multiplier: 2, stride: Size2D(2), dilation: Size2D(1, 2),
              padding: .same, useBias: false, activation: .elu, kernelInitializer: .heUniform,
              biasInitializer: .ones)))
      ]
    case .conv2DTranspose:
      [
        LayerExample(
          [13, 11, 4],
          .conv2DTranspose(
            Conv2DTranspose(
              filters: 3, kernel: Size2D(4), stride: Size2D(2), padding: .same, useBias: false,
              activation: .softplus, kernelInitializer: .uniform, biasInitializer: .ones)))
      ]
    case .maxPool1D: [LayerExample([29, 4], .maxPool1D(Pool1D(size: 3, stride: 2, padding: .same)))]
    case .averagePool1D:
      [
        LayerExample([29, 4], .averagePool1D(Pool1D(size: 3, stride: 1, padding: .same))),
        LayerExample([29, 4], .averagePool1D(Pool1D(size: 4))),
      ]
    case .maxPool2D:
      [LayerExample([13, 11, 4], .maxPool2D(Pool2D(size: Size2D(2, 3), stride: Size2D(1), padding: .same)))]
    case .averagePool2D:
      [
        LayerExample(
          [13, 11, 4], .averagePool2D(Pool2D(size: Size2D(3), stride: Size2D(2), padding: .same))),
        LayerExample([13, 11, 4], .averagePool2D(Pool2D(size: Size2D(3)))),
      ]
    case .globalAveragePool1D: [LayerExample([29, 4], .globalAveragePool1D)]
    case .globalMaxPool1D: [LayerExample([29, 4], .globalMaxPool1D)]
    case .globalAveragePool2D: [LayerExample([13, 11, 4], .globalAveragePool2D)]
    case .globalMaxPool2D: [LayerExample([13, 11, 4], .globalMaxPool2D)]
    case .zeroPadding1D:
      [
        LayerExample([29, 4], .zeroPadding1D(Margins1D(before: 1, after: 2))),
        LayerExample([29, 4], .zeroPadding1D(Margins1D(3))),
      ]
    case .zeroPadding2D:
      [
        LayerExample([13, 11, 4], .zeroPadding2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4))),
        LayerExample([13, 11, 4], .zeroPadding2D(Margins2D(2))),
      ]
    case .cropping1D:
      [
        LayerExample([29, 4], .cropping1D(Margins1D(before: 1, after: 2))),
        LayerExample([29, 4], .cropping1D(Margins1D(3))),
      ]
    case .cropping2D:
      [
        LayerExample([13, 11, 4], .cropping2D(Margins2D(top: 1, bottom: 2, left: 3, right: 4))),
        LayerExample([13, 11, 4], .cropping2D(Margins2D(2))),
      ]
    case .upSampling1D: [LayerExample([29, 4], .upSampling1D(UpSampling1D(size: 3)))]
    case .upSampling2D:
      [LayerExample([13, 11, 4], .upSampling2D(UpSampling2D(size: Size2D(2, 3), interpolation: .bilinear)))]
    case .flatten: [LayerExample([13, 11, 4], .flatten)]
    case .reshape: [LayerExample([13, 11, 4], .reshape(Reshape([143, 4])))]
    case .dense:
      [
        LayerExample(
          [9],
          .dense(
            Dense(
              units: 3, useBias: false, activation: .hardSigmoid, kernelInitializer: .zeros,
              biasInitializer: .ones)))
      ]
    case .embedding:
      [
        LayerExample(
          [9],
          .embedding(
            Embedding(
              vocabulary: 7, dimension: 3, paddingWord: 0, isFrozen: true, initializer: .ones,
              isPretrained: true)))
      ]
    case .activation: Activation.allCases.map { LayerExample([9], .activation($0)) }
    case .relu: [LayerExample([9], .relu(ReLU(maxValue: 6)))]
    case .leakyReLU: [LayerExample([9], .leakyReLU(LeakyReLU(negativeSlope: 0.1)))]
    case .elu: [LayerExample([9], .elu(ELU(alpha: 0.5)))]
    case .prelu:
      [
        LayerExample([13, 11, 4], .prelu(PReLU(sharesPositions: true))),
        LayerExample([13, 11, 4], .prelu(PReLU())),
      ]
    case .dropout: [LayerExample([9], .dropout(Dropout(rate: 0.25)))]
    case .batchNorm:
      [
        LayerExample(
          [13, 11, 4], .batchNorm(BatchNorm(momentum: 0.9, epsilon: 1e-5, scale: false, center: false)))
      ]
    case .layerNorm:
      [LayerExample([13, 11, 4], .layerNorm(LayerNorm(epsilon: 1e-5, scale: false, center: false)))]
    case .groupNorm:
      [
        LayerExample(
          [13, 11, 4], .groupNorm(GroupNorm(groups: 2, epsilon: 1e-5, scale: false, center: false))),
        LayerExample([13, 4], .groupNorm(GroupNorm(groups: nil))),
      ]
    case .localResponseNorm:
      [
        LayerExample(
          [13, 11, 4],
          .localResponseNorm(LocalResponseNorm(radius: 2, bias: 2, alpha: 0.1, beta: 0.75)))
      ]
    case .normalization: [LayerExample([2], .normalization(Normalization(mean: [1, 2], variance: [3, 4])))]
    case .rescale: [LayerExample([9], .rescale(Rescale(scale: 0.5, offset: 1)))]
    case .add: [LayerExample([4], .add)]
    case .multiply: [LayerExample([4], .multiply)]
    case .concat: [LayerExample([4], .concat)]
    case .positionBias: [LayerExample([13, 11, 4], .positionBias), LayerExample([9], .positionBias)]
    }
  }
}
