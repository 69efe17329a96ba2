/// What a layer does: its kind and hyper-parameters, without name, inputs, shapes or memory.
///
/// Words and defaults are Keras's. Switching over this enum is the registry of layers: a new case makes the compiler name
/// every place that has to know it.
public enum LayerSpec: Hashable, Sendable {
  case conv2D(Conv2D)
  case maxPool2D(Pool2D)
  case averagePool2D(Pool2D)
  case globalAveragePool2D
  case globalMaxPool2D
  case flatten
  case dense(Dense)
  case activation(Activation)
  case dropout(Dropout)
  case batchNorm(BatchNorm)
  case add
  case concat
  case rescale(Rescale)
  case positionBias

  /// The layer's word in configs.
  public var kind: String {
    switch self {
    case .conv2D: "conv2d"
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
    case .add, .concat: 2...64
    default: 1...1
    }
  }
}

/// A function applied to every element; softmax to every vector along the channels.
public enum Activation: String, Hashable, Sendable, Codable, CaseIterable {
  case linear
  case relu
  case sigmoid
  case tanh
  case softmax
}

/// How an image's edges are treated, as Keras pads.
public enum Padding: String, Hashable, Sendable, Codable, CaseIterable {
  /// No padding: `out = (in − ((kernel − 1)·dilation + 1)) / stride + 1`, rounded down.
  case valid
  /// `out = in / stride`, rounded up; of an odd total padding the larger half comes after the image.
  case same
}

/// Height and width of something.
public struct Size2D: Hashable, Sendable, Codable {
  public let height: Int
  public let width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  public init(_ side: Int) { self.init(side, side) }

  public static let one = Size2D(1)
}

/// A 2-D cross-correlation.
///
/// - `src`: [N, H, W, IC]; `kernel`: [KH, KW, IC / groups, OC]; `bias`: [OC]; `dst`: [N, OH, OW, OC].
/// - SeeAlso: Dumoulin & Visin 2016, <https://arxiv.org/abs/1603.07285>.
public struct Conv2D: Hashable, Sendable, Codable {
  public var filters: Int
  public var kernel: Size2D
  public var stride: Size2D
  public var dilation: Size2D
  public var padding: Padding
  public var groups: Int
  public var useBias: Bool
  public var activation: Activation
  public var kernelInitializer: Initializer
  public var biasInitializer: Initializer

  public init(
    filters: Int, kernel: Size2D, stride: Size2D = .one, dilation: Size2D = .one,
    padding: Padding = .valid, groups: Int = 1, useBias: Bool = true, activation: Activation = .linear,
    kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros
  ) {
    self.filters = filters
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
    self.groups = groups
    self.useBias = useBias
    self.activation = activation
    self.kernelInitializer = kernelInitializer
    self.biasInitializer = biasInitializer
  }
}

/// Maximum or average over windows; the average leaves padding out, as Keras does.
public struct Pool2D: Hashable, Sendable, Codable {
  public var size: Size2D
  public var stride: Size2D
  public var padding: Padding

  /// - Parameter stride: equal to `size` when nil.
  public init(size: Size2D, stride: Size2D? = nil, padding: Padding = .valid) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }
}

/// `dst = activation(src · kernel + bias)`, over the last dimension of a flat input.
///
/// - `src`: [N, IC]; `kernel`: [IC, OC]; `bias`: [OC]; `dst`: [N, OC].
public struct Dense: Hashable, Sendable, Codable {
  public var units: Int
  public var useBias: Bool
  public var activation: Activation
  public var kernelInitializer: Initializer
  public var biasInitializer: Initializer

  public init(
    units: Int, useBias: Bool = true, activation: Activation = .linear,
    kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros
  ) {
    self.units = units
    self.useBias = useBias
    self.activation = activation
    self.kernelInitializer = kernelInitializer
    self.biasInitializer = biasInitializer
  }
}

/// In training, zeroes each element with probability `rate` and scales the others by `1 / (1 − rate)`.
public struct Dropout: Hashable, Sendable, Codable {
  /// In [0, 1).
  public var rate: Float

  public init(rate: Float) { self.rate = rate }
}

/// Normalises each channel to mean 0 and variance 1, then scales by gamma and shifts by beta.
///
/// In training the statistics are those of the *shard* (its samples, all positions), so that no worker waits for another;
/// the shard size is part of a run's numerics. The running statistics keep the share `momentum` of their old value
/// (Keras's meaning) and store the biased variance; shards fold into them in order.
/// - SeeAlso: Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>.
public struct BatchNorm: Hashable, Sendable, Codable {
  /// Kept share of the running statistics, in [0, 1).
  public var momentum: Float
  /// Added to the variance, inside the root.
  public var epsilon: Float
  public var scale: Bool
  public var center: Bool

  public init(momentum: Float = 0.99, epsilon: Float = 1e-3, scale: Bool = true, center: Bool = true) {
    self.momentum = momentum
    self.epsilon = epsilon
    self.scale = scale
    self.center = center
  }
}

/// `dst = src · scale + offset`: input normalisation as a layer, so that a checkpoint takes raw pixels.
public struct Rescale: Hashable, Sendable, Codable {
  public var scale: Double
  public var offset: Double

  public init(scale: Double, offset: Double = 0) {
    self.scale = scale
    self.offset = offset
  }
}
