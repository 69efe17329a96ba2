/// A convolution of an image with few channels, as the kernel for the gradient of its weights sees it.
///
/// The image lies channel by channel, [N, C, H, W]; the output in blocks of channels. Everything follows from the sizes alone.
public struct NarrowConvolutionShape: Hashable, Sendable {
  /// Images at once, N.
  public let samples: Int
  /// Channels of the image, C.
  public let inputs: Int
  /// Channels of the output, K.
  public let outputs: Int
  /// Rows of the image, H.
  public let height: Int
  /// Columns of the image, W.
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
  /// Rows of zeros above the image.
  public let paddingTop: Int
  /// Columns of zeros before the image.
  public let paddingLeft: Int

  /// Takes the sizes; each is 1 or more, paddings 0 or more.
  public init(
    samples: Int, inputs: Int, outputs: Int, height: Int, width: Int, outputHeight: Int, outputWidth: Int,
    windowHeight: Int, windowWidth: Int, strideDown: Int, strideAcross: Int, paddingTop: Int,
    paddingLeft: Int
  ) {
    precondition(
      min(
        samples, inputs, outputs, height, width, outputHeight, outputWidth, windowHeight, windowWidth,
        strideDown, strideAcross) > 0 && min(paddingTop, paddingLeft) >= 0,
      "no convolution: \(samples) × \(inputs)→\(outputs), \(height)×\(width) to \(outputHeight)×\(outputWidth) by "
        + "\(windowHeight)×\(windowWidth), steps \(strideDown), \(strideAcross), padding \(paddingTop), \(paddingLeft)"
    )
    (self.samples, self.inputs, self.outputs) = (samples, inputs, outputs)
    (self.height, self.width) = (height, width)
    (self.outputHeight, self.outputWidth) = (outputHeight, outputWidth)
    (self.windowHeight, self.windowWidth) = (windowHeight, windowWidth)
    (self.strideDown, self.strideAcross) = (strideDown, strideAcross)
    (self.paddingTop, self.paddingLeft) = (paddingTop, paddingLeft)
  }

  /// Rows of one channel with its padding, as far as windows reach.
  public var paddedHeight: Int { (outputHeight - 1) * strideDown + windowHeight }
  /// Columns of one channel with its padding, as far as windows reach.
  public var paddedWidth: Int { (outputWidth - 1) * strideAcross + windowWidth }

  /// Rows of the output whose products are one chain: some 64 positions, so that adding up chains costs little and errors stay small.
  public var rowsAtOnce: Int { max(1, (64 + outputWidth / 2) / outputWidth) }

  /// Floats of working memory: one channel with its padding.
  public var scratchCount: Int { paddedHeight * paddedWidth }
}
