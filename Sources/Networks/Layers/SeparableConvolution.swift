internal import Settings
internal import Tensors

/// A convolution in two: one that looks around and keeps channels apart, then one that mixes the channels of each position.
///
/// - `src`: [N, H, W, C]; `depthwise_kernel`: [KH, KW, C, M]; `pointwise_kernel`: [1, 1, C·M, OC]; `bias`: [OC]; `dst`:
///   [N, OH, OW, OC].
/// - SeeAlso: Chollet 2016, <https://arxiv.org/abs/1610.02357>.
public struct SeparableConv2D: KernelSettings {
  /// Channels of the output, OC.
  public var filters: Int
  /// Height and width of the window.
  public var kernel: Size2D
  /// Filters of each channel in the first convolution, M.
  public var multiplier: Int
  /// Rows and columns from one window to the next.
  public var stride: Size2D
  /// Rows and columns from one element of a window to the next.
  public var dilation: Size2D
  /// What surrounds the image; never `causal`.
  public var padding: Padding
  /// Whether a bias is added.
  public var useBias: Bool
  /// The function that the layer ends in.
  public var activation: Activation
  /// How both kernels start.
  public var kernelInitializer: Initializer
  /// How the bias starts.
  public var biasInitializer: Initializer

  /// A separable convolution; the defaults are Keras's.
  public init(
    filters: Int, kernel: Size2D, multiplier: Int = 1, stride: Size2D = .one, dilation: Size2D = .one,
    padding: Padding = .valid, useBias: Bool = true, activation: Activation = .linear,
    kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros
  ) {
    self.filters = filters
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

  /// The convolution that keeps channels apart.
  public var depthwise: DepthwiseConv2D {
    DepthwiseConv2D(
      kernel: kernel, multiplier: multiplier, stride: stride, dilation: dilation, padding: padding,
      useBias: false, kernelInitializer: kernelInitializer)
  }

  /// The convolution that mixes channels, with the layer's bias and function.
  public var pointwise: Conv2D {
    Conv2D(
      filters: filters, kernel: .one, useBias: useBias, activation: activation,
      kernelInitializer: kernelInitializer, biasInitializer: biasInitializer)
  }

  fileprivate var label: String {
    "separable conv \(kernel.text), \(filters) filters\(depthwise.windowLabel)\(labelEnd)"
  }
}

extension LayerDescription where Settings == SeparableConv2D {
  static let separableConv2D = LayerDescription(
    .separableConv2D, "A convolution with filters of its own for each channel, then a 1×1 convolution.",
    SeparableConv2D(filters: 1, kernel: .one),
    [
      .filters(\.filters),
      .kernel(\.kernel),
      .multiplier(\.multiplier, "How many filters each channel has in the first convolution."),
      .stride(\.stride),
      .dilation(\.dilation),
      .imagePadding(\.padding),
    ],
    keras: KerasLayer(
      "SeparableConv2D", "SeparableConvolution2D", options: [.only("groups", [.integer(1)])]),
    make: LayerSpec.separableConv2D, label: { $0.label }, infer: { try $0.infer($1) })
}

extension SeparableConv2D {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let grid = try inference.image()
    try inference.require(filters, atLeast: 1, "filters")
    let windows = try depthwise.windows(inference, over: grid)
    let middle = grid.channels * multiplier
    let places = windows.output[0] * windows.output[1]
    let work =
      LayerInference.work(places * middle, 2 * kernel.height * kernel.width)
      + LayerInference.work(places * filters, 2 * middle + (useBias ? 1 : 0))
    return inference.make(
      output: [windows.output[0], windows.output[1], filters], view: windows.view,
      parameters: [
        depthwise.kernelSpec(channels: grid.channels, name: "depthwise_kernel"),
        .kernel(
          [1, 1, middle, filters], kernelInitializer, Fans(incoming: middle, outgoing: filters),
          name: "pointwise_kernel"),
      ] + (useBias ? [.bias([filters], biasInitializer)] : []),
      flops: work)
  }
}
