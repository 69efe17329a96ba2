internal import KernelShapes
internal import Kernels

/// The gradients of a convolution's weights, in Keras's order, and of its bias, by a kernel of our own.
struct OwnWeightsGradientStep: CustomStep {
  enum Kernel {
    /// Of an image in blocks of ``OwnKernels/channelBlock`` channels.
    case winograd(WinogradShape)
    /// Of an image channel by channel.
    case narrow(NarrowConvolutionShape)

    var scratchCount: Int {
      switch self {
      case .winograd(let shape): shape.weightsGradientScratchCount
      case .narrow(let shape): shape.scratchCount
      }
    }
  }

  let kernel: Kernel
  let src: Operand
  /// In blocks of ``OwnKernels/channelBlock`` channels.
  let diffDst: Operand
  let diffWeights: Operand
  let diffBias: Operand?
  let scratchpad: Operand

  var name: String {
    switch kernel {
    case .winograd: KernelSet.winogradName
    case .narrow: KernelSet.narrowName
    }
  }
  var operands: [Operand] { [src, diffDst, scratchpad] + results }
  var results: [Operand] { [diffWeights] + (diffBias.map { [$0] } ?? []) }
  var usesWeights: Bool { true }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (src, diffDst) = (memory.floats(src), memory.floats(diffDst))
    let (diffWeights, diffBias) = (memory.floats(diffWeights), diffBias.map(memory.floats))
    let scratch = memory.floats(scratchpad)
    switch kernel {
    case .winograd(let shape):
      OwnKernels.set.winogradBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    case .narrow(let shape):
      OwnKernels.set.narrowBackwardWeights(
        shape, src, diffDst, into: diffWeights, diffBias: diffBias, scratch: scratch)
    }
  }
}

extension KernelSet {
  /// What plans call the kernel for images of few channels that this CPU runs.
  static var narrowName: String { "own_narrow:\(OwnKernels.set.instructions.rawValue)" }
}
