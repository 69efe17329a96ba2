internal import KernelShapes
internal import Kernels
internal import Networks
internal import OneDNN
internal import Parallel
internal import Tensors

/// Copies of a network's parameters in the layouts and number formats that its kernels read.
///
/// Made once for the plans of a ``LoadedNetwork`` and refreshed after every change of the parameters; shared by all workers
/// between refreshes. A task writes one copy and touches nothing else, so tasks may run side by side. What only inference reads
/// (other layouts, batch normalisations multiplied into weights) is brought up to date when inference next runs. What training
/// leaves alone is written once.
final class KernelWeights: @unchecked Sendable {
  // @unchecked because tasks write disjoint copies, and no shard runs while tasks do.

  private let segments: [Segment]
  private let tasks: [Task]
  private let constantTasks: [Task]
  private let hasConstants = Guarded(false)
  private let inferenceCopies: [ParameterStorage.Copy]
  private let isInferenceCurrent = Guarded(false)
  let buffer: AlignedBuffer<UInt8>

  init(_ storage: ParameterStorage) {
    segments = storage.segments
    let training = storage.copies.filter { !$0.isForInference }
    tasks = training.filter { !$0.isConstant }.flatMap(Self.tasks(of:))
    constantTasks = training.filter(\.isConstant).flatMap(Self.tasks(of:))
    inferenceCopies = storage.copies.filter(\.isForInference)
    buffer = AlignedBuffer(count: storage.copyByteCount)
  }

  /// Brings every copy up to date.
  ///
  /// Training's copies are written now, inference's when it next runs.
  /// - Parameters:
  ///   - parameters: the values, in the plans' layouts.
  ///   - statistics: the running statistics, which frozen batch normalisations go by; nil where there are none.
  ///   - pool: writes copies side by side; nil writes one after another.
  func refresh(
    from parameters: AlignedBuffer<Float>, statistics: AlignedBuffer<Float>? = nil, on pool: WorkerPool? = nil
  ) throws(OneDNNError) {
    isInferenceCurrent.withLock { $0 = false }
    try hasConstants.withLock { hasConstants throws(OneDNNError) in
      guard !hasConstants else { return }
      for task in constantTasks {
        try write(task, parameters.baseAddress, statistics: statistics?.baseAddress)
      }
      hasConstants = true
    }
    guard let pool else {
      for task in tasks { try write(task, parameters.baseAddress, statistics: nil) }
      return
    }
    try pool.forEach(count: tasks.count) { [self] index, _ throws(OneDNNError) in
      try write(tasks[index], parameters.baseAddress, statistics: nil)
    }
  }

  /// Writes inference's copies if they are out of date; workers that come meanwhile wait.
  func refreshForInference(
    from parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>
  ) throws(OneDNNError) {
    try isInferenceCurrent.withLock { isCurrent throws(OneDNNError) in
      guard !isCurrent else { return }
      for task in inferenceCopies.flatMap(Self.tasks(of:)) {
        try write(task, parameters, statistics: statistics)
      }
      isCurrent = true
    }
  }

  // MARK: - One copy

  /// A copy, or some panels of one that is made panel by panel.
  private struct Task {
    let copy: ParameterStorage.Copy
    var panels = 0..<0
  }

  /// Weights of one task at least, so that those of small layers are not cut.
  private static let weightsOfTask = 64 * 1024

  /// A copy's tasks: slices that follow from its shape.
  private static func tasks(of copy: ParameterStorage.Copy) -> [Task] {
    guard case .winograd(let weights) = copy.transformation, weights.toCanonical == nil else {
      return [Task(copy: copy)]
    }
    let form = weights.form
    let count = min(max(form.inputs * form.outputs / weightsOfTask, 1), form.panels)
    return (0..<count).map {
      Task(copy: copy, panels: form.panels * $0 / count..<form.panels * ($0 + 1) / count)
    }
  }

  /// - Parameter statistics: nil for copies that do not take any.
  private func write(
    _ task: Task, _ parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>?
  ) throws(OneDNNError) {
    let copy = task.copy
    switch copy.transformation {
    case .reorder(let segment, let source, let reorder):
      let values = UnsafeMutablePointer(mutating: parameters) + segments[segment].range.lowerBound
      try run(reorder, values, source, buffer.baseAddress + copy.offset, copy.descriptor)
    case .winograd(let weights):
      let values = parameters + segments[weights.segment].range.lowerBound
      guard let (reorder, layout, offset) = weights.toCanonical else {
        return transform(values, weights.form, task.panels, at: copy.offset)
      }
      let canonical = UnsafeMutableRawPointer(buffer.baseAddress + offset)
      try run(
        reorder, UnsafeMutablePointer(mutating: values), segments[weights.segment].descriptor, canonical,
        layout)
      transform(
        canonical.assumingMemoryBound(to: Float.self), weights.form, 0..<weights.form.panels,
        at: copy.offset)
    case .folded(let folded):
      guard let statistics else { preconditionFailure("a folded batch normalisation needs its statistics") }
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
    switch fold.toKernel {
    case .reorder(let reorder):
      try run(
        reorder, kernel.baseAddress, fold.canonical, buffer.baseAddress + copy.offset, copy.descriptor)
    case .winograd(let form): transform(kernel.baseAddress, form, 0..<form.panels, at: copy.offset)
    }
  }

  /// Transforms some panels of weights in Keras's layout for our kernels.
  private func transform(
    _ weights: UnsafePointer<Float>, _ form: WinogradForm, _ panels: Range<Int>, at offset: Int
  ) {
    let target = UnsafeMutableRawPointer(buffer.baseAddress + offset).assumingMemoryBound(to: Float.self)
    switch form.direction {
    case .forward:
      OwnKernels.set.transformWeightsForward(
        inputs: form.inputs, outputs: form.outputs, panels: panels, weights, into: target)
    case .backward:
      let scratch = AlignedBuffer<Float>(count: WinogradShape.weightsScratchCount)
      withExtendedLifetime(scratch) {
        OwnKernels.set.transformWeightsBackward(
          inputs: form.inputs, outputs: form.outputs, panels: panels, weights, into: target,
          scratch: scratch.baseAddress)
      }
    }
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
