internal import Settings
internal import Tensors

/// A transposed convolution: the gradient of a convolution to its input, used as a layer that enlarges images.
///
/// `src[n,y,x,i]` adds `src · kernel[ky,kx,o,i]` to `dst[n, y·S + ky − P, x·S + kx − P, o]`, where P is the padding of the
/// convolution that would lead back.
///
/// - `src`: [N, H, W, IC]; `kernel`: [KH, KW, OC, IC]; `bias`: [OC]; `dst`: [N, OH, OW, OC], with `OH = H·S` for padding `same`
///   and `H·S + max(KH − S, 0)` for `valid`.
/// - SeeAlso: Dumoulin & Visin 2016, chapter 4, <https://arxiv.org/abs/1603.07285>.
public struct Conv2DTranspose: KernelSettings {
  /// Channels of the output, OC.
  public var filters: Int
  /// Height and width of the window that each place of the input writes.
  public var kernel: Size2D
  /// Rows and columns of the output from one window to the next.
  public var stride: Size2D
  /// What the convolution that would lead back has around it; never `causal`.
  public var padding: Padding
  /// Whether a bias is added.
  public var useBias: Bool
  /// The function that the layer ends in.
  public var activation: Activation
  /// How the kernel starts.
  public var kernelInitializer: Initializer
  /// How the bias starts.
  public var biasInitializer: Initializer

  /// A transposed convolution; the defaults are Keras's.
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

  fileprivate var label: String {
    "transposed conv \(kernel.text), \(filters) filters" + stride.label("stride") + padding.label + labelEnd
  }
}

extension LayerDescription where Settings == Conv2DTranspose {
  static let conv2DTranspose = LayerDescription(
    .conv2DTranspose, "A transposed convolution: enlarges an image by its stride.",
    Conv2DTranspose(filters: 1, kernel: .one),
    [
      .filters(\.filters),
      .kernel(\.kernel, "Height and width of the window that each input pixel writes."),
      .stride(\.stride, "Step between the windows in the output."),
      SettingKey(
        "padding", \.padding, .word(among: Padding.ofImages), keras: .unlessDefault("padding"),
        "`same`: the output has the input's size times the stride; `valid`: all that the windows write."),
    ],
    keras: KerasLayer(
      "Conv2DTranspose", "Convolution2DTranspose",
      options: [
        .only("groups", [.integer(1)]),
        .only("dilation_rate", [.array([.integer(1), .integer(1)]), .integer(1)]),
      ]),
    make: LayerSpec.conv2DTranspose, label: { $0.label }, infer: { try $0.infer($1) })
}

extension Conv2DTranspose {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let grid = try inference.image()
    try inference.require(filters, atLeast: 1, "filters")
    try inference.require(kernel, "kernel")
    try inference.require(stride, "stride")
    try inference.requireImagePadding(padding, grid)
    func geometry(_ input: Int, _ window: Int, _ stride: Int) -> TransposedGeometry {
      TransposedGeometry(input: input, window: window, stride: stride, padding: padding)
    }
    func window(_ input: Int, _ window: Int, _ stride: Int) -> LayerWindow {
      LayerWindow(
        size: window, stride: stride, paddingBefore: geometry(input, window, stride).paddingBefore)
    }
    let output: Shape = [
      geometry(grid.height, kernel.height, stride.height).output,
      geometry(grid.width, kernel.width, stride.width).output, filters,
    ]
    let receptiveField = kernel.height * kernel.width
    // Keras counts fans from the shape [KH, KW, OC, IC] as it stands, outputs first.
    let fans = Fans(incoming: receptiveField * filters, outgoing: receptiveField * grid.channels)
    let work = LayerInference.work(
      grid.height * grid.width * grid.channels, 2 * receptiveField * filters)
    return inference.make(
      output: output,
      view: .spread(
        rows: window(grid.height, kernel.height, stride.height),
        columns: window(grid.width, kernel.width, stride.width)),
      parameters: [
        .kernel(
          [kernel.height, kernel.width, filters, grid.channels], kernelInitializer, fans, outputs: 2..<3)
      ] + (useBias ? [.bias([filters], biasInitializer)] : []),
      flops: work + (useBias ? output.elementCount : 0))
  }
}
