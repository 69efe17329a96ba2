/// Which part of its input image a place of a layer's output image is computed from.
public enum LayerView: Hashable, Sendable {
  /// The same place.
  case samePlace
  /// A window around it.
  case window(rows: LayerWindow, columns: LayerWindow)
  /// Those places of the input whose windows, slid over the output, cover the place: what layers that enlarge do.
  case spread(rows: LayerWindow, columns: LayerWindow)
  /// The place so many pixels further down and to the right.
  case shifted(down: Int, right: Int)
  /// All of it.
  case everything

  /// The view of a layer that gives an image of this size, where it moves no pixel unless it changes the size.
  static func samePlace(unless changesSize: Bool) -> LayerView { changesSize ? .everything : .samePlace }
}

/// A window that slides along one axis of an image.
public struct LayerWindow: Hashable, Sendable {
  public let size: Int
  public let stride: Int
  public let dilation: Int
  /// Positions by which the first window begins before the image.
  public let paddingBefore: Int

  public init(size: Int, stride: Int, dilation: Int = 1, paddingBefore: Int) {
    self.size = size
    self.stride = stride
    self.dilation = dilation
    self.paddingBefore = paddingBefore
  }
}
