internal import Settings
internal import Tensors

/// A convolution that keeps channels apart: `multiplier` filters of its own for each of them.
///
/// - `src`: [N, H, W, C]; `kernel`: [KH, KW, C, M]; `bias`: [C·M]; `dst`: [N, OH, OW, C·M], the M results of a channel side by
///   side.
/// - SeeAlso: Chollet 2016, <https://arxiv.org/abs/1610.02357>.
public struct DepthwiseConv2D: KernelSettings {
  /// Height and width of the window.
  public var kernel: Size2D
  /// Filters of each channel, M.
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
  /// How the kernel starts.
  public var kernelInitializer: Initializer
  /// How the bias starts.
  public var biasInitializer: Initializer

  /// A depthwise convolution; the defaults are Keras's.
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

  /// The same layer as a convolution with a group for each channel; its kernel [KH, KW, 1, C·M] has the same elements in the
  /// same order.
  public func grouped(channels: Int) -> Conv2D {
    Conv2D(
      filters: channels * multiplier, kernel: kernel, stride: stride, dilation: dilation, padding: padding,
      groups: channels, useBias: useBias, activation: activation, kernelInitializer: kernelInitializer,
      biasInitializer: biasInitializer)
  }

  fileprivate var label: String {
    "depthwise conv \(kernel.text)\(windowLabel)\(labelEnd)"
  }
}

extension LayerDescription where Settings == DepthwiseConv2D {
  static let depthwiseConv2D = LayerDescription(
    .depthwiseConv2D, "A convolution with filters of its own for each channel.",
    DepthwiseConv2D(kernel: .one),
    [
      .kernel(\.kernel),
      .multiplier(\.multiplier, "How many filters each channel has."),
      .stride(\.stride),
      .dilation(\.dilation),
      .imagePadding(\.padding),
    ],
    keras: KerasLayer("DepthwiseConv2D", options: [.only("groups", [.integer(1)])]),
    make: LayerSpec.depthwiseConv2D, label: { $0.label }, infer: { try $0.infer($1) })
}

extension DepthwiseConv2D {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let grid = try inference.image()
    let windows = try windows(inference, over: grid)
    return inference.make(
      output: windows.output, view: windows.view,
      parameters: [kernelSpec(channels: grid.channels)]
        + (useBias ? [.bias([grid.channels * multiplier], biasInitializer)] : []),
      flopsPerElement: 2 * kernel.height * kernel.width + (useBias ? 1 : 0))
  }

  /// The output and view of the windows over an image, once the settings have been checked.
  func windows(
    _ inference: LayerInference, over grid: LayerInference.Grid
  ) throws -> (output: Shape, view: LayerView) {
    try inference.require(kernel, "kernel")
    try inference.require(multiplier, atLeast: 1, "multiplier")
    try inference.require(stride, "stride")
    try inference.require(dilation, "dilation")
    try inference.requireImagePadding(padding, grid)
    let grouped = grouped(channels: grid.channels)
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, conv: grouped) else {
      throw inference.windowError(kernel, grid)
    }
    return (
      [geometry.height.output, geometry.width.output, grouped.filters], grouped.view(geometry)
    )
  }

  /// The kernel, [KH, KW, C, M].
  func kernelSpec(channels: Int, name: String = "kernel") -> ParameterSpec {
    let receptiveField = kernel.height * kernel.width
    // Keras counts fans from the kernel's shape, as if all channels met in each output.
    return .kernel(
      [kernel.height, kernel.width, channels, multiplier], kernelInitializer,
      Fans(incoming: receptiveField * channels, outgoing: receptiveField * multiplier), name: name,
      outputs: 2..<4)
  }

  /// `, 2 per channel, stride 2×2, same`: what a label says of the windows besides their size.
  var windowLabel: String {
    (multiplier == 1 ? "" : ", \(multiplier) per channel") + stride.label("stride")
      + dilation.label("dilation") + padding.label
  }
}
