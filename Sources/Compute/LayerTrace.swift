public import Networks
internal import OneDNN
public import Parallel
public import Tensors

/// A network with its values, made to be looked into: forward to named layers, and back from them to the image.
///
/// Only the part of the network that the taps need is compiled, for images of any size that fits it. Nothing is trained:
/// batch normalisations use their running statistics, dropout passes everything, parameters get no gradients. Immutable, and
/// shared by all workers; each takes a ``Session`` of its own.
public final class LayerTrace: Sendable {
  /// The compiled part: the layers that the taps need, with the shapes that they have for ``imageShape``.
  public let network: ResolvedNetwork
  /// The places where the trace looks, in the order given.
  public let taps: [LayerTap]
  /// Images in one pass.
  public let samples: Int
  /// `[H, W, C]` of one image.
  public var imageShape: Shape { network.inputShape }

  fileprivate let pool: WorkerPool?
  fileprivate let plan: Plan
  fileprivate let weights: KernelWeights
  fileprivate let parameters: AlignedBuffer<Float>
  fileprivate let statistics: AlignedBuffer<Float>

  /// Compiles the part of a network that the taps need, and copies its values.
  ///
  /// - Parameters:
  ///   - values: the values of the whole network; those of the needed layers are copied.
  ///   - taps: where to look; each layer one of the network's.
  ///   - imageShape: `[H, W, C]` where images have another size than the network's own input.
  ///   - parts: how many parts of one image's layers are to be computed side by side by `pool`; part of the numerics.
  ///   - gradient: whether ``Session/backward()`` will be called.
  ///   - keptGradients: taps, among `taps`, at which ``Session/gradient(at:)`` will be asked for.
  /// - Throws: ``ComputeError/trace(reason:)`` for a layer that is not there, or whose parameters belong to another image
  ///   size; ``NetworkError`` where the image is too small for a layer.
  public init(
    _ network: ResolvedNetwork, values: CanonicalParameters, taps: [LayerTap], imageShape: Shape? = nil,
    samples: Int = 1, gradient: Bool = true, keptGradients: [LayerTap] = [],
    kernels: KernelSelection = .costModel,
    parts: Int = 1, pool: WorkerPool? = nil
  ) throws {
    precondition(samples >= 1, "a pass takes 1 image or more, got \(samples)")
    precondition(!taps.isEmpty, "a trace needs a place to look at")
    self.network = try Self.part(of: network, for: taps, imageShape: imageShape ?? network.inputShape)
    self.taps = taps
    self.samples = samples
    let layout = ParameterLayout(self.network)
    let own = try Self.values(from: values, for: layout, imageShape: self.network.inputShape)
    let storage = ParameterStorage()
    self.pool = pool
    var options = CompileOptions(
      batch: samples, shard: samples, training: false, inputGradient: gradient, kernels: kernels)
    options.parts = parts
    plan = try Plan(
      PlanBuilder(
        samples: samples, mode: .trace(gradient: gradient, keepingAt: keptGradients), options: options,
        parameters: layout, storage: storage, lowering: Lowering(self.network, keeping: taps)))
    parameters = AlignedBuffer(count: storage.count)
    try storage.load(own.trainable.baseAddress, into: parameters.baseAddress)
    statistics = own.statistics
    weights = KernelWeights(storage)
    try weights.refresh(from: parameters)
  }

  /// `[H, W, C]` or `[C]` of what a tap shows for one image.
  public func shape(of tap: LayerTap) -> Shape? {
    guard let layer = network.layers.first(where: { $0.name == tap.layer }) else { return nil }
    if tap.stage == .gram, let channels = layer.outputShape.dimensions.last { return [channels, channels] }
    return layer.outputShape
  }

  /// Bytes that each session takes.
  public var sessionByteCount: Int { plan.workspaceByteCount }

  /// Memory for one worker.
  public func makeSession() throws(ComputeError) -> Session { try Session(self) }

  // MARK: - The needed part

  /// The layers that the taps need, with the shapes that they have for an image.
  ///
  /// - Throws: ``ComputeError/trace(reason:)`` for a layer that is not there; ``NetworkError`` where the image is too small.
  public static func shapes(
    of network: ResolvedNetwork, for taps: [LayerTap], imageShape: Shape
  ) throws -> ResolvedNetwork {
    try part(of: network, for: taps, imageShape: imageShape)
  }

  private static func part(
    of network: ResolvedNetwork, for taps: [LayerTap], imageShape: Shape
  ) throws -> ResolvedNetwork {
    var needed: Set<String> = []
    for tap in taps {
      guard network.layers.contains(where: { $0.name == tap.layer }) else {
        throw ComputeError.trace(
          reason: "the network has no layer '\(tap.layer)'; there are: "
            + network.layers.map(\.name).joined(separator: ", "))
      }
      needed.insert(tap.layer)
    }
    for layer in network.layers.reversed() where needed.contains(layer.name) {
      needed.formUnion(layer.layer.inputs)
    }
    let layers = network.network.layers.filter { needed.contains($0.name) }
    return try Network(inputShape: imageShape, layers: layers).resolved()
  }

  private static func values(
    from values: CanonicalParameters, for layout: ParameterLayout, imageShape: Shape
  ) throws(ComputeError) -> CanonicalParameters {
    var known: [String: Parameter] = [:]
    for parameter in values.layout.parameters { known[parameter.path] = parameter }
    let result = CanonicalParameters(layout: layout)
    for parameter in layout.parameters {
      guard let source = known[parameter.path], source.spec.shape == parameter.spec.shape else {
        throw .trace(
          reason: "layer '\(parameter.layer)' belongs to the network's own image size and cannot take images "
            + "of \(imageShape); choose a layer before it")
      }
      _ = result.values(of: parameter).update(fromContentsOf: values.values(of: source))
    }
    return result
  }

  // MARK: - Running

  /// One worker's memory for a trace.
  ///
  /// Used by one thread at a time.
  public final class Session: @unchecked Sendable {
    // @unchecked because the pool gives each session to one worker, and a worker runs on one thread at a time.
    /// What this is the memory for.
    public let trace: LayerTrace
    private let workspace: Workspace
    private let execution: BoundPlan

    fileprivate init(_ trace: LayerTrace) throws(ComputeError) {
      self.trace = trace
      let plan = trace.plan
      workspace = try Workspace(
        arenaByteCount: plan.arenaByteCount, scratchpadByteCount: plan.scratchpadByteCount,
        parts: plan.parts)
      execution = try workspace.execution(
        of: plan, weights: trace.weights, parameters: trace.parameters.baseAddress, gradient: nil,
        statistics: trace.statistics.baseAddress, shardStatistics: nil)
    }

    /// Runs the network to all taps.
    ///
    /// - Parameter images: `samples` images, `[H, W, C]` each, with the values that the network was trained on (pixels of
    ///   0…255 where it begins with a rescaling).
    public func forward(_ images: UnsafePointer<Float>) throws(ComputeError) {
      try run(0..<outputs.forwardStepCount, source(images))
    }

    /// What a tap gave in the last forward pass, channels last.
    ///
    /// - Returns: `samples` times the tap's shape; valid until the next pass.
    public func value(of tap: LayerTap) -> UnsafeBufferPointer<Float> {
      UnsafeBufferPointer(floats(outputs.values[tap], tap))
    }

    /// The memory into which the gradient of a tap's value has to be written before ``backward()``, in the value's shape.
    ///
    /// Every tap's needs its values, zeros included, after each forward pass: the passes use the memory for other things.
    public func seed(of tap: LayerTap) -> UnsafeMutableBufferPointer<Float> {
      floats(outputs.seeds[tap], tap)
    }

    /// Goes back from the gradients that stand in the seeds; what several taps contribute is added.
    ///
    /// - Returns: the gradient with respect to the images, in their shape. Valid until the next pass.
    public func backward() throws(ComputeError) -> UnsafeBufferPointer<Float> {
      guard let gradient = outputs.imageGradient else {
        preconditionFailure("the trace was made without a gradient")
      }
      try run(outputs.forwardStepCount..<trace.plan.steps.count, source(nil))
      return UnsafeBufferPointer(
        start: execution.memory.floats(gradient), count: trace.samples * trace.imageShape.elementCount)
    }

    /// The gradient that arrived at a tap in the last backward pass, channels last: of everything behind it, whatever ways lead
    /// there, and of what stood in its own seed.
    ///
    /// - Returns: `samples` times the tap's shape, valid until the next pass; nil where nothing that is looked at depends on
    ///   the tap.
    public func gradient(at tap: LayerTap) -> UnsafeBufferPointer<Float>? {
      outputs.gradients[tap].map { UnsafeBufferPointer(floats($0, tap)) }
    }

    private func run(_ steps: Range<Int>, _ images: FloatImages) throws(ComputeError) {
      try execution.run(steps: steps, images, on: trace.pool)
    }

    private var outputs: PlanBuilder.TraceOutputs { trace.plan.trace ?? PlanBuilder.TraceOutputs() }

    private func floats(_ operand: Operand?, _ tap: LayerTap) -> UnsafeMutableBufferPointer<Float> {
      guard let operand else { preconditionFailure("the trace does not look at \(tap)") }
      return UnsafeMutableBufferPointer(
        start: execution.memory.floats(operand), count: operand.descriptor.byteCount / 4)
    }

    private func source(_ images: UnsafePointer<Float>?) -> FloatImages {
      FloatImages(
        images: images, sampleCount: trace.samples, pixelCount: trace.imageShape.elementCount)
    }
  }
}

extension LayerTrace.Session {
  /// A forward and a backward pass with copies of everything, for tests and single looks.
  ///
  /// - Parameter seeds: gradients of some taps' values; the others' are zero.
  /// - Returns: the gradient with respect to the images.
  public func gradient(of images: [Float], seeds: [LayerTap: [Float]]) throws(ComputeError) -> [Float] {
    try withPointer(to: images) { pointer throws(ComputeError) in
      try forward(pointer)
      for tap in trace.taps {
        let target = seed(of: tap)
        target.update(repeating: 0)
        if let values = seeds[tap] {
          precondition(values.count == target.count, "\(values.count) gradients for \(target.count) values")
          _ = target.update(fromContentsOf: values)
        }
      }
      return Array(try backward())
    }
  }

  /// A forward pass; what every tap gave.
  public func values(for images: [Float]) throws(ComputeError) -> [LayerTap: [Float]] {
    try withPointer(to: images) { pointer throws(ComputeError) in
      try forward(pointer)
      var result: [LayerTap: [Float]] = [:]
      for tap in trace.taps { result[tap] = Array(value(of: tap)) }
      return result
    }
  }

  private func withPointer<T>(
    to images: [Float], _ body: (UnsafePointer<Float>) throws(ComputeError) -> T
  ) throws(ComputeError) -> T {
    let wanted = trace.samples * trace.imageShape.elementCount
    precondition(images.count == wanted, "expected \(wanted) floats, got \(images.count)")
    let buffer = AlignedBuffer<Float>(images)
    let result = Result { () throws(ComputeError) in try body(buffer.baseAddress) }
    return try withExtendedLifetime(buffer) { () throws(ComputeError) in try result.get() }
  }
}

/// Images that lie one after another in memory.
private struct FloatImages: ShardSource {
  /// The first pixel; nil for a backward pass, which reads none.
  let images: UnsafePointer<Float>?
  let sampleCount: Int
  let pixelCount: Int

  var element: InputElement { .float32 }
  func pixels(at index: Int) -> UnsafeRawPointer {
    guard let images else { preconditionFailure("a backward pass reads no pixels") }
    return UnsafeRawPointer(images + index * pixelCount)
  }
  func target(at index: Int) -> SampleTarget { .label(0) }
}
