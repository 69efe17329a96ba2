internal import Settings
internal import Tensors

/// Maximum or average over windows; the average leaves padding out, as Keras does.
public struct Pool2D: Hashable, Sendable, Codable {
  /// Height and width of the window.
  public var size: Size2D
  /// Rows and columns from one window to the next.
  public var stride: Size2D
  /// What surrounds the image; never `causal`.
  public var padding: Padding

  /// Pooling over windows of this size.
  ///
  /// - Parameter stride: equal to `size` when nil.
  public init(size: Size2D, stride: Size2D? = nil, padding: Padding = .valid) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }

  fileprivate var label: String {
    size.text + (stride == size ? "" : ", stride \(stride.text)") + padding.label
  }
}

/// Maximum or average over windows of a sequence [N, T, C].
public struct Pool1D: Hashable, Sendable, Codable {
  /// Positions of the window.
  public var size: Int
  /// Positions from one window to the next.
  public var stride: Int
  /// What surrounds the sequence; never `causal`.
  public var padding: Padding

  /// Pooling over windows of this size.
  ///
  /// - Parameter stride: equal to `size` when nil.
  public init(size: Int, stride: Int? = nil, padding: Padding = .valid) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }

  /// The same pooling over images of height 1.
  public var asImage: Pool2D {
    Pool2D(size: Size2D(1, size), stride: Size2D(1, stride), padding: padding)
  }

  fileprivate var label: String {
    "\(size)" + (stride == size ? "" : ", stride \(stride)") + padding.label
  }
}

extension LayerDescription where Settings == Pool2D {
  static let maxPool2D = pool(
    .maxPool2D, "The maximum of each window.", KerasLayer("MaxPooling2D", "MaxPool2D"),
    make: LayerSpec.maxPool2D, label: "max pool")

  static let averagePool2D = pool(
    .averagePool2D, "The mean of each window, without its padding.",
    KerasLayer("AveragePooling2D", "AvgPool2D"), make: LayerSpec.averagePool2D, label: "average pool")

  private static func pool(
    _ kind: LayerKind, _ summary: String, _ keras: KerasLayer<Pool2D>,
    make: @escaping @Sendable (Pool2D) -> LayerSpec, label: String
  ) -> LayerDescription {
    LayerDescription(
      kind, summary, Pool2D(size: Size2D(2)),
      [
        SettingKey("size", \.size, .window, keras: "pool_size", "The size of the window."),
        .poolStride(\.stride, as: \.size, .window),
        .imagePadding(\.padding),
      ],
      keras: keras, make: make, label: { "\(label) \($0.label)" },
      infer: { try $0.infer($1, over: try $1.image()) })
  }
}

extension LayerDescription where Settings == Pool1D {
  static let maxPool1D = pool(
    .maxPool1D, "The maximum of each window of a sequence.", KerasLayer("MaxPooling1D", "MaxPool1D"),
    make: LayerSpec.maxPool1D, label: "max pool")

  static let averagePool1D = pool(
    .averagePool1D, "The mean of each window of a sequence, without its padding.",
    KerasLayer("AveragePooling1D", "AvgPool1D"), make: LayerSpec.averagePool1D, label: "average pool")

  private static func pool(
    _ kind: LayerKind, _ summary: String, _ keras: KerasLayer<Pool1D>,
    make: @escaping @Sendable (Pool1D) -> LayerSpec, label: String
  ) -> LayerDescription {
    LayerDescription(
      kind, summary, Pool1D(size: 2),
      [
        SettingKey("size", \.size, .window, keras: "pool_size", "The size of the window."),
        .poolStride(\.stride, as: \.size, .window),
        .imagePadding(\.padding),
      ],
      keras: keras, make: make, label: { "\(label) \($0.label)" },
      infer: { try $0.asImage.infer($1, over: try $1.sequence()) })
  }
}

extension SettingKey {
  /// The stride, which is the window's size unless it is written.
  fileprivate static func poolStride<Value: Equatable & Sendable>(
    _ path: any WritableKeyPath<Root, Value> & Sendable, as size: any KeyPath<Root, Value> & Sendable,
    _ form: SettingForm<Value>
  ) -> SettingKey {
    SettingKey(
      "stride", .optional(word: "size", form.schema), keras: .unlessDefault("strides"),
      "Step between windows; `size` is the size of the window.",
      read: { value, root in
        guard let value else { return false }
        guard let stride = value.text == "size" ? root[keyPath: size] : form.decode(value) else {
          return false
        }
        root[keyPath: path] = stride
        return true
      },
      write: { root in
        let stride = root[keyPath: path]
        return stride == root[keyPath: size] ? .text("size") : form.encode(stride)
      })
  }
}

extension Pool2D {
  fileprivate func infer(
    _ inference: LayerInference, over grid: LayerInference.Grid
  ) throws -> ResolvedLayer {
    try inference.require(size, "size")
    try inference.require(stride, "stride")
    guard padding != .causal else {
      throw inference.wrong("padding", "'causal' is for convolutions; take 'valid' or 'same'")
    }
    guard let geometry = WindowGeometry2D(height: grid.height, width: grid.width, pool: self) else {
      throw inference.windowError(size, grid)
    }
    return inference.make(
      output: grid.shape(geometry.height.output, geometry.width.output, grid.channels),
      view: .window(
        rows: LayerWindow(
          size: size.height, stride: stride.height, paddingBefore: geometry.height.paddingBefore),
        columns: LayerWindow(
          size: size.width, stride: stride.width, paddingBefore: geometry.width.paddingBefore)),
      flopsPerElement: size.height * size.width)
  }
}

// MARK: - Over all positions

extension LayerDescription where Settings == NoSettings {
  static let globalAveragePool2D = globalPool(
    .globalAveragePool2D, "The mean of each channel.", "GlobalAveragePooling2D", .globalAveragePool2D,
    label: "global average pool")

  static let globalMaxPool2D = globalPool(
    .globalMaxPool2D, "The maximum of each channel.", "GlobalMaxPooling2D", .globalMaxPool2D,
    label: "global max pool")

  static let globalAveragePool1D = globalPool(
    .globalAveragePool1D, "The mean of each channel of a sequence.", "GlobalAveragePooling1D",
    .globalAveragePool1D, label: "global average pool", ofSequence: true)

  static let globalMaxPool1D = globalPool(
    .globalMaxPool1D, "The maximum of each channel of a sequence.", "GlobalMaxPooling1D", .globalMaxPool1D,
    label: "global max pool", ofSequence: true)

  private static func globalPool(
    _ kind: LayerKind, _ summary: String, _ className: String, _ spec: LayerSpec, label: String,
    ofSequence: Bool = false
  ) -> LayerDescription {
    LayerDescription(
      kind, summary, NoSettings(), keras: KerasLayer(className, options: [.only("keepdims", [false])]),
      make: { _ in spec }, label: { _ in label },
      infer: { _, inference in
        let grid = ofSequence ? try inference.sequence() : try inference.image()
        return inference.make(
          output: [grid.channels], view: .everything, flopsPerElement: grid.height * grid.width)
      })
  }
}
