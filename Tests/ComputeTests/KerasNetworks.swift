import Networks
import Tensors

/// The networks of `Fixtures/make_keras_fixture.py`, written a second time.
enum KerasNetwork: String, Sendable, CaseIterable {
  case residual
  case text
  case excite

  var samples: Int {
    switch self {
    case .residual: 6
    case .text: 8
    case .excite: 5
    }
  }

  var learningRate: Float { self == .text ? 0.02 : 0.05 }

  /// The number of the first pixel and of the first label, which the formulas start from.
  var first: (pixel: Int, label: Int) {
    switch self {
    case .residual: (1000, 7)
    case .text: (0, 0)
    case .excite: (2000, 3)
    }
  }

  /// What the first layer multiplies each channel by: gradients here are with respect to scaled pixels.
  var inputScale: [Double] {
    switch self {
    case .residual: [1.0 / 128]
    case .text: [1]
    case .excite: [1.0 / 60, 1.0 / 70, 1.0 / 80]
    }
  }

  func network() throws -> Network {
    switch self {
    case .residual: try Network(inputShape: [13, 11, 3], layers: Self.residualLayers)
    case .text: try Network(inputShape: [12], layers: Self.textLayers)
    case .excite: try Network(inputShape: [12, 10, 3], layers: Self.exciteLayers)
    }
  }

  private static func conv(
    _ filters: Int, _ kernel: Int, stride: Int = 1, dilation: Int = 1, padding: Padding = .same,
    groups: Int = 1,
    useBias: Bool = true, _ activation: Activation = .linear
  ) -> LayerSpec {
    .conv2D(
      Conv2D(
        filters: filters, kernel: Size2D(kernel), stride: Size2D(stride), dilation: Size2D(dilation),
        padding: padding, groups: groups, useBias: useBias, activation: activation))
  }

  private static let residualLayers: [Layer] = [
    Layer(name: "rescale", inputs: ["input"], spec: .rescale(Rescale(scale: 1 / 128, offset: -1))),
    Layer(name: "stem", inputs: ["rescale"], spec: conv(8, 3, stride: 2, useBias: false)),
    Layer(name: "stem_norm", inputs: ["stem"], spec: .batchNorm(BatchNorm(momentum: 0.9))),
    Layer(name: "stem_relu", inputs: ["stem_norm"], spec: .activation(.relu)),
    Layer(name: "grouped", inputs: ["stem_relu"], spec: conv(12, 3, groups: 4, .tanh)),
    Layer(name: "dilated", inputs: ["grouped"], spec: conv(12, 3, dilation: 2, useBias: false)),
    Layer(name: "body_norm", inputs: ["dilated"], spec: .batchNorm(BatchNorm(momentum: 0.9))),
    Layer(name: "shortcut", inputs: ["stem_relu"], spec: conv(12, 1, useBias: false)),
    Layer(name: "shortcut_norm", inputs: ["shortcut"], spec: .batchNorm(BatchNorm(momentum: 0.9))),
    Layer(name: "sum", inputs: ["body_norm", "shortcut_norm"], spec: .add),
    Layer(name: "sum_relu", inputs: ["sum"], spec: .activation(.relu)),
    Layer(
      name: "average", inputs: ["sum_relu"], spec: .averagePool2D(Pool2D(size: Size2D(2), padding: .same))),
    Layer(name: "last", inputs: ["average"], spec: conv(20, 3, .sigmoid)),
    Layer(name: "global", inputs: ["last"], spec: .globalAveragePool2D),
    Layer(name: "logits", inputs: ["global"], spec: .dense(Dense(units: 7))),
  ]

  private static let textLayers: [Layer] = [
    Layer(
      name: "words", inputs: ["input"],
      spec: .embedding(Embedding(vocabulary: 40, dimension: 9, paddingWord: 0))),
    Layer(
      name: "near", inputs: ["words"],
      spec: .conv1D(Conv1D(filters: 16, kernel: 3, padding: .causal, activation: .relu))),
    Layer(name: "norm", inputs: ["near"], spec: .layerNorm(LayerNorm())),
    Layer(name: "pool", inputs: ["norm"], spec: .maxPool1D(Pool1D(size: 2))),
    Layer(
      name: "far", inputs: ["pool"],
      spec: .conv1D(Conv1D(filters: 10, kernel: 3, dilation: 2, padding: .same, activation: .gelu))),
    Layer(name: "most", inputs: ["far"], spec: .globalMaxPool1D),
    Layer(name: "mean", inputs: ["far"], spec: .globalAveragePool1D),
    Layer(name: "both", inputs: ["most", "mean"], spec: .concat),
    Layer(name: "logits", inputs: ["both"], spec: .dense(Dense(units: 4))),
  ]

  private static let exciteLayers: [Layer] = [
    Layer(
      name: "scale", inputs: ["input"],
      spec: .normalization(Normalization(mean: [100, 120, 140], variance: [3600, 4900, 6400]))),
    Layer(name: "stem", inputs: ["scale"], spec: conv(16, 3, stride: 2, useBias: false)),
    Layer(name: "stem_prelu", inputs: ["stem"], spec: .prelu(PReLU(sharesPositions: true))),
    Layer(
      name: "depth", inputs: ["stem_prelu"],
      spec: .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), padding: .same, activation: .silu))),
    Layer(name: "squeeze", inputs: ["depth"], spec: .globalAveragePool2D),
    Layer(name: "narrow", inputs: ["squeeze"], spec: .dense(Dense(units: 5, activation: .relu))),
    Layer(name: "gate", inputs: ["narrow"], spec: .dense(Dense(units: 16, activation: .sigmoid))),
    Layer(name: "square", inputs: ["gate"], spec: .reshape(Reshape([1, 1, 16]))),
    Layer(name: "excited", inputs: ["depth", "square"], spec: .multiply),
    Layer(name: "project", inputs: ["excited"], spec: conv(16, 1)),
    Layer(name: "sum", inputs: ["project", "stem_prelu"], spec: .add),
    Layer(
      name: "wide", inputs: ["sum"],
      spec: .depthwiseConv2D(
        DepthwiseConv2D(kernel: Size2D(3), multiplier: 2, stride: Size2D(2), padding: .same))),
    Layer(name: "leaky", inputs: ["wide"], spec: .leakyReLU(LeakyReLU(negativeSlope: 0.1))),
    Layer(
      name: "larger", inputs: ["leaky"],
      spec: .upSampling2D(UpSampling2D(size: Size2D(2), interpolation: .bilinear))),
    Layer(
      name: "back", inputs: ["larger"],
      spec: .conv2DTranspose(
        Conv2DTranspose(filters: 6, kernel: Size2D(3), stride: Size2D(2), padding: .same, activation: .elu))),
    Layer(
      name: "pad", inputs: ["back"], spec: .zeroPadding2D(Margins2D(top: 1, bottom: 0, left: 0, right: 2))),
    Layer(
      name: "crop", inputs: ["pad"], spec: .cropping2D(Margins2D(top: 0, bottom: 2, left: 1, right: 1))),
    Layer(name: "global", inputs: ["crop"], spec: .globalAveragePool2D),
    Layer(name: "logits", inputs: ["global"], spec: .dense(Dense(units: 5))),
  ]
}
