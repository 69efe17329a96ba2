/// The kinds of layers, in the order of references.
///
/// A new case makes the compiler ask for its description here and for its layers in ``LayerSpec``.
public enum LayerKind: String, Hashable, Sendable, CaseIterable {
  // Convolutions.
  /// A convolution over an image.
  case conv2D = "conv2d"
  /// A convolution with filters of its own for each channel.
  case depthwiseConv2D = "depthwise_conv2d"
  /// A depthwise convolution, then one that mixes channels.
  case separableConv2D = "separable_conv2d"
  /// A convolution the other way, which enlarges.
  case conv2DTranspose = "conv2d_transpose"
  /// A convolution over a sequence.
  case conv1D = "conv1d"
  // Windows and whole images or sequences.
  /// The maximum of each window of an image.
  case maxPool2D = "max_pool2d"
  /// The mean of each window of an image.
  case averagePool2D = "average_pool2d"
  /// The maximum of each window of a sequence.
  case maxPool1D = "max_pool1d"
  /// The mean of each window of a sequence.
  case averagePool1D = "average_pool1d"
  /// The mean of each channel of an image.
  case globalAveragePool2D = "global_average_pool2d"
  /// The maximum of each channel of an image.
  case globalMaxPool2D = "global_max_pool2d"
  /// The mean of each channel of a sequence.
  case globalAveragePool1D = "global_average_pool1d"
  /// The maximum of each channel of a sequence.
  case globalMaxPool1D = "global_max_pool1d"
  // Shapes.
  /// Zeros around an image.
  case zeroPadding2D = "zero_padding2d"
  /// Zeros before and after a sequence.
  case zeroPadding1D = "zero_padding1d"
  /// An image without some of its edge.
  case cropping2D = "cropping2d"
  /// A sequence without some of its ends.
  case cropping1D = "cropping1d"
  /// An image enlarged by whole factors.
  case upSampling2D = "up_sampling2d"
  /// A sequence whose positions are repeated.
  case upSampling1D = "up_sampling1d"
  /// All values as one vector.
  case flatten
  /// The same values under another shape.
  case reshape
  // Vectors and words.
  /// A product of a vector with a matrix.
  case dense
  /// A trained vector for each word number.
  case embedding
  // Functions of one element. Those without settings are written by their own words.
  /// A function of every element without settings.
  case activation
  /// The larger of 0 and x, up to a largest value.
  case relu
  /// x, or a fixed share of it below zero.
  case leakyReLU = "leaky_relu"
  /// x, or an exponential below zero.
  case elu
  /// x, or a trained share of it below zero.
  case prelu
  /// Zeros at random in training.
  case dropout
  // Normalisations.
  /// Channels brought to mean 0 and variance 1 over the samples of a shard.
  case batchNorm = "batch_norm"
  /// Positions brought to mean 0 and variance 1 over their channels.
  case layerNorm = "layer_norm"
  /// Groups of channels of a sample brought to mean 0 and variance 1 over all positions.
  case groupNorm = "group_norm"
  /// Values divided by a power of the squares of neighbouring channels.
  case localResponseNorm = "local_response_norm"
  /// Values shifted and scaled by given means and variances.
  case normalization
  /// Values multiplied and shifted by given numbers.
  case rescale
  // Joining.
  /// The sum of several inputs.
  case add
  /// The product of several inputs.
  case multiply
  /// Several inputs side by side, along the channels.
  case concat
  /// A trained value added to each position and channel.
  case positionBias = "position_bias"

  /// The description of the kind, which stands beside its settings.
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
    case .groupNorm: LayerDescription.groupNorm
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
