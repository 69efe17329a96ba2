internal import CKernels
public import KernelShapes
internal import KernelsBaseline
internal import KernelsV3
internal import KernelsV4

/// Kernels of our own, compiled for one instruction set.
///
/// All sets give the same bits: each element is a chain of fused multiply-adds whose order follows from shapes alone. No kernel
/// allocates, locks or keeps a pointer, so that threads may run them side by side on memory of their own.
public struct KernelSet: Hashable, Sendable {
  /// What the kernels were compiled for.
  public enum InstructionSet: String, Hashable, Sendable, CaseIterable {
    /// What every x86-64 CPU can do; it multiplies and adds by function calls, hundreds of times as slowly.
    case baseline = "x86-64"
    /// AVX2 and fused multiply-adds.
    case v3 = "x86-64-v3"
    /// AVX-512.
    case v4 = "x86-64-v4"
  }

  /// The instruction set.
  public let instructions: InstructionSet

  /// Channels in a block of the images that the kernels read and write, [N, C, H, W] as sample, block, row, column, channel within the block:
  /// as many as the library's kernels for the same CPUs have.
  public var channelBlock: Int { instructions == .v4 ? 16 : 8 }

  /// The sets that this CPU can run, the slowest first.
  public static let available: [KernelSet] = {
    let level = kernels_processor_level()
    let sets = InstructionSet.allCases.filter {
      switch $0 {
      case .baseline: true
      case .v3: level >= 3
      case .v4: level >= 4
      }
    }
    return sets.map(KernelSet.init)
  }()

  /// The fastest set that this CPU can run, found out once.
  public static let best = available[available.count - 1]

  private init(_ instructions: InstructionSet) { self.instructions = instructions }
}

// MARK: - Winograd's convolution, F(4×4, 3×3)

extension KernelSet {
  /// Transforms weights for the forward pass: `G g Gᵀ` of some panels of 32 output channels.
  ///
  /// - Parameters:
  ///   - weights: [3, 3, inputs, outputs].
  ///   - target: ``WinogradShape/forwardWeightsCount`` floats, of which those of the panels are written.
  public func transformWeightsForward(
    inputs: Int, outputs: Int, panels: Range<Int>, _ weights: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>
  ) {
    switch instructions {
    case .baseline:
      KernelsBaseline.transformWeightsForward(
        inputs: inputs, outputs: outputs, panels: panels, weights, into: target)
    case .v3:
      KernelsV3.transformWeightsForward(
        inputs: inputs, outputs: outputs, panels: panels, weights, into: target)
    case .v4:
      KernelsV4.transformWeightsForward(
        inputs: inputs, outputs: outputs, panels: panels, weights, into: target)
    }
  }

  /// Transforms weights for the pass to the image's gradient: some panels of 32 input channels.
  ///
  /// - Parameters:
  ///   - weights: [3, 3, inputs, outputs].
  ///   - target: ``WinogradShape/backwardWeightsCount`` floats, of which those of the panels are written.
  ///   - scratch: ``WinogradShape/weightsScratchCount`` floats.
  public func transformWeightsBackward(
    inputs: Int, outputs: Int, panels: Range<Int>, _ weights: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    switch instructions {
    case .baseline:
      KernelsBaseline.transformWeightsBackward(
        inputs: inputs, outputs: outputs, panels: panels, weights, into: target, scratch: scratch)
    case .v3:
      KernelsV3.transformWeightsBackward(
        inputs: inputs, outputs: outputs, panels: panels, weights, into: target, scratch: scratch)
    case .v4:
      KernelsV4.transformWeightsBackward(
        inputs: inputs, outputs: outputs, panels: panels, weights, into: target, scratch: scratch)
    }
  }

  /// `dst = src ∗ weights + bias`, through ReLU where it is asked for.
  ///
  /// - Parameters:
  ///   - tiles: the tiles of the output that are computed, of ``WinogradShape/tiles``; nil for all. Others are left as they are.
  ///   - panels: the panels of 32 output channels that are computed; nil for all. Others are left as they are.
  ///   - src: [N, C, H, W] in blocks of ``channelBlock`` channels.
  ///   - weights: transformed for the forward pass.
  ///   - bias: [outputs]; nil adds none.
  ///   - isRectified: whether what is below zero becomes zero.
  ///   - dst: in such blocks; overwritten, zeros in the channels that fill the last block.
  ///   - scratch: ``WinogradShape/scratchCount`` floats.
  public func winogradForward(
    _ shape: WinogradShape, tiles: Range<Int>? = nil, panels: Range<Int>? = nil, _ src: UnsafePointer<Float>,
    weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?, isRectified: Bool,
    into dst: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let tiles = tiles ?? 0..<shape.tiles
    let panels = panels ?? 0..<shape.outputPanels
    switch instructions {
    case .baseline:
      KernelsBaseline.winogradForward(
        shape, tiles: tiles, panels: panels, src, weights: weights, bias: bias, isRectified: isRectified,
        into: dst, scratch: scratch)
    case .v3:
      KernelsV3.winogradForward(
        shape, tiles: tiles, panels: panels, src, weights: weights, bias: bias, isRectified: isRectified,
        into: dst, scratch: scratch)
    case .v4:
      KernelsV4.winogradForward(
        shape, tiles: tiles, panels: panels, src, weights: weights, bias: bias, isRectified: isRectified,
        into: dst, scratch: scratch)
    }
  }

  /// The gradient of the image, the adjoint of the forward pass.
  ///
  /// - Parameters:
  ///   - diffDst: the output's gradient, in blocks of ``channelBlock`` channels.
  ///   - weights: transformed for this pass.
  ///   - diffSrc: in such blocks; overwritten.
  ///   - scratch: ``WinogradShape/scratchCount`` floats.
  public func winogradBackwardData(
    _ shape: WinogradShape, _ diffDst: UnsafePointer<Float>, weights: UnsafePointer<Float>,
    into diffSrc: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    switch instructions {
    case .baseline:
      KernelsBaseline.winogradBackwardData(shape, diffDst, weights: weights, into: diffSrc, scratch: scratch)
    case .v3:
      KernelsV3.winogradBackwardData(shape, diffDst, weights: weights, into: diffSrc, scratch: scratch)
    case .v4:
      KernelsV4.winogradBackwardData(shape, diffDst, weights: weights, into: diffSrc, scratch: scratch)
    }
  }

  /// The gradients of weights and bias, sums over all samples.
  ///
  /// - Parameters:
  ///   - src: the image, in blocks of ``channelBlock`` channels.
  ///   - diffDst: the output's gradient, in blocks of ``channelBlock`` channels.
  ///   - diffWeights: [3, 3, inputs, outputs]; overwritten.
  ///   - diffBias: [outputs]; overwritten. Nil where there is no bias.
  ///   - scratch: ``WinogradShape/weightsGradientScratchCount`` floats.
  public func winogradBackwardWeights(
    _ shape: WinogradShape, _ src: UnsafePointer<Float>, _ diffDst: UnsafePointer<Float>,
    into diffWeights: UnsafeMutablePointer<Float>, diffBias: UnsafeMutablePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>
  ) {
    switch instructions {
    case .baseline:
      KernelsBaseline.winogradBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    case .v3:
      KernelsV3.winogradBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    case .v4:
      KernelsV4.winogradBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    }
  }
}

// MARK: - Maxima over windows

extension KernelSet {
  /// The largest element of each window, through ReLU where that is asked for; what is not a number comes through.
  ///
  /// - Parameters:
  ///   - src: in blocks of ``channelBlock`` channels.
  ///   - ceiling: what ReLU lets through at the most, infinity for everything above zero; nil without ReLU.
  ///   - dst: in such blocks; overwritten.
  ///   - places: out, one byte for each element of `dst`, for ``maxPoolBackward(_:_:places:output:ceiling:into:)``; nil where no gradient follows.
  public func maxPoolForward(
    _ shape: MaxPoolShape, _ src: UnsafePointer<Float>, ceiling: Float?,
    into dst: UnsafeMutablePointer<Float>, places: UnsafeMutablePointer<UInt8>?
  ) {
    switch instructions {
    case .baseline:
      KernelsBaseline.maxPoolForward(shape, src, ceiling: ceiling, into: dst, places: places)
    case .v3: KernelsV3.maxPoolForward(shape, src, ceiling: ceiling, into: dst, places: places)
    case .v4: KernelsV4.maxPoolForward(shape, src, ceiling: ceiling, into: dst, places: places)
    }
  }

  /// The gradient of the image.
  ///
  /// - Parameters:
  ///   - diffDst: the output's gradient, in blocks of ``channelBlock`` channels.
  ///   - places: of the forward pass.
  ///   - output: of the forward pass through ReLU, whose gradient is taken along; nil without ReLU.
  ///   - ceiling: of the forward pass; infinity where there is none.
  ///   - diffSrc: in such blocks; overwritten.
  public func maxPoolBackward(
    _ shape: MaxPoolShape, _ diffDst: UnsafePointer<Float>, places: UnsafePointer<UInt8>,
    output: UnsafePointer<Float>?, ceiling: Float, into diffSrc: UnsafeMutablePointer<Float>
  ) {
    switch instructions {
    case .baseline:
      KernelsBaseline.maxPoolBackward(
        shape, diffDst, places: places, output: output, ceiling: ceiling, into: diffSrc)
    case .v3:
      KernelsV3.maxPoolBackward(
        shape, diffDst, places: places, output: output, ceiling: ceiling, into: diffSrc)
    case .v4:
      KernelsV4.maxPoolBackward(
        shape, diffDst, places: places, output: output, ceiling: ceiling, into: diffSrc)
    }
  }
}

// MARK: - Convolutions of few channels

extension KernelSet {
  /// The gradients of weights that read an image of few channels, and of the bias, sums over all samples.
  ///
  /// - Parameters:
  ///   - src: [N, C, H, W].
  ///   - diffDst: the output's gradient, in blocks of ``channelBlock`` channels.
  ///   - diffWeights: [KH, KW, C, K]; overwritten.
  ///   - diffBias: [K]; overwritten. Nil where there is no bias.
  ///   - scratch: ``NarrowConvolutionShape/scratchCount`` floats.
  public func narrowBackwardWeights(
    _ shape: NarrowConvolutionShape, _ src: UnsafePointer<Float>, _ diffDst: UnsafePointer<Float>,
    into diffWeights: UnsafeMutablePointer<Float>, diffBias: UnsafeMutablePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>
  ) {
    switch instructions {
    case .baseline:
      KernelsBaseline.narrowBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    case .v3:
      KernelsV3.narrowBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    case .v4:
      KernelsV4.narrowBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    }
  }
}
