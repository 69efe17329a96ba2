internal import OneDNN
internal import Tensors

/// Copies of a network's parameters in the layouts and number formats that its kernels read.
///
/// Made once for a set of plans and refreshed after every change of the parameters; shared by all workers between
/// refreshes. A task writes one copy and touches nothing else, so tasks may run side by side.
public final class KernelWeights: @unchecked Sendable {
  // @unchecked because tasks write disjoint copies, and no shard runs while tasks do.

  private let storage: ParameterStorage
  private let copies: [ParameterStorage.Copy]
  let buffer: AlignedBuffer<UInt8>
  private let scratchpads: [AlignedBuffer<UInt8>]

  init(_ storage: ParameterStorage) {
    self.storage = storage
    copies = storage.copies
    buffer = AlignedBuffer(count: storage.copyByteCount)
    scratchpads = copies.map { AlignedBuffer(count: $0.reorder.descriptor.scratchpad.byteCount) }
  }

  /// How many copies there are; plans compiled later may need more than these.
  public var taskCount: Int { copies.count }

  /// Writes copy number `task` from the parameters, in the plans' layouts.
  public func refresh(task: Int, from parameters: UnsafePointer<Float>) throws {
    ThreadConfinement.confine()
    let copy = copies[task]
    let segment = storage.segments[copy.segment]
    let source = UnsafeMutablePointer(mutating: parameters) + segment.range.lowerBound
    let execution = Execution(
      copy.reorder, on: try Stream(),
      [
        (.src, try Memory(segment.descriptor, at: source)),
        (.dst, try Memory(copy.descriptor, at: buffer.baseAddress + copy.offset)),
        (.scratchpad, try Memory(copy.reorder.descriptor.scratchpad, at: scratchpads[task].baseAddress)),
      ])
    try execution.run()
  }

  /// Writes all copies, one after another.
  public func refresh(from parameters: UnsafePointer<Float>) throws {
    for task in copies.indices { try refresh(task: task, from: parameters) }
  }
}
