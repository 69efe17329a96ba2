public import Compute
internal import Datasets
internal import Foundation
public import Networks
internal import OneDNN
internal import Parallel
internal import Tensors

/// How fast a network trains and infers on this machine, and where the time goes.
public final class Benchmark {
  let configuration: RunConfiguration
  let model: any ModelWriter
  private let samples: SampleSet
  let compiled: CompiledNetwork
  let engine: TrainingEngine
  private let stop: StopRequest

  /// Opens the data and compiles the network; nothing is written.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration` where a training does not fit into the free memory, and what opening and
  ///   compiling throws.
  public init(_ request: RunRequest, stop: StopRequest) throws {
    configuration = request.configuration
    model = request.model
    self.stop = stop
    let prepared = try PreparedTraining(request, takesStart: false, stop: stop)
    samples = prepared.samples.training
    compiled = prepared.compiled
    // The phase in which most is trained, which takes the most.
    engine = try prepared.makeEngine(
      phase: prepared.phases.last, evaluationSizes: [configuration.training.batch])
  }

  /// Times of equal pieces of work.
  public struct Throughput: Sendable {
    /// Images per second at the median time.
    public let imagesPerSecond: Double
    /// Images per second at the 95th percentile of the times.
    public let slowest: Double
    /// Images per second at the 5th percentile of the times.
    public let fastest: Double
    /// How many pieces of work were timed.
    public let steps: Int
    /// Share of the time spent waiting for samples.
    public let dataWaitShare: Double
    /// Median seconds of each phase of a training step; zeros for inference.
    public let phases: StepPhases
  }

  /// Samples of a full shard.
  public var shardSize: Int { compiled.shardSize }
  /// How many parameters the network has.
  public var parameterCount: Int { compiled.network.parameterCount }
  /// Floating-point operations of one training step per image: three times the forward pass.
  public var flopsPerImage: Double { 3 * Double(compiled.network.flops) }

  /// Training steps over the data, epoch after epoch, for at least this many seconds and five steps.
  public func training(seconds: Double) throws -> Throughput {
    let steps = makeSteps()
    return try measure(seconds: seconds) { [self] in
      try take(steps).map { Piece(samples: $0.samples, secondsWaiting: $0.secondsWaiting, phases: $0.phases) }
    }
  }

  /// Steps without end, over the same data in the same order each time.
  func makeSteps() -> StepDriver {
    StepDriver(
      engine, samples,
      reader: BatchReader(
        samples.store, order: samples.order, batchSize: configuration.training.samplesPerStep,
        dropRemainder: true),
      // The weights stay where they begin: speed does not depend on them, and a rate without its schedule, on images that mean
      // nothing, sooner or later makes the loss infinite.
      rates: .constant(0), policy: .stop, stop: stop)
  }

  /// Takes a step that must be done; nil where the data has too few samples for one.
  func take(_ steps: StepDriver) throws -> StepDriver.Step? {
    switch try steps.step() {
    case .done(let step): return step
    case .ended: return nil
    case .stopped: throw Benchmark.stopped
    case .failed(let problem), .leftOut(_, let problem, _): throw TrainingError(.notFinite, "\(problem)")
    }
  }

  private static let stopped = StoppedEarly("stopped by a signal before all was measured")
  static let needsOneRank = TrainingError(.configuration, "a training's memory is measured in one process")
  static let tooFewSamples = TrainingError(.badData, "the data has fewer samples than a minibatch")

  var schedule: Schedule { Schedule(configuration.training, samples: samples.count) }

  /// The forward pass over the data with the inference plan.
  public func inference(seconds: Double) throws -> Throughput {
    let order = SampleOrder(seed: 0, count: samples.store.dataset.count, shuffle: false)
    let reader = BatchReader(
      samples.store, order: order, batchSize: configuration.training.batch, dropRemainder: true)
    let evaluation = try engine.evaluation()
    let clock = ContinuousClock()
    return try measure(seconds: seconds) { [self] in
      let asked = clock.now
      guard let minibatch = try reader.next() else { return nil }
      let waited = TrainingClock.seconds(clock.now - asked)
      guard try evaluation.figures(of: minibatch, stop: stop) != nil else { throw Benchmark.stopped }
      return Piece(samples: minibatch.count, secondsWaiting: waited)
    }
  }

  /// A minibatch that was worked on.
  private struct Piece {
    let samples: Int
    let secondsWaiting: Double
    var phases = StepPhases()
  }

  /// Times pieces of work for at least this many seconds and five pieces, after three that do not count.
  ///
  /// - Parameter work: does a piece, from asking for its samples on; nil when there are none.
  private func measure(seconds: Double, _ work: () throws -> Piece?) throws -> Throughput {
    let clock = ContinuousClock()
    let warmUp = 3
    var pieces: [(piece: Piece, seconds: Double)] = []
    var begin = clock.now
    while true {
      if pieces.count == warmUp { begin = clock.now }
      let elapsed = TrainingClock.seconds(clock.now - begin)
      // Ranks have clocks of their own: the first one's says when all stop.
      if try engine.ranks.communicator.first(pieces.count >= warmUp + 5 && elapsed >= seconds) { break }
      let asked = clock.now
      guard let piece = try work() else { break }
      pieces.append((piece, TrainingClock.seconds(clock.now - asked)))
    }
    let counted = pieces.dropFirst(warmUp)
    guard let batch = counted.first?.piece.samples else { throw Benchmark.tooFewSamples }
    let times = counted.map(\.seconds).sorted()
    func rate(_ share: Double) -> Double {
      Double(batch) / times[min(times.count - 1, Int(Double(times.count) * share))]
    }
    return Throughput(
      imagesPerSecond: rate(0.5), slowest: rate(0.95), fastest: rate(0.05), steps: times.count,
      dataWaitShare: counted.reduce(0) { $0 + $1.piece.secondsWaiting } / max(times.reduce(0, +), 1e-9),
      phases: median(counted.map(\.piece.phases)))
  }

  private func median(_ passes: [StepPhases]) -> StepPhases {
    func middle(_ value: (StepPhases) -> Double) -> Double {
      passes.map(value).sorted()[passes.count / 2]
    }
    var phases = StepPhases()
    for phase in StepPhases.all { phases[keyPath: phase] = middle { $0[keyPath: phase] } }
    return phases
  }

  // MARK: - Where the time goes

  /// The time of one layer's pass in a shard.
  public struct LayerTime: Sendable {
    /// The step that was timed.
    public let step: StepName
    /// Seconds of the fastest run, divided by the samples of the shard.
    public let secondsPerImage: Double
    /// Multiplications and additions that the pass over this layer stands for, as a direct computation would do them; 0 for
    /// steps beside the layer's multiplications.
    public let flopsPerImage: Double
    /// The number format in which the kernel multiplies.
    public var precision: ComputePrecision { step.kernel.contains("bf16") ? .bf16 : .fp32 }
  }

  /// Times every step of a training shard on one worker; the fastest of several runs counts.
  public func profile(repeats: Int = 10) throws -> [LayerTime] {
    let plan = try compiled.trainingPlan(samples: compiled.shardSize)
    let dataset = samples.store.dataset
    let rows = (0..<compiled.shardSize).map { $0 % dataset.count }
    let shard = MinibatchShard(
      minibatch: try dataset.samples(rows), range: 0..<compiled.shardSize)
    var best = [UInt64](repeating: .max, count: plan.stepNames.count)
    for _ in 0..<max(repeats, 1) {
      guard !stop.isRequested else { throw Benchmark.stopped }
      let times = try engine.profile(shard)
      for index in times.indices { best[index] = min(best[index], times[index]) }
    }
    let flops = Dictionary(uniqueKeysWithValues: compiled.network.layers.map { ($0.name, Double($0.flops)) })
    return zip(plan.stepNames, best).map { step, time in
      LayerTime(
        step: step, secondsPerImage: Double(time) * 1e-9 / Double(compiled.shardSize),
        flopsPerImage: step.multiplies ? flops[step.layer] ?? 0 : 0)
    }
  }

  /// Bytes that one step's sum of gradients and optimizer read and write: every shard's gradient, and the parameters that are
  /// trained and the optimizer's slots twice.
  ///
  /// Gradients that are taken over the whole minibatch stay in the caches.
  ///
  /// Additions of gradients while shards are still computed are not in it; there are none as long as buffers suffice.
  public var updateBytes: Int {
    let shards = Sharding(sampleCount: configuration.training.samplesPerStep, shardSize: compiled.shardSize)
      .count
    return
      (shards * compiled.gradientCount + 2 * (1 + engine.optimizer.slotNames.count) * compiled.trainedCount)
      * MemoryLayout<Float>.stride
  }

  /// Bytes per second, read and written ones together, at which `workers` copy memory that no cache holds.
  public static func measuredCopySpeed(workers: Int) -> Double {
    let count = 1 << 25
    let source = AlignedBuffer<Float>(count: count)
    let target = AlignedBuffer<Float>(count: count)
    let pieces = DisjointSlices(target, sliceLength: 1 << 18)
    let pool = WorkerPool(workers: workers)
    let clock = ContinuousClock()
    var best = Double.infinity
    for _ in 0..<5 {
      let start = clock.now
      pool.forEach(count: pieces.count) { piece, _ in
        let range = pieces.range(of: piece)
        pieces[piece].baseAddress?.update(from: source.baseAddress + range.lowerBound, count: range.count)
      }
      best = min(best, TrainingClock.seconds(clock.now - start))
    }
    return 2 * Double(count * MemoryLayout<Float>.stride) / best
  }

  /// Lets ``peakMemoryBytes()`` count from here, where the system allows it.
  public static func resetPeakMemory() {
    try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
  }

  /// The most memory that the process has used so far, in bytes.
  public static func peakMemoryBytes() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
    return (kilobytes ?? 0) * 1024
  }
}

extension Benchmark {
  /// Writes a dataset of made-up images with targets that a criterion takes, where no data are at hand.
  ///
  /// - Returns: where its samples are.
  @discardableResult
  public static func writeSyntheticDataset(
    for network: ResolvedNetwork, _ criterion: Criterion = .classification, samples: Int, to path: String
  ) throws -> SampleSource {
    let shape = network.inputShape
    var stream = RandomStream(seed: 0, purpose: .synthetic)
    let outputs = network.outputShape.elementCount
    // One output tells two classes apart.
    let classes = max(outputs, 2)
    let labels = (0..<samples).map { _ in Int32(stream.nextInteger(below: classes)) }
    let targets: DatasetWriter.Targets
    switch criterion.targets {
    case .classes: targets = .labels(labels, classNames: (0..<classes).map { "\($0)" })
    case .values:
      // The vector that is 1 at a class: whole numbers, 0 or 1, and together 1 for all losses.
      let values = labels.flatMap { label in (0..<outputs).map { Int($0) == Int(label) ? 1 : 0 as Float } }
      targets = .values(values, width: outputs, names: nil)
    }
    let writer = try DatasetWriter(path: path, overwrite: true)
    // Words must be in the vocabulary.
    let vocabularies = network.network.layers.compactMap { layer in
      if case .embedding(let embedding) = layer.spec { embedding.vocabulary } else { nil as Int? }
    }
    let values = UInt32(min(256, vocabularies.min() ?? 256))
    try writer.writeSplit(
      "train", sampleShape: shape, targets: targets, compressionLevel: nil, progress: { _ in },
      fill: { _, memory in
        for index in memory.indices { memory[index] = UInt8((stream.nextUInt32() >> 24) % values) }
      })
    try writer.finish()
    let target: TargetName =
      criterion.targets == .classes ? .labels("train/labels") : .values("train/targets")
    return SampleSource(file: path, images: "train/images", target: target)
  }
}
