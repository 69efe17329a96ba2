internal import Networks
internal import OneDNN
internal import Parallel
internal import Tensors

/// Copies of a network's parameters in the layouts and number formats that its kernels read.
///
/// Made once for the plans of a ``LoadedNetwork`` and refreshed after every change of the parameters; shared by all workers
/// between refreshes. A task writes one copy and touches nothing else, so tasks may run side by side. What only inference reads
/// (other layouts, batch normalisations multiplied into weights) is brought up to date when inference next runs.
final class KernelWeights: @unchecked Sendable {
  // @unchecked because tasks write disjoint copies, and no shard runs while tasks do.

  private let segments: [Segment]
  private let copies: [ParameterStorage.Copy]
  private let inferenceCopies: [ParameterStorage.Copy]
  private let isInferenceCurrent = Guarded(false)
  let buffer: AlignedBuffer<UInt8>

  init(_ storage: ParameterStorage) {
    segments = storage.segments
    copies = storage.copies.filter { !$0.isForInference }
    inferenceCopies = storage.copies.filter(\.isForInference)
    buffer = AlignedBuffer(count: storage.copyByteCount)
  }

  /// Brings every copy up to date.
  ///
  /// Training's copies are written now, inference's when it next runs.
  /// - Parameters:
  ///   - parameters: the values, in the plans' layouts.
  ///   - pool: writes copies side by side; nil writes one after another.
  func refresh(
    from parameters: AlignedBuffer<Float>, on pool: WorkerPool? = nil
  ) throws(OneDNNError) {
    isInferenceCurrent.withLock { $0 = false }
    guard let pool else {
      for copy in copies { try write(copy, parameters.baseAddress, statistics: nil) }
      return
    }
    try pool.forEach(count: copies.count) { [self] index, _ throws(OneDNNError) in
      try write(copies[index], parameters.baseAddress, statistics: nil)
    }
  }

  /// Writes inference's copies if they are out of date; workers that come meanwhile wait.
  func refreshForInference(
    from parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>
  ) throws(OneDNNError) {
    try isInferenceCurrent.withLock { isCurrent throws(OneDNNError) in
      guard !isCurrent else { return }
      for copy in inferenceCopies { try write(copy, parameters, statistics: statistics) }
      isCurrent = true
    }
  }

  // MARK: - One copy

  /// - Parameter statistics: nil for the copies of training, which do not take any.
  private func write(
    _ copy: ParameterStorage.Copy, _ parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>?
  ) throws(OneDNNError) {
    switch copy.transformation {
    case .reorder(let segment, let source, let reorder):
      let values = UnsafeMutablePointer(mutating: parameters) + segments[segment].range.lowerBound
      try run(reorder, values, source, buffer.baseAddress + copy.offset, copy.descriptor)
    case .folded(let folded):
      guard let statistics else { preconditionFailure("a folded batch normalisation is inference's alone") }
      try write(folded, copy, parameters, statistics)
    }
  }

  /// `w′ = w·s` and `b′ = (b − mean)·s + beta` with `s = gamma / √(variance + ε)`, channel by channel.
  private func write(
    _ fold: ParameterStorage.Folded, _ copy: ParameterStorage.Copy, _ parameters: UnsafePointer<Float>,
    _ statistics: UnsafePointer<Float>
  ) throws(OneDNNError) {
    let channels = fold.mean.count
    let kernel = AlignedBuffer<Float>(count: fold.kernel.parameter.range.count)
    let source = UnsafeMutablePointer(mutating: parameters) + fold.kernel.range.lowerBound
    try run(fold.toCanonical, source, fold.kernel.descriptor, kernel.baseAddress, fold.canonical)
    func value(_ segment: Segment?, _ channel: Int, or missing: Float) -> Float {
      segment.map { parameters[$0.range.lowerBound + channel] } ?? missing
    }
    let bias = UnsafeMutableRawPointer(buffer.baseAddress + fold.biasOffset).assumingMemoryBound(
      to: Float.self)
    var factors = [Float](repeating: 0, count: channels)
    for channel in 0..<channels {
      let variance = statistics[fold.variance.lowerBound + channel]
      factors[channel] = value(fold.gamma, channel, or: 1) / (variance + fold.epsilon).squareRoot()
      let centred = value(fold.bias, channel, or: 0) - statistics[fold.mean.lowerBound + channel]
      bias[channel] = centred * factors[channel] + value(fold.beta, channel, or: 0)
    }
    for index in 0..<kernel.count { kernel.baseAddress[index] *= factors[index % channels] }
    try run(
      fold.toKernel, kernel.baseAddress, fold.canonical, buffer.baseAddress + copy.offset, copy.descriptor)
  }

  private func run(
    _ reorder: Primitive, _ src: UnsafeMutableRawPointer, _ srcLayout: MemoryDescriptor,
    _ dst: UnsafeMutableRawPointer, _ dstLayout: MemoryDescriptor
  ) throws(OneDNNError) {
    ThreadConfinement.confine()
    let scratchpad = AlignedBuffer<UInt8>(count: reorder.descriptor.scratchpad.byteCount)
    let execution = Execution(
      reorder, on: try Stream(),
      [
        (.src, try Memory(srcLayout, at: src)), (.dst, try Memory(dstLayout, at: dst)),
        (.scratchpad, try Memory(reorder.descriptor.scratchpad, at: scratchpad.baseAddress)),
      ])
    try withExtendedLifetime(scratchpad) { () throws(OneDNNError) in try execution.run() }
  }
}
