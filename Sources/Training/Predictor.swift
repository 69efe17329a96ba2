internal import Compute
public import Datasets
public import Networks
internal import Parallel
internal import Tensors

/// A network with its values, ready to predict: plans for the forward pass and memory for each worker.
///
/// Shards run on all workers; results depend on neither their number nor the order in which they finish. One call at a
/// time: workspaces are shared by the calls.
public final class Predictor: Sendable {
  public let network: ResolvedNetwork
  /// Values of the network's output.
  public var classes: Int { network.outputShape.elementCount }

  private let compiled: CompiledNetwork
  private let pool: WorkerPool
  private let parameters: AlignedBuffer<Float>
  private let statistics: AlignedBuffer<Float>
  private let weights: KernelWeights
  private let workspaces: [Workspace]

  /// - Parameters:
  ///   - sampleCount: samples that will be predicted; plans are compiled for the sizes of their shards.
  ///   - workers: 1 or more.
  /// - Throws: ``ComputeError`` where a layer has no kernel.
  public init(_ network: ResolvedNetwork, values: CanonicalParameters, sampleCount: Int, workers: Int) throws
  {
    self.network = network
    // From the samples alone: a shard that followed the number of workers could change the last bits.
    let shard = sampleCount < Self.batch ? max(1, min(16, sampleCount)) : nil
    compiled = try CompiledNetwork(
      network, options: CompileOptions(batch: Self.batch, shard: shard, training: false))
    for batch in RunData.minibatchSizes(samples: sampleCount, batch: Self.batch) {
      for samples in Sharding(sampleCount: batch, shardSize: compiled.shardSize).sizes {
        _ = try compiled.inferencePlan(samples: samples)
      }
    }
    pool = WorkerPool(workers: workers)
    workspaces = try (0..<workers).map { [compiled] _ in try compiled.makeWorkspace() }
    parameters = AlignedBuffer(count: compiled.storageCount)
    try compiled.load(values.trainable.baseAddress, into: parameters.baseAddress)
    statistics = AlignedBuffer(count: values.statistics.count)
    statistics.copy(from: values.statistics)
    weights = compiled.makeKernelWeights()
    try weights.refresh(from: parameters)
  }

  /// Samples in memory at once; small enough that a wish to stop is heard soon.
  public static let batch = 512

  /// Logits of a minibatch, [samples, classes] row by row; nil when asked to stop.
  public func logits(_ minibatch: Minibatch, stop: StopRequest) throws -> [Float]? {
    let sharding = Sharding(sampleCount: minibatch.count, shardSize: compiled.shardSize)
    return try logits(sharding, stop: stop) { MinibatchShard(minibatch: minibatch, range: sharding[$0]) }
  }

  /// Logits of samples given as bytes one after another, each `[H, W, C]`; nil when asked to stop.
  ///
  /// - Parameter pixels: a whole number of samples of the network's input.
  public func logits(pixels: [UInt8], stop: StopRequest) throws -> [Float]? {
    let size = network.inputShape.elementCount
    precondition(pixels.count.isMultiple(of: size), "\(pixels.count) bytes are no whole samples of \(size)")
    let buffer = AlignedBuffer<UInt8>(count: pixels.count)
    buffer.elements.baseAddress.map { start in pixels.withUnsafeBufferPointer { copy($0, to: start) } }
    let sharding = Sharding(sampleCount: pixels.count / size, shardSize: compiled.shardSize)
    return try logits(sharding, stop: stop) {
      PixelShard(buffer: buffer, byteCount: size, range: sharding[$0])
    }
  }

  private func copy(_ source: UnsafeBufferPointer<UInt8>, to start: UnsafeMutablePointer<UInt8>) {
    if let base = source.baseAddress { start.update(from: base, count: source.count) }
  }

  private func logits(
    _ sharding: Sharding, stop: StopRequest, _ source: @Sendable (Int) -> any ShardSource
  ) throws -> [Float]? {
    let rows = AlignedBuffer<Float>(count: sharding.sampleCount * classes)
    let done = try pool.forEach(in: 0..<sharding.count, while: { _ in !stop.isRequested }) {
      [self] shard, worker in
      let range = sharding[shard]
      let plan = try compiled.inferencePlan(samples: range.count)
      try plan.infer(
        source(shard), in: workspaces[worker], weights: weights, parameters: parameters.baseAddress,
        statistics: statistics.baseAddress, logits: rows.baseAddress + range.lowerBound * classes)
    }
    guard done == sharding.count else { return nil }
    return Array(rows.elements)
  }

  /// Probabilities from one row of logits: softmax, in `Double`.
  public static func probabilities(_ logits: ArraySlice<Float>) -> [Double] {
    CrossEntropy.probabilities(logits)
  }
}

/// Samples that lie one after another in memory; their labels are not known.
private struct PixelShard: ShardSource {
  let buffer: AlignedBuffer<UInt8>
  let byteCount: Int
  let range: Range<Int>

  var sampleCount: Int { range.count }
  var element: InputElement { .uint8 }
  func pixels(at index: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(buffer.baseAddress + (range.lowerBound + index) * byteCount)
  }
  func label(at index: Int) -> Int32 { 0 }
}
