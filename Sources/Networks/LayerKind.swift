/// The kinds of layers, in the order of references.
///
/// A new case makes the compiler ask for its description here and for its layers in ``LayerSpec``.
public enum LayerKind: String, Hashable, Sendable, CaseIterable {
  // Convolutions.
  case conv2D = "conv2d"
  case depthwiseConv2D = "depthwise_conv2d"
  case separableConv2D = "separable_conv2d"
  case conv2DTranspose = "conv2d_transpose"
  case conv1D = "conv1d"
  // Windows and whole images or sequences.
  case maxPool2D = "max_pool2d"
  case averagePool2D = "average_pool2d"
  case maxPool1D = "max_pool1d"
  case averagePool1D = "average_pool1d"
  case globalAveragePool2D = "global_average_pool2d"
  case globalMaxPool2D = "global_max_pool2d"
  case globalAveragePool1D = "global_average_pool1d"
  case globalMaxPool1D = "global_max_pool1d"
  // Shapes.
  case zeroPadding2D = "zero_padding2d"
  case zeroPadding1D = "zero_padding1d"
  case cropping2D = "cropping2d"
  case cropping1D = "cropping1d"
  case upSampling2D = "up_sampling2d"
  case upSampling1D = "up_sampling1d"
  case flatten
  case reshape
  // Vectors and words.
  case dense
  case embedding
  // Functions of one element. Those without settings are written by their own words.
  case activation
  case relu
  case leakyReLU = "leaky_relu"
  case elu
  case prelu
  case dropout
  // Normalisations.
  case batchNorm = "batch_norm"
  case layerNorm = "layer_norm"
  case localResponseNorm = "local_response_norm"
  case normalization
  case rescale
  // Joining.
  case add
  case multiply
  case concat
  case positionBias = "position_bias"

  /// All there is to say of the kind.
  public var description: any AnyLayerDescription {
    switch self {
    case .conv2D: LayerDescription.conv2D
    case .depthwiseConv2D: LayerDescription.depthwiseConv2D
    case .separableConv2D: LayerDescription.separableConv2D
    case .conv2DTranspose: LayerDescription.conv2DTranspose
    case .conv1D: LayerDescription.conv1D
    case .maxPool2D: LayerDescription.maxPool2D
    case .averagePool2D: LayerDescription.averagePool2D
    case .maxPool1D: LayerDescription.maxPool1D
    case .averagePool1D: LayerDescription.averagePool1D
    case .globalAveragePool2D: LayerDescription.globalAveragePool2D
    case .globalMaxPool2D: LayerDescription.globalMaxPool2D
    case .globalAveragePool1D: LayerDescription.globalAveragePool1D
    case .globalMaxPool1D: LayerDescription.globalMaxPool1D
    case .zeroPadding2D: LayerDescription.zeroPadding2D
    case .zeroPadding1D: LayerDescription.zeroPadding1D
    case .cropping2D: LayerDescription.cropping2D
    case .cropping1D: LayerDescription.cropping1D
    case .upSampling2D: LayerDescription.upSampling2D
    case .upSampling1D: LayerDescription.upSampling1D
    case .flatten: LayerDescription.flatten
    case .reshape: LayerDescription.reshape
    case .dense: LayerDescription.dense
    case .embedding: LayerDescription.embedding
    case .activation: LayerDescription.activation
    case .relu: LayerDescription.relu
    case .leakyReLU: LayerDescription.leakyReLU
    case .elu: LayerDescription.elu
    case .prelu: LayerDescription.prelu
    case .dropout: LayerDescription.dropout
    case .batchNorm: LayerDescription.batchNorm
    case .layerNorm: LayerDescription.layerNorm
    case .localResponseNorm: LayerDescription.localResponseNorm
    case .normalization: LayerDescription.normalization
    case .rescale: LayerDescription.rescale
    case .add: LayerDescription.add
    case .multiply: LayerDescription.multiply
    case .concat: LayerDescription.concat
    case .positionBias: LayerDescription.positionBias
    }
  }
}
