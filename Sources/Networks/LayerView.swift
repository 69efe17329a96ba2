/// The part of a layer's input image that one place of its output image is computed from.
public enum LayerView: Hashable, Sendable {
  /// The same place.
  case samePlace
  /// A window around it.
  case window(rows: LayerWindow, columns: LayerWindow)
  /// The places of the input whose windows, laid over the output, cover the place, as in layers that enlarge.
  case spread(rows: LayerWindow, columns: LayerWindow)
  /// The place that lies this many pixels further down and to the right.
  case shifted(down: Int, right: Int)
  /// All of the input.
  case everything

  /// The view of a layer that gives an image of this size, where it moves no pixel unless it changes the size.
  static func samePlace(unless changesSize: Bool) -> LayerView { changesSize ? .everything : .samePlace }
}

/// A window that slides along one axis of an image.
public struct LayerWindow: Hashable, Sendable {
  /// Elements of the window.
  public let size: Int
  /// Positions from one window to the next.
  public let stride: Int
  /// Positions from one element of a window to the next.
  public let dilation: Int
  /// Positions by which the first window begins before the image.
  public let paddingBefore: Int

  /// A window of `size` elements, whose first begins `paddingBefore` positions before the image.
  public init(size: Int, stride: Int, dilation: Int = 1, paddingBefore: Int) {
    self.size = size
    self.stride = stride
    self.dilation = dilation
    self.paddingBefore = paddingBefore
  }
}
