internal import Compute
internal import Foundation
internal import Parallel
internal import Tensors
internal import Training

/// The figures of one measurement, ready to be printed.
struct BenchResult {
  let name: String
  let precision: Precision
  let workers: Int
  let batch: Int
  let shard: Int
  let parameters: Int
  let flopsPerImage: Double
  let training: Benchmark.Throughput
  let inference: Benchmark.Throughput?
  let layers: [Benchmark.LayerTime]
  let peakMemoryBytes: Int
  /// Floating-point operations per second on one core, by number format: see `KernelTuner.measuredPeak`.
  let peaks: [ComputePrecision: Double]
  /// Bytes that the sum of gradients and the optimizer move in a step, and the speed at which memory is copied.
  let updateBytes: Int
  let copyBytesPerSecond: Double
  let checkpoints: CheckpointCost?
  /// How many ranks trained together, and what each sent and found the network to be; nil for a training in one process.
  let crew: RankTraffic?

  init(
    name: String, precision: Precision, workers: Int, batch: Int, _ benchmark: Benchmark, seconds: Double,
    trainingOnly: Bool, withLayers: Bool, checkpointsIn folder: String
  ) throws {
    self.name = name
    self.precision = precision
    self.workers = workers
    self.batch = batch
    shard = benchmark.shardSize
    parameters = benchmark.parameterCount
    flopsPerImage = benchmark.flopsPerImage
    training = try benchmark.training(seconds: seconds)
    inference = trainingOnly ? nil : try benchmark.inference(seconds: seconds / 2)
    peakMemoryBytes = Benchmark.peakMemoryBytes()
    crew = try benchmark.traffic()
    checkpoints =
      trainingOnly || crew != nil ? nil : try benchmark.checkpointCost(seconds: seconds, in: folder)
    layers = withLayers ? try benchmark.profile() : []
    var peaks: [ComputePrecision: Double] = [:]
    if withLayers {
      peaks[.fp32] = try KernelTuner.measuredPeak(.fp32)
      if precision == .bf16 { peaks[.bf16] = try KernelTuner.measuredPeak(.bf16) }
    }
    self.peaks = peaks
    updateBytes = benchmark.updateBytes
    copyBytesPerSecond = withLayers ? Benchmark.measuredCopySpeed(workers: workers) : 0
  }

  /// `2 workers`, or `4 ranks × 2 workers`.
  private var who: String {
    let own = counted(workers, "worker")
    return crew.map { "\($0.ranks) ranks × \(own)" } ?? own
  }

  /// What several ranks tell each other; empty for one.
  private var told: String {
    guard let crew else { return "" }
    return String(
      format: ", of a step exchange %.2f ms and waiting for other ranks %.2f ms, %.2f MB sent by this rank",
      training.phases.exchange * 1e3, training.phases.waiting * 1e3, crew.bytesSent * 1e-6)
  }

  var line: String {
    let spread = String(format: "%.0f to %.0f", training.slowest, training.fastest)
    return
      "\(name) \(precision.rawValue) \(who), batch \(batch) in shards of \(shard): training "
      + String(format: "%.1f images/s (%@ in 90%% of steps)", training.imagesPerSecond, spread)
      + (inference.map {
        String(format: ", inference %.1f (%.0f to %.0f)", $0.imagesPerSecond, $0.slowest, $0.fastest)
      } ?? "")
      + String(format: ", data wait %.2f%%", training.dataWaitShare * 100)
      + String(format: ", peak memory %.0f MB", Double(peakMemoryBytes) / 1e6)
      + (checkpoints.map {
        String(
          format: ", checkpoints %.2f%% (%.1f ms for each of %.1f MB, one every %.1f s)", $0.share * 100,
          $0.seconds * 1e3, Double($0.byteCount) / 1e6, $0.intervalSeconds)
      } ?? "")
      + told
  }

  /// A table with the time of each layer and pass on one worker, then a line for each phase of a step.
  ///
  /// The multiplications of kernels are compared with the machine's measured peak in their number format. Winograd's kernels may
  /// exceed it, since they need fewer multiplications than are counted.
  func layerTable() throws -> String {
    let total = layers.reduce(0) { $0 + $1.secondsPerImage }
    let rows = layers.filter { $0.secondsPerImage > total * 0.001 }.map { time in
      let step = time.step
      let share = peakShare(of: time).map { String(format: "%4.0f%%", $0 * 100) } ?? "     "
      return String(
        format: "%10.2f µs %5.1f%%  %@  ", time.secondsPerImage * 1e6, time.secondsPerImage / total * 100,
        share)
        + "\(step.layer) \(step.pass.rawValue)  \(step.kernel) \(step.layout)"
    }
    let phases = training.phases
    let rate = flopsPerImage / total
    let summary = String(
      format: "%10.2f µs per sample on one worker: %.0f GFLOP/s; measured peak %.0f fp32%@", total * 1e6,
      rate * 1e-9, (peaks[.fp32] ?? 0) * 1e-9,
      peaks[.bf16].map { String(format: ", %.0f bf16", $0 * 1e-9) } ?? "")
    let step = String(
      format: "%10.2f ms per step: shards %.2f, sum and optimizer %.2f, kernels' weights %.2f%@",
      (phases.shards + phases.waiting + phases.update + phases.exchange + phases.kernelWeights) * 1e3,
      phases.shards * 1e3,
      phases.update * 1e3, phases.kernelWeights * 1e3,
      crew == nil
        ? "" : String(format: ", exchange %.2f, waiting %.2f", phases.exchange * 1e3, phases.waiting * 1e3))
    let memory = String(
      format: "%10.1f GB/s in sum and optimizer, where copying memory reaches %.1f GB/s",
      Double(updateBytes) / max(phases.update, 1e-9) * 1e-9, copyBytesPerSecond * 1e-9)
    return (["      time  share   peak  layer and pass, kernel, layout"] + rows + [summary, step, memory])
      .joined(separator: "\n")
  }

  /// The share of the measured peak at which a kernel works; nil for steps that multiply nothing.
  fileprivate func peakShare(of time: Benchmark.LayerTime) -> Double? {
    guard time.flopsPerImage > 0, let peak = peaks[time.precision], peak > 0 else { return nil }
    return time.flopsPerImage / time.secondsPerImage / peak
  }

  static func json(_ results: [BenchResult]) throws -> String {
    try ResultJSON.text(results.map(BenchmarkFigures.init))
  }
}

/// One measurement as `bench --json` prints it; the command's help explains the keys.
private struct BenchmarkFigures: Encodable {
  struct Layer: Encodable {
    let layer: String
    let pass: String
    let kernel: String
    let layout: String
    let secondsPerImage: Double
    /// Left out, as is the share, for steps that multiply nothing.
    let flopsPerImage: Double?
    let peakShare: Double?

    init(_ time: Benchmark.LayerTime, peakShare: Double?) {
      layer = time.step.layer
      pass = time.step.pass.rawValue
      kernel = time.step.kernel
      layout = time.step.layout
      secondsPerImage = time.secondsPerImage
      flopsPerImage = peakShare == nil ? nil : time.flopsPerImage
      self.peakShare = peakShare
    }
  }

  let network: String
  let precision: String
  let workers: Int
  let batch: Int
  let shard: Int
  let parameters: Int
  let trainingImagesPerSecond: Double
  let trainingImagesPerSecondP5: Double
  let trainingImagesPerSecondP95: Double
  let trainingSteps: Int
  let dataWaitShare: Double
  let shardsSeconds: Double
  let updateSeconds: Double
  let kernelWeightsSeconds: Double
  let updateBytes: Int
  let peakMemoryBytes: Int
  let trainingFlopsPerImage: Double
  let inferenceImagesPerSecond: Double?
  let inferenceImagesPerSecondP5: Double?
  let inferenceImagesPerSecondP95: Double?
  let checkpointSeconds: Double?
  let checkpointSecondsP25: Double?
  let checkpointSecondsP75: Double?
  let checkpointCopySeconds: Double?
  let checkpointBytes: Int?
  let checkpointRounds: Int?
  let checkpointIntervalSeconds: Double?
  let checkpointShare: Double?
  let copyBytesPerSecond: Double?
  let peakFlopsFp32: Double?
  let peakFlopsBf16: Double?
  let layers: [Layer]?
  let ranks: Int?
  let exchangeSeconds: Double?
  let waitingSeconds: Double?
  let sentBytes: Double?
  let networkLatencySeconds: Double?
  let networkMessageSeconds: Double?
  let networkBytesPerSecond: Double?

  init(_ result: BenchResult) {
    network = result.name
    precision = result.precision.rawValue
    workers = result.workers
    batch = result.batch
    shard = result.shard
    parameters = result.parameters
    trainingImagesPerSecond = result.training.imagesPerSecond
    trainingImagesPerSecondP5 = result.training.slowest
    trainingImagesPerSecondP95 = result.training.fastest
    trainingSteps = result.training.steps
    dataWaitShare = result.training.dataWaitShare
    shardsSeconds = result.training.phases.shards
    updateSeconds = result.training.phases.update
    kernelWeightsSeconds = result.training.phases.kernelWeights
    updateBytes = result.updateBytes
    peakMemoryBytes = result.peakMemoryBytes
    trainingFlopsPerImage = result.flopsPerImage
    inferenceImagesPerSecond = result.inference?.imagesPerSecond
    inferenceImagesPerSecondP5 = result.inference?.slowest
    inferenceImagesPerSecondP95 = result.inference?.fastest
    checkpointSeconds = result.checkpoints?.seconds
    checkpointSecondsP25 = result.checkpoints?.lowerQuartile
    checkpointSecondsP75 = result.checkpoints?.upperQuartile
    checkpointCopySeconds = result.checkpoints?.copySeconds
    checkpointBytes = result.checkpoints?.byteCount
    checkpointRounds = result.checkpoints?.rounds
    checkpointIntervalSeconds = result.checkpoints?.intervalSeconds
    checkpointShare = result.checkpoints?.share
    copyBytesPerSecond = result.copyBytesPerSecond > 0 ? result.copyBytesPerSecond : nil
    peakFlopsFp32 = result.peaks[.fp32]
    peakFlopsBf16 = result.peaks[.bf16]
    layers =
      result.layers.isEmpty ? nil : result.layers.map { Layer($0, peakShare: result.peakShare(of: $0)) }
    ranks = result.crew?.ranks
    exchangeSeconds = result.crew == nil ? nil : result.training.phases.exchange
    waitingSeconds = result.crew == nil ? nil : result.training.phases.waiting
    sentBytes = result.crew?.bytesSent
    networkLatencySeconds = result.crew?.network?.latency
    networkMessageSeconds = result.crew?.network?.perMessage
    networkBytesPerSecond = result.crew?.network?.bytesPerSecond
  }
}
