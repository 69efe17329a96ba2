// Settings of convolutions, poolings and dense layers.

/// How an image's edges are treated, as Keras pads.
public enum Padding: String, Hashable, Sendable, Codable, CaseIterable {
  /// No padding: `out = (in − ((kernel − 1)·dilation + 1)) / stride + 1`, rounded down.
  case valid
  /// `out = in / stride`, rounded up; of an odd total padding the larger half comes after the image.
  case same
  /// Zeros before the sequence only, so that no output sees what comes after it; for 1-D convolutions.
  ///
  /// `out = in / stride`, rounded up.
  case causal
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

/// A 1-D cross-correlation over a sequence.
///
/// - `src`: [N, T, IC]; `kernel`: [K, IC / groups, OC]; `bias`: [OC]; `dst`: [N, OT, OC].
public struct Conv1D: Hashable, Sendable, Codable {
  public var filters: Int
  public var kernel: Int
  public var stride: Int
  public var dilation: Int
  public var padding: Padding
  public var groups: Int
  public var useBias: Bool
  public var activation: Activation
  public var kernelInitializer: Initializer
  public var biasInitializer: Initializer

  public init(
    filters: Int, kernel: Int, stride: Int = 1, dilation: Int = 1, padding: Padding = .valid, groups: Int = 1,
    useBias: Bool = true, activation: Activation = .linear, kernelInitializer: Initializer = .glorotUniform,
    biasInitializer: Initializer = .zeros
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

  /// The same over images of height 1, whose kernel has the same elements in the same order.
  public var asImage: Conv2D {
    Conv2D(
      filters: filters, kernel: Size2D(1, kernel), stride: Size2D(1, stride), dilation: Size2D(1, dilation),
      padding: padding, groups: groups, useBias: useBias, activation: activation,
      kernelInitializer: kernelInitializer, biasInitializer: biasInitializer)
  }
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

/// A convolution that keeps channels apart: `multiplier` filters of its own for each of them.
///
/// - `src`: [N, H, W, C]; `kernel`: [KH, KW, C, M]; `bias`: [C·M]; `dst`: [N, OH, OW, C·M], the M results of a channel side by
///   side.
/// - SeeAlso: Chollet 2016, <https://arxiv.org/abs/1610.02357>.
public struct DepthwiseConv2D: Hashable, Sendable, Codable {
  public var kernel: Size2D
  public var multiplier: Int
  public var stride: Size2D
  public var dilation: Size2D
  public var padding: Padding
  public var useBias: Bool
  public var activation: Activation
  public var kernelInitializer: Initializer
  public var biasInitializer: Initializer

  public init(
    kernel: Size2D, multiplier: Int = 1, stride: Size2D = .one, dilation: Size2D = .one,
    padding: Padding = .valid, useBias: Bool = true, activation: Activation = .linear,
    kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros
  ) {
    self.kernel = kernel
    self.multiplier = multiplier
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
    self.useBias = useBias
    self.activation = activation
    self.kernelInitializer = kernelInitializer
    self.biasInitializer = biasInitializer
  }

  /// The same as a convolution with a group for each channel, whose kernel [KH, KW, 1, C·M] has the same elements in the
  /// same order.
  public func grouped(channels: Int) -> Conv2D {
    Conv2D(
      filters: channels * multiplier, kernel: kernel, stride: stride, dilation: dilation, padding: padding,
      groups: channels, useBias: useBias, activation: activation, kernelInitializer: kernelInitializer,
      biasInitializer: biasInitializer)
  }
}

/// A transposed convolution: the gradient of a convolution to its input, used as a layer that enlarges images.
///
/// `src[n,y,x,i]` adds `src · kernel[ky,kx,o,i]` to `dst[n, y·S + ky − P, x·S + kx − P, o]`, where P is the padding of the
/// convolution that would lead back.
/// - `src`: [N, H, W, IC]; `kernel`: [KH, KW, OC, IC]; `bias`: [OC]; `dst`: [N, OH, OW, OC], with `OH = H·S` for padding `same`
///   and `H·S + max(KH − S, 0)` for `valid`.
/// - SeeAlso: Dumoulin & Visin 2016, chapter 4, <https://arxiv.org/abs/1603.07285>.
public struct Conv2DTranspose: Hashable, Sendable, Codable {
  public var filters: Int
  public var kernel: Size2D
  public var stride: Size2D
  public var padding: Padding
  public var useBias: Bool
  public var activation: Activation
  public var kernelInitializer: Initializer
  public var biasInitializer: Initializer

  public init(
    filters: Int, kernel: Size2D, stride: Size2D = .one, padding: Padding = .valid, useBias: Bool = true,
    activation: Activation = .linear, kernelInitializer: Initializer = .glorotUniform,
    biasInitializer: Initializer = .zeros
  ) {
    self.filters = filters
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
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

/// Maximum or average over windows of a sequence [N, T, C].
public struct Pool1D: Hashable, Sendable, Codable {
  public var size: Int
  public var stride: Int
  public var padding: Padding

  /// - Parameter stride: equal to `size` when nil.
  public init(size: Int, stride: Int? = nil, padding: Padding = .valid) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }

  /// The same over images of height 1.
  public var asImage: Pool2D {
    Pool2D(size: Size2D(1, size), stride: Size2D(1, stride), padding: padding)
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

/// A trained vector for each word of a vocabulary.
///
/// - `src`: [N, T], whole numbers from 0 to below `vocabulary`; `embeddings`: [vocabulary, dimension];
///   `dst`: [N, T, dimension].
public struct Embedding: Hashable, Sendable, Codable {
  public var vocabulary: Int
  public var dimension: Int
  /// A word whose vector starts at zero and is never trained, for what fills up short texts.
  ///
  /// Nil without one.
  public var paddingWord: Int?
  /// Whether the table stays as it is: for vectors that come from elsewhere.
  public var isFrozen: Bool
  public var initializer: Initializer

  public init(
    vocabulary: Int, dimension: Int, paddingWord: Int? = nil, isFrozen: Bool = false,
    initializer: Initializer = .uniform
  ) {
    self.vocabulary = vocabulary
    self.dimension = dimension
    self.paddingWord = paddingWord
    self.isFrozen = isFrozen
    self.initializer = initializer
  }
}
