internal import Networks
internal import Tensors

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
    case .batchNorm, .layerNorm, .groupNorm, .localResponseNorm, .normalization, .rescale: false
    case .add, .multiply, .concat: false
    }
  }

  /// Whether the layer learned what its maps show: a convolution of any kind, over images or sequences.
  var makesMaps: Bool {
    switch self {
    case .conv1D, .conv2D, .depthwiseConv2D, .separableConv2D, .conv2DTranspose: true
    case .dense, .embedding, .prelu, .positionBias: false
    case .maxPool1D, .averagePool1D, .maxPool2D, .averagePool2D, .globalAveragePool1D, .globalMaxPool1D,
      .globalAveragePool2D, .globalMaxPool2D:
      false
    case .zeroPadding1D, .zeroPadding2D, .cropping1D, .cropping2D, .upSampling1D, .upSampling2D, .flatten,
      .reshape:
      false
    case .activation, .relu, .leakyReLU, .elu, .dropout: false
    case .batchNorm, .layerNorm, .groupNorm, .localResponseNorm, .normalization, .rescale: false
    case .add, .multiply, .concat: false
    }
  }

  /// Whether an image behind the layer still has its colours, each as bright as before, or all brighter or darker by one rule.
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
    case .batchNorm, .layerNorm, .groupNorm, .localResponseNorm: false
    case .add, .multiply, .concat: false
    }
  }
}

extension ResolvedNetwork {
  /// The layers whose maps hold what pictures are made of: convolutions of more than a few filters.
  ///
  /// In networks without any, they are other layers that learned their maps, and in the last resort all layers that give maps.
  var layersWithFeatures: [ResolvedLayer] {
    let withMaps = layers.filter { $0.outputShape.rank == 3 }
    let convolutions = withMaps.filter { layer in
      // Colours put in another order are no features.
      if case .conv2D(let conv) = layer.spec { conv.filters > 4 } else { false }
    }
    if !convolutions.isEmpty { return convolutions }
    let learned = withMaps.filter(\.spec.makesMaps)
    return learned.isEmpty ? withMaps : learned
  }
}
