internal import Settings
internal import Tensors

/// A 1-D cross-correlation over a sequence.
///
/// - `src`: [N, T, IC]; `kernel`: [K, IC / groups, OC]; `bias`: [OC]; `dst`: [N, OT, OC].
public struct Conv1D: KernelSettings {
  /// Channels of the output, OC.
  public var filters: Int
  /// Elements of the window, K.
  public var kernel: Int
  /// Positions from one window to the next.
  public var stride: Int
  /// Positions from one element of a window to the next.
  public var dilation: Int
  /// What surrounds the sequence.
  public var padding: Padding
  /// Parts that the channels are divided into, and which do not mix; a divisor of both numbers of channels.
  public var groups: Int
  /// Whether a bias is added.
  public var useBias: Bool
  /// The function that the layer ends in.
  public var activation: Activation
  /// How the kernel starts.
  public var kernelInitializer: Initializer
  /// How the bias starts.
  public var biasInitializer: Initializer

  /// A convolution; the defaults are Keras's.
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

  /// The same convolution over images of height 1; its kernel has the same elements in the same order.
  public var asImage: Conv2D {
    Conv2D(
      filters: filters, kernel: Size2D(1, kernel), stride: Size2D(1, stride), dilation: Size2D(1, dilation),
      padding: padding, groups: groups, useBias: useBias, activation: activation,
      kernelInitializer: kernelInitializer, biasInitializer: biasInitializer)
  }

  fileprivate var label: String {
    "conv \(kernel), \(filters) filters" + (stride == 1 ? "" : ", stride \(stride)")
      + (dilation == 1 ? "" : ", dilation \(dilation)") + padding.label
      + (groups == 1 ? "" : ", \(groups) groups") + labelEnd
  }
}

extension LayerDescription where Settings == Conv1D {
  static let conv1D = LayerDescription(
    .conv1D, "A convolution (cross-correlation) over a sequence [length, channels].",
    Conv1D(filters: 1, kernel: 1),
    [
      .filters(\.filters),
      SettingKey(
        "kernel", \.kernel, .window, default: .required, keras: .inList("kernel_size"),
        "The length of the window."),
      SettingKey(
        "stride", \.stride, .window, keras: .inList("strides", isLeftOutAtDefault: true),
        "Step between windows."),
      SettingKey(
        "dilation", \.dilation, .window, keras: .inList("dilation_rate", isLeftOutAtDefault: true),
        "Distance between the elements of the window."),
      SettingKey(
        "padding", \.padding, .word, keras: .unlessDefault("padding"),
        "What surrounds the sequence: nothing (`valid`), zeros that keep its length (`same`), or zeros before it only (`causal`)."
      ),
      .groups(\.groups),
    ],
    keras: KerasLayer("Conv1D", "Convolution1D"), make: LayerSpec.conv1D, label: { $0.label },
    infer: { try $0.asImage.infer($1, over: try $1.sequence()) })
}

extension KerasOption {
  /// A number that Keras writes as a list of one.
  fileprivate static func inList(_ name: String, isLeftOutAtDefault: Bool = false) -> KerasOption {
    KerasOption(name, isLeftOutAtDefault: isLeftOutAtDefault, write: { .list(of: [$0]) })
  }
}

/// A 2-D cross-correlation.
///
/// - `src`: [N, H, W, IC]; `kernel`: [KH, KW, IC / groups, OC]; `bias`: [OC]; `dst`: [N, OH, OW, OC].
/// - SeeAlso: Dumoulin & Visin 2016, <https://arxiv.org/abs/1603.07285>.
public struct Conv2D: KernelSettings {
  /// Channels of the output, OC.
  public var filters: Int
  /// Height and width of the window.
  public var kernel: Size2D
  /// Rows and columns from one window to the next.
  public var stride: Size2D
  /// Rows and columns from one element of a window to the next.
  public var dilation: Size2D
  /// What surrounds the image; `causal` only where a sequence stands as an image of height 1.
  public var padding: Padding
  /// Parts that the channels are divided into, and which do not mix; a divisor of both numbers of channels.
  public var groups: Int
  /// Whether a bias is added.
  public var useBias: Bool
  /// The function that the layer ends in.
  public var activation: Activation
  /// How the kernel starts.
  public var kernelInitializer: Initializer
  /// How the bias starts.
  public var biasInitializer: Initializer

  /// A convolution; the defaults are Keras's.
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

  fileprivate var label: String {
    "conv \(kernel.text), \(filters) filters" + stride.label("stride") + dilation.label("dilation")
      + padding.label + (groups == 1 ? "" : ", \(groups) groups") + labelEnd
  }
}

extension LayerDescription where Settings == Conv2D {
  static let conv2D = LayerDescription(
    .conv2D, "A convolution (cross-correlation) over an image.", Conv2D(filters: 1, kernel: .one),
    [
      .filters(\.filters),
      .kernel(\.kernel),
      .stride(\.stride),
      .dilation(\.dilation),
      .imagePadding(\.padding),
      .groups(\.groups),
    ],
    keras: KerasLayer("Conv2D", "Convolution2D"), make: LayerSpec.conv2D, label: { $0.label },
    infer: { try $0.infer($1, over: try $1.image()) })
}

extension Conv2D {
  fileprivate func infer(
    _ inference: LayerInference, over grid: LayerInference.Grid
  ) throws -> ResolvedLayer {
    try inference.require(filters, atLeast: 1, "filters")
    try inference.require(kernel, "kernel")
    try inference.require(stride, "stride")
    try inference.require(dilation, "dilation")
    try inference.require(groups, atLeast: 1, "groups")
    try inference.requireImagePadding(padding, grid)
    guard grid.channels % groups == 0, filters % groups == 0 else {
      throw inference.wrong(
        "groups",
        "\(groups) must divide both the \(grid.channels) input channels and the \(filters) filters")
    }
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, conv: self) else {
      throw inference.windowError(kernel, grid)
    }
    let groupChannels = grid.channels / groups
    let receptiveField = kernel.height * kernel.width
    let shape = [kernel.height, kernel.width, groupChannels, filters].dropFirst(grid.isSequence ? 1 : 0)
    let fans = Fans(incoming: receptiveField * groupChannels, outgoing: receptiveField * filters)
    return inference.make(
      output: grid.shape(geometry.height.output, geometry.width.output, filters), view: view(geometry),
      parameters: [.kernel(Shape(Array(shape)), kernelInitializer, fans)]
        + (useBias ? [.bias([filters], biasInitializer)] : []),
      flopsPerElement: 2 * receptiveField * groupChannels + (useBias ? 1 : 0))
  }

  /// The windows of a convolution with this geometry.
  func view(_ geometry: WindowGeometry2D) -> LayerView {
    .window(
      rows: LayerWindow(
        size: kernel.height, stride: stride.height, dilation: dilation.height,
        paddingBefore: geometry.height.paddingBefore),
      columns: LayerWindow(
        size: kernel.width, stride: stride.width, dilation: dilation.width,
        paddingBefore: geometry.width.paddingBefore))
  }
}
