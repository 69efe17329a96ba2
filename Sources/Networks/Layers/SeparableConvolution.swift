internal import Settings
internal import Tensors

/// A convolution in two: one that looks around and keeps channels apart, then one that mixes the channels of each position.
///
/// - `src`: [N, H, W, C]; `depthwise_kernel`: [KH, KW, C, M]; `pointwise_kernel`: [1, 1, C·M, OC]; `bias`: [OC]; `dst`:
///   [N, OH, OW, OC].
/// - SeeAlso: Chollet 2016, <https://arxiv.org/abs/1610.02357>.
public struct SeparableConv2D: KernelSettings {
  public var filters: Int
  public var kernel: Size2D
  public var multiplier: Int
  public var stride: Size2D
  public var dilation: Size2D
  public var padding: Padding
  public var useBias: Bool
  public var activation: Activation
  /// Of both kernels.
  public var kernelInitializer: Initializer
  public var biasInitializer: Initializer

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
    var text = "separable conv \(kernel.text), \(filters) filters"
    if multiplier != 1 { text += ", \(multiplier) per channel" }
    if stride != .one { text += ", stride \(stride.text)" }
    if dilation != .one { text += ", dilation \(dilation.text)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    return text + labelEnd
  }
}

extension LayerDescription where Settings == SeparableConv2D {
  static let separableConv2D = LayerDescription(
    .separableConv2D, "A convolution with filters of its own for each channel, then a 1×1 convolution.",
    SeparableConv2D(filters: 1, kernel: .one),
    [
      SettingKey(
        "filters", \.filters, .width, default: .required, keras: "filters", "Channels of the output."),
      SettingKey("kernel", \.kernel, .window, default: .required, keras: "kernel_size", "The window."),
      SettingKey(
        "multiplier", \.multiplier, .integer(1...1024), keras: .unlessDefault("depth_multiplier"),
        "Filters of each channel in the first of the two."),
      SettingKey("stride", \.stride, .window, keras: .unlessDefault("strides"), "Step between windows."),
      SettingKey(
        "dilation", \.dilation, .window, keras: .unlessDefault("dilation_rate"),
        "Distance between the elements of the window."),
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
    try inference.require(kernel, "kernel")
    try inference.require(multiplier, atLeast: 1, "multiplier")
    try inference.require(stride, "stride")
    try inference.require(dilation, "dilation")
    try inference.requireImagePadding(padding, grid)
    let grouped = depthwise.grouped(channels: grid.channels)
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, conv: grouped) else {
      throw inference.windowError(kernel, grid)
    }
    let receptiveField = kernel.height * kernel.width
    let middle = grid.channels * multiplier
    let places = geometry.height.output * geometry.width.output
    let work =
      LayerInference.work(places * middle, 2 * receptiveField)
      + LayerInference.work(places * filters, 2 * middle + (useBias ? 1 : 0))
    return inference.make(
      output: [geometry.height.output, geometry.width.output, filters], view: grouped.view(geometry),
      parameters: [
        // Keras counts fans from the kernel's shape, as if all channels met in each output.
        .kernel(
          [kernel.height, kernel.width, grid.channels, multiplier], kernelInitializer,
          Fans(incoming: receptiveField * grid.channels, outgoing: receptiveField * multiplier),
          name: "depthwise_kernel", outputs: 2..<4),
        .kernel(
          [1, 1, middle, filters], kernelInitializer, Fans(incoming: middle, outgoing: filters),
          name: "pointwise_kernel"),
      ] + (useBias ? [.bias([filters], biasInitializer)] : []),
      flops: work)
  }
}
