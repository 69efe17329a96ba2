// Functions of one element, and what they are told.

/// A function applied to every element; softmax to every vector along the channels.
public enum Activation: String, Hashable, Sendable, Codable, CaseIterable {
  case linear
  case relu
  /// x, or 0.2·x below zero; ``LeakyReLU`` has a slope of its own.
  case leakyReLU = "leaky_relu"
  /// x, or eˣ − 1 below zero; ``ELU`` has a factor of its own.
  case elu
  /// x·Φ(x) with the normal distribution Φ, by the error function. Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>.
  case gelu
  /// x·sigmoid(x), also called swish. <https://arxiv.org/abs/1702.03118>
  case silu
  /// log(1 + eˣ).
  case softplus
  case sigmoid
  /// min(max(x / 6 + 1/2, 0), 1), as in Keras 3; Keras 2 had a slope of 0.2.
  case hardSigmoid = "hard_sigmoid"
  case tanh
  case softmax
}

/// x, or `negativeSlope`·x below zero.
///
/// - SeeAlso: Maas et al. 2013.
public struct LeakyReLU: Hashable, Sendable, Codable {
  /// At least 0.
  public var negativeSlope: Float

  public init(negativeSlope: Float = 0.3) { self.negativeSlope = negativeSlope }
}

/// x, or `alpha`·(eˣ − 1) below zero.
///
/// - SeeAlso: Clevert et al. 2015, <https://arxiv.org/abs/1511.07289>.
public struct ELU: Hashable, Sendable, Codable {
  /// Above 0.
  public var alpha: Float

  public init(alpha: Float = 1) { self.alpha = alpha }
}

/// x, or alpha·x below zero, with a trained `alpha` that starts at zero.
///
/// - SeeAlso: He et al. 2015, <https://arxiv.org/abs/1502.01852>.
public struct PReLU: Hashable, Sendable, Codable {
  /// One alpha for each channel, [1, 1, C], instead of one for each position and channel, [H, W, C].
  public var sharesPositions: Bool

  public init(sharesPositions: Bool = false) { self.sharesPositions = sharesPositions }
}

/// In training, zeroes each element with probability `rate` and scales the others by `1 / (1 − rate)`.
public struct Dropout: Hashable, Sendable, Codable {
  /// In [0, 1).
  public var rate: Float

  public init(rate: Float) { self.rate = rate }
}
