/// The largest elements in windows of images, as the kernels see it: sizes, and what follows from them.
///
/// Images lie in blocks of channels, of which each is a plane of its own: row, column, channel within the block.
public struct MaxPoolShape: Hashable, Sendable {
  /// Planes: images times blocks of channels.
  public let planes: Int
  /// Rows of the image.
  public let height: Int
  /// Columns of the image.
  public let width: Int
  /// Rows of the output.
  public let outputHeight: Int
  /// Columns of the output.
  public let outputWidth: Int
  /// Rows of a window.
  public let windowHeight: Int
  /// Columns of a window.
  public let windowWidth: Int
  /// Rows from one window to the next.
  public let strideDown: Int
  /// Columns from one window to the next.
  public let strideAcross: Int
  /// Rows above the image, which no window finds its largest element in.
  public let paddingTop: Int
  /// Columns before the image.
  public let paddingLeft: Int
  /// Whether each element of the image is in exactly one window.
  public let isPartition: Bool

  /// Places in a window that one byte can name.
  public static let mostPlaces = 256

  /// Takes the sizes; each is 1 or more, paddings 0 or more, and every window meets the image.
  public init(
    planes: Int, height: Int, width: Int, outputHeight: Int, outputWidth: Int, windowHeight: Int,
    windowWidth: Int, strideDown: Int, strideAcross: Int, paddingTop: Int, paddingLeft: Int
  ) {
    precondition(
      min(
        planes, height, width, outputHeight, outputWidth, windowHeight, windowWidth, strideDown, strideAcross)
        > 0 && min(paddingTop, paddingLeft) >= 0 && paddingTop < windowHeight && paddingLeft < windowWidth
        && (outputHeight - 1) * strideDown - paddingTop < height
        && (outputWidth - 1) * strideAcross - paddingLeft < width
        && windowHeight * windowWidth <= Self.mostPlaces,
      "no windows: \(planes) planes of \(height)×\(width) to \(outputHeight)×\(outputWidth) by "
        + "\(windowHeight)×\(windowWidth), steps \(strideDown), \(strideAcross), padding \(paddingTop), \(paddingLeft)"
    )
    self.planes = planes
    (self.height, self.width) = (height, width)
    (self.outputHeight, self.outputWidth) = (outputHeight, outputWidth)
    (self.windowHeight, self.windowWidth) = (windowHeight, windowWidth)
    (self.strideDown, self.strideAcross) = (strideDown, strideAcross)
    (self.paddingTop, self.paddingLeft) = (paddingTop, paddingLeft)
    isPartition =
      paddingTop == 0 && paddingLeft == 0 && strideDown == windowHeight && strideAcross == windowWidth
      && outputHeight * strideDown == height && outputWidth * strideAcross == width
  }
}
