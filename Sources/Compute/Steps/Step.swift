internal import OneDNN

/// A part of memory that a step reads or writes.
struct Operand: Sendable {
  enum Region: Hashable, Sendable {
    /// A buffer of the worker's workspace, placed by lifetime.
    case workspace(Int)
    /// The flat parameters, in the plan's layouts.
    case parameters
    /// Copies of parameters in the layouts and number formats that kernels read.
    case kernelWeights
    /// The shard's gradients, laid out as the parameters.
    case gradient
    /// Running statistics, canonical.
    case statistics
    /// The shard's own statistics, canonical.
    case shardStatistics
    /// Scratch memory of the primitive that runs.
    case scratchpad
  }

  let region: Region
  /// The place in bytes from the region's start; in scratch memory the number of the part of a group.
  let offset: Int
  let descriptor: MemoryDescriptor

  init(_ region: Region, offset: Int = 0, _ descriptor: MemoryDescriptor) {
    self.region = region
    self.offset = offset
    self.descriptor = descriptor
  }

  /// The same memory seen with other dimensions.
  func seen(as descriptor: MemoryDescriptor) -> Operand { Operand(region, offset: offset, descriptor) }
}

/// One piece of a plan's work, in order.
struct Step: Sendable {
  enum Action: Sendable {
    case primitive(Primitive, [(Argument, Operand)])
    case custom(any CustomStep)
  }

  let action: Action
  let layer: String
  let pass: Pass
  /// Steps of one group follow one another, write different memory, and may run side by side; nil runs alone.
  var group: Int?
  /// The step's place in its group, which says whose scratch memory it uses.
  var part = 0

  var operands: [Operand] {
    switch action {
    case .primitive(_, let arguments): arguments.map(\.1)
    case .custom(let step): step.operands
    }
  }

  /// The kernel's name, for plan tables.
  var implementation: String {
    switch action {
    case .primitive(let primitive, _): primitive.descriptor.implementation
    case .custom(let step): step.name
    }
  }

  /// Whether the step is a kernel between a layer's activations and its weights.
  var usesWeights: Bool {
    switch action {
    case .primitive(_, let arguments): arguments.contains { $0.0 == .weights || $0.0 == .diffWeights }
    case .custom(let step): step.usesWeights
    }
  }

  /// Where the step leaves its results, to look for values that are not finite.
  var results: [Operand] {
    switch action {
    case .primitive(_, let arguments): arguments.filter { Step.written.contains($0.0) }.map(\.1)
    case .custom(let step): step.results
    }
  }

  private static let written: Set<Argument> = [
    .dst, .diffSrc, .diffWeights, .diffBias, .diffScale, .diffShift, .mean, .variance,
  ]
}

/// Work that no library primitive does: reading samples, dropout, the loss.
protocol CustomStep: Sendable {
  var name: String { get }
  var operands: [Operand] { get }
  var results: [Operand] { get }
  /// Whether it multiplies activations with the layer's weights.
  var usesWeights: Bool { get }
  func run(_ memory: ShardMemory, _ shard: inout ShardContext) throws(ComputeError)
}

extension CustomStep {
  var usesWeights: Bool { false }
}

/// Resolves operands to addresses while one shard runs on one worker.
struct ShardMemory {
  let arena: UnsafeMutableRawPointer
  let bufferOffsets: [Int]
  let parameters: UnsafeMutableRawPointer
  let kernelWeights: UnsafeMutableRawPointer
  let gradient: UnsafeMutableRawPointer?
  let statistics: UnsafeMutableRawPointer?
  let shardStatistics: UnsafeMutableRawPointer?
  let scratchpad: UnsafeMutableRawPointer
  /// Bytes from one part's scratch memory to the next one's.
  let scratchpadStride: Int

  /// - Returns: nil for a region that this execution does not have.
  func address(of operand: Operand) -> UnsafeMutableRawPointer? {
    switch operand.region {
    case .workspace(let buffer): arena + bufferOffsets[buffer] + operand.offset
    case .parameters: parameters + operand.offset
    case .kernelWeights: kernelWeights + operand.offset
    case .gradient: gradient.map { $0 + operand.offset }
    case .statistics: statistics.map { $0 + operand.offset }
    case .shardStatistics: shardStatistics.map { $0 + operand.offset }
    case .scratchpad: scratchpad + operand.offset * scratchpadStride
    }
  }

  func floats(_ operand: Operand) -> UnsafeMutablePointer<Float> {
    guard let address = address(of: operand) else {
      preconditionFailure("a step uses \(operand.region), which this execution does not have")
    }
    return address.assumingMemoryBound(to: Float.self)
  }

  func bytes(_ operand: Operand) -> UnsafeMutablePointer<UInt8> {
    guard let address = address(of: operand) else {
      preconditionFailure("a step uses \(operand.region), which this execution does not have")
    }
    return address.assumingMemoryBound(to: UInt8.self)
  }

  /// Whether an operand's elements are all finite; formats that cannot be otherwise are.
  func isFinite(_ operand: Operand) -> Bool {
    guard let address = address(of: operand) else { return true }
    switch operand.descriptor.dataType {
    case .f32:
      let values = UnsafeBufferPointer(
        start: address.assumingMemoryBound(to: UInt32.self), count: operand.descriptor.byteCount / 4)
      return values.allSatisfy { $0 & 0x7F80_0000 != 0x7F80_0000 }
    case .bf16:
      let values = UnsafeBufferPointer(
        start: address.assumingMemoryBound(to: UInt16.self), count: operand.descriptor.byteCount / 2)
      return values.allSatisfy { $0 & 0x7F80 != 0x7F80 }
    case .u8, .s32: return true
    }
  }
}
