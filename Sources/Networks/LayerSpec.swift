/// What a layer does: its kind and hyper-parameters, without name, inputs, shapes or memory.
///
/// Words and defaults are Keras's. Switching over this enum is the registry of layers: a new case makes the compiler name
/// every place that has to know it.
public enum LayerSpec: Hashable, Sendable {
  // Convolutions.
  /// See ``LayerKind/conv1D``.
  case conv1D(Conv1D)
  /// See ``LayerKind/conv2D``.
  case conv2D(Conv2D)
  /// See ``LayerKind/depthwiseConv2D``.
  case depthwiseConv2D(DepthwiseConv2D)
  /// See ``LayerKind/separableConv2D``.
  case separableConv2D(SeparableConv2D)
  /// See ``LayerKind/conv2DTranspose``.
  case conv2DTranspose(Conv2DTranspose)
  // Windows and whole images or sequences.
  /// See ``LayerKind/maxPool1D``.
  case maxPool1D(Pool1D)
  /// See ``LayerKind/averagePool1D``.
  case averagePool1D(Pool1D)
  /// See ``LayerKind/maxPool2D``.
  case maxPool2D(Pool2D)
  /// See ``LayerKind/averagePool2D``.
  case averagePool2D(Pool2D)
  /// See ``LayerKind/globalAveragePool1D``.
  case globalAveragePool1D
  /// See ``LayerKind/globalMaxPool1D``.
  case globalMaxPool1D
  /// See ``LayerKind/globalAveragePool2D``.
  case globalAveragePool2D
  /// See ``LayerKind/globalMaxPool2D``.
  case globalMaxPool2D
  // Shapes.
  /// See ``LayerKind/zeroPadding1D``.
  case zeroPadding1D(Margins1D)
  /// See ``LayerKind/zeroPadding2D``.
  case zeroPadding2D(Margins2D)
  /// See ``LayerKind/cropping1D``.
  case cropping1D(Margins1D)
  /// See ``LayerKind/cropping2D``.
  case cropping2D(Margins2D)
  /// See ``LayerKind/upSampling1D``.
  case upSampling1D(UpSampling1D)
  /// See ``LayerKind/upSampling2D``.
  case upSampling2D(UpSampling2D)
  /// See ``LayerKind/flatten``.
  case flatten
  /// See ``LayerKind/reshape``.
  case reshape(Reshape)
  // Vectors and words.
  /// See ``LayerKind/dense``.
  case dense(Dense)
  /// See ``LayerKind/embedding``.
  case embedding(Embedding)
  // Functions of one element.
  /// See ``LayerKind/activation``.
  case activation(Activation)
  /// See ``LayerKind/relu``.
  case relu(ReLU)
  /// See ``LayerKind/leakyReLU``.
  case leakyReLU(LeakyReLU)
  /// See ``LayerKind/elu``.
  case elu(ELU)
  /// See ``LayerKind/prelu``.
  case prelu(PReLU)
  /// See ``LayerKind/dropout``.
  case dropout(Dropout)
  // Normalisations.
  /// See ``LayerKind/batchNorm``.
  case batchNorm(BatchNorm)
  /// See ``LayerKind/layerNorm``.
  case layerNorm(LayerNorm)
  /// See ``LayerKind/groupNorm``.
  case groupNorm(GroupNorm)
  /// See ``LayerKind/localResponseNorm``.
  case localResponseNorm(LocalResponseNorm)
  /// See ``LayerKind/normalization``.
  case normalization(Normalization)
  /// See ``LayerKind/rescale``.
  case rescale(Rescale)
  // Joining.
  /// See ``LayerKind/add``.
  case add
  /// See ``LayerKind/multiply``.
  case multiply
  /// See ``LayerKind/concat``.
  case concat
  /// See ``LayerKind/positionBias``.
  case positionBias

  /// The layer's settings with the description of its kind.
  public var described: any AnyDescribedLayer {
    switch self {
    case .conv1D(let settings): DescribedLayer(.conv1D, settings)
    case .conv2D(let settings): DescribedLayer(.conv2D, settings)
    case .depthwiseConv2D(let settings): DescribedLayer(.depthwiseConv2D, settings)
    case .separableConv2D(let settings): DescribedLayer(.separableConv2D, settings)
    case .conv2DTranspose(let settings): DescribedLayer(.conv2DTranspose, settings)
    case .maxPool1D(let settings): DescribedLayer(.maxPool1D, settings)
    case .averagePool1D(let settings): DescribedLayer(.averagePool1D, settings)
    case .maxPool2D(let settings): DescribedLayer(.maxPool2D, settings)
    case .averagePool2D(let settings): DescribedLayer(.averagePool2D, settings)
    case .globalAveragePool1D: DescribedLayer(.globalAveragePool1D)
    case .globalMaxPool1D: DescribedLayer(.globalMaxPool1D)
    case .globalAveragePool2D: DescribedLayer(.globalAveragePool2D)
    case .globalMaxPool2D: DescribedLayer(.globalMaxPool2D)
    case .zeroPadding1D(let settings): DescribedLayer(.zeroPadding1D, settings)
    case .zeroPadding2D(let settings): DescribedLayer(.zeroPadding2D, settings)
    case .cropping1D(let settings): DescribedLayer(.cropping1D, settings)
    case .cropping2D(let settings): DescribedLayer(.cropping2D, settings)
    case .upSampling1D(let settings): DescribedLayer(.upSampling1D, settings)
    case .upSampling2D(let settings): DescribedLayer(.upSampling2D, settings)
    case .flatten: DescribedLayer(.flatten)
    case .reshape(let settings): DescribedLayer(.reshape, settings)
    case .dense(let settings): DescribedLayer(.dense, settings)
    case .embedding(let settings): DescribedLayer(.embedding, settings)
    case .activation(let settings): DescribedLayer(.activation, settings)
    case .relu(let settings): DescribedLayer(.relu, settings)
    case .leakyReLU(let settings): DescribedLayer(.leakyReLU, settings)
    case .elu(let settings): DescribedLayer(.elu, settings)
    case .prelu(let settings): DescribedLayer(.prelu, settings)
    case .dropout(let settings): DescribedLayer(.dropout, settings)
    case .batchNorm(let settings): DescribedLayer(.batchNorm, settings)
    case .layerNorm(let settings): DescribedLayer(.layerNorm, settings)
    case .groupNorm(let settings): DescribedLayer(.groupNorm, settings)
    case .localResponseNorm(let settings): DescribedLayer(.localResponseNorm, settings)
    case .normalization(let settings): DescribedLayer(.normalization, settings)
    case .rescale(let settings): DescribedLayer(.rescale, settings)
    case .add: DescribedLayer(.add)
    case .multiply: DescribedLayer(.multiply)
    case .concat: DescribedLayer(.concat)
    case .positionBias: DescribedLayer(.positionBias)
    }
  }
}

extension LayerSpec {
  /// The kind without its hyper-parameters.
  public var kind: LayerKind { described.kind }

  /// The layer's word in configs.
  public var word: String { described.word }

  /// How many inputs the layer takes.
  public var inputCount: ClosedRange<Int> { described.inputCount }

  /// The kind with those hyper-parameters that do not have their usual values: `conv 3×3, 25 filters, relu`.
  public var summary: String { described.summary }

  /// The function that the layer ends in; linear for one that ends in none, or in one with settings of its own.
  public var finalActivation: Activation { described.finalActivation }
}
