internal import KernelShapes
internal import Kernels
internal import OneDNN
internal import Tensors

// The passes of a convolution over its image by kernels of our own. All images lie in blocks of ``OwnKernels/channelBlock`` channels.

/// `dst = src ∗ weights + bias`, through ReLU where that is asked for.
struct WinogradForwardStep: CustomStep {
  let shape: WinogradShape
  /// The tiles of the output that this step computes.
  let tiles: Range<Int>
  /// The panels of its channels.
  let panels: Range<Int>
  let src: Operand
  /// Transformed for this pass.
  let weights: Operand
  let bias: Operand?
  let isRectified: Bool
  let dst: Operand
  let scratchpad: Operand

  var name: String { KernelSet.winogradName }
  var operands: [Operand] { [src, weights, dst, scratchpad] + (bias.map { [$0] } ?? []) }
  var results: [Operand] { [dst] }
  var usesWeights: Bool { true }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    OwnKernels.set.winogradForward(
      shape, tiles: tiles, panels: panels, memory.floats(src), weights: memory.floats(weights),
      bias: bias.map { UnsafePointer(memory.floats($0)) },
      isRectified: isRectified, into: memory.floats(dst), scratch: memory.floats(scratchpad))
  }
}

/// The gradient of the image.
struct WinogradBackwardDataStep: CustomStep {
  let shape: WinogradShape
  let diffDst: Operand
  /// Transformed for this pass.
  let weights: Operand
  let diffSrc: Operand
  let scratchpad: Operand

  var name: String { KernelSet.winogradName }
  var operands: [Operand] { [diffDst, weights, diffSrc, scratchpad] }
  var results: [Operand] { [diffSrc] }
  var usesWeights: Bool { true }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    OwnKernels.set.winogradBackwardData(
      shape, memory.floats(diffDst), weights: memory.floats(weights), into: memory.floats(diffSrc),
      scratch: memory.floats(scratchpad))
  }
}

extension KernelSet {
  /// What plans call the kernels of Winograd that this CPU runs.
  static var winogradName: String { "own_wino_4x3:\(OwnKernels.set.instructions.rawValue)" }
}

/// Where plans may use kernels of our own.
enum OwnKernels {
  /// The set for the registers that the library uses, too, so that both lay images out in the same blocks of channels: with other ones
  /// images would be rearranged around each convolution.
  static let set = KernelSet.available.first { $0.instructions == wanted } ?? KernelSet.best

  private static let wanted: KernelSet.InstructionSet =
    Library.instructionSet.hasPrefix("avx512") ? .v4 : .v3

  /// Whether this CPU runs that set, and the library on it has blocks of channels at all.
  static let areAvailable = set.instructions == wanted && Library.instructionSet.hasPrefix("avx")

  /// Channels in a block of the images that they read and write.
  static let channelBlock = set.channelBlock
}
