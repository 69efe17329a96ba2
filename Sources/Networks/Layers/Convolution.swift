internal import Settings
internal import Tensors

/// A 1-D cross-correlation over a sequence.
///
/// - `src`: [N, T, IC]; `kernel`: [K, IC / groups, OC]; `bias`: [OC]; `dst`: [N, OT, OC].
public struct Conv1D: KernelSettings {
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

  fileprivate var label: String {
    var text = "conv \(kernel), \(filters) filters"
    if stride != 1 { text += ", stride \(stride)" }
    if dilation != 1 { text += ", dilation \(dilation)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    if groups != 1 { text += ", \(groups) groups" }
    return text + labelEnd
  }
}

extension LayerDescription where Settings == Conv1D {
  static let conv1D = LayerDescription(
    .conv1D, "A convolution (cross-correlation) over a sequence [length, channels].",
    Conv1D(filters: 1, kernel: 1),
    [
      SettingKey(
        "filters", \.filters, .width, default: .required, keras: "filters", "Channels of the output."),
      SettingKey(
        "kernel", \.kernel, .window, default: .required, keras: .inList("kernel_size"), "The window."),
      SettingKey(
        "stride", \.stride, .window, keras: .inList("strides", isLeftOutAtDefault: true),
        "Step between windows."),
      SettingKey(
        "dilation", \.dilation, .window, keras: .inList("dilation_rate", isLeftOutAtDefault: true),
        "Distance between the elements of the window."),
      SettingKey(
        "padding", \.padding, .word, keras: .unlessDefault("padding"),
        "What stands around the sequence: nothing, zeros that keep its length (`same`), or those before it only (`causal`)."
      ),
      SettingKey(
        "groups", \.groups, .width, keras: .unlessDefault("groups"),
        "Parts of the channels that do not see each other."),
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

  fileprivate var label: String {
    var text = "conv \(kernel.text), \(filters) filters"
    if stride != .one { text += ", stride \(stride.text)" }
    if dilation != .one { text += ", dilation \(dilation.text)" }
    if padding != .valid { text += ", \(padding.rawValue)" }
    if groups != 1 { text += ", \(groups) groups" }
    return text + labelEnd
  }
}

extension LayerDescription where Settings == Conv2D {
  static let conv2D = LayerDescription(
    .conv2D, "A convolution (cross-correlation) over an image.", Conv2D(filters: 1, kernel: .one),
    [
      SettingKey(
        "filters", \.filters, .width, default: .required, keras: "filters", "Channels of the output."),
      SettingKey("kernel", \.kernel, .window, default: .required, keras: "kernel_size", "The window."),
      SettingKey("stride", \.stride, .window, keras: .unlessDefault("strides"), "Step between windows."),
      SettingKey(
        "dilation", \.dilation, .window, keras: .unlessDefault("dilation_rate"),
        "Distance between the elements of the window."),
      .imagePadding(\.padding),
      SettingKey(
        "groups", \.groups, .width, keras: .unlessDefault("groups"),
        "Parts of the channels that do not see each other."),
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
