internal import Settings
internal import Tensors

/// A convolution that keeps channels apart: `multiplier` filters of its own for each of them.
///
/// - `src`: [N, H, W, C]; `kernel`: [KH, KW, C, M]; `bias`: [C·M]; `dst`: [N, OH, OW, C·M], the M results of a channel side by
///   side.
/// - SeeAlso: Chollet 2016, <https://arxiv.org/abs/1610.02357>.
public struct DepthwiseConv2D: KernelSettings {
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

  fileprivate var label: String {
    var text = "depthwise conv \(kernel.text)"
    if multiplier != 1 { text += ", \(multiplier) per channel" }
    if stride != .one { text += ", stride \(stride.text)" }
    if dilation != .one { text += ", dilation \(dilation.text)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    return text + labelEnd
  }
}

extension LayerDescription where Settings == DepthwiseConv2D {
  static let depthwiseConv2D = LayerDescription(
    .depthwiseConv2D, "A convolution with filters of its own for each channel.",
    DepthwiseConv2D(kernel: .one),
    [
      SettingKey("kernel", \.kernel, .window, default: .required, keras: "kernel_size", "The window."),
      SettingKey(
        "multiplier", \.multiplier, .integer(1...1024), keras: .unlessDefault("depth_multiplier"),
        "Filters of each channel."),
      SettingKey("stride", \.stride, .window, keras: .unlessDefault("strides"), "Step between windows."),
      SettingKey(
        "dilation", \.dilation, .window, keras: .unlessDefault("dilation_rate"),
        "Distance between the elements of the window."),
      .imagePadding(\.padding),
    ],
    keras: KerasLayer("DepthwiseConv2D", options: [.only("groups", [.integer(1)])]),
    make: LayerSpec.depthwiseConv2D, label: { $0.label }, infer: { try $0.infer($1) })
}

extension DepthwiseConv2D {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let grid = try inference.image()
    try inference.require(kernel, "kernel")
    try inference.require(multiplier, atLeast: 1, "multiplier")
    try inference.require(stride, "stride")
    try inference.require(dilation, "dilation")
    try inference.requireImagePadding(padding, grid)
    let grouped = grouped(channels: grid.channels)
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, conv: grouped) else {
      throw inference.windowError(kernel, grid)
    }
    let receptiveField = kernel.height * kernel.width
    // Keras counts fans from the kernel's shape, as if all channels met in each output.
    let fans = Fans(incoming: receptiveField * grid.channels, outgoing: receptiveField * multiplier)
    let shape: Shape = [kernel.height, kernel.width, grid.channels, multiplier]
    return inference.make(
      output: [geometry.height.output, geometry.width.output, grouped.filters], view: grouped.view(geometry),
      parameters: [.kernel(shape, kernelInitializer, fans, outputs: 2..<4)]
        + (useBias ? [.bias([grouped.filters], biasInitializer)] : []),
      flopsPerElement: 2 * receptiveField + (useBias ? 1 : 0))
  }
}
