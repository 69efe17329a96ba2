internal import Networks

// What pictures of a network ask of its layers.

extension LayerSpec {
  /// Whether the gallery looks for what the layer responds to: filters whose kernels can be drawn, and units.
  var hasFeatures: Bool {
    switch self {
    case .conv2D, .dense: true
    case .conv1D, .depthwiseConv2D, .separableConv2D, .conv2DTranspose: false
    case .embedding, .prelu, .positionBias: false
    case .maxPool1D, .averagePool1D, .maxPool2D, .averagePool2D, .globalAveragePool1D, .globalMaxPool1D,
      .globalAveragePool2D, .globalMaxPool2D:
      false
    case .zeroPadding1D, .zeroPadding2D, .cropping1D, .cropping2D, .upSampling1D, .upSampling2D, .flatten,
      .reshape:
      false
    case .activation, .relu, .leakyReLU, .elu, .dropout: false
    case .batchNorm, .layerNorm, .localResponseNorm, .normalization, .rescale: false
    case .add, .multiply, .concat: false
    }
  }

  /// Whether an image behind the layer still has its colours, each as bright as before or brighter and darker throughout.
  var keepsColours: Bool {
    switch self {
    case .rescale, .normalization, .zeroPadding2D: true
    case .conv1D, .conv2D, .depthwiseConv2D, .separableConv2D, .conv2DTranspose: false
    case .dense, .embedding, .positionBias: false
    case .maxPool1D, .averagePool1D, .maxPool2D, .averagePool2D, .globalAveragePool1D, .globalMaxPool1D,
      .globalAveragePool2D, .globalMaxPool2D:
      false
    case .zeroPadding1D, .cropping1D, .cropping2D, .upSampling1D, .upSampling2D, .flatten, .reshape: false
    case .activation, .relu, .leakyReLU, .elu, .prelu, .dropout: false
    case .batchNorm, .layerNorm, .localResponseNorm: false
    case .add, .multiply, .concat: false
    }
  }
}
