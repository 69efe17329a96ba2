/// What a layer does: its kind and hyper-parameters, without name, inputs, shapes or memory.
///
/// Words and defaults are Keras's. Switching over this enum is the registry of layers: a new case makes the compiler name
/// every place that has to know it.
public enum LayerSpec: Hashable, Sendable {
  // Convolutions.
  case conv1D(Conv1D)
  case conv2D(Conv2D)
  case depthwiseConv2D(DepthwiseConv2D)
  case conv2DTranspose(Conv2DTranspose)
  // Windows and whole images or sequences.
  case maxPool1D(Pool1D)
  case averagePool1D(Pool1D)
  case maxPool2D(Pool2D)
  case averagePool2D(Pool2D)
  case globalAveragePool1D
  case globalMaxPool1D
  case globalAveragePool2D
  case globalMaxPool2D
  // Shapes.
  case zeroPadding1D(Margins1D)
  case zeroPadding2D(Margins2D)
  case cropping1D(Margins1D)
  case cropping2D(Margins2D)
  case upSampling1D(UpSampling1D)
  case upSampling2D(UpSampling2D)
  case flatten
  case reshape(Reshape)
  // Vectors and words.
  case dense(Dense)
  case embedding(Embedding)
  // Functions of one element.
  case activation(Activation)
  case leakyReLU(LeakyReLU)
  case elu(ELU)
  case prelu(PReLU)
  case dropout(Dropout)
  // Normalisations.
  case batchNorm(BatchNorm)
  case layerNorm(LayerNorm)
  case localResponseNorm(LocalResponseNorm)
  case normalization(Normalization)
  case rescale(Rescale)
  // Joining.
  case add
  case multiply
  case concat
  case positionBias

  /// The layer's word in configs.
  public var kind: String {
    switch self {
    case .conv1D: "conv1d"
    case .conv2D: "conv2d"
    case .depthwiseConv2D: "depthwise_conv2d"
    case .conv2DTranspose: "conv2d_transpose"
    case .maxPool1D: "max_pool1d"
    case .averagePool1D: "average_pool1d"
    case .globalAveragePool1D: "global_average_pool1d"
    case .globalMaxPool1D: "global_max_pool1d"
    case .zeroPadding1D: "zero_padding1d"
    case .zeroPadding2D: "zero_padding2d"
    case .cropping1D: "cropping1d"
    case .cropping2D: "cropping2d"
    case .upSampling1D: "up_sampling1d"
    case .upSampling2D: "up_sampling2d"
    case .reshape: "reshape"
    case .embedding: "embedding"
    case .leakyReLU: "leaky_relu"
    case .elu: "elu"
    case .prelu: "prelu"
    case .layerNorm: "layer_norm"
    case .localResponseNorm: "local_response_norm"
    case .normalization: "normalization"
    case .multiply: "multiply"
    case .maxPool2D: "max_pool2d"
    case .averagePool2D: "average_pool2d"
    case .globalAveragePool2D: "global_average_pool2d"
    case .globalMaxPool2D: "global_max_pool2d"
    case .flatten: "flatten"
    case .dense: "dense"
    case .activation(let activation): activation.rawValue
    case .dropout: "dropout"
    case .batchNorm: "batch_norm"
    case .add: "add"
    case .concat: "concat"
    case .rescale: "rescale"
    case .positionBias: "position_bias"
    }
  }

  /// How many inputs the layer takes.
  public var inputCount: ClosedRange<Int> {
    switch self {
    case .add, .multiply, .concat: 2...64
    default: 1...1
    }
  }
}
