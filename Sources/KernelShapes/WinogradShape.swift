/// A convolution by 3×3 windows, step 1, as Winograd's kernels see it: sizes, and what follows from them.
///
/// Images lie in blocks of 8 or 16 channels: sample, block, row, column, channel within the block. Channels that only fill the last
/// block are zeros, in what kernels read and in what they write. Everything here is a function of the sizes alone: neither
/// the CPU nor the number of workers changes a cut, and so an order of sums.
public struct WinogradShape: Hashable, Sendable {
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
  /// Rows of zeros above the image.
  public let paddingTop: Int
  /// Columns of zeros before the image.
  public let paddingLeft: Int
  /// Rows of the output.
  public let outputHeight: Int
  /// Columns of the output.
  public let outputWidth: Int

  /// Tiles of 4×4 outputs in a column of tiles.
  public let tilesDown: Int
  /// Tiles in a row of tiles.
  public let tilesAcross: Int
  /// Tiles of all samples.
  public let tiles: Int
  /// Sixteens of input channels, which are the columns of products.
  public let inputBlocks: Int
  /// Sixteens of output channels.
  public let outputBlocks: Int
  /// Panels of 32 output channels.
  public var outputPanels: Int { (outputBlocks + 1) / 2 }
  /// Tiles that go through a pass together: about the second-level cache's worth, all groups of about the same size.
  public let tilesAtOnce: Int
  /// Floats from a tile's transformed input to the next tile's.
  ///
  /// The sixteen beyond 36 values a channel keep tiles from meeting in the same lines of the cache.
  public let inputTileStride: Int
  /// Floats from a tile's transformed output to the next tile's.
  public let outputTileStride: Int
  /// Whether the gradient of the weights is made block by block of channels from all tiles at once.
  ///
  /// Otherwise the transformed gradient of all weights is added up over groups of tiles. The smaller memory decides.
  public let isWeightsGradientBlocked: Bool

  /// Takes the sizes; each is 1 or more, paddings 0 or more.
  public init(
    samples: Int, inputs: Int, outputs: Int, height: Int, width: Int, paddingTop: Int, paddingLeft: Int,
    outputHeight: Int, outputWidth: Int
  ) {
    precondition(
      min(samples, inputs, outputs, height, width, outputHeight, outputWidth) > 0
        && min(paddingTop, paddingLeft) >= 0 && outputHeight <= height + 2 * paddingTop + 2
        && outputWidth <= width + 2 * paddingLeft + 2,
      "no convolution: \(samples) × \(inputs)→\(outputs), \(height)×\(width) to \(outputHeight)×\(outputWidth), "
        + "padding \(paddingTop), \(paddingLeft)")
    (self.samples, self.inputs, self.outputs) = (samples, inputs, outputs)
    (self.height, self.width) = (height, width)
    (self.paddingTop, self.paddingLeft) = (paddingTop, paddingLeft)
    (self.outputHeight, self.outputWidth) = (outputHeight, outputWidth)
    tilesDown = (outputHeight + 3) / 4
    tilesAcross = (outputWidth + 3) / 4
    tiles = samples * tilesDown * tilesAcross
    inputBlocks = (inputs + 15) / 16
    outputBlocks = (outputs + 15) / 16
    inputTileStride = inputBlocks * 16 * Self.points + 16
    outputTileStride = outputBlocks * 16 * Self.points + 16
    let wanted = min(max(Self.floatsAtOnce / (inputTileStride + outputTileStride), 24), 60)
    let groups = max((tiles + wanted / 2) / wanted, 1)
    tilesAtOnce = (tiles + groups - 1) / groups
    isWeightsGradientBlocked = tiles * (inputBlocks + outputBlocks) <= inputs * outputBlocks
  }

  /// Values of a transformed tile of one channel: 6×6.
  public static let points = 36
  private static let floatsAtOnce = 160 * 1024
  /// One tile's image, as the transforms read it at the border.
  private static let patchFloats = points * 16

  // MARK: - Memory

  /// Floats of the transformed weights as the forward pass reads them.
  public var forwardWeightsCount: Int { Self.points * inputs * outputBlocks * 16 }
  /// Floats of the transformed weights as the pass to the image's gradient reads them.
  public var backwardWeightsCount: Int { Self.points * outputs * inputBlocks * 16 }

  /// Floats of working memory of the forward pass, and of the pass to the image's gradient.
  public var scratchCount: Int { Self.patchFloats + tilesAtOnce * (inputTileStride + outputTileStride) }

  /// Tiles that the pass to the gradient of the weights transforms at once.
  private var gradientTiles: Int { isWeightsGradientBlocked ? tiles : tilesAtOnce }
  /// Floats of these tiles' image at all points, each of which takes an odd number of sixteens.
  public var imagePointsCount: Int { Self.points * (inputBlocks * gradientTiles + 1) * 16 }
  /// Floats of these tiles' output gradient at all points.
  public var outputPointsCount: Int { Self.points * (outputBlocks * gradientTiles + 1) * 16 }

  /// Floats of working memory of the pass to the gradient of the weights.
  public var weightsGradientScratchCount: Int {
    Self.patchFloats + imagePointsCount + outputPointsCount
      + Self.points * (isWeightsGradientBlocked ? 32 * 32 : inputs * outputBlocks * 16)
  }

  /// Floats of working memory for transforming weights.
  public static let weightsScratchCount = 9 * 256
}
