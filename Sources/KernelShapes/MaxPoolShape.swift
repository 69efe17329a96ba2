/// The largest elements in windows of images, as the kernels see it.
///
/// Images lie in blocks of channels, of which each is a plane of its own: row, column, channel within the block.
public struct MaxPoolShape: Hashable, Sendable {
  /// Planes: images times blocks of channels.
  public let planes: Int
  /// The windows over each plane; none finds its largest element in padding.
  public let windows: WindowShape

  /// Places in a window that one byte can name.
  public static let mostPlaces = 256

  /// Takes the sizes; every window meets the image.
  public init(planes: Int, windows: WindowShape) {
    precondition(
      planes > 0 && windows.allMeetImage && windows.placeCount <= Self.mostPlaces,
      "no maxima over \(planes) planes by \(windows)")
    (self.planes, self.windows) = (planes, windows)
  }
}
