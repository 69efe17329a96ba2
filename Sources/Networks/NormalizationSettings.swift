// What layers that bring values to a common scale are told.

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

/// Normalises the channels of each position to mean 0 and variance 1, then scales by gamma and shifts by beta.
///
/// - SeeAlso: Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.
public struct LayerNorm: Hashable, Sendable, Codable {
  /// Added to the variance, inside the root.
  public var epsilon: Float
  public var scale: Bool
  public var center: Bool

  public init(epsilon: Float = 1e-3, scale: Bool = true, center: Bool = true) {
    self.epsilon = epsilon
    self.scale = scale
    self.center = center
  }
}

/// `dst[c] = src[c] / (bias + alpha · Σ src[i]²)^beta`, over the channels i from c − radius to c + radius.
///
/// The words and defaults are TensorFlow's; AlexNet has radius 2, bias 2, alpha 1e-4, beta 0.75. Keras has no such layer.
/// - SeeAlso: Krizhevsky et al. 2012.
public struct LocalResponseNorm: Hashable, Sendable, Codable {
  public var radius: Int
  public var bias: Float
  public var alpha: Float
  public var beta: Float

  public init(radius: Int = 5, bias: Float = 1, alpha: Float = 1, beta: Float = 0.5) {
    self.radius = radius
    self.bias = bias
    self.alpha = alpha
    self.beta = beta
  }
}

/// `dst = (src − mean) / √variance`, with given figures of the data for each channel, or for all.
///
/// A root below 1e-7 counts as 1e-7, as in Keras.
public struct Normalization: Hashable, Sendable, Codable {
  /// One for each channel, or one alone.
  public var mean: [Double]
  public var variance: [Double]

  public init(mean: [Double], variance: [Double]) {
    self.mean = mean
    self.variance = variance
  }

  /// The layer as `dst = src · scale + offset`, a pair of values for each channel or one pair.
  public var affine: (scale: [Double], offset: [Double]) {
    let count = max(mean.count, variance.count)
    let scale = (0..<count).map { 1 / max(variance[$0 % variance.count].squareRoot(), 1e-7) }
    return (scale, (0..<count).map { -mean[$0 % mean.count] * scale[$0] })
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
