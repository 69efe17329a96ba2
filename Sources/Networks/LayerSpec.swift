/// What a layer does: its kind and hyper-parameters, without name, inputs, shapes or memory.
///
/// Words and defaults are Keras's. Switching over this enum is the registry of layers: a new case makes the compiler name
/// every place that has to know it.
public enum LayerSpec: Hashable, Sendable {
  // Convolutions.
  case conv1D(Conv1D)
  case conv2D(Conv2D)
  case depthwiseConv2D(DepthwiseConv2D)
  case separableConv2D(SeparableConv2D)
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
  case relu(ReLU)
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
  public var kind: LayerKind { described.kind }

  /// The layer's word in configs.
  public var word: String { described.word }

  /// How many inputs the layer takes.
  public var inputCount: ClosedRange<Int> { described.inputCount }

  /// The kind with its hyper-parameters, those left out that have their usual values: `conv 3×3, 25 filters, relu`.
  public var summary: String { described.summary }

  /// The function that the layer ends in; linear for one that ends in none, or in one with settings of its own.
  public var finalActivation: Activation { described.finalActivation }
}
