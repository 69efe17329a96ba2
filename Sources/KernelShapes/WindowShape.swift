/// Windows that move over an image: sizes, and where the windows begin.
public struct WindowShape: Hashable, Sendable {
  /// Rows of the image.
  public let height: Int
  /// Columns of the image.
  public let width: Int
  /// Rows of the output, one element for each window.
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
  /// Rows above the image that the first windows reach into.
  public let paddingTop: Int
  /// Columns before the image that the first windows reach into.
  public let paddingLeft: Int
  /// Whether all of each window is in the image.
  public let allAreInside: Bool
  /// Whether each element of the image is in exactly one window.
  public let isPartition: Bool

  /// Takes the sizes, each as rows and columns: 1 or more, paddings 0 or more.
  public init(
    image: (Int, Int), output: (Int, Int), window: (Int, Int), stride: (Int, Int), padding: (Int, Int)
  ) {
    (height, width) = image
    (outputHeight, outputWidth) = output
    (windowHeight, windowWidth) = window
    (strideDown, strideAcross) = stride
    (paddingTop, paddingLeft) = padding
    precondition(
      min(height, width, outputHeight, outputWidth, windowHeight, windowWidth, strideDown, strideAcross) > 0
        && min(paddingTop, paddingLeft) >= 0,
      "no windows of \(window) over \(image) to \(output), steps \(stride), padding \(padding)")
    allAreInside =
      padding == (0, 0) && (output.0 - 1) * stride.0 + window.0 <= image.0
      && (output.1 - 1) * stride.1 + window.1 <= image.1
    isPartition =
      padding == (0, 0) && stride == window && output.0 * stride.0 == image.0
      && output.1 * stride.1 == image.1
  }

  /// Places in a window.
  public var placeCount: Int { windowHeight * windowWidth }

  /// Whether each window meets the image.
  public var allMeetImage: Bool {
    paddingTop < windowHeight && paddingLeft < windowWidth
      && (outputHeight - 1) * strideDown - paddingTop < height
      && (outputWidth - 1) * strideAcross - paddingLeft < width
  }

  /// Whether an element can be in several windows.
  public var overlap: Bool { windowHeight > strideDown || windowWidth > strideAcross }
}
