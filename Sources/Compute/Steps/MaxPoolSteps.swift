internal import KernelShapes
internal import Kernels

// The largest elements of windows by kernels of our own. Images lie in blocks of ``OwnKernels/channelBlock`` channels.

/// `dst = max(window of src)`, through ReLU where that is asked for.
struct MaxPoolForwardStep: CustomStep {
  let shape: MaxPoolShape
  let src: Operand
  /// What ReLU lets through at the most; nil without ReLU.
  let ceiling: Float?
  let dst: Operand
  /// Where in its window each largest element stands; nil where no gradient follows.
  let places: Operand?

  var name: String { KernelSet.maxPoolName }
  var operands: [Operand] { [src, dst] + (places.map { [$0] } ?? []) }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    OwnKernels.set.maxPoolForward(
      shape, memory.floats(src), ceiling: ceiling, into: memory.floats(dst),
      places: places.map(memory.bytes))
  }
}

/// The gradient of the image, that of ReLU taken along.
struct MaxPoolBackwardStep: CustomStep {
  let shape: MaxPoolShape
  let diffDst: Operand
  let places: Operand
  /// What the forward pass wrote through ReLU; nil without that.
  let output: Operand?
  /// What that lets through at the most.
  let ceiling: Float
  let diffSrc: Operand

  var name: String { KernelSet.maxPoolName }
  var operands: [Operand] { [diffDst, places, diffSrc] + (output.map { [$0] } ?? []) }
  var results: [Operand] { [diffSrc] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    OwnKernels.set.maxPoolBackward(
      shape, memory.floats(diffDst), places: memory.bytes(places),
      output: output.map { UnsafePointer(memory.floats($0)) }, ceiling: ceiling, into: memory.floats(diffSrc))
  }
}

extension KernelSet {
  /// What plans call the kernels of maxima that this CPU runs.
  static var maxPoolName: String { "own_max:\(OwnKernels.set.instructions.rawValue)" }
}
