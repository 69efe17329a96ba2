internal import Compute
internal import Foundation
internal import Training

/// What one measurement found, ready to be printed.
struct BenchResult {
  let name: String
  let precision: Precision
  let workers: Int
  let batch: Int
  let shard: Int
  let parameters: Int
  let flopsPerImage: Double
  let training: Benchmark.Throughput
  let inference: Benchmark.Throughput
  let layers: [Benchmark.LayerTime]
  let peakMemoryBytes: Int

  init(
    name: String, precision: Precision, workers: Int, batch: Int, _ benchmark: Benchmark, seconds: Double
  ) throws {
    self.name = name
    self.precision = precision
    self.workers = workers
    self.batch = batch
    shard = benchmark.shardSize
    parameters = benchmark.parameterCount
    flopsPerImage = benchmark.flopsPerImage
    training = try benchmark.training(seconds: seconds)
    inference = try benchmark.inference(seconds: seconds / 2)
    peakMemoryBytes = Benchmark.peakMemoryBytes()
    layers = try benchmark.profile()
  }

  var line: String {
    let spread = String(format: "%.0f to %.0f", training.slowest, training.fastest)
    return
      "\(name) \(precision.rawValue) \(workers) worker(s), batch \(batch) in shards of \(shard): training "
      + String(format: "%.1f images/s (%@ in 90%% of steps)", training.imagesPerSecond, spread)
      + String(format: ", inference %.1f", inference.imagesPerSecond)
      + String(format: ", data wait %.2f%%", training.dataWaitShare * 100)
      + String(format: ", peak memory %.0f MB", Double(peakMemoryBytes) / 1e6)
  }

  /// The time of each layer and pass on one worker, and the whole against the machine's measured peak.
  func layerTable() throws -> String {
    let total = layers.reduce(0) { $0 + $1.secondsPerImage }
    let rows = layers.filter { $0.secondsPerImage > total * 0.001 }.map { time in
      let step = time.step
      return String(
        format: "%10.2f µs %5.1f%%  ", time.secondsPerImage * 1e6, time.secondsPerImage / total * 100)
        + "\(step.layer) \(step.pass.rawValue)  \(step.kernel) \(step.layout)"
    }
    let peak = try KernelTuner.measuredPeak(precision == .bf16 ? .bf16 : .fp32)
    let rate = flopsPerImage / total
    let summary = String(
      format: "%10.2f µs a sample on one worker: %.0f of %.0f GFLOP/s (%.0f%% of the measured peak)",
      total * 1e6, rate * 1e-9, peak * 1e-9, rate / peak * 100)
    return (rows + [summary]).joined(separator: "\n")
  }

  static func json(_ results: [BenchResult]) throws -> String {
    let list = results.map { result -> [String: Any] in
      [
        "network": result.name, "precision": result.precision.rawValue, "workers": result.workers,
        "batch": result.batch, "shard": result.shard, "parameters": result.parameters,
        "training_images_per_second": result.training.imagesPerSecond,
        "training_images_per_second_p5": result.training.slowest,
        "training_images_per_second_p95": result.training.fastest, "training_steps": result.training.steps,
        "data_wait_share": result.training.dataWaitShare,
        "inference_images_per_second": result.inference.imagesPerSecond,
        "peak_memory_bytes": result.peakMemoryBytes, "training_flops_per_image": result.flopsPerImage,
        "layers": result.layers.map { time -> [String: Any] in
          [
            "layer": time.step.layer, "pass": time.step.pass.rawValue, "kernel": time.step.kernel,
            "seconds_per_image": time.secondsPerImage,
          ]
        },
      ]
    }
    let data = try JSONSerialization.data(withJSONObject: list, options: [.prettyPrinted, .sortedKeys])
    return String(decoding: data, as: UTF8.self)
  }
}
