internal import KernelShapes
internal import Kernels

/// The gradients of weights that read an image of few channels, in Keras's order, and of the bias.
struct NarrowBackwardWeightsStep: CustomStep {
  let shape: NarrowConvolutionShape
  /// Channel by channel.
  let src: Operand
  /// In blocks of ``OwnKernels/channelBlock`` channels.
  let diffDst: Operand
  let diffWeights: Operand
  let diffBias: Operand?
  let scratchpad: Operand

  var name: String { KernelSet.narrowName }
  var operands: [Operand] { [src, diffDst, scratchpad] + results }
  var results: [Operand] { [diffWeights] + (diffBias.map { [$0] } ?? []) }
  var usesWeights: Bool { true }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    OwnKernels.set.narrowBackwardWeights(
      shape, memory.floats(src), memory.floats(diffDst), into: memory.floats(diffWeights),
      diffBias: diffBias.map(memory.floats), scratch: memory.floats(scratchpad))
  }
}

extension KernelSet {
  /// What plans call the kernel for images of few channels that this CPU runs.
  static var narrowName: String { "own_narrow:\(OwnKernels.set.instructions.rawValue)" }
}
