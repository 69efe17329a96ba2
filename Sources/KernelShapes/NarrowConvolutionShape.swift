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
  /// The windows over each channel; padding is zeros.
  public let windows: WindowShape
  /// Rows of one channel with its padding, as far as windows reach.
  public let paddedHeight: Int
  /// Columns of one channel with its padding, as far as windows reach.
  public let paddedWidth: Int
  /// Rows of the output whose products are one chain: some 64 positions, so that adding up chains costs little and errors stay small.
  public let rowsAtOnce: Int

  /// Takes the sizes, each 1 or more.
  public init(samples: Int, inputs: Int, outputs: Int, windows: WindowShape) {
    precondition(
      min(samples, inputs, outputs) > 0, "no convolution: \(samples) × \(inputs)→\(outputs) by \(windows)")
    (self.samples, self.inputs, self.outputs) = (samples, inputs, outputs)
    self.windows = windows
    paddedHeight = (windows.outputHeight - 1) * windows.strideDown + windows.windowHeight
    paddedWidth = (windows.outputWidth - 1) * windows.strideAcross + windows.windowWidth
    rowsAtOnce = max(1, (64 + windows.outputWidth / 2) / windows.outputWidth)
  }

  /// Weights, [KH, KW, C, K].
  public var weightCount: Int { windows.placeCount * inputs * outputs }

  /// Floats of working memory: one channel with its padding.
  public var scratchCount: Int { paddedHeight * paddedWidth }
}
