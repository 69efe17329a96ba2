public import Settings
internal import Tensors

/// How an enlarged image gets its new pixels.
public enum Interpolation: String, SettingWord, Hashable, Codable {
  /// Each pixel is repeated.
  case nearest
  /// New pixels are weighted means of the two or four around, whose centres lie at half pixels; edges are continued.
  case bilinear
}

/// Enlarges an image by whole factors.
public struct UpSampling2D: Hashable, Sendable, Codable {
  /// The factors of height and width.
  public var size: Size2D
  /// How new pixels are made.
  public var interpolation: Interpolation

  /// An enlargement by these factors.
  public init(size: Size2D, interpolation: Interpolation = .nearest) {
    self.size = size
    self.interpolation = interpolation
  }
}

extension LayerDescription where Settings == UpSampling2D {
  static let upSampling2D = LayerDescription(
    .upSampling2D, "Enlarges an image.", UpSampling2D(size: Size2D(2)),
    [
      SettingKey("size", \.size, .window, keras: "size", "The factors of height and width."),
      SettingKey(
        "interpolation", \.interpolation, .word, keras: "interpolation",
        "Whether pixels are repeated, or are weighted means of those around."),
    ],
    keras: KerasLayer("UpSampling2D"), make: LayerSpec.upSampling2D,
    label: { "enlarge \($0.size.text), \($0.interpolation.rawValue)" },
    infer: { try $0.infer($1, over: try $1.image()) })
}

/// Repeats each position of a sequence.
public struct UpSampling1D: Hashable, Sendable, Codable {
  /// How many times each position is repeated.
  public var size: Int

  /// A layer that repeats each position this many times.
  public init(size: Int) { self.size = size }
}

extension LayerDescription where Settings == UpSampling1D {
  static let upSampling1D = LayerDescription(
    .upSampling1D, "Repeats each position of a sequence.", UpSampling1D(size: 2),
    [SettingKey("size", \.size, .window, keras: "size", "How many times each position is repeated.")],
    keras: KerasLayer("UpSampling1D"), make: LayerSpec.upSampling1D, label: { "repeat \($0.size)×" },
    infer: { try UpSampling2D(size: Size2D(1, $0.size)).infer($1, over: try $1.sequence()) })
}

extension UpSampling2D {
  fileprivate func infer(
    _ inference: LayerInference, over grid: LayerInference.Grid
  ) throws -> ResolvedLayer {
    try inference.require(size, "size")
    return inference.make(
      output: grid.shape(grid.height * size.height, grid.width * size.width, grid.channels),
      view: .spread(rows: window(size.height), columns: window(size.width)),
      flopsPerElement: interpolation == .nearest ? 0 : 8)
  }

  /// The window of places of the output that hold something of one place of the input.
  ///
  /// A bilinear enlargement by k reads the input at `(y + ½) / k − ½`, so that place i counts while that is less than 1 away:
  /// from `k·(i − ½)` to `k·(i + 3/2) − 1`, for odd k half a place less on both sides.
  private func window(_ factor: Int) -> LayerWindow {
    guard interpolation == .bilinear, factor > 1 else {
      return LayerWindow(size: factor, stride: factor, paddingBefore: 0)
    }
    return LayerWindow(size: 2 * factor - factor % 2, stride: factor, paddingBefore: factor / 2)
  }
}
